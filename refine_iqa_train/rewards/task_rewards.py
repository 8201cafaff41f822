"""Rewards as TRL calls them: one for each task, None where the row is another task's, and one for the format.

What an answer is worth is decided in `distortlab.tasks`; here are only the signature and the names in the logs:
`families/blur/recognition` (mean reward), `recognition/type`, `recognition/severity`, `object/unread`,
`comparison/first` (the share of answers that name the first one; half of the truths do).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from distortlab.tasks import TASKS, Unread, Verdict, comparison, diagnosis, format_score, quality, recognition
from refine_iqa_train.config.schema import QualityRules, RewardRules
from refine_iqa_train.models.rows import Completion

__all__ = [
    "LogMetric",
    "RewardFunction",
    "ScoredRow",
    "TaskReward",
    "format_reward",
    "get_text",
    "is_fully_correct",
    "log_families",
    "make_scorers",
]

LogMetric = Callable[[str, float], None]
Scorer = Callable[[str, str], Verdict]


RewardFunction = Callable[..., list[float | None]]
"""What TRL calls with the columns of the rows: a value for each, or None. Its `__name__` is its name in the logs."""


def get_text(completion: Completion) -> str:
    """The text of a completion, which TRL gives as a list of messages."""
    return completion if isinstance(completion, str) else str(completion[-1]["content"])


def format_reward(
    completions: Sequence[Completion], task: Sequence[str], log_metric: LogMetric | None = None, **_: object
) -> list[float | None]:
    """Reward the form that each question asks for.

    Parameters
    ----------
    completions
        Texts, or lists with one message.
    task
        The task of each.
    log_metric
        TRL's; not used.
    _
        Other columns of the rows.

    Returns
    -------
    list of float
        1 for a completion in the right form, else 0.

    Examples
    --------
    >>> from refine_iqa_train.rewards.task_rewards import format_reward
    >>> format_reward(["<think>It is blurred.</think><answer>Blur, Slight</answer>", "Blur"], ["recognition"] * 2)
    [1.0, 0.0]
    """
    scores = [
        _select_format_score(name)(get_text(completion)) for completion, name in zip(completions, task, strict=True)
    ]
    return list(scores)


format_reward.__name__ = "format"


def _select_format_score(task: str) -> Callable[[str], float]:
    return quality.score_format if task == "quality" else format_score


def make_scorers(rules: RewardRules) -> Mapping[str, Scorer]:
    """Make the function that scores an answer, (completion, solution) to verdict, for each task, as configured."""

    def score_recognition(completion: str, solution: str) -> Verdict:
        return recognition.score(completion, solution, rules.recognition)

    def score_quality(completion: str, solution: str) -> Verdict:
        return quality.score(completion, solution, _make_grading(rules.quality))

    def score_diagnosis(completion: str, solution: str) -> Verdict:
        return diagnosis.score(completion, solution, rules.diagnosis)

    graded = {
        "recognition": score_recognition,
        "recognition_reference": score_recognition,
        "diagnosis": score_diagnosis,
        "quality": score_quality,
    }
    return {name: graded.get(name, task.score) for name, task in TASKS.items()}


def _make_grading(rules: QualityRules) -> quality.Grading:
    return quality.Grading("graded" if rules.answer == "graded" else "hit", rules.threshold)


def is_fully_correct(completion: str, solution: str, threshold: float) -> bool:
    """Whether an answer about quality has the form asked for and is within the threshold: the published gate."""
    if not quality.score_format(completion):
        return False
    return quality.score(completion, solution, quality.Grading("hit", threshold)).reward == 1.0


class ScoredRow(NamedTuple):
    """An answer, the solution, the family that the question is about (None: of none or several), and the verdict."""

    text: str
    solution: str
    family: str | None
    verdict: Verdict


class TaskReward:
    """The reward of one task, as TRL calls it; `scorer` gives the verdict on an answer."""

    def __init__(self, task: str, scorer: Scorer) -> None:
        self.task, self.scorer, self.__name__ = task, scorer, task

    def __call__(
        self,
        completions: Sequence[Completion],
        task: Sequence[str],
        solution: Sequence[str],
        family: Sequence[str | None],
        log_metric: LogMetric | None = None,
        **_: object,
    ) -> list[float | None]:
        """The value of each answer; 0 where nothing could be read; None for other tasks."""
        rows = [
            ScoredRow(text, truth, kind, self.scorer(text, truth)) if name == self.task else None
            for text, name, truth, kind in zip(map(get_text, completions), task, solution, family, strict=True)
        ]
        scored = [row for row in rows if row is not None]
        if log_metric is not None and scored:
            self._log_metrics(scored, log_metric)
        return [None if row is None else row.verdict.reward for row in rows]

    def _log_metrics(self, rows: Sequence[ScoredRow], log: LogMetric) -> None:
        log(f"{self.task}/unread", fmean(row.verdict.value is None for row in rows))
        grades = [(row.family, row.verdict.reward) for row in rows if row.family is not None]
        log_families(grades, self.task, log)
        if self.task.startswith("recognition"):
            marks = [recognition.compare(row.text, row.solution) for row in rows]
            read = [mark for mark in marks if not isinstance(mark, Unread)]
            log(f"{self.task}/type", sum(mark.type_right for mark in read) / len(rows))
            log(f"{self.task}/severity", sum(not mark.severity_distance for mark in read) / len(rows))
        if self.task.startswith("comparison"):
            log(f"{self.task}/first", fmean(comparison.read(row.text) == "First" for row in rows))


def log_families(grades: Iterable[tuple[str, float]], name: str, log: LogMetric) -> None:
    """Log the mean of (family, value) for each family, as `families/FAMILY/NAME`."""
    families: dict[str, list[float]] = {}
    for family, value in grades:
        families.setdefault(family, []).append(value)
    for family, values in sorted(families.items()):
        log(f"families/{family}/{name}", fmean(values))
