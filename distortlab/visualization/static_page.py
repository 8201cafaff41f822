"""A page in one file: HTML, style, scripts, data and pictures, with a policy that allows nothing else."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

__all__ = ["PageFiles", "PageParts", "build_page"]

_ROOT = "distortlab.visualization"
_SLOT = re.compile(r"\{\{(\w+)\}\}")
_UNSAFE = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


@dataclass(frozen=True, slots=True)
class PageParts:
    """Where the parts of a page are, as paths in `distortlab/visualization`; scripts are joined in this order."""

    template: str
    style: str
    scripts: Sequence[str]


@dataclass(slots=True)
class PageFiles:
    """Files that are kept in a page, by number."""

    files: list[bytes] = field(default_factory=list)

    def add(self, data: bytes | None) -> int | None:
        """Add a file; returns its number."""
        if data is None:
            return None
        self.files.append(data)
        return len(self.files) - 1


def build_page(parts: PageParts, title: str, data: Mapping[str, Any], files: Sequence[bytes]) -> Iterator[str]:
    """Yield a page in pieces: the pictures never stand in memory as one text.

    Parameters
    ----------
    parts
        Template, style and scripts. The template has slots `{{title}}`, `{{policy}}`, `{{style}}`, `{{data}}`,
        `{{pictures}}` and `{{script}}`.
    title
        Of the page; may hold anything.
    data
        What the scripts read from `#data`; may hold any text.
    files
        What they read from `#file-0`, ...
    """
    style, script = _read_asset(parts.style), "\n".join(map(_read_asset, parts.scripts))
    sources = f"style-src {_hash_inline(style)}; script-src {_hash_inline(script)}"
    slots = {
        "title": html.escape(title),
        "policy": f"default-src 'none'; img-src data:; {sources}; base-uri 'none'; form-action 'none'",
        "style": style,
        "script": script,
        "data": json.dumps(data, ensure_ascii=False, allow_nan=False).translate(_UNSAFE),
    }
    for number, piece in enumerate(_SLOT.split(_read_asset(parts.template))):
        if number % 2 == 0:
            yield piece
        elif piece == "pictures":
            for index, held in enumerate(files):
                yield f'<script type="text/plain" id="file-{index}">{base64.b64encode(held).decode()}</script>\n'
        else:
            yield slots[piece]


def _read_asset(name: str) -> str:
    return resources.files(_ROOT).joinpath(*name.split("/")).read_text(encoding="utf-8")


def _hash_inline(text: str) -> str:
    """The name under which a content security policy allows an inline style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
