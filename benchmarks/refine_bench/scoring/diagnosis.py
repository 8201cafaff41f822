"""Scores of the protocol `diagnosis`: every image, and every reference, described as a set of distorted regions."""

from collections.abc import Sequence

from distortlab.tasks import Unread, diagnosis
from distortlab.tasks.diagnosis import DistortedRegion
from refine_bench.datasets.local import RegionTruth
from refine_bench.prompts.answers import REASONS
from refine_bench.scoring.controls import measure_controls
from refine_bench.scoring.failures import MAX_FAILURES, describe_failures
from refine_bench.scoring.measures import DiagnosisMeasures
from refine_bench.scoring.region_sets import RegionSet, measure_regions
from refine_bench.scoring.task_answers import TaskAnswer
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
        Ready for JSON.
    """
    given = [_read_answer(item) for item in items]
    statuses = [found for found in given if isinstance(found, str)]
    sets = [
        RegionSet(
            None if isinstance(found, str) else found,
            [_make_region(region) for region in item.truth["regions"]],
            item.truth["reference_id"],
        )
        for found, item in zip(given, items, strict=True)
    ]
    named = {item.name: item for item in items}
    references = ((item, f"reference:{item.truth['reference_id']}") for item in items if _has_seam(item))
    controls = measure_controls(items, {item.name: named[key] for item, key in references if key in named})
    return {
        "kind": "diagnosis",
        "n": len(items),
        "n_read": len(items) - len(statuses),
        **describe_failures(statuses, len(items), can_rank=bool(items), max_failures=max_failures),
        **describe_units(len(items), [item.truth["reference_id"] for item in items]),
        **measure_regions(sets),
        "controls": controls,
    }


def _has_seam(item: TaskAnswer) -> bool:
    return (item.truth.get("control") or "").startswith("seam.")


def _make_region(truth: RegionTruth) -> DistortedRegion:
    x1, y1, x2, y2 = truth["box"]
    return DistortedRegion((x1, y1, x2, y2), truth["family"], truth["severity"])


def _read_answer(item: TaskAnswer) -> tuple[DistortedRegion, ...] | str:
    """The regions of an answer, or why they cannot be read: one of `answers.FAILURES`."""
    if item.failure is not None:
        return item.failure
    found = diagnosis.read(item.text)
    if not isinstance(found, Unread):
        return found.regions
    return "truncated" if item.finish == "length" else REASONS.get(found, "no_tag")
