"""Severity as a promise: look for the setting of a dial at which one region changes by the V that a severity means.

The ladder says how V grows along the dial in the median region. One try tells how much more or less this region shows,
the next one aims with that; then the place is closed in between the nearest try that was too weak and the nearest that
was too strong.
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
    """Why a V must not go by a severity 1..5, more than a factor of `tolerance` off its target; or None."""
    ratio = v / TARGETS[severity - 1]
    if 1 / tolerance <= ratio <= tolerance:
        return None
    return "less visible than its severity" if ratio < 1 else "more visible than its severity"


def search_amount(
    row: Distortion, severity: int, tolerance: float, tried: Callable[[float], tuple[float, T]]
) -> SearchResult[T]:
    """The setting of `row` for a severity 1..5 in one region.

    `tried(amount)` does it and returns V and whatever was made. Stops at the first V within `tolerance` (a factor) of
    the target, or when there is nothing left to try: the nearest is returned, and its `ratio` says how near.
    """
    target, dial = TARGETS[severity - 1], row.dial
    weak, strong = (-0.05, -math.inf), (1.05, math.inf)  # (place, log V / target) around the target
    place, seen, best = dial.locate(row.matched.values[severity - 1]), set[float](), None
    while len(seen) < _MOST:
        amount = dial.interpolate(place)
        if amount in seen:  # a dial of whole numbers: the line came too near one of the ends
            amount = dial.interpolate((max(weak[0], 0.0) + min(strong[0], 1.0)) / 2)
        if amount in seen:
            break
        seen.add(amount)
        v, made = tried(amount)
        off = math.log(max(v, 1e-3) / target)
        if best is None or abs(off) < abs(math.log(best.ratio)):
            best = SearchResult(amount, made, math.exp(off), len(seen))
        if abs(off) <= math.log(tolerance):
            break
        here = (dial.locate(amount), off)
        weak, strong = (here, strong) if off < 0 else (weak, here)
        place = _next(row, here, weak, strong)
    assert best is not None
    return SearchResult(best.amount, best.outcome, best.ratio, len(seen))


def _next(row: Distortion, here: tuple[float, float], weak: tuple[float, float], strong: tuple[float, float]) -> float:
    """Where to try next: between two tries by a straight line in log V; with one side open, along the ladder."""
    if math.isfinite(weak[1]) and math.isfinite(strong[1]):
        share = weak[1] / (weak[1] - strong[1])
        return weak[0] + (strong[0] - weak[0]) * min(max(share, 0.15), 0.85)
    return min(max(_along(row, here), 0.0), 1.0)


def _along(row: Distortion, here: tuple[float, float]) -> float:
    """From a try on, the way that the ladder's median region would need for the missing log V, and a fifth more."""
    places = np.array([row.dial.locate(value) for value in row.matched.values])
    logs = np.log(TARGETS)
    level = _line(here[0], places, logs) - 1.2 * here[1]
    return _line(level, logs, places)


def _line(x: float, xs: np.ndarray, ys: np.ndarray) -> float:
    """Piecewise linear through the five points; the end pieces go on."""
    k = int(np.clip(np.searchsorted(xs, x) - 1, 0, len(xs) - 2))
    width = xs[k + 1] - xs[k]
    return float(ys[k] + (ys[k + 1] - ys[k]) * (x - xs[k]) / width) if width else float(ys[k])
