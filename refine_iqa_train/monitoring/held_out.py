"""What answers to held-out questions come to: accuracy by task, correlation with people's scores.

Rows are counted by their question, so that a batch that was filled up with rows seen before changes nothing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import NamedTuple

from distortlab.tasks import TASKS, Unread, diagnosis, quality, recognition, score

__all__ = ["MEASURES", "HeldOutScores", "Logs", "Measure", "ScoredAnswer", "list_measures", "score_answer"]

Logs = Mapping[str, float | None]
"""What is logged at a step, by name; None where a metric has no value."""

MIN_IMAGES = 3
"""Images without which a correlation means nothing."""
MEASURES: Mapping[str, tuple[str, ...]] = {
    "recognition": ("type", "severity", "unread"),
    "recognition_reference": ("type", "severity", "unread"),
    "object": ("accuracy", "unread"),
    "grounding": ("iou", "iou50", "unread"),
    "diagnosis": ("score", "iou", "f1", "type", "severity", "unread"),
    "comparison": ("accuracy", "unread"),
    "comparison_regions": ("accuracy", "unread"),
    "quality": ("srcc", "plcc", "mae", "unread", *(f"{name}_direct" for name in ("srcc", "plcc", "mae", "unread"))),
}
"""What is measured about each task, in the order in which it is shown."""


class ScoredAnswer(NamedTuple):
    """One answer to a held-out question.

    Parameters
    ----------
    sample_id, task
        Of the question.
    marks
        By name, 0 to 1.
    predicted, mos
        Of a question about quality: the score given (None: unread) and the true one, 1 to 5.
    direct
        The score given without thinking, or None.
    """

    sample_id: str
    task: str
    marks: Mapping[str, float]
    predicted: float | None = None
    mos: float | None = None
    direct: float | None = None


def score_answer(
    sample_id: str, task: str, completion: str, solution: str, direct: float | None = None
) -> ScoredAnswer:
    """Score an answer, whatever the rewards of the run are.

    Parameters
    ----------
    sample_id, task, solution
        Of the question.
    completion
        The text of the answer.
    direct
        The score given without thinking, or None.
    """
    if task == "quality":
        answer = quality.read(completion)
        predicted = None if isinstance(answer, Unread) else answer
        unread = float(predicted is None)
        return ScoredAnswer(sample_id, task, {"unread": unread}, predicted, float(solution), direct)
    verdict = score(task, completion, solution)
    unread_share = {"unread": float(verdict.value is None)}
    if task.startswith("recognition"):
        mark = recognition.compare(completion, solution)
        read = not isinstance(mark, Unread)
        right = {"type": float(read and mark.type_right), "severity": float(read and not mark.severity_distance)}  # type: ignore[union-attr]
        return ScoredAnswer(sample_id, task, {**right, **unread_share})
    if task == "grounding":
        return ScoredAnswer(
            sample_id, task, {"iou": verdict.reward, "iou50": float(verdict.reward >= 0.5), **unread_share}
        )
    if task == "diagnosis":
        return ScoredAnswer(
            sample_id, task, {"score": verdict.reward, **_grade_parts(completion, solution), **unread_share}
        )
    return ScoredAnswer(sample_id, task, {"accuracy": verdict.reward, **unread_share})


def _grade_parts(completion: str, solution: str) -> dict[str, float]:
    """The parts of the score of a diagnosis but the form; 0 where the answer cannot be read."""
    marks = diagnosis.compare(completion, solution)
    parts = diagnosis.Parts(0, 0, 0, 0, 0) if isinstance(marks, Unread) else diagnosis.GRADING.grade(marks)
    return {"iou": parts.iou, "f1": parts.f1, "type": parts.type, "severity": parts.severity}


@dataclass(slots=True)
class HeldOutScores:
    """All answers of one validation, of all processes.

    Parameters
    ----------
    answers
        By question.
    generations
        Answers to each question that count.
    direct
        Whether images are also scored without thinking.
    """

    answers: dict[str, list[ScoredAnswer]] = field(default_factory=dict)
    generations: int = 1
    direct: bool = False

    def add(self, rows: Sequence[ScoredAnswer]) -> None:
        """Answers to one question stand together; a question seen before is left out."""
        for row in rows:
            known = self.answers.setdefault(row.sample_id, [])
            if len(known) < self.generations:
                known.append(row)

    def compute_metrics(self) -> dict[str, float]:
        """Compute `held_out/n`, `recognition/type`, `grounding/iou`, ..., `quality/srcc`, `quality/mae`.

        Beside them stand the numbers of questions, `TASK/n`, and of images with a score, `quality/read`.
        """
        found: dict[str, float] = {"held_out/n": float(len(self.answers))}
        for task in TASKS:
            questions = [answers for answers in self.answers.values() if answers[0].task == task]
            rows = [answer for answers in questions for answer in answers]
            for name in rows[0].marks if rows else ():
                found[f"{task}/{name}"] = fmean(row.marks[name] for row in rows)
            if rows:
                found[f"{task}/n"] = float(len(questions))
        return {**found, **(self._compute_quality() if "quality/n" in found else {})}

    def _compute_quality(self) -> dict[str, float]:
        """Of the mean score of each image; images without a score are left out (their share is `quality/unread`)."""
        rated = [(answers, answers[0].mos) for answers in self.answers.values() if answers[0].mos is not None]
        predictions = [([a.predicted for a in answers if a.predicted is not None], mos) for answers, mos in rated]
        pairs = [(fmean(scores), mos) for scores, mos in predictions if scores]
        found = {f"quality/{name}": value for name, value in _compute_agreement(pairs).items()}
        if not self.direct:
            return found
        pairs = [(answers[0].direct, mos) for answers, mos in rated if answers[0].direct is not None]
        agreement = {**_compute_agreement(pairs), "unread": 1 - len(pairs) / len(rated)}
        return {**found, **{f"quality/{name}_direct": value for name, value in agreement.items()}}


def _compute_agreement(pairs: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Spearman's and Pearson's correlation and the mean distance of scores (given, true).

    Not a number for fewer than `FEWEST` pairs and where one side is the same throughout; `read`, `answers` and
    `truths` (pairs, different scores of each side) tell which of these it was.
    """
    predicted, mos = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    counts = {"read": float(len(pairs)), "answers": float(len(set(predicted))), "truths": float(len(set(mos)))}
    mae = fmean(abs(one - other) for one, other in pairs) if pairs else math.nan
    if len(pairs) < MIN_IMAGES or len(set(predicted)) == 1 or len(set(mos)) == 1:
        return {"srcc": math.nan, "plcc": math.nan, "mae": mae, **counts}
    from scipy.stats import pearsonr, spearmanr

    srcc, plcc = spearmanr(predicted, mos).statistic, pearsonr(predicted, mos).statistic
    return {"srcc": float(srcc), "plcc": float(plcc), "mae": mae, **counts}


# --- shown ----------------------------------------------------------------------------------------------------------


class Measure(NamedTuple):
    """A measure with the number of questions behind it; without a value, the reason why."""

    task: str
    name: str
    value: float | None
    n: int | None
    reason: str = ""

    def __str__(self) -> str:
        if self.value is None:
            return f"- ({self.reason})" if self.reason else "-"
        return f"{self.value:.3f}" + (f" (n {self.n:,})" if self.n is not None else "")


def list_measures(metrics: Logs) -> list[Measure]:
    """List the measures of a validation from its metrics without "eval_"; None and NaN are no values."""
    found = []
    for task, names in MEASURES.items():
        n = _parse_number(metrics.get(f"{task}/n"))
        for name in names:
            value = _parse_number(metrics.get(f"{task}/{name}"))
            counts = _read_counts(metrics, name) if task == "quality" else {}
            if value is None and not counts:
                continue
            count = n if name.startswith("unread") else counts.get("read", n)
            reason = _explain_missing(counts, n) if value is None else ""
            found.append(Measure(task, name, value, None if count is None else int(count), reason))
    return found


def _parse_number(value: float | None) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _read_counts(metrics: Logs, name: str) -> dict[str, float]:
    """What `_agreement` counted for a measure of quality, with thinking or without; empty where nobody asked."""
    end = "_direct" if name.endswith("_direct") else ""
    counts = {count: _parse_number(metrics.get(f"quality/{count}{end}")) for count in ("read", "answers", "truths")}
    return {count: value for count, value in counts.items() if value is not None}


def _explain_missing(counts: Mapping[str, float], n: float | None) -> str:
    """Why scores have no correlation."""
    if counts.get("read", 0) < MIN_IMAGES:
        return f"{counts.get('read', 0):.0f} read of {n or 0:.0f}"
    return "all answers equal" if counts.get("answers") == 1 else "all true scores equal"
