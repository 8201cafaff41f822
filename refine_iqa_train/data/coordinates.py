"""Questions with boxes, and their solutions, in the coordinates of the model that is trained.

Boxes stand in the solution (`grounding`, `diagnosis`) or in the prompt (`comparison_regions`). They are converted from
the pixels of the stored image, which the columns `bbox` and `boxes` hold, so that they are rounded once. IoU is the
same in all coordinates.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from distortlab.core.errors import UserError
from distortlab.tasks import Unread, comparison, diagnosis, grounding
from distortlab.tasks.diagnosis import DistortedRegion
from distortlab.tasks.grounding import Box, Coordinates, Size
from distortlab.tasks.region_lists import parse_regions
from refine_iqa_train.data.image_sizes import ImagePolicy

__all__ = ["BoxQuestion", "ShownImage", "convert_question", "match_boxes"]


@dataclass(frozen=True, slots=True)
class ShownImage:
    """An image as it is stored and as a model sees it.

    Parameters
    ----------
    size
        (width, height) as it is stored.
    policy, coordinates
        The size at which the model sees it, and the units in which it answers with a box.
    """

    size: Size
    policy: ImagePolicy
    coordinates: Coordinates

    @property
    def padded(self) -> Size:
        """(width, height) after padding on the right and below, which leaves boxes where they are."""
        return self.policy.padded_size(self.size)

    @property
    def frame(self) -> Size:
        """(width, height) in the units of an answered box."""
        return self.policy.frame_size(self.size) if self.coordinates == "pixels" else grounding.THOUSANDTHS

    def convert(self, box: Box) -> Box:
        """A box in pixels of the stored image, in the units of an answered one."""
        return grounding.rescale(box, self.padded, self.frame)

    def extend(self, box: Box) -> Box:
        """The box of the whole stored image becomes that of the whole padded one; others stay."""
        return (0, 0, *self.padded) if box == (0, 0, *self.size) else box


@dataclass(frozen=True, slots=True)
class BoxQuestion:
    """A question and its solution. `frame` is (width, height) in the units of an answered box; None: of none."""

    text: str
    solution: str
    frame: Size | None = None


def convert_question(
    task: str, question: BoxQuestion, boxes: Sequence[Box], size: Size, policy: ImagePolicy, coordinates: Coordinates
) -> BoxQuestion:
    """Put a question and its solution into a model's coordinates, in the same wording.

    A question without boxes, and one in words of somebody else, which says in its own way what it asks for, are left
    alone.

    Parameters
    ----------
    task
        Of the question.
    question
        As it is stored.
    boxes
        Of the regions that it is about, [x1, y1, x2, y2] in pixels of the stored image.
    size
        (width, height) of the stored image.
    policy, coordinates
        The size at which the model sees the image, and the units in which it answers with a box.

    Raises
    ------
    UserError
        Where the boxes are not those of the solution.
    """
    convert = _CONVERTERS.get(task)
    return question if convert is None else convert(question, boxes, ShownImage(size, policy, coordinates)) or question


def _convert_grounding(question: BoxQuestion, boxes: Sequence[Box], shown: ShownImage) -> BoxQuestion | None:
    form = grounding.find_form(question.text, shown.size)
    if form is None:
        return None
    options = {"parts": form.parts, "may_be_none": form.may_be_none}
    text = grounding.question(shown.coordinates, shown.frame, form.wording, **options)
    is_none = question.solution == grounding.NONE
    return BoxQuestion(text, question.solution if is_none else str(list(shown.convert(boxes[0]))), shown.frame)


def _convert_diagnosis(question: BoxQuestion, boxes: Sequence[Box], shown: ShownImage) -> BoxQuestion | None:
    form = diagnosis.find_form(question.text, shown.size)
    if form is None:
        return None
    regions = [
        DistortedRegion(shown.convert(shown.extend(box)), region.family, region.severity)
        for region, box in match_boxes(question.solution, boxes, shown.size, form.coordinates)
    ]
    text = diagnosis.question(shown.coordinates, shown.frame, form.wording, form.families)
    # the boxes are in their frame already
    return BoxQuestion(text, diagnosis.truth(regions, shown.frame, "pixels"), shown.frame)


def _convert_region_comparison(question: BoxQuestion, boxes: Sequence[Box], shown: ShownImage) -> BoxQuestion | None:
    form = comparison.find_form(question.text, shown.size)
    if form is None:
        return None
    given = form.first, form.second
    stored = grounding.find_frame(form.coordinates, shown.size)
    if given != tuple(grounding.rescale(box, shown.size, stored) for box in boxes):
        raise UserError(f"the regions of the question, {given}, are not those of its boxes, {list(boxes)}")
    size = shown.frame if shown.coordinates == "pixels" else shown.padded
    first, second = map(shown.convert, boxes) if shown.coordinates == "pixels" else boxes
    text = comparison.question_about_regions(first, second, size, shown.coordinates, form.wording)
    return BoxQuestion(text, question.solution)


_CONVERTERS: Mapping[str, Callable[[BoxQuestion, Sequence[Box], ShownImage], BoxQuestion | None]] = MappingProxyType(
    {
        "grounding": _convert_grounding,
        "diagnosis": _convert_diagnosis,
        "comparison_regions": _convert_region_comparison,
    }
)


def match_boxes(
    solution: str, boxes: Sequence[Box], size: Size, coordinates: Coordinates
) -> list[tuple[DistortedRegion, Box]]:
    """Find the box in pixels of each region of a solution.

    Parameters
    ----------
    solution
        Of a question of diagnosis.
    boxes
        In pixels of the stored image, in any order: what is sorted in thousandths can stand in another one.
    size
        (width, height) of the stored image.
    coordinates
        Of the solution.

    Raises
    ------
    UserError
        Where they do not belong together.
    """
    found = parse_regions(solution)
    frame, left = grounding.find_frame(coordinates, size), list(boxes)
    pairs = []
    for region in () if isinstance(found, Unread) else found.regions:
        box = next((box for box in left if grounding.rescale(box, size, frame) == region.box), None)
        if box is None:
            raise UserError(
                f"the solution has a box {list(map(int, region.box))}, and boxes have {list(map(list, boxes))}"
            )
        left.remove(box)
        pairs.append((region, box))
    if left:
        raise UserError(f"boxes have {list(map(list, left))}, and the solution has none there")
    return pairs
