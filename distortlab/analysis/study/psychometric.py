"""Thresholds of visibility: the share of images that are seen, against V.

    P(seen) = guess + (1 - guess - lapse) / (1 + exp(-slope (log2 V - log2 threshold)))

`threshold` is the V at which half of what is not guessed and not missed by lapse is seen. Trials without a distortion
are seen by guess alone, and are fitted with the others. Four parameters are fitted by maximum likelihood with weak
priors, so that a few answers, or answers without an exception, have a finite fit: Fisher scoring from the best point of
a small grid. Intervals: people are drawn again with replacement, then the answers of each, and the fit is made anew.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from distortlab.analysis.study.resampling import draw_indices, find_bounds

__all__ = ["Threshold", "Trials", "estimate_threshold", "fit_curves", "make_trials", "predict_seen"]

Floats = NDArray[np.float64]

REFITS = 200
_STEP = 16  # values of V to the octave that are told apart: within 2 %
_PRIOR_MEANS = np.array([0.5, 1.0, -2.5, -2.8])
_PRIOR_WEIGHTS = 1.0 / np.array([2.5, 0.8, 1.2, 0.8]) ** 2
"""Of log2 threshold, log slope, logit guess and logit of twice the lapse: V from 0.05 to 50, slopes from 0.5 to 13 to
the octave, guesses below half, lapses of a few percent.
"""
_STARTS = 9
_ROUNDS = 30


class Trials(NamedTuple):
    """Answers to whether there is a distortion. `v`: (n,), 0 where there was none; `seen`: (n,) 0 or 1; `people`: (n,)
    numbers of the people who gave them.
    """

    v: Floats
    seen: Floats
    people: NDArray[np.int64]


class Threshold(TypedDict):
    """A fitted curve. `v`: the threshold with its `interval`; `slope`: of the logistic, to the octave of V; `shown`:
    the least and the largest V that were shown; `extrapolated`: whether the threshold is not among them.
    """

    n: int
    people: int
    v: float | None
    interval: list[float] | None
    slope: float | None
    guess: float | None
    lapse: float | None
    shown: list[float] | None
    extrapolated: bool


def predict_seen(v: float, threshold: Threshold) -> float:
    """The fitted share of images of this V, above 0, that are seen."""
    theta = np.array([[np.log2(threshold["v"] or 1.0), np.log(threshold["slope"] or 1.0), 0.0, 0.0]])
    seen = float(_spread(np.array([np.log2(v)]), theta)[0][0, 0])
    guess, lapse = threshold["guess"] or 0.0, threshold["lapse"] or 0.0
    return guess + (1 - guess - lapse) * seen


def estimate_threshold(trials: Trials) -> Threshold:
    """Fit a curve and estimate its interval.

    Parameters
    ----------
    trials
        Of one person or several; some of them without a distortion, else the guess rate is what the prior says.
    """
    there = trials.v > 0
    people = len(np.unique(trials.people))
    nothing: Threshold = {"n": int(there.sum()), "people": people, "v": None, "interval": None, "slope": None}  # type: ignore[typeddict-item]
    if not there.any():
        return {**nothing, "guess": None, "lapse": None, "shown": None, "extrapolated": False}
    levels, places = np.unique(_round_levels(trials.v), return_inverse=True)
    (whole,) = fit_curves(levels, *_count(places, trials.seen, np.arange(len(places))[None], len(levels)))
    drawn = _draw_answers(trials.people)
    again = fit_curves(levels, *_count(places, trials.seen, drawn, len(levels)), start=whole)
    # People drawn again differ less than people do, by this much.
    wider = (people / (people - 1)) ** 0.5 if people > 1 else 1.0
    ends = find_bounds(whole[0] + wider * (again[:, 0] - whole[0]))
    least, most = float(trials.v[there].min()), float(trials.v[there].max())
    v = float(2 ** whole[0])
    return {
        **nothing,
        "v": v,
        "interval": [2**end for end in ends],
        "slope": float(np.exp(whole[1])),
        "guess": float(_logistic(whole[2])),
        "lapse": float(_logistic(whole[3])) / 2,
        "shown": [least, most],
        "extrapolated": not least <= v <= most,
    }


def _round_levels(v: Floats) -> Floats:
    """log2 V in steps; minus infinity where there is no distortion."""
    out = np.full(v.shape, -np.inf)
    there = v > 0
    out[there] = np.round(np.log2(v[there]) * _STEP) / _STEP
    return out


def _draw_answers(people: NDArray[np.int64]) -> NDArray[np.int64]:
    """(REFITS, n) places of answers: people drawn again, then as many answers of each as that person gave. Rows are
    filled up with -1 where people of fewer answers were drawn.
    """
    _, places, sizes = np.unique(people, return_inverse=True, return_counts=True)
    members = np.argsort(places, kind="stable")
    starts = np.cumsum(sizes) - sizes
    chosen = draw_indices(len(sizes), (REFITS, len(sizes)), "threshold", len(sizes))
    widest = int(sizes[chosen].sum(axis=1).max())
    lots = draw_indices(1 << 30, (REFITS, widest), "answers", len(people))
    out = np.full((REFITS, widest), -1)
    for number, row in enumerate(chosen):
        own = np.repeat(row, sizes[row])
        out[number, : len(own)] = members[starts[own] + (lots[number, : len(own)] * sizes[own] >> 30)]
    return out


def _count(places: NDArray[np.int64], seen: Floats, drawn: NDArray[np.int64], levels: int) -> tuple[Floats, Floats]:
    """(draws, levels) how often each level was shown, and seen."""
    rows = np.repeat(np.arange(len(drawn)), drawn.shape[1])[drawn.ravel() >= 0]
    answers = drawn.ravel()[drawn.ravel() >= 0]
    flat, size = rows * levels + places[answers], len(drawn) * levels
    shown = np.bincount(flat, minlength=size).astype(np.float64)
    hits = np.bincount(flat, weights=seen[answers], minlength=size).astype(np.float64)
    return shown.reshape(-1, levels), hits.reshape(-1, levels)


# --- the fit --------------------------------------------------------------------------------------------------------


def fit_curves(levels: Floats, shown: Floats, seen: Floats, start: Floats | None = None) -> Floats:
    """Fit many curves at once.

    Parameters
    ----------
    levels
        (m,) log2 V, minus infinity where there is no distortion.
    shown, seen
        (k, m) for each curve how often a level was shown, and seen.
    start
        (4,) where to begin; a grid of thresholds and slopes unless given.

    Returns
    -------
    array
        (k, 4) log2 threshold, log slope, logit guess, logit of twice the lapse.
    """
    theta = _choose_start(levels, shown, seen) if start is None else np.tile(start, (len(shown), 1))
    damping = np.full(len(shown), 0.01)
    value = _posterior(levels, shown, seen, theta)
    open_ones = np.arange(len(shown))
    for _ in range(_ROUNDS):
        own = theta[open_ones]
        slope, curvature = _derive(levels, shown[open_ones], seen[open_ones], own)
        diagonal = np.einsum("kii->ki", curvature)
        damped = curvature + damping[open_ones, None, None] * np.eye(4) * diagonal[:, None, :]
        step = np.clip(np.linalg.solve(damped, slope[..., None])[..., 0], -1.5, 1.5)
        tried = _posterior(levels, shown[open_ones], seen[open_ones], own + step)
        better = tried > value[open_ones]
        theta[open_ones] = np.where(better[:, None], own + step, own)
        value[open_ones] = np.where(better, tried, value[open_ones])
        damping[open_ones] *= np.where(better, 0.25, 5.0)
        open_ones = open_ones[(np.abs(step).max(axis=1) > 1e-3) & (damping[open_ones] < 1e6)]
        if not len(open_ones):
            break
    return theta


def _choose_start(levels: Floats, shown: Floats, seen: Floats) -> Floats:
    """The best point of a small grid for each curve."""
    finite = levels[np.isfinite(levels)]
    middles = np.linspace(finite.min() - 1, finite.max() + 1, _STARTS)
    grid = np.array([[m, s, -2.5, -2.8] for m in middles for s in (0.3, 1.3)])
    values = [_posterior(levels, shown, seen, np.tile(point, (len(shown), 1))) for point in grid]
    return grid[np.argmax(values, axis=0)].copy()


def _logistic(x: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(x, -60, 60)))


def _spread(levels: Floats, theta: Floats) -> tuple[Floats, Floats]:
    """(share seen without guess and lapse, argument of the logistic), (k, m) both."""
    there = np.isfinite(levels)
    x = np.where(there, levels, 0.0)
    z = np.exp(np.clip(theta[:, 1:2], -5, 5)) * (x - theta[:, 0:1])
    return np.where(there, _logistic(z), 0.0), np.where(there, z, 0.0)


def _predict(levels: Floats, theta: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    share, z = _spread(levels, theta)
    guess, lapse = _logistic(theta[:, 2:3]), _logistic(theta[:, 3:4]) / 2  # a lapse of half would be no answer at all
    p = np.clip(guess + (1 - guess - lapse) * share, 1e-9, 1 - 1e-9)
    return p, share, z, guess, lapse


def _posterior(levels: Floats, shown: Floats, seen: Floats, theta: Floats) -> Floats:
    p = _predict(levels, theta)[0]
    likelihood = (seen * np.log(p) + (shown - seen) * np.log1p(-p)).sum(axis=1)
    return likelihood - 0.5 * (_PRIOR_WEIGHTS * (theta - _PRIOR_MEANS) ** 2).sum(axis=1)


def _derive(levels: Floats, shown: Floats, seen: Floats, theta: Floats) -> tuple[Floats, Floats]:
    """(slope (k, 4), expected curvature (k, 4, 4)) of the logarithm of the posterior."""
    p, share, z, guess, lapse = _predict(levels, theta)
    rise = (1 - guess - lapse) * share * (1 - share)
    steep = np.exp(np.clip(theta[:, 1:2], -5, 5))
    parts = np.stack(
        [-steep * rise, z * rise, (1 - share) * guess * (1 - guess), -share * lapse * (1 - 2 * lapse)], axis=1
    )
    weight = 1.0 / (p * (1 - p))
    slope = (parts @ ((seen - shown * p) * weight)[..., None])[..., 0] - _PRIOR_WEIGHTS * (theta - _PRIOR_MEANS)
    curvature = (parts * (shown * weight)[:, None]) @ parts.transpose(0, 2, 1) + np.diag(_PRIOR_WEIGHTS)
    return slope, curvature


def make_trials(v: Sequence[float], seen: Sequence[bool], people: Sequence[int]) -> Trials:
    """Trials from lists."""
    return Trials(np.asarray(v, np.float64), np.asarray(seen, np.float64), np.asarray(people, np.int64))
