"""Lists of distorted regions as answers give them: written as JSON, read from what models make of it.

The form that is asked for is a JSON list of objects with the keys `box`, `type` and `severity`. Read as well are code
fences, `bbox_2d` and other names of the keys, objects around the list or without one, bare lists (`[x1, y1, x2, y2,
"Blur", "Severe"]`) and text after the list. A type that is none of the twelve is wrong, not unread; a box that is no
box leaves the whole answer unread.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from distortlab.tasks.answer import Unread
from distortlab.tasks.grounding import Corners
from distortlab.tasks.recognition import find_family, find_level
from distortlab.tasks.terms import LEVELS, PHRASES, get_phrase

__all__ = ["LIMIT", "MOST", "SHAPE", "DistortedRegion", "RegionList", "format_regions", "parse_regions"]

SHAPE = '[{"box": [x1, y1, x2, y2], "type": "Type", "severity": "Severity"}]'
MOST = 64
"""The most regions that are read."""
LIMIT = 10_000
"""The longest answer that is read, in characters: `MOST` regions with every number on a line of its own."""

_BOX, _TYPE, _LEVEL = ("box", "bbox_2d", "bbox"), ("type", "distortion", "label"), ("severity", "level")
_FENCE = re.compile(r"```(?:json)?\s*", re.IGNORECASE)
_FARTHEST = 1e9
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class DistortedRegion:
    """A distorted region.

    `box` is (x1, y1, x2, y2) in the units of the question. `family` is None where a type is none of the twelve, and
    `severity`, 1 to 5, where a level is none of the five.
    """

    box: Corners
    family: str | None
    severity: int | None

    @property
    def sort_key(self) -> tuple[float, float, float, float, str, int]:
        """From top to bottom, then from left to right: the order in which a list is written."""
        x1, y1, x2, y2 = self.box
        return y1, x1, y2, x2, self.family or "", self.severity or 0


@dataclass(frozen=True, slots=True)
class RegionList:
    """The regions of an answer; `is_strict` where it has the form that was asked for and nothing else."""

    regions: tuple[DistortedRegion, ...]
    is_strict: bool


def format_regions(regions: Iterable[DistortedRegion]) -> str:
    """The list in the form that is asked for, in the order of `DistortedRegion.sort_key`."""
    entries = []
    for region in sorted(regions, key=lambda region: region.sort_key):
        if region.family is None or region.severity is None or not 1 <= region.severity <= len(LEVELS):
            raise ValueError(f"a region has a family and a severity from 1 to {len(LEVELS)}, not {region!r}")
        level = LEVELS[region.severity - 1]
        entries.append({"box": list(region.box), "type": get_phrase(region.family), "severity": level})
    if len(entries) > MOST:
        raise ValueError(f"{len(entries)} regions are more than are read, {MOST}")
    return json.dumps(entries)


def parse_regions(text: str) -> RegionList | Unread:
    """Read the regions that an answer lists.

    Parameters
    ----------
    text
        What stands between the tags. Beyond `LIMIT` characters it is not worked on.

    Returns
    -------
    RegionList or Unread
        The regions in the order of the answer, `MOST` of them at most; or why they cannot be read.

    Examples
    --------
    >>> from distortlab.tasks.region_lists import parse_regions
    >>> parse_regions('[{"bbox_2d": [0, 0, 9, 9], "label": "blurry", "severity": 4}]').regions
    (DistortedRegion(box=(0.0, 0.0, 9.0, 9.0), family='blur', severity=4),)
    >>> parse_regions("no distortion")
    <Unread.MALFORMED: 'malformed'>
    """
    if len(text) > LIMIT:
        return Unread.LONG
    found, rest = _load(text)
    if not isinstance(found, list | dict):
        return Unread.MALFORMED
    if "[" in rest or "{" in rest:
        return Unread.AMBIGUOUS
    entries = _list_entries(found)
    if len(entries) > MOST:
        return Unread.LONG
    regions = []
    for entry in entries:
        region = _read_region(entry)
        if isinstance(region, Unread):
            return region
        if region is not None:
            regions.append(region)
    return RegionList(tuple(regions), not rest and found is entries and all(map(_is_strict, entries)))


def _load(text: str) -> tuple[object, str]:
    """The JSON value at the start, None where there is none, and what follows it; "```" where it stood in a fence."""
    fence = _FENCE.match(text)
    start = fence.end() if fence else len(text) - len(text.lstrip())
    try:
        found, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None, ""
    return found, text[end:].strip() or ("```" if fence else "")


def _collect_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object with its keys in lower case; a key that stands twice is an error."""
    found = {key.strip().lower(): value for key, value in pairs}
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_collect_object)


def _list_entries(found: "list[object] | dict[str, object]") -> list[object]:
    """The entries of a list, of the one list in an object, or of a region that stands alone."""
    if isinstance(found, dict):
        inner = next(iter(found.values()), None)
        return [*inner] if isinstance(inner, list) and len(found) == 1 and not found.keys() & set(_BOX) else [found]
    return found if all(isinstance(entry, list | dict) for entry in found) else [found]


def _read_region(entry: object) -> DistortedRegion | Unread | None:
    """A region, None for an entry that says that there is none, or why it cannot be read."""
    parts = _split_entry(entry)
    if parts is None:
        return Unread.MALFORMED
    box, name, level = parts
    if _is_none(name) and (level is _ABSENT or level == 0 or _is_none(level)):
        return None
    if box is _ABSENT:
        return Unread.INCOMPLETE
    corners = _read_box(box)
    if isinstance(corners, Unread):
        return corners
    return DistortedRegion(corners, find_family(name) if isinstance(name, str) else None, _read_level(level))


def _split_entry(entry: object) -> tuple[object, object, object] | None:
    """The box, the type and the severity of an entry, `_ABSENT` for what is not there."""
    if isinstance(entry, dict):
        if len(entry.keys() & set(_BOX)) > 1:
            return None
        box, name, level = (
            next((entry[key] for key in keys if key in entry), _ABSENT) for keys in (_BOX, _TYPE, _LEVEL)
        )
        return box, name, level
    if not isinstance(entry, list) or not entry:
        return None
    parts = entry if isinstance(entry[0], list) else [entry[:4], *entry[4:]]
    if len(parts) > 3:
        return None
    box, name, level = (*parts, _ABSENT, _ABSENT)[:3]
    return box, name, level


def _is_none(value: object) -> bool:
    return value is None or (isinstance(value, str) and value.strip().lower() in ("none", "null"))


def _read_box(found: object) -> Corners | Unread:
    if not isinstance(found, list) or len(found) != 4 or not all(type(edge) in (int, float) for edge in found):
        return Unread.MALFORMED
    x1, y1, x2, y2 = found
    if not all(-_FARTHEST <= edge <= _FARTHEST for edge in found):  # NaN is not
        return Unread.MALFORMED
    if not (0 <= x1 < x2 and 0 <= y1 < y2):
        return Unread.IMPOSSIBLE
    return float(x1), float(y1), float(x2), float(y2)


def _read_level(found: object) -> int | None:
    if isinstance(found, str):
        return int(text) if (text := found.strip()) in ("1", "2", "3", "4", "5") else find_level(found)
    return found if type(found) is int and 1 <= found <= len(LEVELS) else None


def _is_strict(entry: object) -> bool:
    """Whether an entry has the three keys in the words of the question. Its box is known to be one."""
    if not isinstance(entry, dict) or entry.keys() != {"box", "type", "severity"}:
        return False
    return entry["type"] in PHRASES.values() and entry["severity"] in LEVELS
