"""What can be won without looking: blind predictors on the questions of a data set, next to chance.

Chance is what the task's own score gives to one who knows how the data set was made and nothing of this question: any
candidate is as likely, and the severity is whichever one is worth most when it is always said. Predictors learn from
other references than those they guess for (five folds). A box is guessed as one and the same for every image; its
chance is the best such box where boxes of the same sizes lie anywhere. How sets are guessed is in `blind_sets`.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from distortlab.analysis.blind_boxes import BoxScores, score_box_guesses
from distortlab.analysis.blind_predictors import (
    BOXES,
    METADATA,
    PAIR,
    PIXELS,
    PROMPT,
    Predictor,
    compute_reward,
    find_best_severity,
    predict_answers,
    severity_rewards,
)
from distortlab.analysis.blind_questions import BlindBox, BlindQuestion, BlindSet, read_questions
from distortlab.analysis.blind_sets import SetScores, score_constants, score_set_guesses
from distortlab.dataset.reader import StoredDataset
from distortlab.tasks import TASKS

__all__ = [
    "ConstantScores",
    "Shortcut",
    "Shortcuts",
    "measure_shortcuts",
    "score_boxes",
    "score_predictors",
    "score_sets",
]

_MAX_SETS = 2_000
"""Diagnosis questions that are guessed, at equal distances."""
_EFFECT = 0.01
_Z95, _Z = 1.96, 3.6
"""Of an interval of 95 %, and of a finding: one in 6,000, as there are some thirty predictors."""

Kind = Literal["prompt", "metadata", "pixels", "position"]


@dataclass(frozen=True, slots=True)
class Shortcut:
    """The score of one predictor on one task, next to chance.

    Parameters
    ----------
    task
        Name of the task.
    kind
        Whether it sees the prompt, the metadata, something that depends on the pixels, or where boxes lie.
    predictor
        Its name.
    sees
        What it sees, in words.
    questions
        How many were guessed.
    score
        Mean reward, 0 to 1.
    chance
        Mean reward of a guess that sees nothing.
    margin
        Half width of the 95 % interval of `chance`.
    """

    task: str
    kind: Kind
    predictor: str
    sees: str
    questions: int
    score: float
    chance: float
    margin: float

    @property
    def leak(self) -> bool:
        """More than chance, beyond doubt, and by enough to matter."""
        excess = self.score - self.chance
        return excess > _EFFECT and excess > self.margin * _Z / _Z95

    @property
    def inside(self) -> bool:
        """Not above the 95 % interval of chance."""
        return self.score <= self.chance + self.margin


@dataclass(frozen=True, slots=True)
class ConstantScores:
    """What answers to the diagnosis question that are always the same are worth for images of a kind: mean scores, in
    the order of `blind_sets.CONSTANTS`.
    """

    kind: str
    questions: int
    scores: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Shortcuts:
    """All of them, and from how many images; `constants` by kind of image."""

    images: int
    of: int
    rows: tuple[Shortcut, ...]
    constants: tuple[ConstantScores, ...] = ()

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks, each once."""
        return tuple(dict.fromkeys(row.task for row in self.rows))

    @property
    def leaks(self) -> tuple[Shortcut, ...]:
        """Those by which a model could win without looking; what follows from the pixels is none."""
        return tuple(row for row in self.rows if row.leak and row.kind in ("prompt", "metadata"))


def measure_shortcuts(stored: StoredDataset) -> Shortcuts:
    """Score all blind predictors on a data set.

    Reads the questions of some thousand images without the images themselves, and some hundred image files.

    Parameters
    ----------
    stored
        The data set.

    Returns
    -------
    A row for every task and predictor.
    """
    sample = read_questions(stored)
    rows = [row for task in TASKS if task in sample.questions for row in score_predictors(task, sample.questions[task])]
    rows += score_boxes(sample.boxes)
    sets = sample.sets[:: max(1, math.ceil(len(sample.sets) / _MAX_SETS))]
    rows += score_sets(sets)
    return Shortcuts(len(sample.images), stored.count("images"), tuple(rows), tuple(_score_constants(sets)))


def score_predictors(task: str, questions: Sequence[BlindQuestion]) -> list[Shortcut]:
    """Score every predictor of candidates on the questions of a task."""
    reward = cache(compute_reward)  # few answers are given, each many times
    predictors = PAIR if TASKS[task].subject == "pair" else PROMPT
    if all(q.areas for q in questions):
        predictors = (*predictors, BOXES)
    rows = [_score_predictor(task, "prompt", predictor, questions, reward) for predictor in predictors]
    rows += [_score_predictor(task, "metadata", predictor, questions, reward) for predictor in METADATA]
    sized = [q for q in questions if q.bytes_per_pixel is not None]
    if TASKS[task].images == 1:  # where no other image is shown, its file is not there to be weighed
        sized = [replace(q, reference_bytes_per_pixel=None) for q in sized]
    return rows + [_score_predictor(task, "pixels", predictor, sized, reward) for predictor in PIXELS if sized]


def score_boxes(boxes: Sequence[BlindBox]) -> list[Shortcut]:
    """Score every way to guess a box without looking; nothing for fewer than 50 boxes."""
    return [_summarize_boxes(scores) for scores in score_box_guesses(boxes)]


def score_sets(questions: Sequence[BlindSet]) -> list[Shortcut]:
    """Score every way to guess a set without looking; nothing for fewer than 30 questions."""
    return [_summarize_set(scores) for scores in score_set_guesses(questions)]


def _summarize_set(guess: SetScores) -> Shortcut:
    n, excess = len(guess.scores), guess.scores - guess.chance
    return Shortcut(
        task="diagnosis",
        kind=guess.kind,
        predictor=guess.predictor,
        sees=guess.sees,
        questions=n,
        score=float(guess.scores.mean()),
        chance=float(guess.chance.mean()),
        margin=_Z95 * math.sqrt(_clustered_variance(guess.questions, map(float, excess))) / n,
    )


def _score_constants(questions: Sequence[BlindSet]) -> Iterator[ConstantScores]:
    """By kind of image, pristine and whole ones first."""
    if not questions:
        return
    table, kinds = score_constants(questions), [question.kind for question in questions]
    for kind in sorted(set(kinds), key=lambda kind: (kind.isdecimal(), len(kind), kind)):
        own = [row for row, other in enumerate(kinds) if other == kind]
        yield ConstantScores(kind, len(own), tuple(float(mean) for mean in table[own].mean(axis=0)))


def _score_predictor(
    task: str,
    kind: Kind,
    predictor: Predictor,
    questions: Sequence[BlindQuestion],
    reward: Callable[[str, str, str], float],
) -> Shortcut:
    answers = predict_answers(predictor, questions)
    scores = [reward(task, answer, q.solution) for q, answer in zip(questions, answers, strict=True)]
    means, variances = _chance_moments(questions)
    excess = [s - m for s, m in zip(scores, means, strict=True)]
    variance = max(sum(variances), _clustered_variance(questions, excess))
    n = len(questions)
    chance, margin = sum(means) / n, _Z95 * math.sqrt(variance) / n
    return Shortcut(task, kind, predictor.name, predictor.sees, n, sum(scores) / n, chance, margin)


def _chance_moments(questions: Sequence[BlindQuestion]) -> tuple[list[float], list[float]]:
    """Mean and variance of the score of a guess that sees nothing, for every question."""
    mean, square = 1.0, 1.0
    if severity := find_best_severity(questions):
        rewards = severity_rewards(severity)
        counts = Counter(q.severity for q in questions)
        weighted = [(n / len(questions), rewards[true]) for true, n in counts.items()]
        mean, square = sum(share * v for share, v in weighted), sum(share * v * v for share, v in weighted)
    means = [mean / len(q.choices) for q in questions]
    return means, [square / len(q.choices) - m * m for q, m in zip(questions, means, strict=True)]


def _clustered_variance(questions: Iterable[BlindQuestion | BlindSet], excess: Iterable[float]) -> float:
    """The variance of the sum of `excess` when questions about one reference are not independent."""
    sums: dict[str, float] = defaultdict(float)
    for q, more in zip(questions, excess, strict=True):
        sums[q.reference] += more
    return sum(total * total for total in sums.values())


def _summarize_boxes(boxes: BoxScores) -> Shortcut:
    excess = boxes.scores - boxes.chance
    n = len(excess)
    return Shortcut(
        task="grounding",
        kind=boxes.kind,
        predictor=boxes.predictor,
        sees=boxes.sees,
        questions=n,
        score=float(boxes.scores.mean()),
        chance=float(boxes.chance.mean()),
        margin=_Z95 * float(excess.std(ddof=1)) / n**0.5,
    )
