"""Scores on data sets made by `distortlab`: per task, by family, severity, difficulty and area, each beside its floor.

Answers are read and scored by `distortlab.tasks`. A share of what was asked, not of what was read: an answer that was
not read scores nothing, and the share of those is said.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from distortlab.tasks import Unread, recognition
from distortlab.tasks.grounding import iou
from refine_bench.datasets.local import RegionTruth
from refine_bench.scoring.controls import measure_controls
from refine_bench.scoring.failures import MAX_FAILURES, describe_failures
from refine_bench.scoring.measures import GroundingTable, LocalMeasures, ObjectTable, RecognitionTable, TaskTable
from refine_bench.scoring.set_tables import score_comparison, score_diagnoses
from refine_bench.scoring.task_answers import TaskAnswer
from refine_bench.scoring.task_totals import PRISTINE, find_majority_share, score_answers, split_task, sum_task
from refine_bench.statistics.correlation import mean
from refine_bench.statistics.units import describe_units

__all__ = ["quadratic_kappa", "score_tasks"]

CENTRE, WHOLE = (250.0, 250.0, 750.0, 750.0), (0.0, 0.0, 1000.0, 1000.0)
LEVELS = 5


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
        Ready for JSON: in "tasks" a table for each task, with its floors. Questions about the untouched references of
        images with a seam count in "controls" alone.
    """
    twins = {item.truth["untouched"]: item for item in items if "untouched" in item.truth}
    items = [item for item in items if "untouched" not in item.truth]
    controls = measure_controls(items, twins)
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
        "controls": controls,
    }


def _score_recognition(items: Sequence[TaskAnswer]) -> RecognitionTable:
    """Type and severity apart: accuracy, quadratic kappa, mean absolute error."""
    values, statuses = score_answers(items)
    marks = [
        recognition.compare(i.text, str(i.truth["solution"])) if i.error is None else Unread.MISSING for i in items
    ]
    read = [(item, m) for item, m in zip(items, marks, strict=True) if not isinstance(m, Unread)]
    levels = [(_find_severity(item), _read_severity(item)) for item, _ in read]
    both = [(right, given) for right, given in levels if right is not None and given is not None]
    n = len(items)
    return {
        **sum_task(items, values, statuses),
        "type_accuracy": sum(m.type_right for _, m in read) / n,
        "severity_accuracy": sum(m.severity_distance == 0 for _, m in read) / n,
        "severity_mae": mean([float(m.severity_distance) for _, m in read]),
        "severity_kappa": quadratic_kappa([right for right, _ in both], [given for _, given in both]),
        "confusion": _count_confusions(items),
        "floor": _estimate_recognition_floor(items),
        **split_task(items, values, statuses),
    }


def _estimate_recognition_floor(items: Sequence[TaskAnswer]) -> dict[str, float | None]:
    """Chance, or what "None" always earns where that is more; the most frequent severity or none; the middle level or
    none.
    """
    levels = [_find_severity(item) for item in items]
    pristine = levels.count(None) / len(items)
    chance = mean([1.0 / max(_count_candidates(item.prompt), 2) for item in items])
    far = float(LEVELS - 1)
    middle = mean([far if level is None else float(abs(level - 3)) for level in levels])
    return {
        "type_accuracy": max(chance or 0.0, pristine),
        "severity_accuracy": find_majority_share(levels),
        "severity_mae": min(middle or 0.0, far * (1 - pristine)),
        "severity_kappa": 0.0,
    }


def _find_severity(item: TaskAnswer) -> int | None:
    """The true severity, 1 to 5; None where nothing is distorted."""
    return None if item.region is None else item.region["severity"]


def _read_severity(item: TaskAnswer) -> int | None:
    """The answered severity; None where the answer says that nothing is distorted."""
    answer = recognition.read(item.text)
    return None if isinstance(answer, Unread) else answer.severity or None


def _count_candidates(prompt: str) -> int:
    """The types that a question offers, and None where it does."""
    return len(recognition.read_candidates(prompt)) + (recognition.OR_NONE in prompt)


def _count_confusions(items: Sequence[TaskAnswer]) -> dict[str, dict[str, int]]:
    """True family -> answered family, for what was read."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for item in items:
        reading = recognition.read(item.text)
        if not isinstance(reading, Unread):
            family = PRISTINE if item.region is None else str(item.region["family"])
            found[family][reading.family or ("other" if reading.severity else PRISTINE)] += 1
    return {family: dict(counts) for family, counts in sorted(found.items())}


def _score_object(items: Sequence[TaskAnswer]) -> ObjectTable:
    values, statuses = score_answers(items)
    return {
        **sum_task(items, values, statuses),
        "accuracy": mean([value or 0.0 for value in values]),
        "floor": {"accuracy": _estimate_chance(items)},
        **split_task(items, values, statuses),
    }


def _estimate_chance(items: Sequence[TaskAnswer]) -> float | None:
    """Chance: one over the candidates, which stand on lines of their own."""
    return mean([1.0 / max(item.prompt.count("\n- "), 2) for item in items])


def _score_grounding(items: Sequence[TaskAnswer]) -> GroundingTable:
    """IoU; floors are the middle half of the image, the whole of it, and "None"."""
    values, statuses = score_answers(items)
    filled = [value or 0.0 for value in values]
    centre, whole = ([_compare_box(box, item.region) for item in items] for box in (CENTRE, WHOLE))
    none = [float(item.region is None) for item in items]
    floor = max((centre, whole, none), key=sum)
    return {
        **sum_task(items, values, statuses),
        "mean_iou": mean(filled),
        "iou_50": mean([float(value > 0.5) for value in filled]),
        "iou_75": mean([float(value > 0.75) for value in filled]),
        "floor": {
            "mean_iou": mean(floor),
            "iou_50": mean([float(value > 0.5) for value in floor]),
            "iou_75": mean([float(value > 0.75) for value in floor]),
        },
        **split_task(items, values, statuses),
    }


def _compare_box(box: tuple[float, float, float, float], region: RegionTruth | None) -> float:
    """The IoU of a box with a region, 0 where nothing is distorted."""
    if region is None:
        return 0.0
    x1, y1, x2, y2 = region["box"]
    return iou(box, (x1, y1, x2, y2))


_SCORERS: Mapping[str, Callable[[Sequence[TaskAnswer]], TaskTable]] = {
    "recognition": _score_recognition,
    "recognition_reference": _score_recognition,
    "object": _score_object,
    "grounding": _score_grounding,
    "diagnosis": score_diagnoses,
    "comparison": score_comparison,
    "comparison_regions": score_comparison,
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
