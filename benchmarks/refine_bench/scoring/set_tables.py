"""Scores of questions about sets and pairs in data sets made by `distortlab`: diagnosis, and comparisons."""

from collections.abc import Sequence

from distortlab.tasks import Unread, comparison, diagnosis
from distortlab.tasks.grounding import THOUSANDTHS, find_frame
from distortlab.tasks.region_lists import parse_regions
from refine_bench.scoring.measures import ComparisonTable, DiagnosisTable
from refine_bench.scoring.region_sets import METRICS, RegionSet, find_best_floor, measure_regions, name_kind
from refine_bench.scoring.task_answers import TaskAnswer
from refine_bench.scoring.task_totals import find_majority_share, score_answers, split_task, sum_task
from refine_bench.statistics.correlation import mean

__all__ = ["score_comparison", "score_diagnoses"]


def score_comparison(items: Sequence[TaskAnswer]) -> ComparisonTable:
    """Which of two is more degraded; half of them are the first, and so are guesses."""
    values, statuses = score_answers(items)
    answers = [Unread.MISSING if item.error is not None else comparison.read(item.text) for item in items]
    return {
        **sum_task(items, values, statuses),
        "accuracy": mean([value or 0.0 for value in values]),
        "first": mean([float(answer == "First") for answer in answers]),
        "floor": {"accuracy": find_majority_share([str(item.truth["solution"]) for item in items])},
        **split_task(items, values, statuses, {}),
    }


def score_diagnoses(items: Sequence[TaskAnswer]) -> DiagnosisTable:
    values, statuses = score_answers(items)
    sets = list(map(_make_set, items))
    kinds = {item.name: name_kind(found.right, found.frame) for item, found in zip(items, sets, strict=True)}
    measures = measure_regions(sets)
    return {
        **sum_task(items, values, statuses),
        **measures,
        "floor": {name: find_best_floor(measures["floors"], name) for name in METRICS},
        **split_task(items, values, statuses, {"kind": lambda item: kinds[item.name]}),
    }


def _make_set(item: TaskAnswer) -> RegionSet:
    """In the units of the question: those of its solution."""
    right, size = parse_regions(str(item.truth["solution"])), item.truth["size"]
    if isinstance(right, Unread) or size is None:
        raise ValueError(f"not a question of diagnosis: {item.name}")
    form = diagnosis.find_form(item.prompt, (size[0], size[1]))
    frame = THOUSANDTHS if form is None else find_frame(form.coordinates, (size[0], size[1]))
    given = Unread.MISSING if item.failure is not None else diagnosis.read(item.text)
    regions = None if isinstance(given, Unread) else given.regions
    return RegionSet(regions, right.regions, item.truth["reference_id"], frame)
