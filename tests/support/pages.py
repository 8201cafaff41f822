"""Pages of HTML in tests: their tags and drawings, and text that must be escaped."""

from html.parser import HTMLParser
from xml.etree import ElementTree

__all__ = ["HOSTILE", "Tags", "find_drawings"]

HOSTILE = "<script>alert(1)</script></pre></svg><img src=x onerror=alert(1)>\"'&"


class Tags(HTMLParser):
    """Tags, their attributes and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def find_drawings(html: str) -> dict[str, ElementTree.Element]:
    """The drawings of a page, by title; each is well-formed XML."""
    parts = [f"<svg{part.split('</svg>')[0]}</svg>" for part in html.split("<svg")[1:]]
    return {str(tree.get("aria-label")): tree for tree in map(ElementTree.fromstring, parts)}
