"""What the answers to a task come to, in all and in groups, whatever the task."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

from distortlab.tasks import Unread, Verdict, score
from refine_bench.datasets.local import RegionTruth
from refine_bench.prompts.answers import REASONS
from refine_bench.scoring.measures import ScoreCell, TaskGroups, TaskTotals
from refine_bench.scoring.task_answers import TaskAnswer
from refine_bench.statistics.correlation import mean
from refine_bench.statistics.intervals import estimate_mean_interval, list_bounds
from refine_bench.statistics.units import describe_units

__all__ = [
    "AREAS",
    "PRISTINE",
    "REGION_KEYS",
    "find_majority_share",
    "name_area",
    "score_answers",
    "split_task",
    "sum_task",
]

AREAS = ((0.0, 0.05), (0.05, 0.15), (0.15, 1.01))
UNMEASURED = "not measured"
"""The difficulty of regions whose data set does not say how hard they are."""
PRISTINE = "pristine"
"""Images in which nothing is distorted."""


def sum_task(items: Sequence[TaskAnswer], values: Sequence[float | None], statuses: Sequence[str]) -> TaskTotals:
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


def split_task(
    items: Sequence[TaskAnswer],
    values: Sequence[float | None],
    statuses: Sequence[str],
    keys: Mapping[str, Callable[[TaskAnswer], str]] | None = None,
) -> TaskGroups:
    """Where that comes from: in groups by `keys`, or by what is known of a region, and answer by answer."""
    return {
        "by": _group_scores(items, [value or 0.0 for value in values], REGION_KEYS if keys is None else keys),
        "rows": [(item.name, value, status) for item, value, status in zip(items, values, statuses, strict=True)],
    }


def _group_scores(
    items: Sequence[TaskAnswer], values: Sequence[float], keys: Mapping[str, Callable[[TaskAnswer], str]]
) -> dict[str, dict[str, ScoreCell]]:
    found: dict[str, dict[str, ScoreCell]] = {}
    for name, key in keys.items():
        groups: dict[str, list[float]] = defaultdict(list)
        for item, value in zip(items, values, strict=True):
            groups[key(item)].append(value)
        found[name] = {group: {"n": len(v), "score": mean(v)} for group, v in sorted(groups.items())}
    return found


def _make_key(describe: Callable[[RegionTruth], str]) -> Callable[[TaskAnswer], str]:
    return lambda item: PRISTINE if item.region is None else describe(item.region)


def name_area(area: float) -> str:
    """The share of the image that a region covers, in three classes."""
    low, high = next((a, b) for a, b in AREAS if a <= area < b)
    return f"{low:.0%}-{min(high, 1.0):.0%}"


REGION_KEYS: Mapping[str, Callable[[TaskAnswer], str]] = {
    "family": _make_key(lambda region: str(region["family"])),
    "severity": _make_key(lambda region: str(region["severity"])),
    "difficulty": _make_key(lambda region: region.get("difficulty") or UNMEASURED),
    "area": _make_key(lambda region: name_area(region["area"])),
    "family x severity": _make_key(lambda region: f"{region['family']} {region['severity']}"),
    "family x severity x area": _make_key(
        lambda region: f"{region['family']} {region['severity']} {name_area(region['area'])}"
    ),
}
"""By family, severity, difficulty and area; and by family x severity."""


def score_answers(items: Sequence[TaskAnswer]) -> tuple[list[float | None], list[str]]:
    """The value of every answer, None where it was not read, and its status."""
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


def find_majority_share(values: Sequence[object]) -> float | None:
    """The share of the most frequent value; None of none."""
    return max(Counter(values).values()) / len(values) if values else None
