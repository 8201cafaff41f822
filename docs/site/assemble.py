"""The pages of the site put together in a folder: the Markdown of the repository, its links leading within the site.

Pages have other places there (CHANGELOG.md is changelog.md), pictures lie in images/, and files that are no pages
(recipes, programs) in files/, to be downloaded. Decisions and the reference get pages that list them.
"""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from navigation import HOME, Page, Section, find_sections
from notebook_pages import convert_notebook, find_notebooks
from page_links import find_title, make_relative, rewrite_links
from reference import make_reference

__all__ = ["Assembled", "assemble"]

PICTURES = frozenset((".jpg", ".png", ".svg", ".webp"))
DECISIONS = "docs/decisions"


class Assembled(NamedTuple):
    """Sections with their pages, and copies of pages that are written otherwise for readers of Markdown, by name."""

    sections: tuple[Section, ...]
    copies: dict[str, str]


def assemble(root: Path, out: Path) -> Assembled:
    """Write the sources of the site.

    Parameters
    ----------
    root
        A checkout of the repository.
    out
        The folder of the sources; what is there is removed.

    Raises
    ------
    SystemExit
        A link of a page leads nowhere.
    """
    shutil.rmtree(out, ignore_errors=True)
    decisions = _find_decisions(root)
    sections = find_sections(root)
    pages = [HOME, *(page for section in sections for page in section.pages), *decisions]
    notebooks = find_notebooks(root)
    places = {page.source: f"{page.name}.md" for page in (*pages, *notebooks.pages)}
    places |= {DECISIONS: "decisions/index.md", "README.md": "index.md", "docs/site": "index.md"}
    for page in pages:
        text = (root / page.source).read_text(encoding="utf-8")
        _write(out, page.name, _Mover(root, out, page, places).rewrite(text))
    for page in notebooks.pages:
        _write(out, page.name, _make_notebook_page(root, out, page))
    index = Page("decisions/index", "", "why things are as they are")
    _write(out, index.name, _list_decisions(root, decisions))
    reference = make_reference(root)
    for name, text in reference.pages.items():
        _write(out, name, text)
    arranged = _arrange(sections, notebooks, reference.section, index)
    _add_trees(out, arranged, decisions)
    return Assembled(tuple(arranged), reference.copies)


def _arrange(sections: Iterable[Section], notebooks: Section, reference: Section, decisions: Page) -> list[Section]:
    """The sections in the order of the navigation: notebooks behind the guides, the reference before the project."""
    arranged = []
    for section in sections:
        if section.title == "Project":
            arranged += [reference, Section("Project", (decisions, *section.pages))]
        else:
            arranged += [section, notebooks] if section.title == "Guides" and notebooks.pages else [section]
    return arranged


def _make_notebook_page(root: Path, out: Path, page: Page) -> str:
    """A notebook as a page; itself it is copied, to be downloaded."""
    file = out / "files" / page.source
    file.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(root / page.source, file)
    return convert_notebook(root, page, out)


class _Mover:
    """Links of a page, from where it is in the repository to where it will be."""

    def __init__(self, root: Path, out: Path, page: Page, places: Mapping[str, str]) -> None:
        self.root, self.out, self.page, self.places = root, out, page, places

    def rewrite(self, text: str) -> str:
        return rewrite_links(text, self.move)

    def move(self, target: str) -> str:
        path = (self.root / self.page.source).parent.joinpath(target).resolve()
        if not path.is_relative_to(self.root) or not path.exists():
            raise SystemExit(f"{self.page.source}: the link to {target} leads nowhere")
        source = path.relative_to(self.root).as_posix()
        place = self.places.get(source) or self._copy(path, source)
        return make_relative(place, self.page.name)

    def _copy(self, path: Path, source: str) -> str:
        """Copy what is no page; a folder without a page of its own is one that nothing can be shown of."""
        if path.is_dir():
            raise SystemExit(f"{self.page.source}: {source} is a folder, which the site has no page of")
        place = f"images/{source.removeprefix('docs/images/')}" if path.suffix in PICTURES else f"files/{source}"
        (self.out / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, self.out / place)
        return place


def _find_decisions(root: Path) -> list[Page]:
    files = sorted((root / DECISIONS).glob("[0-9]*.md"))
    return [Page(f"decisions/{file.stem}", f"{DECISIONS}/{file.name}", "") for file in files]


def _list_decisions(root: Path, decisions: list[Page]) -> str:
    lines = [
        "# Decisions",
        "",
        "Why things are as they are. Each is what was decided, why, and what it was measured by.",
        "",
    ]
    for page in decisions:
        number, title = (
            Path(page.source).name[:4].lstrip("0"),
            find_title((root / page.source).read_text(encoding="utf-8")),
        )
        lines.append(f"- {number}: [{title.removeprefix(f'{number}. ')}]({Path(page.source).name})")
    return "\n".join(lines) + "\n"


def _add_trees(out: Path, sections: Iterable[Section], decisions: list[Page]) -> None:
    """Tell Sphinx the order of the pages: blocks that it reads and nobody sees, at the end of the pages that lead."""
    trees = "".join(_format_tree([page.name for page in pages], title) for title, pages in sections)
    _append(out / "index.md", trees)
    _append(out / "decisions" / "index.md", _format_tree([Path(page.name).name for page in decisions]))


def _format_tree(names: list[str], caption: str = "") -> str:
    title = [f":caption: {caption}"] if caption else []
    return "\n".join(["", "```{toctree}", ":hidden:", *title, "", *names, "```", ""])


def _append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def _write(out: Path, name: str, text: str) -> None:
    path = out / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
