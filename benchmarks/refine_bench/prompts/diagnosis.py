"""Diagnosis: a picture described as a set of distorted regions, each with its box, its type and its severity.

The form is that of GS-IQA's Diag-Bench: boxes in thousandths, an empty set for a pristine picture. Given and true
regions are matched one to one so that the sum of IoUs is largest (Hungarian), and a pair counts from IoU 0.5.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from distortlab.tasks import Unread, read_answer
from distortlab.tasks.answer import format_instruction
from distortlab.tasks.grounding import iou
from distortlab.tasks.terms import FAMILIES, LEVELS, get_phrase
from refine_bench.prompts.answers import REASONS

__all__ = ["QUESTION", "Region", "format_regions", "match_regions", "read_regions"]

IOU = 0.5
MOST = 64
SHAPE = '[{"box": [x1, y1, x2, y2], "type": "Type", "severity": "Severity"}]'
_TYPES = ", ".join(get_phrase(family) for family in FAMILIES)
QUESTION = (
    "Find every region of this image whose quality was degraded. There may be none, one or several.\n\n"
    f"Types: {_TYPES}.\nSeverity levels, from weakest to strongest: {', '.join(LEVELS)}.\n\n"
    "For each region give its bounding box as [x1, y1, x2, y2] in thousandths of the image's width and height, from "
    "0 to "
    "1000, with (x1, y1) the top left corner and (x2, y2) the bottom right one, its type and its severity, as a JSON "
    "list. "
    f"Give an empty list, [], where nothing was degraded.\n\n{format_instruction(SHAPE)}"
)
_FENCE = re.compile(r"^```(?:json)?\s*|\s*```$", re.I)
_WORDS = {re.sub(r"\W+", "", get_phrase(family)).lower(): family for family in FAMILIES} | {
    family.replace("_", ""): family for family in FAMILIES
}
_LEVELS = {level.lower(): place for place, level in enumerate(LEVELS, 1)}


@dataclass(frozen=True, slots=True)
class Region:
    """A region. `box` in thousandths; `family` None where the type is none of the twelve; `severity` 1-5, None
    likewise.
    """

    box: tuple[float, float, float, float]
    family: str | None
    severity: int | None

    @classmethod
    def from_truth(cls, truth: Mapping[str, Any]) -> "Region":
        """Return a region from the truth of an item."""
        x1, y1, x2, y2 = truth["box"]
        return cls((x1, y1, x2, y2), truth["family"], truth["severity"])


def read_regions(completion: str) -> list[Region] | str:
    """Read the regions of an answer, or why they cannot be read: one of `answers.FAILURES`."""
    inside = read_answer(completion)
    if isinstance(inside, Unread):
        return REASONS.get(inside, "no_tag")
    try:
        found = json.loads(_FENCE.sub("", inside))
    except (ValueError, RecursionError):
        return "no_tag"
    if not isinstance(found, list) or len(found) > MOST:
        return "no_tag"
    regions = [_parse_region(entry) for entry in found]
    kept = [region for region in regions if region is not None]
    return kept if len(kept) == len(regions) else "no_number"


def _parse_region(entry: object) -> Region | None:
    if not isinstance(entry, dict):
        return None
    box = entry.get("box", entry.get("bbox_2d", entry.get("bbox")))
    if not isinstance(box, list) or len(box) != 4 or not all(type(edge) in (int, float) for edge in box):
        return None
    if not (0 <= box[0] < box[2] <= 1000 and 0 <= box[1] < box[3] <= 1000):
        return None
    name = re.sub(r"\W+|_", "", str(entry.get("type", ""))).lower()
    level = entry.get("severity")
    severity = level if type(level) is int and 1 <= level <= 5 else _LEVELS.get(str(level).strip().lower())
    x1, y1, x2, y2 = box
    return Region((x1, y1, x2, y2), _WORDS.get(name), severity)


def match_regions(given: Sequence[Region], right: Sequence[Region]) -> list[tuple[Region, Region, float]]:
    """Match given regions with true ones one to one, so that the sum of their IoUs is largest.

    Returns
    -------
    list
        (given, true, IoU) of the pairs with an IoU of at least 0.5.
    """
    from scipy.optimize import linear_sum_assignment

    if not given or not right:
        return []
    overlap = np.array([[iou(one.box, other.box) for other in right] for one in given])
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    return [
        (given[i], right[j], float(overlap[i, j])) for i, j in zip(rows, columns, strict=True) if overlap[i, j] >= IOU
    ]


def format_regions(regions: Sequence[Region]) -> str:
    """Return a completion that names regions, in the form that is asked for."""
    entries = [
        {"box": list(r.box), "type": get_phrase(r.family or "blur"), "severity": LEVELS[(r.severity or 1) - 1]}
        for r in regions
    ]
    return f"<think>looked at every part</think><answer>{json.dumps(entries)}</answer>"
