"""Cheap statistics of a region before it is changed, from which the effect of a setting is predicted (`predictor`).

Every statistic is rounded to a 64th. What processors disagree about in sums of float32 is some millionth part, so that
they give the same statistic, and from it the same setting, but for about one region in some thousands.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from distortlab.severity.scene import Floats, Scene, compute_gradient
from distortlab.severity.visibility import GRADIENT_FLOOR

__all__ = ["NAMES", "STEPS", "compute_statistics"]

STEPS = 64
"""Steps per unit of a statistic."""

NAMES = (
    "detail",
    "spread",
    "mean luma",
    "near white",
    "bright",
    "near black",
    "colorfulness",
    "spread of chroma",
    "flatness",
    "spread of flatness",
    "fine flatness",
    "structure lost by a blur",
    "structure lost by four levels",
    "structure gained by sharpening",
    "upper quarter",
    "size",
    "edge",
    "odd corner",
)
"""What the statistics are, in their order.

The last counts the odd ones among x and y of the region's box: V is measured on blocks of 2 x 2 pixels of the box, and
a mosaic of the image meets them or does not.
"""

_LEAST_SIDE = 4
_BLUR, _LEVELS = 7, 4
_FLOOR = np.float32(GRADIENT_FLOOR)
_NO_LOSS = 0.004


def compute_statistics(scene: Scene) -> tuple[int, ...] | None:
    """Compute the statistics of a region.

    Parameters
    ----------
    scene
        The region before it is changed.

    Returns
    -------
    tuple or None
        The statistics in the order of `NAMES`, in 64ths. None where they mean nothing: the region is a few pixels thin,
        or all of it has one luma.
    """
    weight = scene.gradient[0]
    defined = min(scene.luma.shape) >= _LEAST_SIDE and scene.spread > 0 and scene.detail > 0
    if not defined or not weight.any() or not scene.colors[0].any():
        return None
    counts = cv2.calcHist([scene.luma], [0], scene.mask, [256], [0, 256]).ravel()
    values = (
        math.log(scene.detail + 1),
        math.log(scene.spread + 1),
        scene.mean / 128,
        *_measure_ends(counts),
        *_measure_chroma(scene),
        *_measure_gradients(scene),
        _measure_loss(scene, cv2.blur(scene.luma, (_BLUR, _BLUR))),
        _measure_loss(scene, _reduce_levels(scene.luma, counts)),
        _measure_loss(scene, _sharpen(scene.luma)),
        int(np.searchsorted(np.cumsum(counts), 0.75 * counts.sum())) / 64,
        *_measure_shape(scene),
        sum(side % 2 for side in scene.corner),
    )
    return tuple(round(value * STEPS) for value in values)


def _measure_ends(counts: NDArray[np.float32]) -> tuple[float, float, float]:
    """The shares of pixels near white, bright, and near black."""
    total = float(counts.sum())
    return float(counts[230:].sum()) / total, float(counts[190:].sum()) / total, float(counts[:26].sum()) / total


def _measure_chroma(scene: Scene) -> tuple[float, float]:
    """Mean chroma as CIEDE2000 weighs it, and the logarithm of the spread of chroma."""
    weight, lab = scene.colors
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    seen = chroma / (1 + np.float32(0.045) * chroma)
    return _average(seen, weight) / 10, math.log(_compute_spread(chroma, weight) + 1)


def _measure_gradients(scene: Scene) -> tuple[float, float, float]:
    """How much of the region has little gradient to change, how unevenly, and how much of it has hardly any."""
    weight, gradient = scene.gradient
    squares = gradient * gradient
    flatness = _FLOOR / (squares + _FLOOR)
    fine = _FLOOR / (4 * squares + _FLOOR)
    return _average(flatness, weight), _compute_spread(flatness, weight), _average(fine, weight)


def _measure_loss(scene: Scene, luma: NDArray[np.uint8]) -> float:
    """The logarithm of the structure that V would find changed if `luma` were the region's after a change: a small
    experiment, which tells more of what such changes do than all that is measured on the region itself.
    """
    weight, before = scene.gradient
    after = compute_gradient(luma)
    away = before - after
    similarity = 1 - away * away / (before * before + after * after + _FLOOR)
    return math.log(_compute_spread(similarity, weight) + _NO_LOSS)


def _average(values: Floats, weight: Floats) -> float:
    return float(np.vdot(values, weight)) / float(weight.sum())


def _compute_spread(values: Floats, weight: Floats) -> float:
    away = values - np.float32(_average(values, weight))
    return math.sqrt(_average(away * away, weight))


def _reduce_levels(luma: NDArray[np.uint8], counts: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Luma with the means of four levels that are equally frequent in the region."""
    shares = (np.cumsum(counts, dtype=np.float64) - counts / 2) / counts.sum()
    level = np.minimum((shares * _LEVELS).astype(np.intp), _LEVELS - 1)
    totals = np.bincount(level, counts * np.arange(256.0), _LEVELS)
    means = totals / np.maximum(np.bincount(level, counts, _LEVELS), 1)
    return np.asarray(cv2.LUT(luma, np.rint(means[level]).astype(np.uint8)), np.uint8)


def _sharpen(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    soft = cv2.GaussianBlur(luma, (5, 5), 1.1)
    return np.asarray(cv2.addWeighted(luma, 2.5, soft, -1.5, 0), np.uint8)


def _measure_shape(scene: Scene) -> tuple[float, float]:
    """The logarithm of the number of pixels, and that of the length of the edge for each of them."""
    mask = scene.mask
    pixels = int(np.count_nonzero(mask))
    inner = np.count_nonzero(mask[:, 1:] != mask[:, :-1]) + np.count_nonzero(mask[1:] != mask[:-1])
    outer = sum(int(np.count_nonzero(side)) for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))
    return math.log(pixels) / 10, math.log((inner + outer) / pixels)
