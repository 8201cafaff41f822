"""Licences of references: what the Hub calls them, and what a data set made from several of them may say of itself.

A distorted image is an adaptation of its reference and stays under the reference's licence; the data set as a whole is
under all of them at once. One that the Hub has a name for is named. Several, or one that it does not know, are `other`:
to name the mildest would promise too much, and to name all would read as a choice.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

__all__ = ["forbids_changes", "front_matter", "hub_name"]

_HUB_NAMES = frozenset(
    f"cc-{name}"
    for name in (
        *("by-2.0", "by-2.5", "by-3.0", "by-4.0", "by-sa-3.0", "by-sa-4.0", "by-nd-4.0"),
        *("by-nc-2.0", "by-nc-3.0", "by-nc-4.0", "by-nc-sa-2.0", "by-nc-sa-3.0", "by-nc-sa-4.0"),
        *("by-nc-nd-3.0", "by-nc-nd-4.0"),
    )
) | {"cc0-1.0", "mit", "apache-2.0", "odbl", "odc-by", "pddl", "unlicense", "wtfpl"}
_ADDRESS = re.compile(r"https?://\S+?(?=[)\s,;]|$)")


def hub_name(text: str) -> str | None:
    """The Hub's name of a licence written as a name of it or with an address of Creative Commons, or None."""
    plain = text.strip().lower()
    if plain in _HUB_NAMES:
        return plain
    for address in _ADDRESS.findall(text):
        parts = urlsplit(address)
        folders = [part for part in parts.path.lower().split("/") if part]
        if parts.hostname not in ("creativecommons.org", "www.creativecommons.org") or len(folders) < 3:
            continue
        kind, name, version = folders[:3]
        found = f"cc-{name}-{version}" if kind == "licenses" else f"cc0-{version}" if name == "zero" else ""
        return found if found in _HUB_NAMES else None
    return None


def forbids_changes(text: str) -> bool:
    """Whether a licence is one of Creative Commons without derivatives: a distorted image is a derivative."""
    return bool(re.search(r"\bno[ -]?deriv|\bby(-nc)?-nd\b", text, re.IGNORECASE))


def front_matter(counts: Mapping[str, int]) -> str:
    """The licence in the YAML of a card. `counts`: images by the licence of their reference."""
    names = {hub_name(text) for text in counts}
    if len(names) == 1 and None not in names:
        return f"license: {names.pop()}\n"
    return f"license: other\nlicense_name: {'mixed-see-card' if len(counts) > 1 else 'see-card'}\n"
