"""How well predictions agree with opinions: PLCC, SRCC, KRCC, RMSE, and the ceiling that the raters' own noise sets.

What cannot be computed (constant predictions, fewer than three pairs) is None: neither 0 nor NaN, which would pass
into a mean unseen. Arrays are 1-D float64 of one length; what is not finite is refused, as dropping it is the
caller's decision.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from distortlab.core.seeds import stream

__all__ = ["Ceiling", "check_pairs", "estimate_ceiling", "krcc", "linear_rmse", "mean", "plcc", "rmse", "srcc"]


Floats = NDArray[np.float64]

SMALLEST = 3
# A spread this far below the values is rounding, not variation: scipy.stats.pearsonr draws the same line.
FLAT = 1e-13
DRAWS = 50


def check_pairs(predicted: ArrayLike, truth: ArrayLike) -> tuple[Floats, Floats]:
    """Return two lists as float64 arrays, (n,) each.

    Raises
    ------
    ValueError
        Where they are not lists of one length, or a value is not finite.
    """
    x, y = np.asarray(predicted, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"two lists of one length are needed, not {x.shape} and {y.shape}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("a value is not finite; leave it out, and count it")
    return x, y


def is_defined(*arrays: Floats) -> bool:
    """Whether there are enough values, and none of the lists is constant."""
    return all(len(a) >= SMALLEST and np.ptp(a) > FLAT * np.abs(a).max() for a in arrays)


def plcc(predicted: ArrayLike, truth: ArrayLike) -> float | None:
    """Pearson's linear correlation of predictions and opinions.

    Parameters
    ----------
    predicted, truth
        (n,) finite numbers.

    Returns
    -------
    float or None
        In [-1, 1]; None for fewer than three pairs, and where one of the lists is constant.

    Raises
    ------
    ValueError
        Where the lists differ in length, or a value is not finite.

    Examples
    --------
    >>> from refine_bench.statistics.correlation import plcc
    >>> round(plcc([1.0, 2.0, 3.0, 4.0], [1.1, 1.9, 3.2, 3.9]), 3)
    0.993
    >>> plcc([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]) is None
    True
    """
    x, y = check_pairs(predicted, truth)
    return _pearson(x, y) if is_defined(x, y) else None


def srcc(predicted: ArrayLike, truth: ArrayLike) -> float | None:
    """Spearman's rank correlation of predictions and opinions: Pearson's on ranks, ties sharing their mean rank.

    Parameters
    ----------
    predicted, truth
        (n,) finite numbers.

    Returns
    -------
    float or None
        In [-1, 1]; None for fewer than three pairs, and where one of the lists is constant.

    Raises
    ------
    ValueError
        Where the lists differ in length, or a value is not finite.

    Examples
    --------
    >>> from refine_bench.statistics.correlation import srcc
    >>> round(srcc([1.0, 2.0, 3.0, 4.0], [1.0, 4.0, 9.0, 16.0]), 3)
    1.0
    >>> round(srcc([1.0, 2.0, 3.0, 4.0], [2.0, 1.0, 3.0, 4.0]), 3)
    0.8
    """
    from scipy.stats import rankdata

    x, y = check_pairs(predicted, truth)
    return _pearson(rankdata(x), rankdata(y)) if is_defined(x, y) else None


def krcc(predicted: ArrayLike, truth: ArrayLike) -> float | None:
    """Kendall's rank correlation of predictions and opinions, tau-b.

    Parameters
    ----------
    predicted, truth
        (n,) finite numbers.

    Returns
    -------
    float or None
        In [-1, 1]; None for fewer than three pairs, and where one of the lists is constant.

    Raises
    ------
    ValueError
        Where the lists differ in length, or a value is not finite.

    Examples
    --------
    >>> from refine_bench.statistics.correlation import krcc
    >>> round(krcc([1.0, 2.0, 3.0, 4.0], [2.0, 1.0, 3.0, 4.0]), 3)
    0.667
    """
    from scipy.stats import kendalltau

    x, y = check_pairs(predicted, truth)
    return float(kendalltau(x, y).statistic) if is_defined(x, y) else None


def rmse(predicted: ArrayLike, truth: ArrayLike) -> float | None:
    """Root of the mean squared difference of two lists on one scale, in its unit; None for empty lists."""
    x, y = check_pairs(predicted, truth)
    return float(np.sqrt(np.mean((x - y) ** 2))) if len(x) else None


def linear_rmse(predicted: ArrayLike, truth: ArrayLike) -> float | None:
    """RMSE after the straight line that fits best, in the unit of the truth; None where there is no correlation."""
    x, y = check_pairs(predicted, truth)
    if not is_defined(x, y):
        return None
    return float(y.std() * np.sqrt(max(0.0, 1.0 - _pearson(x, y) ** 2)))


def _pearson(x: Floats, y: Floats) -> float:
    # Divided by their norms before the product, as in SciPy: neither overflow nor underflow.
    dx, dy = x - x.mean(), y - y.mean()
    return float(np.clip((dx / np.linalg.norm(dx)) @ (dy / np.linalg.norm(dy)), -1.0, 1.0))


def mean(values: Sequence[float | None]) -> float | None:
    """The mean of the values that are not None; None where there is none of them."""
    found = [value for value in values if value is not None]
    return sum(found) / len(found) if found else None


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What a perfect model would reach: the correlation of the true quality with its noisy mean opinion.

    Attributes
    ----------
    reliability
        1 - mean(SD^2 / n) / var(MOS), above 0 and at most 1.
    plcc
        Its root.
    srcc
        From simulated ratings.
    """

    reliability: float
    plcc: float
    srcc: float | None


def estimate_ceiling(mos: ArrayLike, sd: ArrayLike, n_ratings: ArrayLike) -> Ceiling | None:
    """Estimate what a perfect model would reach on a set whose ratings have a known spread.

    Parameters
    ----------
    mos
        (n,) mean opinions.
    sd
        (n,) standard deviations of the single ratings, in the unit of `mos`.
    n_ratings
        (n,) ratings for each image, at least 1.

    Returns
    -------
    Ceiling or None
        None where the noise of the ratings explains all of the variance, or the opinions are constant.
    """
    y, s = check_pairs(mos, sd)
    _, n = check_pairs(mos, n_ratings)
    if not is_defined(y) or (n < 1).any():
        return None
    noise = s**2 / n
    reliability = 1.0 - float(noise.mean() / y.var())
    if reliability <= 0:
        return None
    true = y.mean() + np.sqrt(reliability) * (y - y.mean())
    found = [srcc(true, true + np.sqrt(noise) * _draw_normal(len(y), k)) for k in range(DRAWS)]
    return Ceiling(reliability, float(np.sqrt(reliability)), mean(found))


def _draw_normal(n: int, draw: int) -> Floats:
    """Standard normal numbers by address."""
    from scipy.special import ndtri

    words = stream("refine-bench", "ceiling", n, draw).words(n)
    return np.asarray(ndtri(((words >> np.uint64(11)).astype(np.float64) + 0.5) / 2**53))
