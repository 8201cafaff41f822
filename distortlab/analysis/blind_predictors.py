"""Guessing without looking: predictors that see a question's words or its metadata, and never a pixel.

A predictor is a way to describe a candidate of a question (`Clue`): its place in the list, its name beside another
name, its name in an image of this shape. From other questions one learns how often a candidate so described was the
answer; the candidate for which most speaks is the guess (naive Bayes). Whatever these win above chance, a model could
win without looking.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from distortlab.tasks import score
from distortlab.tasks.answer import wrap
from distortlab.tasks.terms import LEVELS

__all__ = ["FOLDS", "METADATA", "PIXELS", "PROMPT", "Predictor", "Question", "guesses", "value"]

FOLDS = 5
_SHRINK = 20.0
"""A clue counts for nothing until it was seen about this often."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question as one who does not look knows it, and its answer.

    `choices` are the names offered and `right` is the place of the true one; `level` the severity (0 where it is not
    asked for). `fold` is that of `reference`: questions about one reference are learned from, or guessed, together.
    `size` is (width, height), `number` the image's place in its split, `row` the question's place in its file. `bytes`
    is the length of the image's file over its pixels and `shrunk` that of the reference; None where they are not known.
    """

    task: str
    prompt: str
    solution: str
    choices: tuple[str, ...]
    right: int
    level: int
    fold: int
    reference: str
    size: tuple[int, int]
    number: int
    row: int
    bytes: float | None = None
    shrunk: float | None = None


Clue = Callable[[Question, int], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Predictor:
    """A name, what it sees in words, and the clues."""

    name: str
    sees: str
    clues: Clue


# --- clues of the prompt --------------------------------------------------------------------------------------------


def _name(q: Question, place: int) -> Iterator[str]:
    yield q.choices[place]


def _order(q: Question, place: int) -> Iterator[str]:
    yield f"{place} of {len(q.choices)}"


def _company(q: Question, place: int) -> Iterator[str]:
    """The name, and each name that stands beside it."""
    name = q.choices[place]
    yield name
    yield from (f"{name} | {other}" for other in q.choices if other != name)


def _words(q: Question, place: int) -> Iterator[str]:
    """The words of the name, each with the words of the others, and how many of them are in another name, too."""
    own = q.choices[place].split()
    others = [word for i, name in enumerate(q.choices) if i != place for word in name.split()]
    yield from own
    yield from (f"{word} | {other}" for word in own for other in others)
    yield f"shared {sum(word in others for word in own)}"


def _length(q: Question, place: int) -> Iterator[str]:
    lengths = [len(name) for name in q.choices]
    yield f"longer than {sum(lengths[place] > other for other in lengths)} of {len(lengths)}"
    yield f"{lengths[place]} characters"
    yield f"{place} in {len(q.prompt) // 40}"


# --- clues of the metadata ------------------------------------------------------------------------------------------


def _shape(q: Question, place: int) -> Iterator[str]:
    width, height = q.size
    yield f"{q.choices[place]} in {width // 64} x {height // 64}"
    yield f"{q.choices[place]} in {width > height}"
    yield f"{place} in {width} x {height}"


def _row(q: Question, place: int) -> Iterator[str]:
    for step in (2, 3, 5, 12):
        yield f"{place} at {q.number % step} of {step}"
        yield f"{q.choices[place]} at {q.number % step} of {step}"
        yield f"{place} in row {q.row % step} of {step}"
    yield f"{q.choices[place]} at {q.number // 500}"


def _bytes(q: Question, place: int) -> Iterator[str]:
    if q.bytes is not None:
        yield f"{q.choices[place]} with {round(6 * math.log2(q.bytes))}"
        if q.shrunk:
            yield f"{q.choices[place]} with {round(6 * math.log2(q.bytes / q.shrunk))} of the reference"


PROMPT = (
    Predictor("answer", "which answer is most often right", _name),
    Predictor("order", "the place in the list", _order),
    Predictor("set", "the name, and the names beside it", _company),
    Predictor("words", "the words of the names", _words),
    Predictor("length", "the lengths of name and prompt", _length),
)
METADATA = (
    Predictor("image size", "width and height", _shape),
    Predictor("row", "image number and row", _row),
)
PIXELS = (Predictor("file size", "bytes per pixel of the image's file, and of its reference's", _bytes),)
"""A lossless file is as long as its pixels are hard to pack: no metadata that a model would see, but the pixels."""


# --- learning and guessing ------------------------------------------------------------------------------------------


def guesses(predictor: Predictor, questions: Sequence[Question]) -> list[str]:
    """The answer to every question, learned from the questions of the other folds."""
    clues = [[tuple(predictor.clues(q, i)) for i in range(len(q.choices))] for q in questions]
    offered, right = ([Counter[str]() for _ in range(FOLDS)] for _ in range(2))
    for q, described in zip(questions, clues, strict=True):
        for i, found in enumerate(described):
            offered[q.fold].update(found)
            if i == q.right:
                right[q.fold].update(found)
    models = [_model(_without(offered, fold), _without(right, fold)) for fold in range(FOLDS)]
    levels = [best_level([q for q in questions if q.fold != fold]) for fold in range(FOLDS)]
    out = []
    for q, described in zip(questions, clues, strict=True):
        weight = models[q.fold]
        sums = [sum(weight.get(clue, 0.0) for clue in found) for found in described]
        out.append(answer(q, q.choices[sums.index(max(sums))], levels[q.fold]))
    return out


def _without(parts: Sequence[Counter[str]], fold: int) -> Counter[str]:
    out = Counter[str]()
    for number, part in enumerate(parts):
        if number != fold:
            out.update(part)
    return out


def _model(offered: Counter[str], right: Counter[str]) -> dict[str, float]:
    """What each clue says for a candidate: the logarithm of how much more often it is right than one of its kind."""
    share = sum(right.values()) / max(sum(offered.values()), 1)
    if not share:
        return {}
    return {clue: math.log((right[clue] + _SHRINK * share) / (n + _SHRINK) / share) for clue, n in offered.items()}


def answer(q: Question, choice: str, level: int) -> str:
    """An answer in the words of the task."""
    from distortlab.tasks.terms import phrase

    return f"{phrase(choice)}, {LEVELS[level - 1]}" if q.level else choice


def best_level(questions: Sequence[Question]) -> int:
    """The severity that is worth most when it is always said; 0 where none is asked for."""
    found = Counter(q.level for q in questions)
    if not set(found) - {0}:
        return 0

    def worth(level: int) -> float:
        return sum(n * value("recognition", f"Blur, {LEVELS[level - 1]}", _blur(true)) for true, n in found.items())

    return max(range(1, len(LEVELS) + 1), key=worth)


def _blur(level: int) -> str:
    return f"Blur, {LEVELS[level - 1]}"


_known: dict[tuple[str, str, str], float] = {}


def value(task: str, given: str, solution: str) -> float:
    """What the task's own score pays for an answer."""
    at = (task, given, solution)
    if at not in _known:
        if len(_known) > 100_000:
            _known.clear()
        _known[at] = score(task, wrap(given, "-"), solution).reward
    return _known[at]
