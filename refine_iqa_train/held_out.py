"""What answers to held-out questions come to: accuracy by task, correlation with people's scores.

Rows are counted by their question, so that a batch that was filled up with rows seen before changes nothing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import NamedTuple

from distortlab.tasks import TASKS, Unread, quality, recognition, score

__all__ = ["HeldOut", "Judged", "judged"]


class Judged(NamedTuple):
    """One answer: `marks` by name (0 to 1), and for quality the score given (None: unread) and the true one."""

    sample_id: str
    task: str
    marks: Mapping[str, float]
    given: float | None = None
    mos: float | None = None


def judged(sample_id: str, task: str, completion: str, solution: str) -> Judged:
    """Score an answer, whatever the rewards of the run are."""
    if task == "quality":
        given = quality.read(completion)
        unread = isinstance(given, Unread)
        return Judged(sample_id, task, {"unread": float(unread)}, None if unread else given, float(solution))  # type: ignore[arg-type]
    verdict = score(task, completion, solution)
    unread_share = {"unread": float(verdict.value is None)}
    if task.startswith("recognition"):
        mark = recognition.mark(completion, solution)
        read = not isinstance(mark, Unread)
        right = {"type": float(read and mark.type_right), "severity": float(read and not mark.severity_distance)}  # type: ignore[union-attr]
        return Judged(sample_id, task, {**right, **unread_share})
    if task == "grounding":
        return Judged(sample_id, task, {"iou": verdict.reward, "iou50": float(verdict.reward >= 0.5), **unread_share})
    return Judged(sample_id, task, {"accuracy": verdict.reward, **unread_share})


@dataclass(slots=True)
class HeldOut:
    """All answers of one validation, of all processes."""

    answers: dict[str, list[Judged]] = field(default_factory=dict)
    generations: int = 1

    def add(self, rows: Sequence[Judged]) -> None:
        """Answers to one question stand together; a question seen before is left out."""
        for row in rows:
            known = self.answers.setdefault(row.sample_id, [])
            if len(known) < self.generations:
                known.append(row)

    def metrics(self) -> dict[str, float]:
        """`held_out/n`, `recognition/type`, `grounding/iou`, ..., `quality/srcc`, `quality/plcc`, `quality/mae`."""
        found: dict[str, float] = {"held_out/n": float(len(self.answers))}
        for task in TASKS:
            rows = [answer for answers in self.answers.values() for answer in answers if answer.task == task]
            for name in rows[0].marks if rows else ():
                found[f"{task}/{name}"] = fmean(row.marks[name] for row in rows)
        return {**found, **self._quality()}

    def _quality(self) -> dict[str, float]:
        """Of the mean score of each image; images without a score are left out (their share is `quality/unread`)."""
        pairs = []
        for answers in self.answers.values():
            given = [answer.given for answer in answers if answer.given is not None]
            if given and answers[0].mos is not None:
                pairs.append((fmean(given), answers[0].mos))
        if not pairs:
            return {}
        mae = fmean(abs(given - mos) for given, mos in pairs)
        return {"quality/mae": mae, **_correlations(*zip(*pairs, strict=True))}


def _correlations(given: Sequence[float], mos: Sequence[float]) -> dict[str, float]:
    """Spearman's and Pearson's; not a number for fewer than three images, or where all have one score."""
    if len(given) < 3 or len(set(given)) == 1 or len(set(mos)) == 1:
        return {"quality/srcc": math.nan, "quality/plcc": math.nan}
    from scipy.stats import pearsonr, spearmanr

    return {
        "quality/srcc": float(spearmanr(given, mos).statistic),
        "quality/plcc": float(pearsonr(given, mos).statistic),
    }
