"""The texts beside an image of the page: its regions, its parameters and its questions, ready for JSON.

Every text comes from the data set and may be anything; the page shows it as text and nothing else.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from distortlab.tasks import object as object_task
from distortlab.tasks import recognition
from distortlab.tasks.terms import LEVELS, PHRASES, get_phrase

__all__ = ["make_entry"]


def make_entry(row: Mapping[str, Any], split: str, questions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A row of `images` without its pictures, with its questions."""
    names = ("image_id", "width", "height", "pixels_sha256", "reference_id", "reference_source", "reference_license")
    return {
        **{name: row[name] for name in (*names, "seed", "generator_version")},
        "split": split,
        "regions": [_describe_region(region) for region in row["regions"]],
        "questions": [_describe_question(question) for question in questions],
    }


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


def _describe_question(question: Mapping[str, Any]) -> dict[str, Any]:
    """A question: task, text, what it lets one choose from, and the truth."""
    text = "\n\n".join(message["content"] for message in question["prompt"])
    task = question["task"]
    return {"task": task, "prompt": text, "solution": question["solution"], "candidates": _read_candidates(task, text)}


def _read_candidates(task: str, prompt: str) -> list[list[str]]:
    """The lists that a prompt offers, in the order in which it shows them: types and severities, or objects."""
    if task == "object":
        return [object_task.read_candidates(prompt)]
    if task.startswith("recognition"):
        return [[get_phrase(family) for family in dict.fromkeys(recognition.read_candidates(prompt))], list(LEVELS)]
    return []
