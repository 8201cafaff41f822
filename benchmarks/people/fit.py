"""Human score as a falling curve of a measure, and how well a measure ranks and predicts the scores of cells.

The curve is `1 + 3.65 / (1 + exp(slope (log(m + offset) - middle)))`: 4.65 for no change, which is a little more than
KADID's people give to an unchanged picture, 1 for the worst. All fits are weighted and done for many rows at once,
since leave-one-out and bootstrap need thousands.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import kendalltau, rankdata

BEST, WORST = 4.65, 1.0
_OFFSETS = (0.03, 0.1, 0.3, 0.8)
_STEPS = 40

Floats = np.ndarray


class Curves(NamedTuple):
    """Fitted curves: each field (fits, 1)."""

    middle: Floats
    slope: Floats
    offset: Floats

    def predict(self, values: Floats) -> Floats:
        """Scores of `values` (fits, cells), or (cells,)."""
        return _bend(np.log(np.maximum(values, 0) + self.offset), self.middle, self.slope)


def _bend(x: Floats, middle: Floats, slope: Floats) -> Floats:
    return WORST + (BEST - WORST) / (1 + np.exp(np.clip(slope * (x - middle), -50, 50)))


def fit_curves(values: Floats, scores: Floats, weights: Floats) -> Curves:
    """Fit a curve to every row, by damped Gauss-Newton from each of four offsets.

    Parameters
    ----------
    values
        A measure that grows with damage, not negative, (fits, cells).
    scores
        Mean human scores, 1..5, (cells,).
    weights
        How often each cell counts, (fits, cells).
    """
    typical = np.median(values, axis=1, keepdims=True)
    best: tuple[Floats, Curves] | None = None
    for share in _OFFSETS:
        offset = np.maximum(share * typical, 1e-9)
        middle, slope, cost = _fit_logistic(np.log(np.maximum(values, 0) + offset), scores, weights)
        curves = Curves(middle, slope, offset)
        if best is None:
            best = cost, curves
        else:
            better = cost < best[0]
            merged = Curves(*(np.where(better, new, old) for new, old in zip(curves, best[1], strict=True)))
            best = np.minimum(cost, best[0]), merged
    assert best is not None
    return best[1]


def _fit_logistic(x: Floats, scores: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """(middle, slope, cost) of each row of `x`."""
    middle, slope = np.median(x, axis=1, keepdims=True), np.full((len(x), 1), 1.5)
    damping = np.full((len(x), 1), 1e-2)
    cost = _cost(x, middle, slope, scores, weights)
    for _ in range(_STEPS):
        predicted = _bend(x, middle, slope)
        error = predicted - scores
        fall = -(predicted - WORST) * (BEST - predicted) / (BEST - WORST)
        by_slope, by_middle = fall * (x - middle), -fall * slope
        a, b, d = (
            (weights * p * q).sum(1, keepdims=True)
            for p, q in ((by_middle, by_middle), (by_middle, by_slope), (by_slope, by_slope))
        )
        g, h = ((weights * p * error).sum(1, keepdims=True) for p in (by_middle, by_slope))
        a, d = a * (1 + damping) + 1e-12, d * (1 + damping) + 1e-12
        determinant = a * d - b * b
        new_middle, new_slope = middle - (d * g - b * h) / determinant, slope - (a * h - b * g) / determinant
        new_cost = _cost(x, new_middle, new_slope, scores, weights)
        better = new_cost < cost
        settled = bool(np.all(np.abs(cost - new_cost) <= 1e-9 * cost))
        middle, slope, cost = (
            np.where(better, new, old) for new, old in ((new_middle, middle), (new_slope, slope), (new_cost, cost))
        )
        if settled:
            break
        damping = np.where(better, damping / 8, damping * 8)
    return middle, slope, cost


def _cost(x: Floats, middle: Floats, slope: Floats, scores: Floats, weights: Floats) -> Floats:
    return (weights * (_bend(x, middle, slope) - scores) ** 2).sum(1, keepdims=True)


class Agreement(NamedTuple):
    """How a measure agrees with people over cells: rank correlations, and errors in points of a score."""

    spearman: float
    kendall: float
    rms: float
    left_out: float


def measure_agreement(values: Floats, scores: Floats, operators: Floats, weights: Floats | None = None) -> Agreement:
    """Compare one measure with people.

    Parameters
    ----------
    values
        A measure that grows with damage, (cells,).
    scores
        Mean human scores, (cells,).
    operators
        The operator of each cell: `left_out` is the error of cells whose operator the curve was not fitted on.
    weights
        How often each cell counts (whole numbers); once where None.
    """
    weights = np.ones(len(values), int) if weights is None else weights
    repeated = np.repeat(np.arange(len(values)), weights)
    v, s = values[repeated], scores[repeated]
    names = np.unique(operators[repeated])
    kept = weights * np.vstack([np.ones(len(values), bool), *(operators != name for name in names)])
    predicted = fit_curves(np.broadcast_to(values, kept.shape), scores, kept).predict(values)
    left_out = predicted[1 + np.searchsorted(names, operators[repeated]), repeated]
    ranks = np.corrcoef(rankdata(-v), rankdata(s))[0, 1]
    return Agreement(float(ranks), float(kendalltau(-v, s)[0]), _rms(predicted[0, repeated] - s), _rms(left_out - s))


def _rms(error: Floats) -> float:
    return float(np.sqrt(np.mean(error**2)))
