"""Questions about all that was done to an image, and questions that compare two images or two regions.

`diagnosis` names all families of the data set, in an order drawn by address, so that the names tell nothing about the
image. What is compared is so far apart in V that people agree on it (`tasks.comparison`). Of two images both are
distorted as a whole, or one of them is pristine: how a distorted region compares with a weaker distortion of the whole
frame is a matter of taste.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from distortlab.core.region import Box
from distortlab.core.seeds import Source, short_stream
from distortlab.dataset.schema import ImageRecord
from distortlab.distortions.catalog import find
from distortlab.distortions.edit import Edit
from distortlab.generation.questions import draw_type_candidates
from distortlab.recipe import Recipe
from distortlab.tasks import TASKS, comparison, diagnosis, grounding, recognition

__all__ = ["SetQuestion", "ask_about_nothing", "ask_about_set", "is_whole"]

_SAME_PLACE = 0.5
"""The IoU from which two boxes are no two places to compare."""


@dataclass(frozen=True, slots=True)
class SetQuestion:
    """A question with its solution.

    `boxes` are those of the regions it is about, in the order in which it has them; None where it is not about regions.
    """

    prompt: str
    solution: str
    boxes: tuple[Box, ...] | None = None


def ask_about_set(
    task: str, record: ImageRecord, recipe: Recipe, before: ImageRecord | None = None
) -> SetQuestion | None:
    """Make a question about all edits of an image, or about a pair.

    Parameters
    ----------
    task
        "diagnosis", "comparison" or "comparison_regions".
    record
        The image.
    recipe
        Its rules for questions; its seed draws the order of names, the pair of regions, and the wording.
    before
        The image that `comparison` shows first, where there is one.

    Returns
    -------
    SetQuestion or None
        None where there is nothing that can be compared.
    """
    source = short_stream(recipe.seed, record.image_id, "question", task)
    wording = source.below(TASKS[task].wordings)
    if task == "diagnosis":
        return _ask_diagnosis(record, recipe, wording, source)
    if task == "comparison_regions":
        return _ask_about_regions(record, recipe, wording, source)
    pair = before and _compare_images(before, record)
    return SetQuestion(comparison.question(wording), comparison.truth(*pair)) if pair else None


def ask_about_nothing(task: str, record: ImageRecord, recipe: Recipe) -> SetQuestion:
    """Make a question about one region of a pristine image, whose answer is that there is none. Types are drawn as for
    any other image.

    Parameters
    ----------
    task
        One of `composition.negatives` of the recipe.
    record, recipe
        As in `ask_about_set`.
    """
    source, rules = short_stream(recipe.seed, record.image_id, "question", task), recipe.questions
    wording = source.below(TASKS[task].wordings)
    if task == "grounding":
        text = grounding.question(rules.coordinates, (record.width, record.height), wording, may_be_none=True)
        return SetQuestion(text, grounding.NONE, ())
    families = [family for family, share in recipe.families.items() if share > 0]
    family = families[source.choose_index([recipe.families[name] for name in families])]
    types = draw_type_candidates(family, recipe.families, rules.type_candidates, source)
    text = recognition.question(
        types, TASKS[task].shows_reference, wording, may_be_none=True, is_whole=_is_asked_as_whole(task, record, recipe)
    )
    return SetQuestion(text, recognition.NONE, ())


def _is_asked_as_whole(task: str, record: ImageRecord, recipe: Recipe) -> bool:
    """Whether a question about a pristine image is put as if the whole of it might be distorted: as often as those
    about distorted images are, or the wording would be the answer.
    """
    rules = recipe.composition
    local = rules.local * rules.regions.get("1", 0) / sum(rules.regions.values())
    if not rules.whole > 0:
        return False
    source = short_stream(recipe.seed, record.image_id, "question", task, "whole")
    return source.choose_index([local, rules.whole]) == 1


def _ask_diagnosis(record: ImageRecord, recipe: Recipe, wording: int, source: Source) -> SetQuestion:
    size, units = (record.width, record.height), recipe.questions.coordinates
    families = source.permute([family for family, share in recipe.families.items() if share > 0])
    regions = [diagnosis.DistortedRegion(edit.bbox, _get_family(edit), edit.severity) for edit in record.edits]
    boxes = tuple(Box(*map(int, region.box)) for region in sorted(regions, key=lambda region: region.sort_key))
    return SetQuestion(diagnosis.question(units, size, wording, families), diagnosis.truth(regions, size, units), boxes)


def _ask_about_regions(record: ImageRecord, recipe: Recipe, wording: int, source: Source) -> SetQuestion | None:
    pairs = [pair for pair in combinations(record.edits, 2) if _can_compare(pair)]
    if not pairs:
        return None
    first, second = source.permute(source.permute(pairs)[0])
    size, units = (record.width, record.height), recipe.questions.coordinates
    text = comparison.question_about_regions(first.bbox, second.bbox, size, units, wording)
    vs = _get_v(first), _get_v(second)
    return SetQuestion(text, comparison.truth(*vs, _get_margin((first, second))), (first.bbox, second.bbox))


def _can_compare(pair: Sequence[Edit]) -> bool:
    one, other = pair
    is_same_place = grounding.iou(one.bbox, other.bbox) >= _SAME_PLACE
    return not is_same_place and comparison.has_margin(_get_v(one), _get_v(other), _get_margin(pair))


def _compare_images(first: ImageRecord, second: ImageRecord) -> tuple[float, float, float] | None:
    """V of two images and the margin between them, or None where they cannot be compared."""
    edits = [*first.edits, *second.edits]
    if first.reference_id != second.reference_id or (first.edits and second.edits and not all(map(is_whole, edits))):
        return None
    margin = _get_margin(edits)
    one, other = (max(map(_get_v, record.edits), default=0.0) for record in (first, second))
    return (one, other, margin) if comparison.has_margin(one, other, margin) else None


def is_whole(edit: Edit) -> bool:
    """Whether an edit is one of the whole frame."""
    rows, columns = edit.region.size
    return edit.region.area == rows * columns


def _get_margin(edits: Sequence[Edit]) -> float:
    return comparison.MARGIN if len(set(map(_get_family, edits))) == 1 else comparison.MARGIN_BETWEEN_FAMILIES


def _get_family(edit: Edit) -> str:
    return find(edit.distortion).family


def _get_v(edit: Edit) -> float:
    assert edit.visibility is not None, "an edit of a finished image was measured"
    return edit.visibility.v
