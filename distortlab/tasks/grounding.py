"""Grounding: where is the distorted region? Answer: its box, "[886, 88, 1023, 648]".

Boxes are (x1, y1, x2, y2); x counts from the left edge of the image, y from the top edge, x2 and y2 are
exclusive, so a box is x2 - x1 wide in any unit. IoU is a ratio of areas, and a change of units multiplies
every area by the same two factors, one for each axis: in pixels, thousandths or fractions of the image it is
one number.
"""

import re
from itertools import product
from operator import index
from typing import Literal, NamedTuple, get_args

from distortlab.tasks.answer import Unread, Verdict, format_prompt, read_answer

__all__ = [
    "NONE",
    "THOUSANDTHS",
    "WORDINGS",
    "Box",
    "Coordinates",
    "Form",
    "Size",
    "describe_units",
    "find_form",
    "find_frame",
    "iou",
    "question",
    "read",
    "rescale",
    "score",
    "truth",
]

Coordinates = Literal["thousandths", "pixels"]
Box = tuple[int, int, int, int]
Corners = tuple[float, float, float, float]
Size = tuple[int, int]
"""(width, height)"""

SHAPE = "[x1, y1, x2, y2]"
THOUSANDTHS: Size = (1000, 1000)
"""The frame in which every image is 1000 wide and 1000 high."""

ASKED = (
    "One region of this image has been distorted; everything else is untouched. Where is it?\n\n"
    "Give its bounding box as [x1, y1, x2, y2], with (x1, y1) the top left corner and (x2, y2) the "
    "bottom right corner. {units}",
    "Find the part of this picture whose quality was degraded and draw the smallest box around it. "
    "Write the box as [x1, y1, x2, y2]: left, top, right, bottom. {units}",
    "Exactly one area of this image carries a distortion. Locate it.\n\n"
    "{units}\n\n"
    "The answer is a single list of four numbers, [x1, y1, x2, y2], where (x1, y1) is the top left "
    "corner of the area and (x2, y2) its bottom right corner.",
    "Somewhere in this image, one region looks worse than the rest because a distortion was applied "
    "to it. Report the bounding box of that region in the form [x1, y1, x2, y2], that is, its left, "
    "top, right and bottom edges. {units}",
    "You are checking an image for a local fault. Which rectangle encloses the fault most tightly? "
    "{units} Reply with one box, [x1, y1, x2, y2], from its top left corner (x1, y1) to its bottom "
    "right corner (x2, y2), and nothing else.",
    "Compare the regions of this image with each other: one of them was altered by a distortion. "
    "State where it lies with one bounding box.\n\n"
    "Form: [x1, y1, x2, y2], the left, top, right and bottom edges of the region.\n"
    "{units}",
)

UNITS: dict[Coordinates, str] = {
    "thousandths": (
        "Coordinates are integers from 0 to 1000, in thousandths of the image's width and height: x "
        "runs from 0 at the left edge of the image to 1000 at its right edge, y from 0 at the top "
        "edge to 1000 at the bottom edge."
    ),
    "pixels": (
        "Coordinates are integers in pixels of the image, which is {width} wide and {height} high: x "
        "runs from 0 at the left edge of the image to {width} at its right edge, y from 0 at the top "
        "edge to {height} at the bottom edge."
    ),
}

PARTS = "If the region has several parts, one box encloses all of them."
"""Part of every question, so that it gives nothing away about one of them."""

WORDINGS = len(ASKED)

NONE = "None"
"""The answer where nothing was distorted. It is offered in all questions of a data set that asks about such images."""
OR_NONE = "It may also be that nothing was distorted: then answer with the one word None."

_HEDGES = (
    (
        "One region of this image has been distorted; everything",
        "One region of this image may be distorted; everything",
    ),
    ("Find the part of this picture whose quality was", "Find the part of this picture, if any, whose quality was"),
    ("Exactly one area of this image carries", "At most one area of this image carries"),
    ("one region looks worse than the rest because", "one region may look worse than the rest because"),
    ("Which rectangle encloses the fault most", "Which rectangle encloses the fault, if there is one, most"),
    ("one of them was altered by", "one of them may have been altered by"),
)
"""What a wording says where it may be that nothing was distorted, in place of what it says else."""

ASKED_OR_NONE = tuple(
    f"{text.replace(sure, hedged)} {OR_NONE}" for text, (sure, hedged) in zip(ASKED, _HEDGES, strict=True)
)

_LABEL = re.compile(r'"label"\s*:\s*"[^"]*"|"?\b(?:bbox_2d|bbox|box)\b"?\s*[:=]|```(?:json)?', re.IGNORECASE)
_MARKS = re.compile(r"[\[\](){},;\s]+")
_NUMBER = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{0,20})?")


def question(
    coordinates: Coordinates,
    size: Size | None = None,
    wording: int = 0,
    *,
    parts: bool = True,
    may_be_none: bool = False,
) -> str:
    """The prompt.

    Parameters
    ----------
    coordinates
        "thousandths" of the image's width and height, or "pixels".
    size
        (width, height) of the image as the model counts its pixels; thousandths need none.
    wording
        0 to `WORDINGS` - 1.
    parts
        Whether it says that one box encloses all parts of a region; data sets of earlier versions do not.
    may_be_none
        Whether it offers the answer that nothing was distorted.
    """
    units = describe_units(coordinates, size)
    asked = ASKED_OR_NONE if may_be_none else ASKED
    return format_prompt(asked, wording, SHAPE, units=f"{units} {PARTS}" if parts else units)


class Form(NamedTuple):
    """How a grounding question is put: the arguments of `question`."""

    coordinates: Coordinates
    wording: int
    parts: bool
    may_be_none: bool = False


def find_form(prompt: str, size: Size) -> Form | None:
    """The form of a question about an image of `size` (width, height), or None for another text."""
    forms = [Form(*form) for form in product(get_args(Coordinates), range(WORDINGS), (True, False))]
    if OR_NONE in prompt:
        forms = [form._replace(may_be_none=True) for form in forms if form.parts]
    return next((form for form in forms if _write(form, size) == prompt), None)


def _write(form: Form, size: Size) -> str:
    return question(form.coordinates, size, form.wording, parts=form.parts, may_be_none=form.may_be_none)


def truth(box: Box, size: Size, coordinates: Coordinates) -> str:
    """The solution for a box in whole pixels of an image of `size` (width, height).

    Examples
    --------
    >>> from distortlab.tasks import grounding
    >>> grounding.truth((10, 20, 110, 220), (200, 400), "thousandths")
    '[50, 50, 550, 550]'
    """
    return str(list(rescale(box, size, find_frame(coordinates, size))))


def describe_units(coordinates: Coordinates, size: Size | None) -> str:
    """The sentence of a question that says what its coordinates count."""
    width, height = find_frame(coordinates, size)
    return UNITS[coordinates].format(width=width, height=height)


def find_frame(coordinates: Coordinates, size: Size | None) -> Size:
    """How far the coordinates of a question run, (right edge, bottom edge)."""
    if coordinates not in UNITS:
        raise ValueError(f"no coordinates called {coordinates!r}; known: {', '.join(UNITS)}")
    if coordinates == "thousandths":
        return THOUSANDTHS
    if size is None:
        raise ValueError("a question in pixels needs the size of the image, (width, height)")
    return size


def rescale(box: Box, size: Size, frame: Size) -> Box:
    """A box of an image of this size, in another frame: the image resized, or `THOUSANDTHS`.

    Rounded to whole numbers, halves up, in integer arithmetic; at least one unit wide and high.
    """
    x1, y1, x2, y2 = (index(edge) for edge in box)
    width, height, wide, high = (index(side) for side in (*size, *frame))
    if not (0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height and min(wide, high) > 0):
        raise ValueError(f"no box of an image of {width} x {height} pixels: {box!r}")
    left, right = _rescale_span(x1, x2, width, wide)
    top, bottom = _rescale_span(y1, y2, height, high)
    return left, top, right, bottom


def _rescale_span(low: int, high: int, old: int, new: int) -> tuple[int, int]:
    """A span of one axis; where both ends round to one number, the unit that holds its middle."""
    start, end = ((2 * edge * new + old) // (2 * old) for edge in (low, high))
    if start == end:
        start = (low + high) * new // (2 * old)
        end = start + 1
    return start, end


def iou(a: Corners, b: Corners) -> float:
    """Intersection over union of two boxes, in [0, 1]; 0 where either has no area.

    Lengths are taken relative to the longer one on each axis: no overflow, and equal boxes give exactly 1.
    """
    wide, high = max(a[2] - a[0], b[2] - b[0]), max(a[3] - a[1], b[3] - b[1])
    across = (min(a[2], b[2]) - max(a[0], b[0])) / wide if wide > 0 else 0.0
    down = (min(a[3], b[3]) - max(a[1], b[1])) / high if high > 0 else 0.0
    if across <= 0 or down <= 0:
        return 0.0
    areas = sum((box[2] - box[0]) / wide * ((box[3] - box[1]) / high) for box in (a, b))
    return min(1.0, across * down / (areas - across * down))


def is_none(text: str) -> bool:
    """Whether an answer, without its tags, says that nothing was distorted."""
    return text.strip().strip(".\"'").lower() == NONE.lower()


def read(completion: str) -> Corners | Unread:
    """The one box that a completion answers with, in the units of its question."""
    text = read_answer(completion)
    return text if isinstance(text, Unread) else _parse(text)


def _parse(text: str) -> Corners | Unread:
    """Four plain numbers, in brackets of any kind, as JSON under `bbox_2d`, in a code fence; nothing else."""
    words = _MARKS.sub(" ", _LABEL.sub(" ", text)).split()
    if not all(_NUMBER.fullmatch(word) for word in words):
        return Unread.MALFORMED
    if len(words) != 4:
        return Unread.AMBIGUOUS if len(words) > 4 and len(words) % 4 == 0 else Unread.MALFORMED
    x1, y1, x2, y2 = (float(word) for word in words)
    return (x1, y1, x2, y2) if 0 <= x1 < x2 and 0 <= y1 < y2 else Unread.IMPOSSIBLE


def score(completion: str, solution: str) -> Verdict:
    """The verdict on a completion: the IoU of its box with the true one, both in the units of the question.

    Examples
    --------
    >>> from distortlab.tasks import grounding
    >>> grounding.score("<answer>[0, 0, 100, 50]</answer>", "[0, 0, 100, 100]").value
    0.5
    >>> grounding.score("<answer>top left</answer>", "[0, 0, 100, 100]").status
    'malformed'
    """
    right, text = None if solution == NONE else _solution(solution), read_answer(completion)
    if not isinstance(text, Unread) and is_none(text):
        return Verdict(float(right is None))
    given = read(completion)
    if isinstance(given, Unread):
        return Verdict.unread(given)
    return Verdict(0.0 if right is None else iou(given, right))


def _solution(text: str) -> Corners:
    box = _parse(text)
    if not isinstance(box, Unread):
        return box
    raise ValueError(f"not a solution of this task: {text[:80]!r}")
