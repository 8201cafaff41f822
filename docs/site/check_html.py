"""Check built pages: links between them, their anchors, the files they load, texts of pictures. No network."""

from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

__all__ = ["find_problems"]


class _Page(HTMLParser):
    """The links, anchors and pictures of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.wordless: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what a tag says."""
        values = dict(attrs)
        self.links += [value for name in ("href", "src") if (value := values.get(name))]
        self.anchors.update(value for name in ("id", "name") if (value := values.get(name)))
        if tag == "img" and not (values.get("alt") or "").strip():
            self.wordless.append(values.get("src") or "")


def find_problems(html: Path) -> list[str]:
    """Return a line for every link that leads nowhere and every picture without a text, in all pages below a folder."""

    @cache
    def read(path: Path) -> _Page:
        return _Page(path.read_text(encoding="utf-8"))

    def find_problem(page: Path, link: str) -> str | None:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            return "loads from elsewhere" if parts.scheme == "http" else None
        place = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        if not place.is_file():
            return "is not there"
        if parts.fragment and place.suffix == ".html" and unquote(parts.fragment) not in read(place).anchors:
            return "has no such anchor"
        return None

    problems = []
    for page in sorted(html.rglob("*.html")):
        name = page.relative_to(html)
        problems += [
            f"{name}: {link} {why}" for link in read(page).links if (why := find_problem(page.resolve(), link))
        ]
        problems += [f"{name}: the picture {source} has no text" for source in read(page).wordless]
    return problems
