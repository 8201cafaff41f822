"""Search for the setting of a dial at which one region changes by the V that a severity means.

The ladder says how V grows along the dial in the median region. The first try shows how much more or less visible this
region is, and the second is corrected by that; from then on the search interpolates between the nearest try that was
too weak and the nearest that was too strong.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from distortlab.distortions.base import TARGETS, Distortion

__all__ = ["SearchResult", "find_misfit", "search_amount"]

_MOST = 10
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SearchResult(Generic[T]):
    """The setting that came nearest, its `outcome`, V over the target (`ratio`), and how many settings were tried."""

    amount: float
    outcome: T
    ratio: float
    tries: int


def find_misfit(v: float, severity: int, tolerance: float) -> str | None:
    """Why an edit with this V must not be labelled with a severity 1..5, or None: V is more than a factor of
    `tolerance` off the target.
    """
    ratio = v / TARGETS[severity - 1]
    if 1 / tolerance <= ratio <= tolerance:
        return None
    return "less visible than its severity" if ratio < 1 else "more visible than its severity"


def search_amount(
    row: Distortion, severity: int, tolerance: float, try_amount: Callable[[float], tuple[float, T]]
) -> SearchResult[T]:
    """Search for the setting of a distortion that gives a severity in one region.

    Parameters
    ----------
    row
        A distortion with a `matched` ladder.
    severity
        1 to 5; its target is in `TARGETS`.
    tolerance
        The factor by which V may be off the target, above 1.
    try_amount
        Renders with a setting and returns V and any outcome, which comes back with the result.

    Returns
    -------
    SearchResult
        The first try within the tolerance, else the nearest of up to 10.
    """
    target, dial = TARGETS[severity - 1], row.dial
    weak, strong = (-0.05, -math.inf), (1.05, math.inf)  # (place, log V / target) around the target
    place, tried, best = dial.locate(row.matched.values[severity - 1]), set[float](), None
    while len(tried) < _MOST:
        amount = dial.interpolate(place)
        if amount in tried:  # a dial of whole numbers: the line came too near one of the ends
            amount = dial.interpolate((max(weak[0], 0.0) + min(strong[0], 1.0)) / 2)
        if amount in tried:
            break
        tried.add(amount)
        v, outcome = try_amount(amount)
        off = math.log(max(v, 1e-3) / target)
        if best is None or abs(off) < abs(math.log(best.ratio)):
            best = SearchResult(amount, outcome, math.exp(off), len(tried))
        if abs(off) <= math.log(tolerance):
            break
        here = (dial.locate(amount), off)
        weak, strong = (here, strong) if off < 0 else (weak, here)
        place = _choose_next(row, here, weak, strong)
    assert best is not None
    return SearchResult(best.amount, best.outcome, best.ratio, len(tried))


def _choose_next(
    row: Distortion, here: tuple[float, float], weak: tuple[float, float], strong: tuple[float, float]
) -> float:
    """Where to try next: between two tries by a straight line in log V; with one side open, along the ladder."""
    if math.isfinite(weak[1]) and math.isfinite(strong[1]):
        share = weak[1] / (weak[1] - strong[1])
        return weak[0] + (strong[0] - weak[0]) * min(max(share, 0.15), 0.85)
    return min(max(_extrapolate(row, here), 0.0), 1.0)


def _extrapolate(row: Distortion, here: tuple[float, float]) -> float:
    """From a try, as far along the dial as the ladder needs for the missing log V, and a fifth more."""
    places = np.array([row.dial.locate(value) for value in row.matched.values])
    logs = np.log(TARGETS)
    level = _interpolate(here[0], places, logs) - 1.2 * here[1]
    return _interpolate(level, logs, places)


def _interpolate(x: float, xs: np.ndarray, ys: np.ndarray) -> float:
    """Piecewise linear through the five points; the end pieces go on."""
    k = int(np.clip(np.searchsorted(xs, x) - 1, 0, len(xs) - 2))
    width = xs[k + 1] - xs[k]
    return float(ys[k] + (ys[k + 1] - ys[k]) * (x - xs[k]) / width) if width else float(ys[k])
