"""What answers cost, in time and tokens, and at which size their images were shown."""

from collections import Counter
from collections.abc import Iterable
from typing import TypedDict

from refine_bench.runs.records import AnswerRow

__all__ = ["SizeCounts", "count_sizes", "sum_cost"]

SMALLER, LARGER = 0.95, 1.05
"""Areas, as a share of the file's, below and above which an image counts as scaled."""


class SizeCounts(TypedDict):
    """Images whose shown size is known, and how many of them were shown smaller or larger than their file."""

    known: int
    smaller: int
    larger: int


def sum_cost(answers: Iterable[AnswerRow]) -> dict[str, float | None]:
    """Sum what answers cost: seconds, with their median and 95th percentile, and tokens where the model counts them."""
    rows = list(answers)
    seconds = sorted(float(row.get("seconds") or 0.0) for row in rows)
    usage: Counter[str] = Counter()
    for row in rows:
        usage.update({key: int(value) for key, value in (row.get("usage") or {}).items()})
    return {
        "answers": len(rows),
        "seconds": sum(seconds),
        "median_seconds": seconds[len(seconds) // 2] if seconds else None,
        "p95_seconds": seconds[int(len(seconds) * 0.95)] if seconds else None,
        **usage,
    }


def count_sizes(answers: Iterable[AnswerRow]) -> SizeCounts:
    """Count how often the processor showed the model fewer or more pixels than the file has, where it is known."""
    pairs = [pair for row in answers for pair in row.get("seen") or ()]
    areas = [(shown[0] * shown[1]) / (file[0] * file[1]) for file, shown in pairs if shown is not None]
    return {
        "known": len(areas),
        "smaller": sum(area < SMALLER for area in areas),
        "larger": sum(area > LARGER for area in areas),
    }
