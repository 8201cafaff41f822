"""A row by itself: whether a recipe is one, and whether a question and its solution follow from it.

Nothing here looks at pixels. Rows may come from anywhere: what cannot be read is a fault, not an exception.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from distortlab.core.errors import UserError
from distortlab.core.region import Box, Region
from distortlab.core.run_lengths import decode_runs
from distortlab.dataset.composition import is_whole
from distortlab.distortions.base import TARGETS
from distortlab.distortions.catalog import find
from distortlab.distortions.edit import MEASURE_VERSION, Visibility
from distortlab.recipe import NEGATIVES, Recipe
from distortlab.references.regions.rules import find_rule_violation
from distortlab.severity.visibility import find_label_fault
from distortlab.tasks import TASKS, grounding, recognition
from distortlab.tasks import object as object_task
from distortlab.tasks.terms import DIFFICULTIES
from distortlab.verification.composition import check_composition
from distortlab.verification.controls import check_control_row
from distortlab.verification.set_questions import check_set_question

__all__ = ["check_image_row", "check_question_row"]

Row = Mapping[str, Any]
_UNREADABLE = (UserError, ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError)
_ROUNDED = 1e-3


def check_image_row(row: Row, recipe: Recipe | None) -> Iterator[str]:
    """What is wrong with a row of `images` (without its pictures); `recipe` is the data set's, where it is known."""
    try:
        if recipe and row["seed"] != recipe.seed:
            yield f"its seed is {row['seed']}, that of the recipe {recipe.seed}"
        faults = [fault for at, region in enumerate(row["regions"]) for fault in _check_region(row, at, region, recipe)]
        yield from faults or check_composition(row, recipe)
        yield from check_control_row(row, recipe)
    except _UNREADABLE as error:
        yield f"its recipe cannot be read: {_describe_error(error)}"


def _describe_error(error: Exception) -> str:
    return f"{error}" if isinstance(error, UserError) else f"{type(error).__name__} {error}"


def _check_region(row: Row, index: int, values: Row, recipe: Recipe | None) -> Iterator[str]:
    size = (row["height"], row["width"])
    rle = values["mask_rle"]
    if tuple(rle["size"]) != size:
        yield f"its mask is for {rle['size'][1]} x {rle['size'][0]} pixels, the image has {size[1]} x {size[0]}"
        return
    if decode_runs(rle["counts"].encode(), size[0] * size[1]) is None:
        yield "its mask has damaged run lengths"
        return
    region = Region.from_rle(rle)
    if tuple(values["bbox"]) != region.bbox:
        yield f"its box is {values['bbox']}, the smallest around its mask {list(region.bbox)}"
    if np.float32(values["area"]) != np.float32(region.area / (size[0] * size[1])):
        yield f"its area is {values['area']:.4f}, that of its mask {region.area / (size[0] * size[1]):.4f}"
    yield from _check_edit(row, index, values, recipe)
    if recipe is None or is_whole(row, recipe.composition):
        return
    if reason := find_rule_violation(region, recipe.regions):
        yield f"its region breaks the recipe's rules: {reason}"


def _check_edit(row: Row, index: int, values: Row, recipe: Recipe | None) -> Iterator[str]:
    name, severity = f"{values['distortion']}.{values['variant']}", values["severity"]
    params, visibility = json.loads(values["params"]), Visibility(**values["visibility"])
    distortion = find(name)
    if severity not in range(1, 6):
        yield f"its severity is {severity}; there are 1 to 5"
        return
    if (difficulty := values.get("difficulty")) not in (None, *DIFFICULTIES):
        yield f"its difficulty is {difficulty!r}; there are {', '.join(DIFFICULTIES)}"
    if params["address"] != [row["seed"], row["image_id"], index, name]:
        yield f"its randomness has the address {params['address']}, not its own"
    if not distortion.dial.contains(params["amount"]):
        yield f"{name} {params['amount']} is off the dial"
    if recipe is None:
        return
    is_current = params.get("measure", 1) == MEASURE_VERSION
    reason = find_label_fault(visibility, name, recipe.visibility.minimum - _ROUNDED)
    # How far an edit must go in its direction belongs to the measure: an older one asked for less.
    if reason and (is_current or reason == "not visible"):
        yield f"{name} is {reason} by what is stored with it (V {visibility.v:.2f}, trend {visibility.trend:.3f})"
    if not is_current:
        return
    off = visibility.v / TARGETS[severity - 1]
    if not 1 / recipe.tolerance - _ROUNDED <= off <= recipe.tolerance + _ROUNDED:
        yield f"V is {visibility.v:.2f} at severity {severity}, which stands for {TARGETS[severity - 1]:g}"


# --- questions ------------------------------------------------------------------------------------------------------


def check_question_row(row: Row, image: Row, recipe: Recipe | None, other: Row | None = None) -> Iterator[str]:
    """What is wrong with a row of `rft` (without its pictures) about an image: a row of `images`, faultless. `other` is
    the row that its `other_image_id` names, where it is known.
    """
    try:
        task = row["task"]
        if task not in TASKS:
            yield f"there is no task {task!r}"
            return
        if row["sample_id"] != f"{row['image_id']}-{task}":
            yield f"it is called {row['sample_id']!r}, not {row['image_id']}-{task}"
        if len(row["prompt"]) != 1 or row["prompt"][0]["role"] != "user":
            yield "its prompt is not one message of a user"
        if task != "comparison" and row.get("other_image_id") is not None:
            yield f"its other image is {row['other_image_id']!r}; a question about one image has none"
        if TASKS[task].subject != "region" or (task in NEGATIVES and not image["regions"]):
            yield from check_set_question(row, image, recipe, other)
            return
        if len(image["regions"]) != 1:
            yield f"it is about one region, and its image has {len(image['regions'])}"
            return
        yield from _check_subject(row, image["regions"][0])
        yield from _check_wording(task, row["prompt"][0]["content"], row["solution"], image, recipe)
    except _UNREADABLE as error:
        yield f"it cannot be read: {_describe_error(error)}"


def _check_subject(row: Row, region: Row) -> Iterator[str]:
    """Whether the columns of a question about one region are those of the region."""
    for name in ("bbox", "distortion", "severity"):
        if row[name] != region[name]:
            yield f"its {name} is {row[name]}, that of the image's region {region[name]}"
    if row.get("difficulty") != region.get("difficulty"):
        yield f"its difficulty is {row.get('difficulty')}, that of the image's region {region.get('difficulty')}"
    if row.get("boxes") is not None:
        yield f"its boxes are {row['boxes']}; a question about one region has none"


def _check_wording(task: str, prompt: str, solution: str, image: Row, recipe: Recipe | None) -> Iterator[str]:
    region = image["regions"][0]
    if task == "grounding":
        yield from _check_grounding(prompt, solution, Box(*region["bbox"]), (image["width"], image["height"]), recipe)
        return
    if task == "object":
        offered = object_task.read_candidates(prompt)
        truth, keys = object_task.truth(region["object"]), [object_task.normalize_name(name) for name in offered]
        right = object_task.normalize_name(truth)
        wordings = [
            object_task.question(offered, wording, of_kinds=of_kinds)
            for wording in range(object_task.WORDINGS)
            for of_kinds in (False, True)
        ]
        most = recipe.questions.object_candidates if recipe else None
    else:
        offered = keys = recognition.read_candidates(prompt)
        truth, right = recognition.truth(region["distortion"], region["severity"]), region["distortion"]
        most = recipe.questions.type_candidates if recipe else None
        paired = TASKS[task].shows_reference
        may_be_none = recognition.OR_NONE in prompt
        is_whole_image = is_whole(image, recipe.composition) if recipe else is_whole(image)
        if recipe and may_be_none != (task in recipe.composition.negatives):
            yield f"its prompt {'offers' if may_be_none else 'lacks'} the answer None, unlike composition.negatives"
        wordings = [
            recognition.question(offered, paired, wording, may_be_none=may_be_none, is_whole=is_whole_image)
            for wording in range(recognition.WORDINGS)
        ]
    if solution != truth:
        yield f"its solution is {solution!r}, the recipe of its image gives {truth!r}"
    if right not in keys:
        yield f"the true answer, {truth!r}, is not among its candidates"
    if most and len(offered) > most:
        yield f"it offers {len(offered)} candidates, the recipe {most}"
    if prompt not in wordings:
        yield "its prompt is none that this version would write"


def _check_grounding(
    prompt: str, solution: str, box: Box, size: tuple[int, int], recipe: Recipe | None
) -> Iterator[str]:
    form = grounding.find_form(prompt, size)
    if form is None:
        yield "its prompt is none that this version would write"
    elif solution != (truth := grounding.truth(box, size, form.coordinates)):
        yield f"its solution is {solution!r}, its region gives {truth!r}"
    elif recipe and form.may_be_none != ("grounding" in recipe.composition.negatives):
        yield f"its prompt {'offers' if form.may_be_none else 'lacks'} the answer None, unlike composition.negatives"
