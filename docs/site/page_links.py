"""Links of Markdown files, rewritten for another place; the same rules as tools/check_links.py."""

import os
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from check_links import iterate_text, make_anchor

__all__ = ["find_title", "make_anchor", "make_relative", "rewrite_links"]

_LINK = re.compile(r"(?P<code>(`+)(?:(?!\2).)+?\2)|(?P<before>\]\(\s*<?)(?P<target>[^)<>\s]+)")
_SCHEME = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//|#)", re.IGNORECASE)


def rewrite_links(text: str, move: Callable[[str], str]) -> str:
    """Return the text with every relative link outside of code put through `move`, which gets it without its anchor."""

    def replace(found: re.Match[str]) -> str:
        if found["code"] or _SCHEME.match(found["target"]):
            return found[0]
        path, mark, anchor = found["target"].partition("#")
        return f"{found['before']}{move(unquote(path))}{mark}{anchor}"

    lines = text.splitlines(keepends=True)
    for number, line in iterate_text(text):
        ending = lines[number - 1][len(line) :]
        lines[number - 1] = _LINK.sub(replace, line) + ending
    return "".join(lines)


def make_relative(target: str, page: str) -> str:
    """Return the way from a page to a file, both as paths in the site."""
    return Path(os.path.relpath(target, PurePosixPath(page).parent)).as_posix()


def find_title(text: str) -> str:
    """Return the first heading of a page."""
    return next((line.lstrip("# ").rstrip() for _, line in iterate_text(text) if line.startswith("# ")), "")
