"""Diagnosis: what is distorted in this image, where, and how severely? Answer: a list of boxes, types and severities.

    [{"box": [120, 85, 430, 610], "type": "Noise", "severity": "Severe"}]

A pristine image has the empty list, `[]`; a distortion of the whole image has a box that covers it. The task and the
parts of its score follow GS-IQA: given and true regions are matched one to one, a pair counts from an IoU of 0.5, and
the severity is worth something only where box and type are right.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple, get_args

from distortlab.tasks import recognition
from distortlab.tasks.answer import Unread, Verdict, format_prompt, read_answer
from distortlab.tasks.grounding import Coordinates, Size, describe_units, find_frame, rescale
from distortlab.tasks.matching import Match, match_regions
from distortlab.tasks.region_lists import LIMIT, SHAPE, DistortedRegion, RegionList, format_regions, parse_regions
from distortlab.tasks.terms import FAMILIES, LEVELS, LOOKS, get_phrase

__all__ = [
    "GRADING",
    "WORDINGS",
    "Comparison",
    "DistortedRegion",
    "Form",
    "Grading",
    "Parts",
    "compare",
    "find_form",
    "question",
    "read",
    "score",
    "truth",
]

ASKED = (
    "Find every region of this image whose quality was degraded. There may be none, one or several.\n\n"
    "Types: {types}.\n"
    "Severity levels, from weakest to strongest: {levels}.\n\n"
    "For each region give its bounding box, its type and its severity, as a JSON list: {form}. {rules}",
    "Was anything in this picture damaged on purpose? Look for every part that does not fit its surroundings, and at "
    "the picture as a whole, and say what was done.\n\n"
    "The kinds of damage are these:\n"
    "{described}\n\n"
    "Their severity is one of these, in rising order: {levels}.\n\n"
    "Write what you find as a JSON list in the form {form}. {rules}",
    "Inspect the quality of this picture and list all of its degradations, if there are any. Choose the type of each "
    "from: {types}. Choose its severity from, mildest first: {levels}. Locate it with a box.\n\n"
    "{rules}\n\n"
    "The answer is one JSON list and nothing else: {form}.",
    "Any number of regions of this image may look worse than they should because distortions were applied to them.\n\n"
    "Possible distortions:\n"
    "{listed}\n\n"
    "Possible severities, weakest first:\n"
    "{listed_levels}\n\n"
    "Report all distorted regions as JSON, {form}. {rules}",
    "You are checking an image for faults. A fault is one of {types}, and its strength, from least to most, is one of "
    "{levels}. Draw the smallest box around each fault, name it and rate it. {rules} Reply with a JSON list, {form}.",
    "Compare the regions of this image with each other and with what a clean photograph looks like. Which of them were "
    "altered by a distortion, if any? Decide between the following types.\n\n"
    "{described}\n\n"
    "Then rate how far each goes on this scale, from least to most: {levels}.\n\n"
    "Form: {form}, a JSON list with an entry for every distortion.\n"
    "{rules}",
)

RULES = (
    "A box is [x1, y1, x2, y2], with (x1, y1) its top left corner and (x2, y2) its bottom right corner. {units} If a "
    "region has several parts, one box encloses all of them; if the whole image is distorted, its box is the whole "
    "image. If nothing is distorted, the list is empty: []."
)
"""Part of every question, so that it gives nothing away about one of them."""

WORDINGS = len(ASKED)


def question(
    coordinates: Coordinates, size: Size | None = None, wording: int = 0, families: Sequence[str] = FAMILIES
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
    families
        The types that are offered, each once, in the order in which they are shown: all that a data set has, never only
        those of one image.
    """
    if not families or len(set(families)) < len(families):
        raise ValueError(f"at least one type, each once; not {list(families)!r}")
    phrases = [get_phrase(family) for family in families]
    return format_prompt(
        ASKED,
        wording,
        SHAPE,
        types=", ".join(phrases),
        listed="\n".join(f"- {name}" for name in phrases),
        described="\n".join(f"- {get_phrase(family)}: {LOOKS[family]}" for family in families),
        levels=", ".join(LEVELS),
        listed_levels="\n".join(f"- {level}" for level in LEVELS),
        form=SHAPE,
        rules=RULES.format(units=describe_units(coordinates, size)),
    )


class Form(NamedTuple):
    """How a question is put: the arguments of `question`."""

    coordinates: Coordinates
    wording: int
    families: tuple[str, ...]


def find_form(prompt: str, size: Size) -> Form | None:
    """The form of a question about an image of `size` (width, height), or None for another text."""
    families = tuple(recognition.read_candidates(prompt))
    if not families or len(set(families)) < len(families):
        return None
    forms = (Form(*form, families) for form in product(get_args(Coordinates), range(WORDINGS)))
    return next((form for form in forms if question(form.coordinates, size, form.wording, families) == prompt), None)


def truth(regions: Sequence[DistortedRegion], size: Size, coordinates: Coordinates) -> str:
    """The solution, in the order from top to bottom and left to right.

    Parameters
    ----------
    regions
        What was done to the image, with boxes in its whole pixels; none for a pristine image. Boxes may overlap and be
        equal.
    size
        (width, height) of the image.
    coordinates
        Those of the question.

    Examples
    --------
    >>> from distortlab.tasks import diagnosis
    >>> region = diagnosis.DistortedRegion((10, 20, 110, 220), "noise", 4)
    >>> diagnosis.truth([region], (200, 400), "thousandths")
    '[{"box": [50, 50, 550, 550], "type": "Noise", "severity": "Severe"}]'
    """
    frame = find_frame(coordinates, size)
    return format_regions(
        DistortedRegion(rescale(region.box, size, frame), region.family, region.severity)  # type: ignore[arg-type]
        for region in regions
    )


def read(completion: str) -> RegionList | Unread:
    """The regions that a completion lists, in the units of its question, or why they cannot be read."""
    text = read_answer(completion, LIMIT)
    return text if isinstance(text, Unread) else parse_regions(text)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How an answer compares with the truth.

    `is_strict` says whether it has the form asked for, `given` how many regions it lists; `matches` has every true
    region, from top to bottom.
    """

    is_strict: bool
    given: int
    matches: tuple[Match, ...]


class Parts(NamedTuple):
    """The parts of a score, each in [0, 1].

    `form`: the list has the form asked for. `iou`: the mean IoU of true and given regions, 0 for each that has no
    partner. `f1`: of pairs from an IoU of 0.5. `type`, `severity`: what such pairs are worth, a mean over the larger of
    the two sets.
    """

    form: float
    iou: float
    f1: float
    type: float
    severity: float


@dataclass(frozen=True, slots=True)
class Grading:
    """What the parts are worth, and a severity by its distance (0 to 4).

    The parts and the grades by distance are those of GS-IQA, which does not give the weights. `iou`, `type` and
    `severity` are divided by the size of the larger set, not by the number of pairs: else, to name one more true region
    with a type in doubt would cost more than to keep silent about it.
    """

    form: float = 0.1
    iou: float = 0.2
    f1: float = 0.3
    type: float = 0.2
    severity: float = 0.2
    severity_grades: tuple[float, ...] = recognition.GRADING.severity_grades

    def __post_init__(self) -> None:
        if not (all(0.0 <= weight < math.inf for weight in self.weights) and sum(self.weights) > 0.0):
            raise ValueError(f"weights are numbers from 0 on, not all of them 0; not {self.weights!r}")
        recognition.check_grades(self.severity_grades)

    @property
    def weights(self) -> Parts:
        """The weights, of which only the ratios matter."""
        return Parts(self.form, self.iou, self.f1, self.type, self.severity)

    def grade_severity(self, match: Match) -> float:
        """What the severity that was given for a true region is worth, in [0, 1]."""
        distance = match.severity_distance
        return 0.0 if distance is None else self.severity_grades[distance]

    def grade(self, marks: Comparison) -> Parts:
        """The parts of a score. All are 1 for the truth; for a pristine image that is the empty list."""
        right, form = len(marks.matches), float(marks.is_strict)
        larger = max(right, marks.given)
        if not larger:
            return Parts(form, 1.0, 1.0, 1.0, 1.0)
        return Parts(
            form,
            min(1.0, math.fsum(match.iou for match in marks.matches) / larger),
            2.0 * sum(match.is_hit for match in marks.matches) / (right + marks.given),
            sum(match.is_type_right for match in marks.matches) / larger,
            math.fsum(map(self.grade_severity, marks.matches)) / larger,
        )

    def value(self, marks: Comparison) -> float:
        """The value of an answer, in [0, 1]; 1 for the truth."""
        weighted = math.fsum(weight * part for weight, part in zip(self.weights, self.grade(marks), strict=True))
        return min(1.0, weighted / math.fsum(self.weights))


GRADING = Grading()


def compare(completion: str, solution: str) -> Comparison | Unread:
    """How a completion compares with the truth, region by region."""
    right = parse_regions(solution)
    if isinstance(right, Unread) or not right.is_strict:
        raise ValueError(f"not a solution of this task: {solution[:80]!r}")
    given = read(completion)
    if isinstance(given, Unread):
        return given
    return Comparison(given.is_strict, len(given.regions), match_regions(given.regions, right.regions))


def score(completion: str, solution: str, grading: Grading = GRADING) -> Verdict:
    """The verdict on a completion.

    Parameters
    ----------
    completion
        Whatever a model wrote.
    solution
        What `truth` returned.
    grading
        What the parts are worth.

    Examples
    --------
    >>> from distortlab.tasks import diagnosis
    >>> solution = '[{"box": [0, 0, 100, 100], "type": "Noise", "severity": "Severe"}]'
    >>> diagnosis.score(f"<answer>{solution}</answer>", solution).value
    1.0
    >>> diagnosis.score('<answer>[{"box": [0, 0, 100, 100], "type": "Blur", "severity": 4}]</answer>', solution).value
    0.5
    >>> diagnosis.score("<answer>[]</answer>", "[]").value
    1.0
    """
    marks = compare(completion, solution)
    return Verdict.unread(marks) if isinstance(marks, Unread) else Verdict(grading.value(marks))
