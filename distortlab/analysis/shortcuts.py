"""What can be won without looking: blind predictors on the questions of a data set, next to chance.

Chance is what the task's own score gives to one who knows how the data set was made and nothing of this question: any
candidate is as likely, and the severity is whichever one is worth most when it is always said. Predictors learn from
other references than those they guess for (five folds). A box is guessed as one and the same for every image; its
chance is the best such box where boxes of the same sizes lie anywhere.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from distortlab.analysis.blind_boxes import BoxScores, score_box_guesses
from distortlab.analysis.blind_predictors import (
    METADATA,
    PIXELS,
    PROMPT,
    Predictor,
    compute_reward,
    find_best_severity,
    predict_answers,
    severity_rewards,
)
from distortlab.analysis.blind_questions import BlindBox, BlindQuestion, read_questions
from distortlab.dataset.reader import StoredDataset
from distortlab.tasks import TASKS

__all__ = ["Shortcut", "Shortcuts", "measure_shortcuts", "score_boxes", "score_predictors"]

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
class Shortcuts:
    """All of them, and from how many images."""

    images: int
    of: int
    rows: tuple[Shortcut, ...]

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
    return Shortcuts(len(sample.images), stored.count("images"), tuple(rows))


def score_predictors(task: str, questions: Sequence[BlindQuestion]) -> list[Shortcut]:
    """Score every predictor of candidates on the questions of a task."""
    reward = cache(compute_reward)  # few answers are given, each many times
    rows = [_score_predictor(task, "prompt", predictor, questions, reward) for predictor in PROMPT]
    rows += [_score_predictor(task, "metadata", predictor, questions, reward) for predictor in METADATA]
    sized = [q for q in questions if q.bytes_per_pixel is not None]
    if not TASKS[task].shows_reference:  # where no reference is shown, its file is not there to be weighed
        sized = [replace(q, reference_bytes_per_pixel=None) for q in sized]
    return rows + [_score_predictor(task, "pixels", predictor, sized, reward) for predictor in PIXELS if sized]


def score_boxes(boxes: Sequence[BlindBox]) -> list[Shortcut]:
    """Score every way to guess a box without looking; nothing for fewer than 50 boxes."""
    return [_summarize_boxes(scores) for scores in score_box_guesses(boxes)]


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


def _clustered_variance(questions: Iterable[BlindQuestion], excess: Iterable[float]) -> float:
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
