"""Questions about all edits of an image and about pairs: whether they and their solutions follow from the images.

Nothing here looks at pixels. What cannot be read raises, and is a fault to whoever calls.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from typing import Any

from distortlab.recipe import NEGATIVES, Recipe
from distortlab.tasks import TASKS, comparison, diagnosis, grounding, recognition

__all__ = ["check_set_question"]

Row = Mapping[str, Any]
_ROUNDED = 1e-6
"""V is stored with seven digits: a margin that was just met may be missed by so much."""
_UNKNOWN = "its prompt is none that this version would write"


def check_set_question(row: Row, image: Row, recipe: Recipe | None, other: Row | None = None) -> Iterator[str]:
    """What is wrong with a question about all edits of an image, or about a pair.

    Parameters
    ----------
    row
        Of `rft` or `samples`.
    image
        The row of `images` that it belongs to, faultless.
    recipe
        The data set's, where it is known.
    other
        The row of `images` that `other_image_id` names, where it is known.
    """
    task, size = row["task"], (image["width"], image["height"])
    if list(row["bbox"]) != [0, 0, *size]:
        yield f"its bbox is {row['bbox']}; that of a question about a set is the frame, {[0, 0, *size]}"
    for name in ("distortion", "severity", "difficulty"):
        if row[name] is not None:
            yield f"its {name} is {row[name]}; a question about a set has none"
    if task == "diagnosis":
        yield from _check_diagnosis(row, image, recipe)
    elif task == "comparison_regions":
        yield from _check_regions(row, image)
    elif task == "comparison":
        yield from _check_images(row, image, other)
    elif task in NEGATIVES and not image["regions"]:
        yield from _check_negative(row, size, recipe)
    else:
        yield f"questions of {task} are none that a data set asks"


def _get_prompt(row: Row) -> str:
    return str(row["prompt"][0]["content"])


def _check_diagnosis(row: Row, image: Row, recipe: Recipe | None) -> Iterator[str]:
    size = (image["width"], image["height"])
    regions = [
        diagnosis.DistortedRegion(tuple(region["bbox"]), region["distortion"], region["severity"])
        for region in image["regions"]
    ]
    boxes = [list(region.box) for region in sorted(regions, key=lambda region: region.sort_key)]
    if row["boxes"] != boxes:
        yield f"its boxes are {row['boxes']}, those of the regions of its image {boxes}"
    form = diagnosis.find_form(_get_prompt(row), size)
    if form is None:
        yield _UNKNOWN
        return
    if row["solution"] != (truth := diagnosis.truth(regions, size, form.coordinates)):
        yield f"its solution is {row['solution']!r}, the regions of its image give {truth!r}"
    if missing := {region.family for region in regions}.difference(form.families):
        yield f"its prompt does not offer {', '.join(sorted(map(str, missing)))}, which is in its image"
    asked = recipe and {family for family, share in recipe.families.items() if share > 0}
    if asked and set(form.families) != asked:
        yield f"its prompt offers {len(form.families)} types that are not the {len(asked)} of the recipe"


def _check_negative(row: Row, size: tuple[int, int], recipe: Recipe | None) -> Iterator[str]:
    """A question about one region of a pristine image."""
    task, prompt = row["task"], _get_prompt(row)
    if recipe and task not in recipe.composition.negatives:
        yield f"it asks about a region, and its image has none: composition.negatives of the recipe has no {task}"
    if row["boxes"] != []:
        yield f"its boxes are {row['boxes']}; there is nothing in its image"
    if row["solution"] != grounding.NONE:
        yield f"its solution is {row['solution']!r}, and nothing was distorted"
    if task == "grounding":
        form = grounding.find_form(prompt, size)
        is_known = form is not None and form.may_be_none
    else:
        offered, paired = recognition.read_candidates(prompt), TASKS[task].shows_reference
        is_known = len(offered) > 1 and prompt in [
            recognition.question(offered, paired, wording, may_be_none=True, is_whole=whole)
            for wording in range(recognition.WORDINGS)
            for whole in (False, True)
        ]
    if not is_known:
        yield _UNKNOWN


def _check_regions(row: Row, image: Row) -> Iterator[str]:
    size, boxes = (image["width"], image["height"]), row["boxes"]
    form = comparison.find_form(_get_prompt(row), size)
    if form is None:
        yield _UNKNOWN
        return
    pairs = permutations(image["regions"], 2)
    pair = next((two for two in pairs if [region["bbox"] for region in two] == boxes), None)
    if pair is None:
        yield f"its boxes are {boxes}, which are not those of two regions of its image"
        return
    if comparison.question_about_regions(boxes[0], boxes[1], size, form.coordinates, form.wording) != _get_prompt(row):
        yield f"its prompt has other boxes than {boxes}"
    yield from _check_choice(row, pair[:1], pair[1:])


def _check_images(row: Row, image: Row, other: Row | None) -> Iterator[str]:
    if row["boxes"] is not None:
        yield f"its boxes are {row['boxes']}; a question about two images has none"
    if _get_prompt(row) not in map(comparison.question, range(TASKS["comparison"].wordings)):
        yield _UNKNOWN
    if other is None or other["image_id"] == image["image_id"]:
        yield f"its first image is {row['other_image_id']!r}, which is not another one of its row group"
    elif other["reference_id"] != image["reference_id"]:
        yield f"its images are made from {other['reference_id']} and {image['reference_id']}, not from one reference"
    else:
        yield from _check_choice(row, other["regions"], image["regions"])


def _check_choice(row: Row, first: Sequence[Row], second: Sequence[Row]) -> Iterator[str]:
    """Whether the solution names the one with the larger V, beyond the margin under which nothing is asked."""
    families = {region["distortion"] for region in (*first, *second)}
    margin = comparison.MARGIN if len(families) == 1 else comparison.MARGIN_BETWEEN_FAMILIES
    one, other, margin = _find_largest_v(first), _find_largest_v(second), margin * (1 - _ROUNDED)
    if not comparison.has_margin(one, other, margin):
        yield f"it compares V {one:.2f} with {other:.2f}, which are too near to each other"
    elif row["solution"] != (truth := comparison.truth(one, other, margin)):
        yield f"its solution is {row['solution']!r}, V {one:.2f} and {other:.2f} give {truth!r}"


def _find_largest_v(regions: Sequence[Row]) -> float:
    return max((float(region["visibility"]["v"]) * (1 + _ROUNDED) for region in regions), default=0.0)
