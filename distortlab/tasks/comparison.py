"""Comparison: which of two images, or of two regions of one image, is more degraded? Answer: "First" or "Second".

Both images are copies of one reference. The truth comes from how visible the distortions are: V, in the column
`visibility` of a region, 0 for a pristine copy. Where two Vs are within a margin of each other, nothing is asked.
"""

import re
import unicodedata
from itertools import product
from typing import Literal, NamedTuple, get_args

from distortlab.tasks import grounding
from distortlab.tasks.answer import Unread, Verdict, format_prompt, read_answer
from distortlab.tasks.grounding import Box, Coordinates, Size, describe_units

__all__ = [
    "CHOICES",
    "MARGIN",
    "MARGIN_BETWEEN_FAMILIES",
    "VISIBLE",
    "WORDINGS",
    "Form",
    "find_form",
    "has_margin",
    "question",
    "question_about_regions",
    "read",
    "score",
    "truth",
]

MARGIN = 1.5
"""How many times the V of the other one the larger V is at least, where both are distorted by one family. Of pairs of
KADID-10k's cells so far apart (types of one family at their levels, benchmarks/people) people order more than 99 % as V
does.
"""
MARGIN_BETWEEN_FAMILIES = 3.0
"""The same for two families, which V compares less surely: three severities. Here people agree with V on 97 % of the
pairs, on 90 % of those that are 2.1 to 3 times apart, on 76 % of those that are 1.5 to 2.1 times apart.
"""
VISIBLE = 1.0
"""V of what is just visible; the larger V is not below it."""

SHAPE = "First or Second"
Choice = Literal["First", "Second"]
CHOICES: tuple[str, ...] = get_args(Choice)

ASKED = (
    "These two images show the same scene, in different quality. Which image is more degraded?\n\n"
    "Answer with one word, First or Second.",
    "You see two copies of one photograph, the first image and the second image. Decide in which of them the "
    "distortion is stronger. Reply with First or Second and nothing else.",
    "Compare the quality of the second image with that of the first one. One of the two looks worse. Which one is "
    "it?\n\n"
    "The answer is a single word: First, or Second.",
    "Two versions of a picture are given, and one of them is further away from the clean original than the other.\n\n"
    "Is it the first image or the second image? Say First or Second.",
    "You are sorting copies of an image by how much they were damaged. Of these two, which one looks more damaged?\n\n"
    "Write First for the first image, Second for the second image.",
    "Look at both images. If you could keep only the better one, which one would you throw away? Answer with exactly "
    "one of these words: First, Second.",
)

ASKED_OF_REGIONS = (
    "Here are two regions of this image.\n\n"
    "First region: {first}\n"
    "Second region: {second}\n\n"
    "{units} Which region is more degraded?\n\n"
    "Answer with one word, First or Second.",
    "The quality of this image differs from place to place. The first region is {first}, the second region {second}. "
    "{units}\n\n"
    "Decide in which of them the distortion is stronger. Reply with First or Second and nothing else.",
    "Compare the quality of two parts of this picture, each given by its bounding box: first {first}, then {second}. "
    "{units} One of the two looks worse. Which one is it?\n\n"
    "The answer is a single word: First, or Second.",
    "This picture is not as clean everywhere as its original was. Of two places, {first} (the first region) and "
    "{second} (the second region), one is further away from the original than the other. {units}\n\n"
    "Is it the first region or the second region? Say First or Second.",
    "You are sorting parts of an image by how much they were damaged. Of these two, which one looks more damaged?\n\n"
    "First: {first}\n"
    "Second: {second}\n"
    "{units}\n\n"
    "Write First for the first region, Second for the second region.",
    "Look at the regions {first} and {second} of this image. {units} If you could restore only one of them, the one "
    "that looks worse, which one would it be? Answer with exactly one of these words: First, Second.",
)
"""The same question about two boxes of one image."""

BOXES = "A box is [x1, y1, x2, y2], with (x1, y1) its top left corner and (x2, y2) its bottom right corner."

WORDINGS = len(ASKED)

_CHOICES: dict[str, Choice] = {
    **dict.fromkeys(("first", "1st", "1"), "First"),
    **dict.fromkeys(("second", "2nd", "2"), "Second"),
}
_FILLERS = frozenset(
    (
        "a",
        "answer",
        "area",
        "degraded",
        "distorted",
        "image",
        "is",
        "it",
        "more",
        "one",
        "picture",
        "region",
        "the",
        "worse",
    )
)
"""Words that change nothing: no negation, no "or", no "less"."""
_WORD = re.compile(r"[^\W_]+")
_BOX = re.compile(r"\[([0-9]{1,9}), ([0-9]{1,9}), ([0-9]{1,9}), ([0-9]{1,9})\]")


def question(wording: int = 0) -> str:
    """The prompt about two images of one scene. `wording` is 0 to `WORDINGS` - 1."""
    return format_prompt(ASKED, wording, SHAPE)


def question_about_regions(first: Box, second: Box, size: Size, coordinates: Coordinates, wording: int = 0) -> str:
    """The prompt about two regions of one image.

    Parameters
    ----------
    first, second
        Their boxes in whole pixels of the image.
    size
        (width, height) of the image, as the model counts its pixels where `coordinates` are "pixels".
    coordinates
        Of the boxes in the prompt.
    wording
        0 to `WORDINGS` - 1.
    """
    one, other = (grounding.truth(box, size, coordinates) for box in (first, second))
    return _format_regions(one, other, size, coordinates, wording)


def _format_regions(first: str, second: str, size: Size, coordinates: Coordinates, wording: int) -> str:
    units = f"{BOXES} {describe_units(coordinates, size)}"
    return format_prompt(ASKED_OF_REGIONS, wording, SHAPE, first=first, second=second, units=units)


class Form(NamedTuple):
    """How a question about two regions is put. The boxes are in its units."""

    coordinates: Coordinates
    wording: int
    first: Box
    second: Box


def find_form(prompt: str, size: Size) -> Form | None:
    """The form of a question about two regions of an image of `size` (width, height), or None for another text."""
    found = list(_BOX.finditer(prompt))
    if len(found) != 2:
        return None
    first, second = found
    for coordinates, wording in product(get_args(Coordinates), range(WORDINGS)):
        if _format_regions(first.group(), second.group(), size, coordinates, wording) == prompt:
            return Form(coordinates, wording, _parse_box(first), _parse_box(second))
    return None


def _parse_box(found: re.Match[str]) -> Box:
    x1, y1, x2, y2 = (int(edge) for edge in found.groups())
    return x1, y1, x2, y2


def has_margin(first: float, second: float, margin: float = MARGIN) -> bool:
    """Whether two Vs are far enough apart to be asked about.

    Parameters
    ----------
    first, second
        V of each image or region, 0 where nothing was done to it. V is a ratio scale: 0 is no change at all.
    margin
        The least ratio of the larger one to the other one, above 1: `MARGIN`, or `MARGIN_BETWEEN_FAMILIES`.
    """
    if not margin > 1.0:
        raise ValueError(f"a margin is a ratio above 1, not {margin!r}")
    lesser, larger = sorted((first, second))
    return lesser >= 0.0 and larger >= VISIBLE and larger >= margin * lesser


def truth(first: float, second: float, margin: float = MARGIN) -> Choice:
    """The solution, for two Vs that `has_margin`.

    Examples
    --------
    >>> from distortlab.tasks import comparison
    >>> comparison.truth(1.8, 3.8)
    'Second'
    """
    if not has_margin(first, second, margin):
        raise ValueError(f"V {first!r} and {second!r} are too near to each other, or too small, to be compared")
    return "First" if first > second else "Second"


def read(completion: str) -> Choice | Unread:
    """Which one a completion answers with, or why that cannot be read."""
    text = read_answer(completion)
    return text if isinstance(text, Unread) else _parse(text)


def _parse(text: str) -> Choice | Unread:
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    choices = {_CHOICES[word] for word in words if word in _CHOICES}
    if len(choices) > 1:
        return Unread.AMBIGUOUS
    if not choices or not all(word in _CHOICES or word in _FILLERS for word in words):
        return Unread.MALFORMED
    return choices.pop()


def score(completion: str, solution: str) -> Verdict:
    """The verdict on a completion: 1 for the one that is more degraded, 0 for the other one.

    Examples
    --------
    >>> from distortlab.tasks import comparison
    >>> comparison.score("<answer>The second image.</answer>", "Second").value
    1.0
    >>> comparison.score("<answer>Neither</answer>", "Second").status
    'malformed'
    """
    if solution not in CHOICES:
        raise ValueError(f"not a solution of this task: {solution[:80]!r}")
    given = read(completion)
    return Verdict.unread(given) if isinstance(given, Unread) else Verdict(float(given == solution))
