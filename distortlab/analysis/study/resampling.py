"""Intervals of shares: Wilson's, and from people drawn again where there are several.

Answers of one person are alike, so that a hundred answers of three people say less than a hundred of a hundred. Where
there are several people, a share has the wider ends of both intervals: those of people drawn again with replacement,
and Wilson's, which holds where all answers are right and drawing again would show no spread.
"""

import math
from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from distortlab.core.seeds import stream

__all__ = ["DRAWS", "Bounds", "Share", "compute_share", "draw_indices", "estimate_wilson_interval", "find_bounds"]

DRAWS = 1000
LEVEL = 0.95
_Z = 1.959963984540054
Bounds = list[float] | None
"""[low, high] of a 95 % interval, None where there is none."""


class Share(TypedDict):
    """A share of answers, 0 to 1; None of no answers. `people`: how many gave them."""

    n: int
    people: int
    value: float | None
    interval: Bounds


def draw_indices(count: int, shape: tuple[int, ...], *address: str | int) -> NDArray[np.int64]:
    """Draw whole numbers below `count`, the same ones for the same address."""
    words = stream("study", *address).words(math.prod(shape))
    uniform = (words >> np.uint64(11)).astype(np.float64) / 2**53
    return np.minimum((uniform * count).astype(np.int64), count - 1).reshape(shape)


def find_bounds(values: NDArray[np.float64]) -> list[float]:
    """The ends that hold the middle 95 % of (n,) values."""
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return [float(low), float(high)]


def estimate_wilson_interval(hits: float, n: int) -> list[float]:
    """Estimate Wilson's 95 % interval of `hits` of `n` independent answers, n above 0.

    Examples
    --------
    >>> from distortlab.analysis.study.resampling import estimate_wilson_interval
    >>> [round(end, 3) for end in estimate_wilson_interval(8, 10)]
    [0.49, 0.943]
    """
    share, q = hits / n, _Z**2 / n
    middle = (share + q / 2) / (1 + q)
    reach = math.sqrt(q * share * (1 - share) + q**2 / 4) / (1 + q)
    return [max(0.0, min(middle - reach, share)), min(1.0, max(middle + reach, share))]


def compute_share(values: Sequence[float], people: Sequence[int]) -> Share:
    """Compute the mean of answers with its interval.

    Parameters
    ----------
    values
        (n,) values from 0 to 1, one for each answer.
    people
        (n,) the number of the person who gave it.
    """
    if not values:
        return {"n": 0, "people": 0, "value": None, "interval": None}
    _, places = np.unique(np.asarray(people), return_inverse=True)
    sums = np.bincount(places, weights=np.asarray(values, dtype=np.float64))
    counts = np.bincount(places)
    n, several = len(values), len(counts)
    low, high = estimate_wilson_interval(float(sums.sum()), n)
    if several > 1:
        drawn = draw_indices(several, (DRAWS, several), "people", several)
        ends = find_bounds(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1))
        low, high = min(low, ends[0]), max(high, ends[1])
    return {"n": n, "people": several, "value": float(sums.sum() / n), "interval": [low, high]}
