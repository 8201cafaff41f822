"""Search for the setting of a dial at which one region changes by the V that a severity means.

A curve says how V grows along the dial: the one predicted for the region (`predictor`), or that of the median region,
by the ladder. The first try shows how much more or less visible this region is, and the second is corrected by that;
from then on the search goes on between the nearest try that was too weak and the nearest that was too strong.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from distortlab.distortions.base import TARGETS, Distortion
from distortlab.severity.visibility_curve import VisibilityCurve, make_ladder_curve

__all__ = ["SearchResult", "find_misfit", "search_amount"]

_GRID = 1024
"""Places between two tries that are told apart."""
_FIRST_CORRECTION, _OVERSHOOT = 0.75, 1.2
"""How much of a miss the second try makes up for, and later ones, while all are on one side of the target: what lies
around a miss changes faster than predicted, so that of the second tries that miss six in seven are beyond the target.
"""
_INNER = (0.1, 0.9)
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
    row: Distortion,
    severity: int,
    tolerance: float,
    try_amount: Callable[[float], tuple[float, T]],
    curve: VisibilityCurve | None = None,
    most: int = 10,
    give_up: float = math.inf,
    aim: float = 1.0,
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
    curve
        How V grows along the dial; unless given, as the ladder says.
    most
        Settings to try.
    give_up
        The factor by which V may be off the target for another setting to be worth a try, at least `tolerance`.
    aim
        What the search makes for, as a factor of the target within `tolerance`: anything within the tolerance of the
        target itself still ends it.

    Returns
    -------
    SearchResult
        The first try within the tolerance, else the nearest. On a dial of whole numbers it ends early where the curve,
        corrected by the last try, says that none of them will do.
    """
    curve, target, dial = curve or make_ladder_curve(row), math.log(TARGETS[severity - 1]), row.dial
    weak, strong = (-0.05, -math.inf), (1.05, math.inf)  # (place, log V / target) around the target
    goal, tried, best = target + math.log(aim), set[float](), None
    place = curve.locate(goal)
    while len(tried) < most:
        amount = dial.interpolate(place)
        if amount in tried:  # a dial of whole numbers, or the end of the curve
            amount = dial.interpolate((max(weak[0], 0.0) + min(strong[0], 1.0)) / 2)
        if amount in tried:
            break
        tried.add(amount)
        v, outcome = try_amount(amount)
        off = math.log(max(v, 1e-3)) - target
        if best is None or abs(off) < abs(math.log(best.ratio)):
            best = SearchResult(amount, outcome, math.exp(off), len(tried))
        if abs(off) <= math.log(tolerance):
            break
        if abs(math.log(best.ratio)) > math.log(give_up):
            break
        here = (dial.locate(amount), off - math.log(aim))
        weak, strong = (here, strong) if here[1] < 0 else (weak, here)
        if _is_between(weak, strong):
            place = _interpolate(curve, weak, strong)
            continue
        if curve.whole and not curve.can_reach(curve.evaluate(here[0]) - off, tolerance):
            break
        if curve.basis == "ladder" and len(tried) > 1:
            place = (
                1.0 if here[1] < 0 else 0.0
            )  # whether the target can be reached is not known: the end of the dial tells
            continue
        place = _correct(curve, goal, here, _OVERSHOOT if len(tried) > 1 else _FIRST_CORRECTION)
    assert best is not None
    return SearchResult(best.amount, best.outcome, best.ratio, len(tried))


def _correct(curve: VisibilityCurve, target: float, here: tuple[float, float], strength: float) -> float:
    """From a try, where the target should be: half way between a region whose V is that much larger or smaller all
    along the curve, and one in which the same V comes that much earlier or later on the dial.
    """
    place, off = here[0], here[1] * strength
    larger = curve.locate(curve.evaluate(place) - off)
    earlier = place + curve.locate(target) - curve.locate(target + off)
    return min(max(round((larger + earlier) / 2 * _GRID) / _GRID, 0.0), 1.0)


def _is_between(weak: tuple[float, float], strong: tuple[float, float]) -> bool:
    """Whether there was a try on either side of the target."""
    return math.isfinite(weak[1]) and math.isfinite(strong[1])


def _interpolate(curve: VisibilityCurve, weak: tuple[float, float], strong: tuple[float, float]) -> float:
    """The place between two tries at which the curve meets the target, corrected so that it goes through both; where
    it has nothing between them, a straight line in log V.
    """
    width = strong[0] - weak[0]
    inner = (curve.places >= weak[0] + _INNER[0] * width) & (curve.places <= weak[0] + _INNER[1] * width)
    if not inner.any():
        share = weak[1] / (weak[1] - strong[1])
        return round((weak[0] + width * min(max(share, 0.15), 0.85)) * _GRID) / _GRID
    places = curve.places[inner]
    errors = [off - curve.evaluate(place) for place, off in (weak, strong)]
    off = curve.log_v[inner] + np.interp(places, (weak[0], strong[0]), errors)
    return float(places[np.argmin(np.abs(off))])
