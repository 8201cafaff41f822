"""What the site has: its sections, their pages in order, and a line about each for llms.txt.

A page is a Markdown file of the repository under the name that it has in the site. Markdown files of docs/ that are not
named here stand in a section of their own at the end, so that a new page is never lost.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["ABOUT", "HOME", "TITLE", "Page", "Section", "find_sections"]

TITLE = "Refine-IQA, open"
ABOUT = (
    "Teach vision-language models to see image quality: `distortlab` makes data sets of distorted images and "
    "questions, `refine_iqa_train` trains on them with TRL, `refine-bench` scores models."
)


class Page(NamedTuple):
    """A page: its name in the site without ending, its file in the repository, a line about it."""

    name: str
    source: str
    about: str


class Section(NamedTuple):
    """Pages that stand together in the navigation."""

    title: str
    pages: tuple[Page, ...]


HOME = Page("index", "docs/index.md", "what there is, and where to begin")


def _docs(*pages: tuple[str, str]) -> tuple[Page, ...]:
    return tuple(Page(name, f"docs/{name}.md", about) for name, about in pages)


SECTIONS = (
    Section(
        "Start",
        _docs(
            ("start", "five minutes to a data set that one has looked at"),
            ("concepts", "the words: region, edit, V, severity, recipe, task, verdict, run"),
            ("gallery", "every distortion at every severity, in pictures"),
        ),
    ),
    Section(
        "Guides",
        _docs(
            ("guides/build", "for who builds data: references, recipe, generate, check, share"),
            ("guides/train", "for who trains: data, dry run, two stages, curves, what fits where"),
            ("guides/measure", "for who measures: sets, protocols, runs, comparisons, reports"),
        ),
    ),
    Section(
        "Data sets",
        _docs(
            ("datasets", "recipes, references, columns, continuing, what goes wrong"),
            ("diagnosis", "images with none, one or several distortions: recipe, columns, the task and its score"),
            ("stream", "samples without end, in memory, while a model learns"),
            ("viewing", "the page that shows a data set: keys, filters, what is exact"),
            ("study", "a study with people: the page, what it asks, thresholds and the other numbers"),
            ("trust", "what verify checks and cannot, how stats judges, what is won without looking"),
            ("storage", "publishing on the Hub, damage, what is sent"),
            ("sharing", "Croissant, cards, scores in cards of models, CSV, W&B, pandas"),
            ("export", "forms that other projects load"),
            ("archives", "a tenth of the size, to keep and to send"),
            ("scaling", "object stores, Slurm, Kubernetes, Ray; what a million images take"),
            ("performance", "what an image costs"),
        ),
    ),
    Section(
        "Severity",
        _docs(
            ("distortions", "every distortion, its ladders, its rules"),
            ("visibility", "how a change is measured: V"),
            ("severity", "what the severities mean on photographs, by several measures"),
            ("people", "whether people agree with V, and what they would say of a severity"),
            ("observers", "whether labels read as what they say; difficulty"),
            ("ladders", "how the ladders were made"),
        ),
    ),
    Section(
        "Training",
        (
            *_docs(
                ("training", "two stages of GRPO: configuration, data, rewards, what is watched, what fits where"),
                ("learning", "what small models learn, measured"),
                ("stages", "whether the first stage helps the second, at tiny scale"),
            ),
            Page("recipes", "recipes/README.md", "the configurations that come with the package"),
        ),
    ),
    Section(
        "Measuring",
        _docs(
            ("bench", "the harness: models, protocols, runs, reports"),
            ("bench-sets", "rated sets: files, splits, variants"),
            ("bench-statistics", "correlations, intervals, paired tests"),
            ("sensitivity", "from where on a scorer notices, whether it is monotone, how it ranks families"),
        ),
    ),
    Section(
        "Project",
        (
            Page("changelog", "CHANGELOG.md", "what changed, by version"),
            *_docs(("log", "what did not work")),
            Page("contributing", "CONTRIBUTING.md", "how to change something, and releasing"),
            Page("code-map", "AGENTS.md", "a map of the code"),
            Page("security", "SECURITY.md", "reporting a vulnerability"),
        ),
    ),
)


def find_sections(root: Path) -> tuple[Section, ...]:
    """Return the sections with the pages that are there, and those that no section names at the end."""
    sections = [
        Section(title, tuple(page for page in pages if (root / page.source).exists())) for title, pages in SECTIONS
    ]
    named = {HOME.source, *(page.source for _, pages in sections for page in pages)}
    others = tuple(page for page in _find_pages(root) if page.source not in named)
    return (*sections, *([Section("More", others)] if others else []))


def _find_pages(root: Path) -> Iterator[Page]:
    """Yield all pages of docs/ but the decisions, which are listed on a page of their own."""
    for path in sorted((root / "docs").rglob("*.md")):
        name = path.relative_to(root / "docs").with_suffix("").as_posix()
        if not name.startswith(("decisions/", "site/")):
            yield Page(name, f"docs/{name}.md", "")
