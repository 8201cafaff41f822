"""Statistics of a data set: what it holds and how it is spread.

Only columns without pictures are read, a row group at a time; what is kept grows by a few bytes for each image.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distortlab.analysis.shortcuts import Shortcuts, measure_shortcuts
from distortlab.core.errors import UserError
from distortlab.dataset.reader import Stored
from distortlab.recipe import Recipe, stored_recipe
from distortlab.tasks import TASKS, recognition
from distortlab.tasks import object as object_task
from distortlab.tasks.terms import FAMILIES

__all__ = ["GRID", "Statistics", "statistics", "visibility_of"]

GRID = 60
"""Cells of the map of boxes, in either direction."""

_IMAGES = [
    "image_id",
    "width",
    "height",
    "reference_id",
    "reference_license",
    *(f"regions.list.element.{name}" for name in ("bbox", "area", "object", "distortion", "variant", "severity")),
    "regions.list.element.visibility.v",
]
_QUESTIONS = ["image_id", "prompt", "solution", "task", "distortion", "severity"]


@dataclass(slots=True)
class Statistics:
    """What a data set holds.

    `cells` counts images by (family, severity), `asked` questions by (family, severity, task), `places` questions by
    (task, candidates, place of the right one). `areas`, `v`, `families` and `severities` have an entry for each region:
    its share of the image, its visibility, the index of its family, its severity. `cover` (GRID, GRID) counts regions
    whose box covers a place of the image.
    """

    folder: str
    split: str | None
    images: int = 0
    questions: int = 0
    references: set[str] = field(default_factory=set)
    licenses: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    cells: Counter[tuple[str, int]] = field(default_factory=Counter)
    variants: Counter[str] = field(default_factory=Counter)
    settings: Counter[tuple[str, int]] = field(default_factory=Counter)
    asked: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    places: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    objects: Counter[str] = field(default_factory=Counter)
    rejected: dict[str, int] = field(default_factory=dict)
    areas: "array[float]" = field(default_factory=lambda: array("f"))
    v: "array[float]" = field(default_factory=lambda: array("f"))
    families: "array[int]" = field(default_factory=lambda: array("b"))
    severities: "array[int]" = field(default_factory=lambda: array("b"))
    cover: NDArray[np.int64] = field(default_factory=lambda: np.zeros((GRID, GRID), np.int64))
    recipe: Recipe | None = None
    blind: Shortcuts | None = None


def statistics(
    stored: Stored, split: str | None = None, progress: Callable[[int], None] = lambda images: None
) -> Statistics:
    """Count. `split` leaves the others out; `progress` is told how many more images were counted.

    Raises `UserError` for a split that is not there or holds nothing.
    """
    if split is not None and split not in stored.splits:
        raise UserError(f"{stored.folder} has no split {split!r}; it has {', '.join(stored.splits) or 'none'}")
    found = Statistics(str(stored.folder), split, recipe=_recipe(stored))
    for part in stored.parts_of("images", split):
        for group in stored.groups_of(part):
            for row in stored.read(group, _IMAGES).to_pylist():
                _count_image(row, part.split, found)
            progress(group.rows)
    if not found.images:
        raise UserError(f"{stored.folder} holds no images" + (f" in {split}" if split else ""))
    for row in stored.rows("rft", _QUESTIONS, split):
        _count_question(row, found)
    if split is None:
        found.rejected = _whole_numbers((stored.manifest.get("counts") or {}).get("rejected"))
        found.blind = measure_shortcuts(stored)
    return found


def _recipe(stored: Stored) -> Recipe | None:
    try:
        return stored_recipe((stored.plan or {})["recipe"], "the recipe in plan.json")
    except (UserError, KeyError, TypeError, AttributeError):
        return None


def _whole_numbers(value: Any) -> dict[str, int]:
    return {str(k): v for k, v in value.items() if isinstance(v, int)} if isinstance(value, Mapping) else {}


def _count_image(row: Mapping[str, Any], split: str, found: Statistics) -> None:
    found.images += 1
    found.splits[split] += 1
    found.references.add(row["reference_id"])
    found.licenses[row["reference_license"] or ""] += 1
    for region in row["regions"]:
        family, severity = region["distortion"], region["severity"]
        if family not in FAMILIES:
            raise UserError(f"{found.folder} is damaged: there is no family {family!r}; distortlab verify says more")
        found.cells[family, severity] += 1
        found.variants[f"{family}.{region['variant']}"] += 1
        found.settings[f"{family}.{region['variant']}", severity] += 1
        found.objects[region["object"] or ""] += 1
        found.areas.append(region["area"])
        found.v.append(region["visibility"]["v"])
        found.families.append(FAMILIES.index(family))
        found.severities.append(severity)
        _cover(found.cover, region["bbox"], row["width"], row["height"])


def _cover(cover: NDArray[np.int64], box: list[int], width: int, height: int) -> None:
    x1, y1, x2, y2 = box
    left, right = round(GRID * x1 / width), max(round(GRID * x2 / width), round(GRID * x1 / width) + 1)
    top, bottom = round(GRID * y1 / height), max(round(GRID * y2 / height), round(GRID * y1 / height) + 1)
    cover[top:bottom, left:right] += 1


def _count_question(row: Mapping[str, Any], found: Statistics) -> None:
    task = row["task"]
    found.questions += 1
    found.asked[row["distortion"], row["severity"], task] += 1
    prompt = row["prompt"][0]["content"]
    if task == "object":
        keys, right = (
            [object_task.key(name) for name in object_task.candidates(prompt)],
            object_task.key(row["solution"]),
        )
    elif task in TASKS and task != "grounding":
        keys, right = recognition.candidates(prompt), row["distortion"]
    else:
        return
    if right in keys:
        found.places[task, len(keys), keys.index(right)] += 1


def visibility_of(found: Statistics, family: str, severity: int) -> NDArray[np.float32]:
    """V of every region with a family and a severity."""
    v, families = np.frombuffer(found.v, np.float32), np.frombuffer(found.families, np.int8)
    return v[(families == FAMILIES.index(family)) & (np.frombuffer(found.severities, np.int8) == severity)]
