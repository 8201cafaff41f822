"""More contrast about the region's own mean luma."""

import numpy as np
from numpy.typing import NDArray

from distortlab.core.image import Image
from distortlab.distortions.base import Dial, Distortion, Site, depictqa_ladder, matched_ladder
from distortlab.distortions.tone import compute_luma_levels, map_luma, scale_contrast

Floats = NDArray[np.float64]


def sigmoid_contrast(image: Image, gain: float, site: Site) -> Image:
    """An S-curve of luma with logistic slope `gain` that keeps black and white, and the mean luma of the region."""
    luma = compute_luma_levels(image)
    counts = site.count_levels(luma)
    pivot = _pivot(counts / counts.sum(), gain)
    return map_luma(image, luma, lambda levels: 255 * _s_curve(levels / 255, pivot, gain))


def _s_curve(x: Floats, pivot: float, gain: float) -> Floats:
    """Logistic about `pivot`, each half stretched so that 0, the pivot and 1 stay where they are."""
    s = 1 / (1 + np.exp(-gain * (x - pivot)))
    black, white = 1 / (1 + np.exp(gain * pivot)), 1 / (1 + np.exp(-gain * (1 - pivot)))
    low = pivot * (s - black) / (0.5 - black)
    high = pivot + (1 - pivot) * (s - 0.5) / (white - 0.5)
    return np.where(x < pivot, low, high)


def _pivot(shares: Floats, gain: float) -> float:
    """The pivot for which pixels with these shares of the 256 levels keep their mean: the higher, the darker."""
    levels = np.arange(256) / 255
    mean = float((shares * levels).sum())
    low, high = 0.02, 0.98
    for _ in range(20):
        middle = (low + high) / 2
        too_light = float((shares * _s_curve(levels, middle, gain)).sum()) > mean
        low, high = (middle, high) if too_light else (low, middle)
    return (low + high) / 2


CONTRAST_STRENGTHEN = (
    Distortion(
        "contrast_strengthen.scale",
        scale_contrast,
        "gain",
        Dial(1.05, 20),
        matched_ladder(1.74, 2, 2.47, 3.34, 5.89),
        depictqa_ladder(
            1.4, 1.7, 2.1, 2.6, 4.0,
            deviation="of luma, where DepictQA's scales every channel; about the mean of the region, not of the array "
            "it lies in",
        ),
        version=2,
        reach=(1, 1, 1, 0.98, 0.94),
    ),
    Distortion(
        "contrast_strengthen.sigmoid",
        sigmoid_contrast,
        "logistic gain",
        Dial(1.5, 80),
        matched_ladder(7.91, 9.38, 11.8, 16, 29.3),
        depictqa_ladder(
            6, 8, 12, 16, 20,
            deviation="of luma; for `stretch` 2, 4, 6, 8, 10: twice its exponent gives its slope at mid-grey; keeps "
            "the mean, and starts at 6 instead of 4, which would hardly strengthen; DepictQA's sends the mean to "
            "mid-grey and weakens 49 % of regions at severity 1",
        ),
        version=2,
        reach=(1, 1, 1, 0.98, 0.93),
    ),
)  # fmt: skip
