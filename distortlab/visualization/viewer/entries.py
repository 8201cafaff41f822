"""The texts beside an image of the page: its regions, its parameters and its questions, ready for JSON.

Every text comes from the data set and may be anything; the page shows it as text and nothing else.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from distortlab.dataset.composition import find_kind
from distortlab.tasks import Unread, comparison, recognition
from distortlab.tasks import object as object_task
from distortlab.tasks.region_lists import DistortedRegion, parse_regions
from distortlab.tasks.terms import LEVELS, PHRASES, get_phrase

__all__ = ["make_entry"]


def make_entry(row: Mapping[str, Any], split: str, questions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A row of `images` without its pictures, with its questions."""
    names = ("image_id", "width", "height", "pixels_sha256", "reference_id", "reference_source", "reference_license")
    return {
        **{name: row[name] for name in (*names, "seed", "generator_version")},
        "split": split,
        "kind": find_kind(row),
        "control": _describe_control(row.get("control")),
        "regions": [_describe_region(region) for region in row["regions"]],
        "questions": [_describe_question(question, row["regions"]) for question in questions],
    }


def _describe_control(control: Mapping[str, Any] | None) -> str | None:
    """What makes a pristine image a control, in words."""
    if not control:
        return None
    if not control["operation"]:
        return f"Control: the photograph is like this as it was taken ({control['kind'].replace('_', ' ')})."
    x1, y1, x2, y2 = control["bbox"]
    return (
        f"Control: the region {x1}, {y1}, {x2}, {y2} went through the mask, with an operation that nobody sees "
        f"({control['operation']}, V {control['v']:.2f})."
    )


def _describe_region(region: Mapping[str, Any]) -> dict[str, Any]:
    """A region: the columns as they are, the recipe read, and both labels in words."""
    severity = region["severity"]
    return {
        **{name: region[name] for name in ("bbox", "object", "distortion", "variant", "severity")},
        "difficulty": region.get("difficulty"),
        "area": _drop_infinite(region["area"]),
        "mask": region["mask_rle"],
        "params": _read_params(region["params"]),
        "visibility": {name: _drop_infinite(value) for name, value in region["visibility"].items()},
        "type": PHRASES.get(region["distortion"], region["distortion"]),
        "level": LEVELS[severity - 1] if severity in range(1, 6) else str(severity),
    }


def _drop_infinite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _read_number(text: str) -> float | str:
    return value if math.isfinite(value := float(text)) else text


def _read_params(params: str) -> Mapping[str, Any]:
    """What can be written as JSON again: no NaN, no infinity."""
    try:
        values = json.loads(params, parse_float=_read_number, parse_constant=str)
    except (ValueError, RecursionError):
        values = None
    return values if isinstance(values, dict) else {"params": params}


def _describe_question(question: Mapping[str, Any], regions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A question: task, text, what it lets one choose from, and the truth.

    `numbers` are the places among `regions` of those that it is about, `listed` is a solution that lists regions.
    """
    text = "\n\n".join(message["content"] for message in question["prompt"])
    task, solution = question["task"], question["solution"]
    boxes = [list(region["bbox"]) for region in regions]
    return {
        "task": task,
        "prompt": text,
        "solution": solution,
        "candidates": _read_candidates(task, text),
        "other": question.get("other_image_id"),
        "numbers": [boxes.index(box) if box in boxes else None for box in question.get("boxes") or ()],
        "listed": _read_list(solution) if task == "diagnosis" else None,
    }


def _read_list(solution: str) -> list[dict[str, Any]] | None:
    """The regions that a solution lists; None where it is no list."""
    found = parse_regions(solution)
    return None if isinstance(found, Unread) else [_describe_listed(region) for region in found.regions]


def _describe_listed(region: DistortedRegion) -> dict[str, Any]:
    level = LEVELS[region.severity - 1] if region.severity else "severity unknown"
    name = PHRASES.get(region.family, region.family) if region.family else "type unknown"
    return {"box": [round(value) for value in region.box], "family": region.family, "what": f"{name}, {level}"}


def _read_candidates(task: str, prompt: str) -> list[list[str]]:
    """The lists that a prompt offers, in its order: types and severities, objects, or the first and the second."""
    if task == "object":
        return [object_task.read_candidates(prompt)]
    if task.startswith("recognition"):
        phrases = [get_phrase(family) for family in dict.fromkeys(recognition.read_candidates(prompt))]
        return [[*phrases, *([recognition.NONE] if recognition.OR_NONE in prompt else [])], list(LEVELS)]
    if task.startswith("comparison"):
        return [list(comparison.CHOICES)]
    return []
