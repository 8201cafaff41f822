"""Statistics of a data set: what it holds and how it is spread.

Only columns without pictures are read, a row group at a time; what is kept grows by a few bytes for each image.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distortlab.analysis.shortcuts import Shortcuts, measure_shortcuts
from distortlab.core.errors import UserError
from distortlab.dataset.composition import find_kind
from distortlab.dataset.reader import StoredDataset
from distortlab.recipe import Recipe, read_stored_recipe
from distortlab.tasks import TASKS, comparison, recognition
from distortlab.tasks import object as object_task
from distortlab.tasks.terms import FAMILIES

__all__ = [
    "GRID",
    "Statistics",
    "collect_statistics",
    "get_local_areas",
    "get_visibility_values",
    "name_things",
]

GRID = 60
"""Cells of the map of boxes, in either direction."""

_IMAGES = [
    "image_id",
    "width",
    "height",
    "reference_id",
    "reference_license",
    "control.kind",
    *(
        f"regions.list.element.{name}"
        for name in ("bbox", "area", "object", "distortion", "variant", "severity", "difficulty")
    ),
    "regions.list.element.visibility.v",
]
_QUESTIONS = ["image_id", "prompt", "solution", "task", "distortion", "severity", "difficulty"]


@dataclass(slots=True)
class Statistics:
    """Counts and values of a data set, or of one split of it.

    Parameters
    ----------
    folder
        Where the data set is.
    split
        The split that was counted; None for all.
    images, questions
        How many there are.
    references
        Ids of the references.
    licenses
        Images by the license of their reference; "" where it is not known.
    splits
        Images by split.
    kinds
        Images by what they are: "pristine", "whole", or the number of their regions.
    controls
        Pristine images that are controls, by kind.
    pairs
        Images by two families that are both in them, in the order of `FAMILIES`.
    cells
        Regions by (family, severity).
    variants
        Regions by `family.variant`.
    settings
        Regions by (`family.variant`, severity).
    tasks
        Questions by task.
    asked
        Questions about one region by (family, severity, task).
    difficulties
        Regions by (difficulty, family); the difficulty is "" where the data set says none.
    asked_difficulties
        Questions about one region by (difficulty, task).
    places
        Questions by (task, number of candidates, index of the right one); "First" and "Second" are candidates, too.
    objects
        Regions by the name of what they show; "" where it has none.
    rejected
        Rejected draws by reason, as the manifest has them; of all splits only.
    areas, v, families, severities
        An entry for each region: its share of the image (0 to 1), its visibility in just-noticeable differences, the
        index of its family in `FAMILIES`, its severity (1 to 5).
    cover
        (GRID, GRID), rows first: regions whose box covers a place of the image, without those that are the whole frame.
    covering
        How many regions those are.
    recipe
        The recipe of the data set, where it holds one.
    blind
        What is won without looking; of all splits only.
    """

    folder: str
    split: str | None
    images: int = 0
    questions: int = 0
    references: set[str] = field(default_factory=set)
    licenses: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    controls: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    cells: Counter[tuple[str, int]] = field(default_factory=Counter)
    variants: Counter[str] = field(default_factory=Counter)
    settings: Counter[tuple[str, int]] = field(default_factory=Counter)
    tasks: Counter[str] = field(default_factory=Counter)
    asked: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    difficulties: Counter[tuple[str, str]] = field(default_factory=Counter)
    asked_difficulties: Counter[tuple[str, str]] = field(default_factory=Counter)
    places: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    objects: Counter[str] = field(default_factory=Counter)
    rejected: dict[str, int] = field(default_factory=dict)
    areas: "array[float]" = field(default_factory=lambda: array("f"))
    v: "array[float]" = field(default_factory=lambda: array("f"))
    families: "array[int]" = field(default_factory=lambda: array("b"))
    severities: "array[int]" = field(default_factory=lambda: array("b"))
    cover: NDArray[np.int64] = field(default_factory=lambda: np.zeros((GRID, GRID), np.int64))
    covering: int = 0
    recipe: Recipe | None = None
    blind: Shortcuts | None = None


def collect_statistics(
    stored: StoredDataset, split: str | None = None, progress: Callable[[int], None] = lambda images: None
) -> Statistics:
    """Count what a data set holds.

    Parameters
    ----------
    stored
        The data set.
    split
        Count this split only.
    progress
        Called with the number of images counted since the last call.

    Raises
    ------
    UserError
        For a split that is not there or holds nothing.
    """
    if split is not None and split not in stored.splits:
        raise UserError(f"{stored.folder} has no split {split!r}; it has {', '.join(stored.splits) or 'none'}")
    statistics = Statistics(str(stored.folder), split, recipe=_recipe(stored))
    for part in stored.parts_of("images", split):
        for group in stored.groups_of(part):
            for row in stored.read(group, _IMAGES).to_pylist():
                _count_image(row, part.split, statistics)
            progress(group.rows)
    if not statistics.images:
        raise UserError(f"{stored.folder} holds no images" + (f" in {split}" if split else ""))
    for row in stored.rows("rft", _QUESTIONS, split):
        _count_question(row, statistics)
    if split is None:
        statistics.rejected = _whole_numbers((stored.manifest.get("counts") or {}).get("rejected"))
        statistics.blind = measure_shortcuts(stored)
    return statistics


def _recipe(stored: StoredDataset) -> Recipe | None:
    try:
        return read_stored_recipe((stored.plan or {})["recipe"], "the recipe in plan.json")
    except (UserError, KeyError, TypeError, AttributeError):
        return None


def _whole_numbers(value: Any) -> dict[str, int]:
    return {str(k): v for k, v in value.items() if isinstance(v, int)} if isinstance(value, Mapping) else {}


def _count_image(row: Mapping[str, Any], split: str, statistics: Statistics) -> None:
    statistics.images += 1
    statistics.splits[split] += 1
    statistics.references.add(row["reference_id"])
    statistics.licenses[row["reference_license"] or ""] += 1
    kind = find_kind(row)
    statistics.kinds[kind] += 1
    if control := row.get("control"):
        statistics.controls[control["kind"]] += 1
    statistics.pairs.update(_list_pairs(row["regions"]))
    for region in row["regions"]:
        family, severity = region["distortion"], region["severity"]
        if family not in FAMILIES:
            raise UserError(
                f"{statistics.folder} is damaged: there is no family {family!r}; distortlab verify says more"
            )
        statistics.cells[family, severity] += 1
        statistics.variants[f"{family}.{region['variant']}"] += 1
        statistics.settings[f"{family}.{region['variant']}", severity] += 1
        statistics.difficulties[region.get("difficulty") or "", family] += 1
        statistics.objects[region["object"] or ""] += 1
        statistics.areas.append(region["area"])
        statistics.v.append(region["visibility"]["v"])
        statistics.families.append(FAMILIES.index(family))
        statistics.severities.append(severity)
        if kind != "whole":
            statistics.covering += 1
            _cover(statistics.cover, region["bbox"], row["width"], row["height"])


def _list_pairs(regions: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    found = {region["distortion"] for region in regions}
    return combinations([family for family in FAMILIES if family in found], 2)


def _cover(cover: NDArray[np.int64], box: list[int], width: int, height: int) -> None:
    x1, y1, x2, y2 = box
    left, right = round(GRID * x1 / width), max(round(GRID * x2 / width), round(GRID * x1 / width) + 1)
    top, bottom = round(GRID * y1 / height), max(round(GRID * y2 / height), round(GRID * y1 / height) + 1)
    cover[top:bottom, left:right] += 1


def _count_question(row: Mapping[str, Any], statistics: Statistics) -> None:
    task = row["task"]
    statistics.questions += 1
    statistics.tasks[task] += 1
    choices = comparison.CHOICES
    if task in TASKS and TASKS[task].subject == "pair" and row["solution"] in choices:
        statistics.places[task, len(choices), choices.index(row["solution"])] += 1
    if row["distortion"] is None:
        return
    statistics.asked[row["distortion"], row["severity"], task] += 1
    statistics.asked_difficulties[row.get("difficulty") or "", task] += 1
    prompt = row["prompt"][0]["content"]
    if task == "object":
        keys, right = (
            [object_task.normalize_name(name) for name in object_task.read_candidates(prompt)],
            object_task.normalize_name(row["solution"]),
        )
    elif task.startswith("recognition"):
        keys, right = recognition.read_candidates(prompt), row["distortion"]
    else:
        return
    if right in keys:
        statistics.places[task, len(keys), keys.index(right)] += 1


def get_visibility_values(statistics: Statistics, family: str, severity: int) -> NDArray[np.float32]:
    """V, in just-noticeable differences, of every region with a family and a severity."""
    v, families = np.frombuffer(statistics.v, np.float32), np.frombuffer(statistics.families, np.int8)
    return v[(families == FAMILIES.index(family)) & (np.frombuffer(statistics.severities, np.int8) == severity)]


def get_local_areas(statistics: Statistics) -> NDArray[np.float32]:
    """The areas of regions that are not the whole frame, shares of the image."""
    areas = np.frombuffer(statistics.areas, np.float32)
    return areas[areas < 1] if statistics.kinds["whole"] else areas


def name_things(statistics: Statistics) -> str:
    """What families and severities are counted of: "images" where each has one distortion, else "regions"."""
    return "images" if set(statistics.kinds) <= {"1", "whole"} else "regions"
