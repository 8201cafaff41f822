"""Scores on sets of regions, as in GS-IQA's Diag-Bench, and false alarms on pristine pictures."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from refine_bench.prompts.diagnosis import Region, match_regions, read_regions
from refine_bench.scoring.failures import MAX_FAILURES, describe_failures
from refine_bench.scoring.local import TaskAnswer
from refine_bench.scoring.measures import Detection, DiagnosisMeasures, FamilyDetection
from refine_bench.statistics.correlation import mean
from refine_bench.statistics.intervals import estimate_mean_interval, estimate_ratio_interval, list_bounds
from refine_bench.statistics.units import describe_units

__all__ = ["score_diagnosis"]


def score_diagnosis(items: Sequence[TaskAnswer], max_failures: float = MAX_FAILURES) -> DiagnosisMeasures:
    """Score a model on sets of regions.

    Parameters
    ----------
    items
        One for each picture; an answer that was not read has found nothing.
    max_failures
        Share of unread answers above which there is no rank.

    Returns
    -------
    DiagnosisMeasures
        Ready for JSON. Precision, recall and F1 at IoU 0.5 over all regions of all pictures; `mean_iou`,
        `type_accuracy` (ClsAcc) and `severity_accuracy` (SevAcc) over matched pairs.
    """
    given = [_read_answer(item) for item in items]
    statuses = [found for found in given if isinstance(found, str)]
    sets = [[] if isinstance(found, str) else found for found in given]
    truths = [[Region.from_truth(region) for region in item.truth["regions"]] for item in items]
    pairs = [match_regions(one, other) for one, other in zip(sets, truths, strict=True)]
    alarms = [float(bool(s)) for s, t, g in zip(sets, truths, given, strict=True) if not t and not isinstance(g, str)]
    every = [pair for found in pairs for pair in found]
    return {
        "kind": "diagnosis",
        "n": len(items),
        "n_read": len(items) - len(statuses),
        **describe_failures(statuses, len(items), can_rank=bool(items), max_failures=max_failures),
        **_measure_detection(len(every), sum(map(len, sets)), sum(map(len, truths))),
        "interval": _estimate_f1_interval(items, sets, truths, pairs),
        **describe_units(len(items), [item.truth["reference_id"] for item in items]),
        "mean_iou": mean([overlap for _, _, overlap in every]),
        "type_accuracy": mean([float(a.family == b.family) for a, b, _ in every]),
        "severity_accuracy": mean([float(a.severity == b.severity) for a, b, _ in every]),
        "pristine": len(alarms),
        "false_alarms": mean(alarms),
        "false_alarms_interval": list_bounds(estimate_mean_interval(alarms)) if alarms else None,
        "floor": {"f1": 0.0, "false_alarms": 0.0, "of": "saying that nothing is distorted"},
        "by_family": _score_families(truths, pairs),
    }


def _read_answer(item: TaskAnswer) -> list[Region] | str:
    return item.failure or read_regions(item.text)


def _measure_detection(hits: int, given: int, right: int) -> Detection:
    """Undefined where there is nothing to find, or nothing was said."""
    return {
        "precision": hits / given if given else None,
        "recall": hits / right if right else None,
        "f1": 2 * hits / (given + right) if given + right else None,
    }


def _estimate_f1_interval(
    items: Sequence[TaskAnswer],
    sets: Sequence[Sequence[Region]],
    truths: Sequence[Sequence[Region]],
    pairs: Sequence[Sequence[tuple[Region, Region, float]]],
) -> list[float] | None:
    hits = [2.0 * len(found) for found in pairs]
    both = [float(len(one) + len(other)) for one, other in zip(sets, truths, strict=True)]
    return list_bounds(estimate_ratio_interval(hits, both, [item.truth["reference_id"] for item in items]))


def _score_families(
    truths: Sequence[Sequence[Region]], pairs: Sequence[Sequence[tuple[Region, Region, float]]]
) -> dict[str, FamilyDetection]:
    there = Counter(region.family for found in truths for region in found)
    hits: dict[str | None, list[tuple[Region, Region, float]]] = defaultdict(list)
    for found in pairs:
        for pair in found:
            hits[pair[1].family].append(pair)
    return {
        str(family): {
            "n": count,
            "recall": len(hits[family]) / count,
            "type_accuracy": mean([float(a.family == b.family) for a, b, _ in hits[family]]),
            "severity_accuracy": mean([float(a.severity == b.severity) for a, b, _ in hits[family]]),
        }
        for family, count in sorted(there.items(), key=lambda pair: str(pair[0]))
    }
