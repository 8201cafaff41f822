"""Guessing without looking: predictors that see a question's words or its metadata, and never a pixel.

A predictor describes each candidate of a question by clues: its place in the list, its name beside another name, its
name in an image of this shape. From other questions one learns how often a candidate so described was the answer; the
candidate for which most speaks is the guess (naive Bayes). Whatever these win above chance, a model could win without
looking.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from distortlab.analysis.blind_questions import FOLDS, BlindQuestion
from distortlab.tasks import score
from distortlab.tasks.answer import format_completion
from distortlab.tasks.terms import LEVELS, get_phrase

__all__ = [
    "BOXES",
    "METADATA",
    "PAIR",
    "PIXELS",
    "PROMPT",
    "Predictor",
    "compute_reward",
    "find_best_severity",
    "predict_answers",
    "severity_rewards",
]

_SHRINK = 20.0
"""A clue counts for nothing until it was seen about this often."""


ListClues = Callable[[BlindQuestion, int], Iterator[str]]
"""The clues of one candidate, given by its index in `choices`."""


@dataclass(frozen=True, slots=True)
class Predictor:
    """A way to guess: its name, what it sees in words, and the clues by which it describes a candidate."""

    name: str
    sees: str
    list_clues: ListClues


# --- clues of the prompt --------------------------------------------------------------------------------------------


def _name_clues(q: BlindQuestion, place: int) -> Iterator[str]:
    yield q.choices[place]


def _place_clues(q: BlindQuestion, place: int) -> Iterator[str]:
    yield f"{place} of {len(q.choices)}"


def _set_clues(q: BlindQuestion, place: int) -> Iterator[str]:
    """The name, and each name that stands beside it."""
    name = q.choices[place]
    yield name
    yield from (f"{name} | {other}" for other in q.choices if other != name)


def _word_clues(q: BlindQuestion, place: int) -> Iterator[str]:
    """The words of the name, each with the words of the others, and how many of them are in another name, too."""
    own = q.choices[place].split()
    others = [word for i, name in enumerate(q.choices) if i != place for word in name.split()]
    yield from own
    yield from (f"{word} | {other}" for word in own for other in others)
    yield f"shared {sum(word in others for word in own)}"


def _length_clues(q: BlindQuestion, place: int) -> Iterator[str]:
    lengths = [len(name) for name in q.choices]
    yield f"longer than {sum(lengths[place] > other for other in lengths)} of {len(lengths)}"
    yield f"{lengths[place]} characters"
    yield f"{place} in {len(q.prompt) // 40}"


# --- clues of the metadata ------------------------------------------------------------------------------------------


def _size_clues(q: BlindQuestion, place: int) -> Iterator[str]:
    width, height = q.size
    yield f"{q.choices[place]} in {width // 64} x {height // 64}"
    yield f"{q.choices[place]} in {width > height}"
    yield f"{place} in {width} x {height}"


def _row_clues(q: BlindQuestion, place: int) -> Iterator[str]:
    for step in (2, 3, 5, 12):
        yield f"{place} at {q.image_number % step} of {step}"
        yield f"{q.choices[place]} at {q.image_number % step} of {step}"
        yield f"{place} in row {q.row % step} of {step}"
    yield f"{q.choices[place]} at {q.image_number // 500}"


def _file_size_clues(q: BlindQuestion, place: int) -> Iterator[str]:
    if q.bytes_per_pixel is not None:
        yield f"{q.choices[place]} with {round(6 * math.log2(q.bytes_per_pixel))}"
        if q.reference_bytes_per_pixel:
            ratio = q.bytes_per_pixel / q.reference_bytes_per_pixel
            yield f"{q.choices[place]} with {round(6 * math.log2(ratio))} of the other one"


def _area_clues(q: BlindQuestion, place: int) -> Iterator[str]:
    """How large the box of a candidate is, by itself and beside the other ones."""
    yield f"larger than {sum(q.areas[place] > other for other in q.areas)}"
    yield f"area {round(2 * math.log2(max(q.areas[place], 1e-6)))}"


PROMPT = (
    Predictor("answer", "which answer is most often right", _name_clues),
    Predictor("order", "the place in the list", _place_clues),
    Predictor("set", "the name, and the names beside it", _set_clues),
    Predictor("words", "the words of the names", _word_clues),
    Predictor("length", "the lengths of name and prompt", _length_clues),
)
PAIR = (PROMPT[0], PROMPT[4])
"""Of questions that name the first or the second of two."""
BOXES = Predictor("box size", "the areas of the boxes", _area_clues)
"""Of questions whose candidates are boxes."""
METADATA = (
    Predictor("image size", "width and height", _size_clues),
    Predictor("row", "image number and row", _row_clues),
)
PIXELS = (Predictor("file size", "bytes per pixel of the image's file, and of its reference's", _file_size_clues),)
"""A lossless file is as long as its pixels are hard to pack: no metadata that a model would see, but the pixels."""


# --- learning and guessing ------------------------------------------------------------------------------------------


def predict_answers(predictor: Predictor, questions: Sequence[BlindQuestion]) -> list[str]:
    """The answer of a predictor to every question, learned from the questions of the other folds.

    Parameters
    ----------
    predictor
        The way to describe candidates.
    questions
        Questions of one task.

    Returns
    -------
    Answers in the words of the task, without tags, in the order of `questions`.
    """
    clues = [[tuple(predictor.list_clues(q, i)) for i in range(len(q.choices))] for q in questions]
    # By fold: how often a candidate with a clue was offered, and how often it was the answer.
    offered = [Counter[str]() for _ in range(FOLDS)]
    correct = [Counter[str]() for _ in range(FOLDS)]
    for q, by_choice in zip(questions, clues, strict=True):
        for i, own in enumerate(by_choice):
            offered[q.fold].update(own)
            if i == q.correct:
                correct[q.fold].update(own)
    weights = [_weigh_clues(_sum_except(offered, fold), _sum_except(correct, fold)) for fold in range(FOLDS)]
    severities = [find_best_severity([q for q in questions if q.fold != fold]) for fold in range(FOLDS)]
    answers = []
    for q, by_choice in zip(questions, clues, strict=True):
        sums = [sum(weights[q.fold].get(clue, 0.0) for clue in own) for own in by_choice]
        answers.append(_write_answer(q, q.choices[sums.index(max(sums))], severities[q.fold]))
    return answers


def _sum_except(counts: Sequence[Counter[str]], fold: int) -> Counter[str]:
    """The counts of all folds but one."""
    total = Counter[str]()
    for number, part in enumerate(counts):
        if number != fold:
            total.update(part)
    return total


def _weigh_clues(offered: Counter[str], correct: Counter[str]) -> dict[str, float]:
    """By clue, the logarithm of how much more often a candidate with it is right than any candidate."""
    share = sum(correct.values()) / max(sum(offered.values()), 1)
    if not share:
        return {}
    return {clue: math.log((correct[clue] + _SHRINK * share) / (n + _SHRINK) / share) for clue, n in offered.items()}


def _write_answer(q: BlindQuestion, choice: str, severity: int) -> str:
    """An answer in the words of the task."""
    return f"{get_phrase(choice)}, {LEVELS[severity - 1]}" if q.severity else choice


def find_best_severity(questions: Iterable[BlindQuestion]) -> int:
    """The severity, 1 to 5, that is worth most when it is the answer to every question; 0 where none is asked for."""
    counts = Counter(q.severity for q in questions)
    if not set(counts) - {0}:
        return 0

    def total_reward(severity: int) -> float:
        rewards = severity_rewards(severity)
        return sum(n * rewards[true] for true, n in counts.items())

    return max(range(1, len(LEVELS) + 1), key=total_reward)


def severity_rewards(severity: int) -> dict[int, float]:
    """What an answer with the right family and this severity is worth, by the true severity."""
    answer = _write_blur(severity)
    return {true: compute_reward("recognition", answer, _write_blur(true)) for true in range(1, len(LEVELS) + 1)}


def _write_blur(severity: int) -> str:
    return f"Blur, {LEVELS[severity - 1]}"


def compute_reward(task: str, answer: str, solution: str) -> float:
    """The reward, 0 to 1, that the task's own score gives to an answer without tags."""
    return score(task, format_completion(answer, "-"), solution).reward
