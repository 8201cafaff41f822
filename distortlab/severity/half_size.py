"""A region at half its size, where V compares structure: what small experiments on it are done with."""

import math
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from distortlab.core.image import Image
from distortlab.core.region import Mask
from distortlab.severity.scene import Floats, pad_blocks
from distortlab.severity.visibility import GRADIENT_FLOOR

__all__ = ["HalfSize", "average", "choose_rows", "compute_weighted_spread", "shrink_mask", "shrink_pixels"]

_FLOOR = np.float32(GRADIENT_FLOOR)
_STEP, _MEAN = np.array([1, 0, -1], np.float32), np.full(3, 1 / 3, np.float32)
_STRIP = 40
"""Rows of a strip; a multiple of 2, so that no block of 2 x 2 pixels is cut."""
_SEAM = 2
"""Rows on either side of where strips meet, at half size, that do not count: gradients reach over it."""


class HalfSize:
    """Luma of a region at half its size, with the squares of its gradients.

    Parameters
    ----------
    luma
        uint8, (rows, columns).
    covered
        How many of the four pixels of each block belong to the region, uint8, 0..4.
    rows
        The rows at full size that it was made of, or None for all of them.
    """

    def __init__(self, luma: NDArray[np.uint8], covered: NDArray[np.uint8], rows: NDArray[np.intp] | None) -> None:
        self.luma = luma
        weight = covered.astype(np.float32)
        for seam in [] if rows is None else np.flatnonzero(np.diff(rows) > 1) // 2 + 1:
            weight[max(seam - _SEAM, 0) : seam + _SEAM] = 0
        self.weight: Floats = weight if weight.any() else covered.astype(np.float32)

    @cached_property
    def total(self) -> float:
        """The sum of the weights."""
        return float(self.weight.sum())

    @cached_property
    def squares(self) -> Floats:
        """Squared gradients (Prewitt), float32."""
        return compute_squared_gradient(self.luma)

    @cached_property
    def flatness(self) -> tuple[Floats, Floats]:
        """How little gradient there is to change, 0..1, float32: as V sees it, and twice as strictly."""
        return _FLOOR / (self.squares + _FLOOR), _FLOOR / (4 * self.squares + _FLOOR)

    def measure_structure(self, luma: NDArray[np.uint8]) -> float:
        """The structure that V would find changed if `luma` were the region's after a change, at half size."""
        before, after = self.squares, compute_squared_gradient(luma)
        similarity = before * after
        np.sqrt(similarity, out=similarity)
        similarity *= 2
        similarity += _FLOOR
        after += before
        after += _FLOOR
        similarity /= after
        return compute_weighted_spread(similarity, self.weight, self.total)


def compute_squared_gradient(luma: NDArray[np.uint8]) -> Floats:
    """Squared gradients (Prewitt, levels per step), float32."""
    across = cv2.sepFilter2D(luma, cv2.CV_32F, _STEP, _MEAN, borderType=cv2.BORDER_REPLICATE)
    down = cv2.sepFilter2D(luma, cv2.CV_32F, _MEAN, _STEP, borderType=cv2.BORDER_REPLICATE)
    square, other = np.asarray(across, np.float32), np.asarray(down, np.float32)
    square *= square
    other *= other
    square += other
    return square


def choose_rows(mask: Mask, enough: int) -> NDArray[np.intp] | None:
    """The rows of a large region that stand for it: every n-th strip, `enough` pixels of its box or one strip, to
    twice as many; None for all rows of a small one, and where the strips would miss the region.
    """
    every = min(mask.size // enough, mask.shape[0] // _STRIP)
    if every < 2:
        return None
    index = np.arange(mask.shape[0])
    chosen = index[(index // _STRIP) % every == every // 2]
    return chosen if np.count_nonzero(mask[chosen]) >= enough // 8 else None


def shrink_pixels(pixels: Image | NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An image or a plane at half its size, uint8; its edge is repeated where a side is odd."""
    return _shrink(pixels, cv2.BORDER_REPLICATE)


def shrink_mask(mask: Mask) -> NDArray[np.uint8]:
    """How many pixels of each block of 2 x 2 lie in a mask, uint8, 0..4."""
    return _shrink(mask * np.uint8(4), cv2.BORDER_CONSTANT)


def _shrink(pixels: NDArray[np.uint8], border: int) -> NDArray[np.uint8]:
    pixels = pad_blocks(pixels, 2, border)
    size = (pixels.shape[1] // 2, pixels.shape[0] // 2)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def average(values: Floats, weight: Floats, total: float | None = None) -> float:
    """The mean of `values`, each counted by its weight; `total` is the sum of the weights, where it is known."""
    return float(np.vdot(values, weight)) / (float(weight.sum()) if total is None else total)


def compute_weighted_spread(values: Floats, weight: Floats, total: float | None = None) -> float:
    """The standard deviation of `values`, each counted by its weight; `total` as of `average`."""
    total = float(weight.sum()) if total is None else total
    away = values - np.float32(average(values, weight, total))
    away *= away
    return math.sqrt(average(away, weight, total))
