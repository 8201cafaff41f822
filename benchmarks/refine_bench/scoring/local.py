"""Scores on data sets made by `distortlab`: per task, by family, severity, difficulty and area, each beside its floor.

Answers are read and scored by `distortlab.tasks`. A share of what was asked, not of what was read: an answer that was
not read scores nothing, and the share of those is said.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from distortlab.tasks import Unread, Verdict, recognition, score
from distortlab.tasks.grounding import iou
from refine_bench.datasets.local import LocalTruth, RegionTruth
from refine_bench.prompts.answers import MISSING, REASONS
from refine_bench.scoring.failures import MAX_FAILURES, describe_failures
from refine_bench.scoring.measures import (
    GroundingTable,
    LocalMeasures,
    ObjectTable,
    RecognitionTable,
    ScoreCell,
    TaskGroups,
    TaskTable,
    TaskTotals,
)
from refine_bench.statistics.correlation import mean
from refine_bench.statistics.intervals import estimate_mean_interval, list_bounds
from refine_bench.statistics.units import describe_units

__all__ = ["AREAS", "TaskAnswer", "quadratic_kappa", "score_tasks"]

AREAS = ((0.0, 0.05), (0.05, 0.15), (0.15, 1.01))
CENTRE, WHOLE = (250.0, 250.0, 750.0, 750.0), (0.0, 0.0, 1000.0, 1000.0)
LEVELS = 5
UNMEASURED = "not measured"
"""The difficulty of regions whose data set does not say how hard they are."""


@dataclass(frozen=True, slots=True)
class TaskAnswer:
    """An answer with the truth of its item. `error`: why none came, `answers.MISSING` where none has come yet."""

    name: str
    text: str
    truth: LocalTruth
    prompt: str
    error: str | None = None
    finish: str = "stop"

    @property
    def region(self) -> RegionTruth:
        """The distorted region that was asked about."""
        return self.truth["regions"][0]

    @property
    def failure(self) -> str | None:
        """Why there is no text: it has not come, or the model failed; None where there is one."""
        if self.error is None:
            return None
        return MISSING if self.error == MISSING else "runtime_error"


def score_tasks(items: Sequence[TaskAnswer], max_failures: float = MAX_FAILURES) -> LocalMeasures:
    """Score a model on the questions of a data set made by `distortlab`.

    Parameters
    ----------
    items
        One for each question.
    max_failures
        Share of unread answers above which there is no rank.

    Returns
    -------
    LocalMeasures
        Ready for JSON: in "tasks" a table for each task, with its floors.
    """
    tasks: dict[str, list[TaskAnswer]] = defaultdict(list)
    for item in items:
        tasks[str(item.truth["task"])].append(item)
    scores = {name: _SCORERS[name](group) for name, group in sorted(tasks.items())}
    statuses = [status for table in scores.values() for status in Counter(table["failures"]).elements()]
    return {
        "kind": "local",
        "n": len(items),
        "n_read": len(items) - len(statuses),
        **describe_failures(statuses, len(items), can_rank=bool(items), max_failures=max_failures),
        **describe_units(len(items), [item.truth["reference_id"] for item in items]),
        "tasks": scores,
    }


def _sum_task(items: Sequence[TaskAnswer], values: Sequence[float | None], statuses: Sequence[str]) -> TaskTotals:
    """The value of `tasks.score` over all answers, with an interval clustered by reference."""
    filled = [value or 0.0 for value in values]
    clusters = [item.truth["reference_id"] for item in items]
    return {
        "n": len(items),
        "failures": dict(Counter(s for v, s in zip(values, statuses, strict=True) if v is None)),
        "score": mean(filled),
        "interval": list_bounds(estimate_mean_interval(filled, clusters)),
        **describe_units(len(items), clusters),
    }


def _split_task(items: Sequence[TaskAnswer], values: Sequence[float | None], statuses: Sequence[str]) -> TaskGroups:
    """Where that comes from: in groups, and answer by answer."""
    return {
        "by": _group_scores(items, [value or 0.0 for value in values]),
        "rows": [(item.name, value, status) for item, value, status in zip(items, values, statuses, strict=True)],
    }


def _group_scores(items: Sequence[TaskAnswer], values: Sequence[float]) -> dict[str, dict[str, ScoreCell]]:
    """Mean score by family, severity, difficulty and area; and by family x severity."""
    keys: dict[str, Callable[[RegionTruth], str]] = {
        "family": lambda region: str(region["family"]),
        "severity": lambda region: str(region["severity"]),
        "difficulty": lambda region: region.get("difficulty") or UNMEASURED,
        "area": lambda region: name_area(region["area"]),
        "family x severity": lambda region: f"{region['family']} {region['severity']}",
        "family x severity x area": lambda region: (
            f"{region['family']} {region['severity']} {name_area(region['area'])}"
        ),
    }
    found: dict[str, dict[str, ScoreCell]] = {}
    for name, key in keys.items():
        groups: dict[str, list[float]] = defaultdict(list)
        for item, value in zip(items, values, strict=True):
            groups[key(item.region)].append(value)
        found[name] = {group: {"n": len(v), "score": mean(v)} for group, v in sorted(groups.items())}
    return found


def name_area(area: float) -> str:
    """The share of the image that a region covers, in three classes."""
    low, high = next((a, b) for a, b in AREAS if a <= area < b)
    return f"{low:.0%}-{min(high, 1.0):.0%}"


def _score_answers(items: Sequence[TaskAnswer]) -> tuple[list[float | None], list[str]]:
    values: list[float | None] = []
    statuses: list[str] = []
    for item in items:
        if item.failure is not None:
            values.append(None)
            statuses.append(item.failure)
            continue
        verdict = score(str(item.truth["task"]), item.text, str(item.truth["solution"]))
        values.append(verdict.value)
        statuses.append(_find_status(verdict, item))
    return values, statuses


def _find_status(verdict: Verdict, item: TaskAnswer) -> str:
    """In the words of `reading.FAILURES` where they have one for it."""
    if verdict.value is not None:
        return verdict.status
    return "truncated" if item.finish == "length" else REASONS.get(Unread(verdict.status), verdict.status)


def _score_recognition(items: Sequence[TaskAnswer]) -> RecognitionTable:
    """Type and severity apart: accuracy, quadratic kappa, mean absolute error."""
    values, statuses = _score_answers(items)
    marks = [
        recognition.compare(i.text, str(i.truth["solution"])) if i.error is None else Unread.MISSING for i in items
    ]
    read = [(item, m) for item, m in zip(items, marks, strict=True) if not isinstance(m, Unread)]
    given = [r.severity for item, _ in read if not isinstance(r := recognition.read(item.text), Unread)]
    right = [item.region["severity"] for item, _ in read]
    n = len(items)
    return {
        **_sum_task(items, values, statuses),
        "type_accuracy": sum(m.type_right for _, m in read) / n,
        "severity_accuracy": sum(m.severity_distance == 0 for _, m in read) / n,
        "severity_mae": mean([float(m.severity_distance) for _, m in read]),
        "severity_kappa": quadratic_kappa(right, given),
        "confusion": _count_confusions(items),
        "floor": {
            "type_accuracy": mean([1.0 / max(_count_types(item.prompt), 2) for item in items]),
            "severity_accuracy": _find_majority_share([item.region["severity"] for item in items]),
            "severity_mae": mean([float(abs(item.region["severity"] - 3)) for item in items]),
            "severity_kappa": 0.0,
        },
        **_split_task(items, values, statuses),
    }


def _count_types(prompt: str) -> int:
    from distortlab.tasks.terms import PHRASES

    return sum(phrase in prompt for phrase in PHRASES.values())


def _count_confusions(items: Sequence[TaskAnswer]) -> dict[str, dict[str, int]]:
    """True family -> answered family, for what was read."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for item in items:
        reading = recognition.read(item.text)
        if not isinstance(reading, Unread):
            found[str(item.region["family"])][reading.family or "other"] += 1
    return {family: dict(counts) for family, counts in sorted(found.items())}


def _score_object(items: Sequence[TaskAnswer]) -> ObjectTable:
    values, statuses = _score_answers(items)
    return {
        **_sum_task(items, values, statuses),
        "accuracy": mean([value or 0.0 for value in values]),
        "floor": {"accuracy": _estimate_chance(items)},
        **_split_task(items, values, statuses),
    }


def _estimate_chance(items: Sequence[TaskAnswer]) -> float | None:
    """Chance: one over the candidates, which stand on lines of their own."""
    return mean([1.0 / max(item.prompt.count("\n- "), 2) for item in items])


def _score_grounding(items: Sequence[TaskAnswer]) -> GroundingTable:
    """IoU; floors are the middle half of the image and the whole of it."""
    values, statuses = _score_answers(items)
    filled = [value or 0.0 for value in values]
    centre = [iou(CENTRE, _find_box(item.region)) for item in items]
    whole = [iou(WHOLE, _find_box(item.region)) for item in items]
    floor = max((centre, whole), key=lambda boxes: sum(boxes))
    return {
        **_sum_task(items, values, statuses),
        "mean_iou": mean(filled),
        "iou_50": mean([float(value > 0.5) for value in filled]),
        "iou_75": mean([float(value > 0.75) for value in filled]),
        "floor": {
            "mean_iou": mean(floor),
            "iou_50": mean([float(value > 0.5) for value in floor]),
            "iou_75": mean([float(value > 0.75) for value in floor]),
        },
        **_split_task(items, values, statuses),
    }


def _find_box(region: RegionTruth) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = region["box"]
    return x1, y1, x2, y2


_SCORERS: Mapping[str, Callable[[Sequence[TaskAnswer]], TaskTable]] = {
    "recognition": _score_recognition,
    "recognition_reference": _score_recognition,
    "object": _score_object,
    "grounding": _score_grounding,
}


def quadratic_kappa(right: Sequence[int], given: Sequence[int]) -> float | None:
    """Cohen's kappa with quadratic weights, for severities 1 to 5.

    Parameters
    ----------
    right, given
        (n,) true and answered severities.

    Returns
    -------
    float or None
        None where chance explains all.
    """
    if not right:
        return None
    seen = np.zeros((LEVELS, LEVELS))
    np.add.at(seen, (np.asarray(right) - 1, np.asarray(given) - 1), 1)
    expected = np.outer(seen.sum(axis=1), seen.sum(axis=0)) / seen.sum()
    weights = np.subtract.outer(np.arange(LEVELS), np.arange(LEVELS)) ** 2
    return None if not (weights * expected).any() else float(1 - (weights * seen).sum() / (weights * expected).sum())


def _find_majority_share(values: Sequence[int]) -> float | None:
    return max(Counter(values).values()) / len(values) if values else None
