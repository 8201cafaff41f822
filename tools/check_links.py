"""Check the links of all Markdown files: files and folders that are there, headings that are there. No network.

python tools/check_links.py           exit 1 if any link leads nowhere
python tools/check_links.py FOLDER    the files of another checkout

Addresses with a scheme (https:, mailto:) are left alone. Headings get their anchors as GitHub makes them.
"""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_CODE = re.compile(r"(`+)(?:(?!\1).)+?\1")
_INLINE = re.compile(r"\]\(\s*<?([^)<>\s]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_REFERENCE = re.compile(r"^ {0,3}\[[^\]^][^\]]*\]:\s+<?([^<>\s]+)>?")
_HTML = re.compile(r"<(?:a|img|source)\b[^>]*?\b(?:href|src|srcset)=\"([^\"]+)\"")
_HTML_ANCHOR = re.compile(r"<[a-z][^>]*?\b(?:id|name)=\"([^\"]+)\"")
_HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.*?)(?:\s+#+)?\s*$")
_SCHEME = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//)", re.IGNORECASE)


class Link(NamedTuple):
    """A link as it stands in a file: `line` counts from 1."""

    line: int
    target: str


def iterate_text(markdown: str) -> Iterator[tuple[int, str]]:
    """Yield the number and the text of every line outside of code blocks."""
    fence = ""
    for number, line in enumerate(markdown.splitlines(), start=1):
        found = _FENCE.match(line)
        if fence:
            if found and found[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        elif found:
            fence = found[1]
        else:
            yield number, line


def find_links(markdown: str) -> list[Link]:
    """Return all links and pictures that are not code, in their order."""
    links = []
    for number, line in iterate_text(markdown):
        text = _CODE.sub("", line)
        targets = [found[1] for pattern in (_INLINE, _REFERENCE, _HTML) for found in pattern.finditer(text)]
        links += [Link(number, target) for target in targets]
    return links


def find_anchors(markdown: str) -> set[str]:
    """Return the anchors of a file: its headings as GitHub names them, and `id` or `name` of HTML tags."""
    anchors: set[str] = set()
    seen: Counter[str] = Counter()
    for _, line in iterate_text(markdown):
        anchors.update(_HTML_ANCHOR.findall(line))
        if heading := _HEADING.match(line):
            anchor = make_anchor(heading[1])
            anchors.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
            seen[anchor] += 1
    return anchors


def make_anchor(heading: str) -> str:
    """Return the anchor of a heading: lower case, links as their text, punctuation dropped, spaces as hyphens."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")


def find_problem(root: Path, file: Path, target: str) -> str | None:
    """Return what is wrong with a link of `file`, or None."""
    if _SCHEME.match(target):
        return None
    path, _, anchor = unquote(target).partition("#")
    if path.startswith("/"):
        return "starts with a slash; write it relative to this file"
    place = (file.parent / path).resolve() if path else file.resolve()
    if not place.is_relative_to(root.resolve()):
        return "leads out of the repository"
    if not place.exists():
        return "is not there"
    if anchor and place.suffix == ".md" and anchor not in _anchors_of(place):
        return f"has no heading #{anchor}"
    return None


@cache
def _anchors_of(file: Path) -> set[str]:
    return find_anchors(file.read_text(encoding="utf-8"))


def list_files(root: Path) -> list[Path]:
    """Return the Markdown files of a checkout that git tracks, or would."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"]
    names = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True, encoding="utf-8").stdout
    return [root / name for name in sorted(filter(None, names.split("\0"))) if (root / name).is_file()]


def main(arguments: Sequence[str]) -> int:
    """Print every broken link with its place; return the exit code."""
    root = Path(arguments[0]) if arguments else Path(__file__).parent.parent
    files = list_files(root)
    count, broken = 0, 0
    for file in files:
        for link in find_links(file.read_text(encoding="utf-8")):
            count += 1
            if problem := find_problem(root, file, link.target):
                print(f"{file.relative_to(root)}:{link.line}: {link.target} {problem}")
                broken += 1
    print(f"{count} links in {len(files)} Markdown files, {broken} broken")
    return 1 if broken or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
