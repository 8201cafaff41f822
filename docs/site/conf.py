"""How Sphinx builds the site; docs/site/build_site.py runs it, in its own process and on its path."""

from typing import Any

from docutils.nodes import Element
from navigation import TITLE
from reference_api import escape_markup
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

import distortlab

project = TITLE
author = "the authors of refine-iqa"
version = release = distortlab.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
root_doc = "index"
nitpicky = True
# Types in signatures lead to their entries where the reference has some. All that a page writes must lead somewhere.
nitpick_ignore_regex = [("py:.*", r".*")]

myst_heading_anchors = 6
myst_heading_slug_func = "page_links.make_anchor"
myst_enable_extensions = ["deflist"]
myst_links_external_new_tab = False

highlight_language = "none"
default_role = "code"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_rtype = False
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = TITLE
html_static_path = ["static"]
html_css_files = ["style.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_show_copyright = False
html_last_updated_fmt = None
templates_path = ["templates"]
html_theme_options: dict[str, Any] = {
    "top_of_page_buttons": ["view"],
    "light_css_variables": {"color-brand-primary": "#1f5fa8", "color-brand-content": "#1f5fa8"},
    "dark_css_variables": {"color-brand-primary": "#7fb3e8", "color-brand-content": "#7fb3e8"},
}
copybutton_exclude = ".linenos, .gp, .go"


def find_public_name(app: Sphinx, env: BuildEnvironment, node: Element, content: Element) -> Element | None:
    """Lead a reference to `distortlab.api.distort` to `distortlab.distort`, where it is documented."""
    package, _, rest = node.get("reftarget", "").partition(".")
    domain = env.domains["py"]
    public = f"{package}.{rest.rpartition('.')[2]}"
    if node.get("refdomain") != "py" or public not in domain.objects:
        return None
    return domain.resolve_any_xref(env, node["refdoc"], app.builder, public, node, content)[0][1]


def escape_docstring(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Our docstrings are text with code in backticks: an asterisk or a bar in them is no markup."""
    lines[:] = escape_markup(lines)


def setup(app: Sphinx) -> None:
    app.connect("missing-reference", find_public_name)
    app.connect("autodoc-process-docstring", escape_docstring, priority=100)  # before napoleon
