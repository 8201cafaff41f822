"""Is a reference already bad? A distorted reference teaches that distortion is clean.

Three cheap numbers, each with a floor or a ceiling in `recipe.ReferenceRules`. The defaults were set on 160
photographs of COCO 2017 (longer side 640, JPEG) so that only the obviously bad fail. Percentiles of what was
measured:

| number | unit | 0 | 1 | 5 | 50 | 95 | 99 | 100 | limit |
|---|---|---|---|---|---|---|---|---|---|
| sharpness | squared levels | 46 | 138 | 274 | 1340 | 5800 | 11400 | 15100 | at least 20 |
| ... after Gaussian blur, sigma 3 px | | 0.9 | 1.3 | 2.0 | 3.4 | 5.7 | 7.4 | 7.7 | |
| blockiness | ratio | 0.97 | 0.98 | 0.99 | 1.03 | 1.21 | 1.38 | 1.49 | at most 1.5 |
| ... after JPEG at quality 15 | | 1.48 | 1.53 | 1.63 | 2.23 | 3.08 | 4.62 | 6.69 | |
| chroma | CIELAB units | 0 | 0 | 10 | | | | | at least 4.5 |

The floor on chroma finds three grey photographs and a toned one (3.1); the next ones up are at 5.8 and 7.7.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from distortlab.core.image import Image
from distortlab.recipe import ReferenceRules

__all__ = ["blockiness", "chroma", "screen", "sharpness"]

Luma = NDArray[np.uint8]

_ROWS_WITH_STRIP = 64


def screen(image: Image, rules: ReferenceRules) -> str | None:
    """Why an image is no good reference.

    Parameters
    ----------
    image
        uint8 RGB, (rows, columns, 3).
    rules
        Floors and ceilings.

    Returns
    -------
    str or None
        "too small", "grey", "blurred" or "blocky", the first that holds; None where the image is good enough.
    """
    if min(image.shape[:2]) < rules.min_side:
        return "too small"
    if chroma(image) < rules.min_chroma:
        return "grey"
    luma = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    if not _is_sharp(luma, rules.min_sharpness):
        return "blurred"
    if blockiness(luma) > rules.max_blockiness:
        return "blocky"
    return None


def sharpness(luma: Luma) -> float:
    """Variance of the Laplacian of the luma, in squared 8-bit levels."""
    return _variance(cv2.Laplacian(luma, cv2.CV_16S))


def blockiness(luma: Luma) -> float:
    """Mean luma step across borders of 8 x 8 blocks over the mean step elsewhere; the worse direction."""
    return max(_border_step_ratio(luma, 0), _border_step_ratio(luma, 1))


def chroma(image: Image) -> float:
    """How far the colours of an image reach: 99th percentile of the distance from its mean colour, in CIELAB
    (a, b).

    Measured on every eighth pixel of every eighth row. Distance from the mean and not from grey, so that a
    sepia print counts as grey; a high percentile and not the mean, so that a skier in red on snow does not.
    """
    # A pixel is one value here: three bytes each would take five times as long to pick.
    some = np.ascontiguousarray(np.ascontiguousarray(image[::8]).view("V3")[:, ::8, 0])
    _, *ab = cv2.split(cv2.cvtColor(some.view(np.uint8).reshape(*some.shape, 3), cv2.COLOR_RGB2LAB))
    a, b = (plane.astype(np.float32) - np.float32(cv2.mean(plane)[0]) for plane in ab)
    square = (a * a + b * b).ravel()
    rank = (square.size - 1) * 99 // 100
    return float(np.sqrt(np.partition(square, rank)[rank]))


def _is_sharp(luma: Luma, least: float) -> bool:
    """Whether the sharpness is at least `least`.

    The squared distances from the mean over a strip are part of those over the whole: a strip in the middle that is
    sharp enough for all decides most images at an eighth of the cost.
    """
    rows = luma.shape[0]
    start, stop = rows * 7 // 16, rows * 9 // 16
    if rows >= _ROWS_WITH_STRIP:
        strip = cv2.Laplacian(luma[start - 1 : stop + 1], cv2.CV_16S)[1:-1]
        if _variance(strip) * strip.size >= 1.001 * least * luma.size:
            return True
    return sharpness(luma) >= least


def _variance(values: cv2.typing.MatLike) -> float:
    # As E[x^2] - E[x]^2: both sums are exact, and much faster than cv2.meanStdDev.
    return float(cv2.norm(values, cv2.NORM_L2SQR) / values.size - cv2.mean(values)[0] ** 2)


def _border_step_ratio(luma: Luma, axis: int) -> float:
    """Mean step over borders / mean step elsewhere, between neighbours along columns (0) or rows (1)."""
    if axis == 0:
        steps = cv2.absdiff(luma[:, 1:], luma[:, :-1])
    else:
        steps = cv2.absdiff(luma[1:], luma[:-1])
    profile = np.asarray(cv2.reduce(steps, axis, cv2.REDUCE_AVG, dtype=cv2.CV_32F)).ravel()
    border = profile[7::8]
    rest = profile.sum() - border.sum()
    return float(border.mean() / (rest / (profile.size - border.size) + 0.05))
