"""The logistic curves of VQEG, fitted so that they do not fail unseen.

Four parameters: a (s(k (x - m)) - 1/2) + c. Five (Sheikh, Sabir and Bovik 2006): the same plus b x. Given k and m,
the rest is linear: a grid of k and m is searched with the linear part solved exactly, the best few are refined by
Levenberg-Marquardt on all points, curves that turn back are rejected. What is left when none is accepted is said in
the status.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from refine_bench.statistics.correlation import check_pairs, is_defined, srcc

__all__ = ["Fit", "Kind", "fit_logistic"]

Floats = NDArray[np.float64]
Kind = Literal[4, 5]

BINS = 256
SLOPES = np.geomspace(0.15, 40.0, 19)
PLACES = (-0.5, -0.2, 0.0, 0.05, 0.15, 0.3, 0.5, 0.7, 0.85, 0.95, 1.0, 1.2, 1.5)
REFINED = 4
GRID = np.linspace(0.0, 1.0, 2001)


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted curve.

    Attributes
    ----------
    mapped
        (n,) predictions on the scale of the truth.
    status
        "ok"; "four" or "linear" where the curve that was asked for was not better than that one, or turned back.
    curve
        (x, y) for drawing, (201,) each.
    """

    mapped: Floats
    status: str
    curve: tuple[Floats, Floats]


def fit_logistic(predicted: ArrayLike, truth: ArrayLike, kind: Kind = 5) -> Fit | None:
    """Map predictions onto the truth by a logistic curve that never turns back.

    Parameters
    ----------
    predicted
        (n,) predictions, on any scale, rising or falling with the truth.
    truth
        (n,) opinions.
    kind
        Parameters of the curve, 4 or 5.

    Returns
    -------
    Fit or None
        None for fewer than 2 (kind + 1) points, and where one of the lists is constant.

    Examples
    --------
    >>> import numpy as np
    >>> from refine_bench.statistics.logistic import fit_logistic
    >>> x = np.linspace(-3, 3, 50)
    >>> fit = fit_logistic(x, 1 + 4 / (1 + np.exp(-2 * x)), kind=4)
    >>> fit.status, fit.mapped[[0, 25, 49]].round(2).tolist()
    ('ok', [1.01, 3.12, 4.99])
    """
    x, y = check_pairs(predicted, truth)
    if not is_defined(x, y) or len(x) < 2 * (kind + 1):
        return None
    sign = 1.0 if (srcc(x, y) or 0.0) >= 0 else -1.0
    middle, width = np.median(x), max(float(np.subtract(*np.quantile(x, [0.75, 0.25]))), float(x.std()))
    u, v = sign * (x - middle) / width, (y - y.mean()) / y.std()
    parameters, status = _find_best(u, v, kind)
    ends = np.linspace(u.min(), u.max(), 201)
    back = partial(_evaluate, parameters)
    return Fit(
        mapped=back(u) * y.std() + y.mean(),
        status=status,
        curve=(ends * sign * width + middle, back(ends) * y.std() + y.mean()),
    )


def _find_best(u: Floats, v: Floats, kind: Kind) -> tuple[Floats, str]:
    """(a, k, m, b, c) of the best monotone curve, and which curve it is."""
    slope, offset = np.polyfit(u, v, 1)
    best, status = np.array([0.0, 1.0, 0.0, slope, offset]), "linear"
    cost = _measure_cost(best, u, v)
    for free, name in ((4, "four"), (5, "ok")):
        if free > kind:
            break
        for start in _list_starts(u, v, free == 5):
            found = _refine_curve(start, u, v, free == 5)
            if (
                found is not None
                and _is_rising(found, u)
                and (reached := _measure_cost(found, u, v)) < cost - 1e-12 * len(u)
            ):
                best, status, cost = found, "ok" if free == kind else name, reached
    return best, status


def _evaluate(p: Floats, u: Floats) -> Floats:
    from scipy.special import expit

    return np.asarray(p[0] * (expit(p[1] * (u - p[2])) - 0.5) + p[3] * u + p[4])


def _measure_cost(p: Floats, u: Floats, v: Floats) -> float:
    return float(np.sum((_evaluate(p, u) - v) ** 2))


def _is_rising(p: Floats, u: Floats) -> bool:
    """Whether the curve never turns back between the smallest and the largest prediction."""
    values = _evaluate(p, u.min() + GRID * np.ptp(u))
    return bool((np.diff(values) >= -1e-9).all())


def _list_starts(u: Floats, v: Floats, tilted: bool) -> list[Floats]:
    """The best points of the grid, on bins of neighbours; the linear part is solved for each."""
    bin_u, bin_v, weight = _bin_points(u, v)
    quantiles = _list_places(u)
    found = [_solve_linear(k, m, bin_u, bin_v, weight, tilted) for k in SLOPES for m in quantiles]
    found = [(cost, p) for cost, p in found if tilted or p[0] > 0]
    found.sort(key=lambda pair: pair[0])
    rising = [p for _, p in found if _is_rising(p, u)]
    return [p for _, p in found[:REFINED]] + rising[:REFINED]


def _list_places(u: Floats) -> Floats:
    inside = [place for place in PLACES if 0 <= place <= 1]
    low, high = u.min(), u.max()
    beyond = [low + place * (high - low) for place in PLACES if not 0 <= place <= 1]
    return np.unique(np.concatenate([np.quantile(u, inside), beyond]))


def _bin_points(u: Floats, v: Floats) -> tuple[Floats, Floats, Floats]:
    order = np.argsort(u, kind="stable")
    edges = np.linspace(0, len(u), min(BINS, len(u)) + 1).astype(int)[:-1]
    weight = np.diff(np.append(edges, len(u))).astype(np.float64)
    return np.add.reduceat(u[order], edges) / weight, np.add.reduceat(v[order], edges) / weight, weight


def _solve_linear(k: float, m: float, u: Floats, v: Floats, weight: Floats, tilted: bool) -> tuple[float, Floats]:
    from scipy.special import expit

    s = expit(k * (u - m)) - 0.5
    columns = np.stack([s, u, np.ones_like(u)] if tilted else [s, np.ones_like(u)], axis=1)
    root = np.sqrt(weight)
    solution = np.linalg.lstsq(columns * root[:, None], v * root, rcond=None)[0]
    cost = float(np.sum(weight * (columns @ solution - v) ** 2))
    a, b, c = solution if tilted else (solution[0], 0.0, solution[1])
    return cost, np.array([a, k, m, b, c])


def _refine_curve(start: Floats, u: Floats, v: Floats, tilted: bool) -> Floats | None:
    from scipy.optimize import least_squares
    from scipy.special import expit

    free = [0, 1, 2, 3, 4] if tilted else [0, 1, 2, 4]

    def whole(p: Floats) -> Floats:
        full = np.zeros(5)
        full[free] = p
        return full

    def jacobian(p: Floats) -> Floats:
        a, k, m, _, _ = whole(p)
        e = expit(k * (u - m))
        d = a * e * (1 - e)
        columns = [e - 0.5, d * (u - m), -d * k, u, np.ones_like(u)]
        return np.stack([columns[place] for place in free], axis=1)

    try:
        found = least_squares(lambda p: _evaluate(whole(p), u) - v, start[free], jac=jacobian, method="lm", max_nfev=60)
    except (ValueError, np.linalg.LinAlgError):
        return None
    return whole(found.x) if np.isfinite(found.x).all() else None
