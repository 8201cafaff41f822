"""Quality: how good is this picture? Answer: a score from 1 (very poor) to 5 (excellent), "Score:3.44".

The question and the form of the answer are those of Refine-IQA's second stage. Scores are compared in whole
hundredths, as they are written, so that a threshold is met exactly or not at all.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from distortlab.tasks.answer import Unread, Verdict, format_score, read_answer

__all__ = [
    "HIGH",
    "LEVELS",
    "LOW",
    "STEM",
    "WORDINGS",
    "Grading",
    "compute_expected_digit",
    "find_digit",
    "question",
    "read",
    "rescale_mos",
    "score",
    "score_format",
    "truth",
]

LOW, HIGH = 1.0, 5.0
"""The scale of the question."""

LEVELS = (1, 2, 3, 4, 5)
"""What the first digit of a score can be."""

STEM = "<answer>Score:"
"""How a direct answer begins; the first digit of the score follows."""
SHAPE = "Score:Your score"

LEAST_MASS = 0.05
"""The probability that the digits must have together: below it something else was about to be said."""

ASKED = (
    "What is your overall rating on the quality of this picture? The rating should be a float between 1 and 5, rounded "
    "to two decimal places, with 1 representing very poor quality and 5 representing excellent quality.",
)
WORDINGS = len(ASKED)

THINK = (
    "First output the thinking process within the <think> </think> tags, then give your score within the <answer> "
    f"</answer> tags.\n<think>Your think</think><answer>{SHAPE}</answer>"
)
DIRECT = f"Directly give your score within the <answer> </answer> tags.\n<answer>{SHAPE}</answer>"

_ANSWER = re.compile(r"(?:score\s*[:=]?\s*)?([0-9]{1,9}(?:\.[0-9]{0,20})?)\.?", re.IGNORECASE | re.ASCII)
_WRITTEN = re.compile(r"Score:\s*[0-9]\.[0-9]{2}")
_DIGIT = re.compile(r"<answer>\s*Score:\s*([0-9])")


def question(wording: int = 0, think: bool = True) -> str:
    """The prompt. Without `think` it asks for the score alone."""
    if not 0 <= wording < WORDINGS:
        raise ValueError(f"no wording {wording}; there are {WORDINGS}, counted from 0")
    return f"{ASKED[wording]}\n\n{THINK if think else DIRECT}"


def truth(mos: float) -> str:
    """The solution for a mean opinion score from 1 to 5: `truth(3.5)` is "3.50"."""
    if not LOW <= mos <= HIGH:
        raise ValueError(f"a score of this task is from {LOW:g} to {HIGH:g}, not {mos!r}")
    return f"{mos:.2f}"


def rescale_mos(mos: float, low: float, high: float) -> float:
    """A mean opinion score of another scale on 1 to 5, linearly: `low` becomes 1 and `high` 5, whichever is larger.

    A score outside its own scale is refused: clipping would hide that the scale is wrong.
    """
    if low == high or not min(low, high) <= mos <= max(low, high):
        raise ValueError(f"the score {mos!r} is outside its scale, {low:g} to {high:g}")
    return min(HIGH, LOW + (HIGH - LOW) * (mos - low) / (high - low))  # never 5 and a rounding error


def read(completion: str) -> float | Unread:
    """The score that a completion answers with, a number from 1 to 5, with the label "Score:" or without."""
    text = read_answer(completion)
    if isinstance(text, Unread):
        return text
    found = _ANSWER.fullmatch(text)
    if found is None:
        return Unread.MALFORMED
    given = float(found[1])
    return given if LOW <= given <= HIGH else Unread.IMPOSSIBLE


def score_format(completion: str) -> float:
    """1 if the completion is one think block and one answer block that holds "Score:d.dd" and nothing else; else 0.

    The published reward looks for the two blocks anywhere; here nothing may stand around them.
    """
    if not format_score(completion):
        return 0.0
    text = read_answer(completion)
    return float(isinstance(text, str) and _WRITTEN.fullmatch(text) is not None)


def find_digit(completion: str) -> int | None:
    """Where the first digit of the score stands in a completion: an index, or None where there is no score."""
    found = list(_DIGIT.finditer(completion))
    return found[-1].start(1) if found else None


def compute_expected_digit(odds: Mapping[int, float]) -> tuple[float, float] | None:
    """The expectation of a digit from the probabilities of its tokens, as the paper scores an image.

    Parameters
    ----------
    odds
        The probability of each digit that may stand there; they need not add up to 1.

    Returns
    -------
    tuple or None
        The expectation, renormalized over these digits, and the probability that they have together; None where that
        is not above 0.05.
    """
    mass = sum(odds.values())
    return (sum(digit * p for digit, p in odds.items()) / mass, mass) if mass > LEAST_MASS else None


@dataclass(frozen=True, slots=True)
class Grading:
    """What a score is worth: `hit` 1 within the threshold and 0 outside (as published), `graded` 1 - distance / 4."""

    kind: Literal["hit", "graded"] = "hit"
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if self.kind not in ("hit", "graded"):
            raise ValueError(f"no grading called {self.kind!r}; known: hit, graded")
        if not 0.0 <= self.threshold <= HIGH - LOW:
            raise ValueError(f"threshold is a distance from 0 to {HIGH - LOW:g}, not {self.threshold!r}")

    def is_hit(self, given: float, right: float) -> bool:
        """Whether the two are within the threshold."""
        return abs(round(100 * given) - round(100 * right)) <= round(100 * self.threshold)

    def value(self, given: float, right: float) -> float:
        """The value of a score, in [0, 1]; 1 for the truth."""
        if self.kind == "hit":
            return float(self.is_hit(given, right))
        return 1.0 - abs(given - right) / (HIGH - LOW)


GRADING = Grading()


def score(completion: str, solution: str, grading: Grading = GRADING) -> Verdict:
    """The value of a completion. A score outside 1 to 5 is no score."""
    right, given = _solution(solution), read(completion)
    return Verdict.unread(given) if isinstance(given, Unread) else Verdict(grading.value(given, right))


def _solution(text: str) -> float:
    if re.fullmatch(r"[1-5]\.[0-9]{2}", text) and float(text) <= HIGH:
        return float(text)
    raise ValueError(f"not a solution of this task: {text[:80]!r}")
