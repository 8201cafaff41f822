"""Intervals that hold with few references: jackknife over references (or items), and a studentized bootstrap.

1. Units are references where images share one, otherwise items; more than `GROUPS` of them form that many groups.
2. A metric is computed with each group left out. On a scale where it is nearly normal (Fisher's for correlations, the
   logarithm for errors) this gives one pseudo-value for each group, and from those a standard error.
3. The pseudo-values are drawn again to learn how far a mean of so few lies from the truth, in standard errors: a t
   quantile that knows their skewness (bootstrap-t, symmetric). The larger of it and Student's t counts.

Shares (accuracies, F1) get Wilson's interval with the number of independent answers that this standard error amounts
to. docs/bench-statistics.md has the coverage, simulated.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distortlab.core.seeds import stream
from refine_bench.statistics.correlation import check_pairs, is_defined
from refine_bench.statistics.jackknife import Groups, form_groups, leave_out, leave_out_krcc, leave_out_ratio
from refine_bench.statistics.units import FEW

__all__ = [
    "Interval",
    "compare_metrics",
    "estimate_intervals",
    "estimate_mean_difference",
    "estimate_mean_interval",
    "estimate_ratio_interval",
    "estimate_srcc_interval",
    "list_bounds",
    "make_interval",
]

Floats = NDArray[np.float64]

DRAWS = 1999
LEVEL = 0.95
SKEWED = 1.5
"""Where nearly all answers are right, a draw may hold one value alone, and its t is infinite: more than so many times
Student's t is not believed of a share."""
_ONE = 1.0 - 1e-12


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval. `clusters`: independent units that it rests on, references or items; `level`: 0 to 1."""

    low: float
    high: float
    clusters: int
    level: float = LEVEL

    @property
    def few(self) -> bool:
        """Whether there were too few units to believe it."""
        return self.clusters < FEW


def list_bounds(interval: Interval | None) -> list[float] | None:
    """Return [low, high] of an interval, for JSON."""
    return None if interval is None else [interval.low, interval.high]


# --- from pseudo-values to intervals --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Scale:
    """Where a metric is nearly normal, and the way back."""

    there: Callable[[Floats], Floats]
    back: Callable[[float], float]


_FISHER = _Scale(lambda r: np.arctanh(np.clip(r, -_ONE, _ONE)), lambda z: float(np.tanh(z)))
_LOG = _Scale(lambda v: np.log(np.maximum(v, 1e-300)), lambda z: math.exp(z) if z < 100 else math.inf)
_PLAIN = _Scale(lambda v: v, float)
_SCALES = {"plcc": _FISHER, "srcc": _FISHER, "mean": _FISHER, "krcc": _FISHER, "rmse": _LOG}


@lru_cache(maxsize=8)
def _draw_counts(count: int) -> Floats:
    """(DRAWS, count): how often each of so many pseudo-values is drawn."""
    words = stream("refine-bench", "bootstrap-t", count).words(DRAWS * count)
    uniform = (words >> np.uint64(11)).astype(np.float64) / 2**53
    drawn = np.minimum((uniform * count).astype(np.int64), count - 1).reshape(DRAWS, count)
    flat = (drawn + np.arange(DRAWS)[:, None] * count).ravel()
    return np.bincount(flat, minlength=DRAWS * count).reshape(DRAWS, count).astype(np.float64)


def _estimate_error(values: Floats) -> tuple[float, Floats]:
    """(standard error of values[0], pseudo-values around their mean); values[1:] are those without each group."""
    count = len(values) - 1
    pseudo = count * values[0] - (count - 1) * values[1:]
    centred = pseudo - pseudo.mean()
    return float(np.sqrt((centred**2).sum() / (count - 1) / count)), centred


def _studentize(centred: Floats) -> Floats:
    """|t| of means of drawn pseudo-values, (DRAWS,): what a standard error is worth with so few of this shape."""
    count = len(centred)
    w = _draw_counts(count)
    mean = w @ centred / count
    spread = np.maximum(w @ centred**2 - count * mean**2, 0.0) / (count - 1) / count
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 0, np.abs(mean) / np.sqrt(spread), np.inf)


def _find_widening(count: int) -> float:
    """What the standard error of so few pseudo-values lacks where some references weigh far more than others: 5 % for
    20, 1 % for 81. Chosen by the simulation of docs/bench-statistics.md; without it 92.6 % were held with 20.
    """
    return math.sqrt(count / (count - 2)) if count > 2 else math.inf


def _find_reach(centred: Floats, most: float = np.inf) -> float:
    """How many standard errors an interval reaches: by Student's t, or by the drawn ones where that is more; at most
    so many times Student's.
    """
    from scipy.stats import t

    student = float(t.ppf((1 + LEVEL) / 2, len(centred) - 1))
    if not centred.any():
        return student
    drawn = float(np.quantile(_studentize(centred), LEVEL, method="higher"))
    return min(max(student, drawn), most * student)


def make_interval(values: Floats, groups: Groups, scale: _Scale = _FISHER) -> Interval | None:
    """Make the interval of a metric from what it is without each group.

    Parameters
    ----------
    values
        (1 + groups,) the metric of all items, then without each group.
    groups
        The groups.
    scale
        Where the metric is nearly normal.

    Returns
    -------
    Interval or None
        None where one of the values is undefined, or there is but one group.
    """
    if groups.count < 2 or not np.isfinite(values).all():
        return None
    z = scale.there(values)
    error, centred = _estimate_error(z)
    whole = float(values[0])
    if error == 0:
        return Interval(whole, whole, groups.units)
    reach = error * _find_widening(groups.count) * _find_reach(centred)
    low, high = scale.back(float(z[0]) - reach), scale.back(float(z[0]) + reach)
    # There and back again may cost the last digit.
    return Interval(min(low, whole), max(high, whole), groups.units) if np.isfinite([low, high]).all() else None


def estimate_intervals(
    predicted: ArrayLike, truth: ArrayLike, clusters: Sequence[object] | None = None
) -> dict[str, Interval | None]:
    """Estimate 95 % intervals of the agreement of predictions with opinions.

    Parameters
    ----------
    predicted, truth
        (n,) finite numbers.
    clusters
        (n,) what share a scene, e.g. names of references; None where all items are independent.

    Returns
    -------
    dict
        Of "plcc", "srcc", "mean" of both, "rmse" and "krcc"; None where one is undefined, with some group left out or
        without.
    """
    x, y = check_pairs(predicted, truth)
    if not is_defined(x, y):
        return dict.fromkeys(_SCALES)
    groups = form_groups(len(x), clusters)
    found = {**leave_out(x, y, groups), "krcc": leave_out_krcc(x, y, groups)}
    return {name: make_interval(found[name], groups, scale) for name, scale in _SCALES.items()}


def estimate_srcc_interval(x: ArrayLike, y: ArrayLike, clusters: Sequence[object] | None = None) -> Interval | None:
    """Estimate the 95 % interval of SRCC alone; arguments as in `estimate_intervals`."""
    a, b = check_pairs(x, y)
    if not is_defined(a, b):
        return None
    groups = form_groups(len(a), clusters)
    return make_interval(leave_out(a, b, groups)["srcc"], groups, _FISHER)


def estimate_ratio_interval(
    above: ArrayLike, below: ArrayLike, clusters: Sequence[object] | None = None
) -> Interval | None:
    """Estimate the 95 % interval of sum(above) / sum(below), a share from 0 to 1.

    Parameters
    ----------
    above, below
        (n,) e.g. for F1 over images twice the hits, and the number of given and true regions.
    clusters
        (n,) what share a scene, e.g. names of references; None where all items are independent.

    Returns
    -------
    Interval or None
        Wilson's, for the number of independent answers that the jackknife's error amounts to; None for a single unit.
    """
    a, b = check_pairs(above, below)
    groups = form_groups(len(a), clusters)
    if groups.count < 2:
        return None
    values = leave_out_ratio(a, b, groups)
    return _make_share_interval(values, groups) if np.isfinite(values).all() else None


def _make_share_interval(values: Floats, groups: Groups) -> Interval:
    """Wilson's, for the number of independent answers that have this standard error; as many as units where all are
    right, or none is.
    """
    share = min(max(float(values[0]), 0.0), 1.0)
    error, centred = _estimate_error(values)
    n = share * (1 - share) / error**2 if error > 0 and 0 < share < 1 else float(groups.units)
    q = _find_reach(centred, SKEWED) ** 2 / n
    middle = (share + q / 2) / (1 + q)
    reach = np.sqrt(q * share * (1 - share) + q**2 / 4) / (1 + q)
    low, high = float(min(middle - reach, share)), float(max(middle + reach, share))
    return Interval(max(0.0, low), min(1.0, high), groups.units)


def estimate_mean_interval(values: ArrayLike, clusters: Sequence[object] | None = None) -> Interval | None:
    """Estimate the 95 % interval of the mean of (n,) values from 0 to 1, e.g. of an accuracy."""
    x = np.asarray(values, dtype=np.float64)
    return estimate_ratio_interval(x, np.ones_like(x), clusters)


# --- differences ----------------------------------------------------------------------------------------------------


def _estimate_difference(values: Floats, groups: Groups, most: float) -> tuple[Interval | None, float | None]:
    """(interval within +-most, two-sided p that there is none) of a difference, from it and from it without each
    group.
    """
    if groups.count < 2 or not np.isfinite(values).all():
        return None, None
    error, centred = _estimate_error(values)
    if error == 0:
        return Interval(float(values[0]), float(values[0]), groups.units), 1.0 if values[0] == 0 else None
    from scipy.stats import t

    error *= _find_widening(groups.count)
    reach, away = error * _find_reach(centred), abs(float(values[0])) / error
    drawn = (1 + int((_studentize(centred) >= away).sum())) / (1 + DRAWS)
    p = max(drawn, float(2 * t.sf(away, groups.count - 1)))
    low, high = max(-most, float(values[0]) - reach), min(most, float(values[0]) + reach)
    return Interval(low, high, groups.units), p


def compare_metrics(
    first: ArrayLike, second: ArrayLike, truth: ArrayLike, clusters: Sequence[object] | None = None
) -> dict[str, tuple[Interval | None, float | None]]:
    """Compare PLCC and SRCC of two models on the same items.

    Parameters
    ----------
    first, second
        (n,) predictions of the two models.
    truth
        (n,) opinions.
    clusters
        (n,) what share a scene, e.g. names of references; None where all items are independent.

    Returns
    -------
    dict
        For "plcc" and "srcc": the interval of the difference, first minus second; the two-sided p that there is none.
    """
    x, y = check_pairs(first, truth)
    z, _ = check_pairs(second, truth)
    groups = form_groups(len(x), clusters)
    one, two = leave_out(x, y, groups), leave_out(z, y, groups)
    return {name: _estimate_difference(one[name] - two[name], groups, 2.0) for name in ("plcc", "srcc")}


def estimate_mean_difference(
    difference: ArrayLike, clusters: Sequence[object] | None = None
) -> tuple[Interval | None, float | None]:
    """Estimate the interval of the mean of differences, and the two-sided p that it is 0.

    Parameters
    ----------
    difference
        (n,) differences of values from 0 to 1, in [-1, 1].
    clusters
        (n,) what share a scene, e.g. names of references; None where all items are independent.
    """
    x = np.asarray(difference, dtype=np.float64)
    groups = form_groups(len(x), clusters)
    return _estimate_difference(leave_out_ratio(x, np.ones_like(x), groups), groups, 1.0)
