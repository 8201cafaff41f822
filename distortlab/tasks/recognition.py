"""Recognition: which type of distortion is it, and how severe? Answer: "Noise, Severe"."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from distortlab.tasks.answer import Unread, Verdict, format_prompt, read_answer
from distortlab.tasks.recognition_wordings import (
    ALONE,
    NONE,
    OR_NONE,
    PAIRED,
    WHOLE,
    WHOLE_PAIRED,
    WORDINGS,
    select_wordings,
)
from distortlab.tasks.terms import (
    DIRECTION_WORDS,
    FAMILIES,
    FAMILY_WORDS,
    KNOWN_WORDS,
    LEVEL_WORDS,
    LEVELS,
    LOOKS,
    PAIRS,
    PHRASES,
    QUALITY_WORDS,
    get_phrase,
)

__all__ = [
    "ALONE",
    "GRADING",
    "NONE",
    "OR_NONE",
    "PAIRED",
    "WHOLE",
    "WHOLE_PAIRED",
    "WORDINGS",
    "Comparison",
    "Grading",
    "ParsedAnswer",
    "check_grades",
    "compare",
    "find_family",
    "find_level",
    "question",
    "read",
    "read_candidates",
    "score",
    "truth",
]

T = TypeVar("T")
SHAPE = "Type, Severity"

_OVER = re.compile(r"\bover[\W_]+(?=sharpen|saturat)")
_WORD = re.compile(r"[^\W_]+")
_BY_PHRASE = {PHRASES[family]: family for family in FAMILIES}
# Nothing else in a question is spelled with these capitals.
_PHRASE = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in _BY_PHRASE))
_MOST_STRANGE_WORDS = 3


@dataclass(frozen=True, slots=True)
class ParsedAnswer:
    """What an answer says. `family` is None where its type is none of the twelve; `severity` is 1 to 5, and 0 in the
    answer that nothing was distorted.
    """

    family: str | None
    severity: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """How an answer compares with the truth: the parts of the score."""

    type_right: bool
    severity_distance: int


@dataclass(frozen=True, slots=True)
class Grading:
    """What the parts are worth: `type_weight` for the type, the rest for the severity, by distance (0 to 4).

    `gated`: the severity of another distortion is worth nothing. The grades and the gate are those of GS-IQA.
    """

    type_weight: float = 0.5
    severity_grades: tuple[float, ...] = (1.0, 0.6, 0.2, 0.0, 0.0)
    gated: bool = True

    def __post_init__(self) -> None:
        if not 0.0 <= self.type_weight <= 1.0:
            raise ValueError(f"type_weight is a share in [0, 1], not {self.type_weight!r}")
        check_grades(self.severity_grades)

    def value(self, marks: Comparison) -> float:
        """The value of an answer, in [0, 1]; 1 for the truth."""
        grade = self.severity_grades[marks.severity_distance]
        if self.gated and not marks.type_right:
            grade = 0.0
        return self.type_weight * marks.type_right + (1.0 - self.type_weight) * grade


def check_grades(severity_grades: Sequence[float]) -> None:
    """Refuse grades that are no grades by distance, 0 to 4."""
    grades = tuple(severity_grades)
    falling = all(a >= b for a, b in pairwise(grades))
    if len(grades) != len(LEVELS) or grades[0] != 1.0 or not falling or grades[-1] < 0.0:
        raise ValueError(f"severity_grades are five numbers that fall from 1, none below 0; not {grades!r}")


GRADING = Grading()


def question(
    candidates: Sequence[str],
    with_reference: bool,
    wording: int = 0,
    *,
    may_be_none: bool = False,
    is_whole: bool = False,
) -> str:
    """The prompt.

    Parameters
    ----------
    candidates
        At least two keys of families, each once, in the order in which they are shown.
    with_reference
        Whether the sample has two images: first the reference, then the distorted one.
    wording
        0 to `WORDINGS` - 1.
    may_be_none
        Whether it offers the answer that nothing was distorted.
    is_whole
        Whether it is about an image that is distorted as a whole, and not in one region.

    Examples
    --------
    >>> from distortlab.tasks import recognition
    >>> prompt = recognition.question(["noise", "blur"], with_reference=False)
    >>> recognition.read_candidates(prompt)
    ['noise', 'blur']
    """
    if len(candidates) < 2 or len(set(candidates)) < len(candidates):
        raise ValueError(f"at least two candidates, each once; not {list(candidates)!r}")
    phrases = [*map(get_phrase, candidates), *([NONE] if may_be_none else [])]
    looks = [*(LOOKS[family] for family in candidates), "nothing was distorted"]
    return format_prompt(
        select_wordings(with_reference, is_whole, may_be_none),
        wording,
        SHAPE,
        types=", ".join(phrases),
        listed="\n".join(f"- {name}" for name in phrases),
        described="\n".join(f"- {name}: {look}" for name, look in zip(phrases, looks, strict=False)),
        levels=", ".join(LEVELS),
        listed_levels="\n".join(f"- {level}" for level in LEVELS),
    )


def read_candidates(prompt: str) -> list[str]:
    """The family keys that a question offers, in the order in which it shows them."""
    return [_BY_PHRASE[name] for name in _PHRASE.findall(prompt)]


def truth(family: str, severity: int) -> str:
    """The solution for a family and a severity 1 to 5.

    Examples
    --------
    >>> from distortlab.tasks import recognition
    >>> recognition.truth("noise", 4)
    'Noise, Severe'
    """
    if severity not in range(1, len(LEVELS) + 1):
        raise ValueError(f"a severity is a whole number from 1 to {len(LEVELS)}, not {severity!r}")
    return f"{get_phrase(family)}, {LEVELS[severity - 1]}"


def read(completion: str) -> ParsedAnswer | Unread:
    """The type and the severity that a completion answers with, or why they cannot be read."""
    text = read_answer(completion)
    return text if isinstance(text, Unread) else _parse(text)


def _parse(text: str) -> ParsedAnswer | Unread:
    """Read by words, whatever their case, order and punctuation; two of a kind are never chosen between."""
    words = _words(text)
    if words == [NONE.lower()]:
        return ParsedAnswer(None, 0)
    types = _types(words)
    severities = _meanings(words, LEVEL_WORDS)
    if types is None or len(types) > 1 or len(severities) > 1:
        return Unread.AMBIGUOUS
    strange = sum(word not in KNOWN_WORDS for word in words)
    if (types and strange) or strange > _MOST_STRANGE_WORDS:
        return Unread.MALFORMED
    if not severities or not (types or strange):
        return Unread.INCOMPLETE
    return ParsedAnswer(next(iter(types), None), severities.pop())


def find_family(text: str) -> str | None:
    """The family that a name of a type means; None where it is none of the twelve, or more than one."""
    words = _words(text)
    types = _types(words)
    return types.pop() if types and len(types) == 1 and KNOWN_WORDS.issuperset(words) else None


def find_level(text: str) -> int | None:
    """The severity, 1 to 5, that a name of a level means; None where it means none, or more than one."""
    words = _words(text)
    levels = _meanings(words, LEVEL_WORDS)
    return levels.pop() if len(levels) == 1 and KNOWN_WORDS.issuperset(words) else None


def _words(text: str) -> list[str]:
    """The words of a text in lower case, parted by anything else; "over-sharpening" is one word."""
    return _WORD.findall(_OVER.sub("over", unicodedata.normalize("NFKC", text).casefold()))


def _meanings(words: Sequence[str], table: Mapping[str, T]) -> set[T]:
    return {table[word] for word in words if word in table}


def _types(words: Sequence[str]) -> set[str] | None:
    """The families named; None where a quality has no direction ("contrast"), or a direction no quality."""
    qualities, directions = _meanings(words, QUALITY_WORDS), _meanings(words, DIRECTION_WORDS)
    if bool(qualities) != bool(directions):
        return None
    pairs = {PAIRS[quality, direction] for quality in qualities for direction in directions}
    return _meanings(words, FAMILY_WORDS) | pairs


def compare(completion: str, solution: str) -> Comparison | Unread:
    """How a completion compares with the truth, part by part."""
    right = _parse(solution)
    if isinstance(right, Unread) or (right.family is None and solution != NONE):
        raise ValueError(f"not a solution of this task: {solution[:80]!r}")
    given = read(completion)
    if isinstance(given, Unread):
        return given
    if not (given.severity and right.severity):  # that nothing was distorted is right or wrong as a whole
        return Comparison(given == right, 0 if given == right else len(LEVELS) - 1)
    return Comparison(given.family == right.family, abs(given.severity - right.severity))


def score(completion: str, solution: str, grading: Grading = GRADING) -> Verdict:
    """The verdict on a completion. A type that was not among the candidates is wrong like any other.

    Parameters
    ----------
    completion
        Whatever a model wrote.
    solution
        What `truth` returned.
    grading
        How much the type and the severity count.

    Examples
    --------
    >>> from distortlab.tasks import recognition
    >>> solution = recognition.truth("noise", 4)
    >>> recognition.score("<answer>Noise, Severe</answer>", solution).value
    1.0
    >>> recognition.score("<answer>Noise, Slight</answer>", solution).value
    0.5
    """
    marks = compare(completion, solution)
    return Verdict.unread(marks) if isinstance(marks, Unread) else Verdict(grading.value(marks))
