"""A region before it is changed, and the statistics that visibility is measured with."""

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from distortlab.core.image import Image
from distortlab.core.region import Mask, Region
from distortlab.severity.ciede2000 import convert_linear_to_lab

if TYPE_CHECKING:
    from distortlab.severity.region_statistics import RegionStatistics

__all__ = [
    "Floats",
    "Scene",
    "average_blocks",
    "average_mask_blocks",
    "compute_gradient",
    "compute_lab",
    "compute_luma",
    "compute_mean",
    "compute_spread",
    "pad_blocks",
    "sum_weights",
    "weighted_mean",
]

Floats = NDArray[np.floating]

_HALF = 2
_STEP = np.array([1, 0, -1], np.float32)
_MEAN = np.full(3, 1 / 3, np.float32)
_COLOR_BLOCK = 5
# The colours of a region of more than twice as many pixels are measured in strips; a block divides a strip.
_ENOUGH, _STRIP = 16384, 40


class Scene:
    """A region before it is changed. Its statistics are computed once, when they are first needed.

    Parameters
    ----------
    image
        The region's box cut out of the reference, uint8 RGB, (rows, columns, 3).
    mask
        uint8, 0 or 1, (rows, columns).
    corner
        (x, y) of the box in the reference.
    """

    def __init__(self, image: Image, mask: Mask, corner: tuple[int, int] = (0, 0)) -> None:
        self.corner = corner
        self.image = np.ascontiguousarray(image)
        self.mask: Mask = np.ascontiguousarray(mask)
        self._rows = _choose_strips(self.mask)

    @classmethod
    def of_region(cls, image: Image, region: Region) -> "Scene":
        """A region of an image, uint8 RGB, (rows, columns, 3)."""
        box = region.bbox
        return cls(np.ascontiguousarray(image[box.slices]), region.mask, (box.x1, box.y1))

    def _select_rows(self, pixels: Any) -> Any:
        """The rows whose colours are measured: all of a small region, every n-th strip of a large one."""
        return pixels if self._rows is None else np.ascontiguousarray(pixels[self._rows])

    @cached_property
    def luma(self) -> NDArray[np.uint8]:
        """8-bit luma."""
        return compute_luma(self.image)

    @cached_property
    def gradient(self) -> tuple[Floats, Floats]:
        """Weights and gradients of luma at half size, (ceil(rows / 2), ceil(columns / 2)) both."""
        return average_mask_blocks(self.mask, _HALF), compute_gradient(self.luma)

    @cached_property
    def gradient_total(self) -> float:
        """`sum_weights` of the weights of gradients."""
        return sum_weights(self.gradient[0])

    @cached_property
    def colors(self) -> tuple[Floats, Floats]:
        """Weights and CIELAB of the 5x5 means that are in the region, (n,) and (n, 3)."""
        weight, places = self._color_blocks
        return weight.ravel()[places], self.compute_lab(self.image)

    def compute_lab(self, image: Image) -> Floats:
        """CIELAB of the 5x5 means of the region in any state, (n, 3), for the weights of `colors`."""
        means = average_linear(self._select_rows(image))
        return convert_linear_to_lab(means.reshape(-1, 3).take(self._color_blocks[1], axis=0))

    @cached_property
    def _color_blocks(self) -> tuple[Floats, NDArray[np.intp]]:
        """The shares of the 5x5 blocks that are in the region, and which of them are not 0."""
        weight = average_mask_blocks(self._select_rows(self.mask), _COLOR_BLOCK)
        return weight, np.flatnonzero(weight)

    @cached_property
    def chroma(self) -> float:
        """Mean chroma of the region, CIELAB units."""
        weight, lab = self.colors
        return weighted_mean(np.hypot(lab[..., 1], lab[..., 2]), weight)

    @cached_property
    def mean(self) -> float:
        """Mean luma of the region, 0..255."""
        return compute_mean(self.luma, self.mask)

    @cached_property
    def spread(self) -> float:
        """Standard deviation of luma in the region, levels."""
        return compute_spread(self.luma, self.mask)

    @cached_property
    def detail(self) -> float:
        """Root mean square step between neighbouring pixels of the region, levels."""
        return self.compute_detail(self.luma)

    def compute_detail(self, luma: NDArray[np.uint8]) -> float:
        """`detail` of the region in any state, from its luma."""
        total, count = 0.0, 0
        for a, b, inside in zip((luma[:, 1:], luma[1:]), (luma[:, :-1], luma[:-1]), self._neighbors, strict=True):
            if inside.size:
                # Steps outside are made 0: a norm with a mask takes several times as long.
                total += cv2.norm(cv2.bitwise_and(cv2.absdiff(a, b), inside), cv2.NORM_L2SQR)
                count += cv2.countNonZero(inside)
        return float(np.sqrt(total / max(count, 1)))

    @cached_property
    def _neighbors(self) -> tuple[Mask, Mask]:
        """Where a pixel and the one left of it lie in the region, and where a pixel and the one above it do: 255."""
        full = self.mask * np.uint8(255)
        return full[:, 1:] & full[:, :-1], full[1:] & full[:-1]

    @cached_property
    def statistics(self) -> "RegionStatistics | None":
        """What the effect of a setting is predicted from, or None where it is undefined: see `region_statistics`."""
        from distortlab.severity.region_statistics import measure_statistics  # which measures with this module

        return measure_statistics(self)


def _choose_strips(mask: Mask) -> NDArray[np.intp] | None:
    """Which rows of a region to measure: whole strips of blocks, so that no block is cut; all where a strip would miss
    the region.
    """
    every = mask.size // _ENOUGH
    if every < 2 or mask.shape[0] < _STRIP * every:
        return None
    index = np.arange(mask.shape[0])
    chosen = index[(index // _STRIP) % every == every // 2]
    return chosen if mask[chosen].any() else None


def compute_luma(image: Image) -> NDArray[np.uint8]:
    """8-bit luma (ITU-R BT.601) of an image."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def compute_gradient(luma: NDArray[np.uint8]) -> Floats:
    """The size of the gradient of luma at half size (Prewitt, levels per step), float32."""
    half = average_blocks(luma, _HALF)
    across = cv2.sepFilter2D(half, cv2.CV_32F, _STEP, _MEAN, borderType=cv2.BORDER_REPLICATE)
    down = cv2.sepFilter2D(half, cv2.CV_32F, _MEAN, _STEP, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.magnitude(across, down), np.float32)


def average_blocks(plane: NDArray[np.generic], block: int) -> Floats:
    """The means of the `block` x `block` blocks of an image, float32; where the last ones stick out, its edge is
    repeated.
    """
    return _average(plane, block, cv2.BORDER_REPLICATE)


def average_mask_blocks(mask: NDArray[np.generic], block: int) -> Floats:
    """The share of each `block` x `block` block that lies in a mask, or the mean of its weights, float32; beyond the
    edge there is nothing.
    """
    return _average(mask, block, cv2.BORDER_CONSTANT)


def _average(plane: NDArray[np.generic], block: int, border: int) -> Floats:
    plane = pad_blocks(plane, block, border)
    size = (plane.shape[1] // block, plane.shape[0] // block)
    return np.asarray(cv2.resize(np.asarray(plane, np.float32), size, interpolation=cv2.INTER_AREA), np.float32)


def pad_blocks(plane: NDArray[Any], block: int, border: int) -> NDArray[Any]:
    """An image, or a plane of one, whose last rows and columns fill whole blocks; `border` is OpenCV's."""
    rows, columns = plane.shape[:2]
    if not (rows % block or columns % block):
        return plane
    return np.asarray(cv2.copyMakeBorder(plane, 0, -rows % block, 0, -columns % block, border))


_LINEAR = np.arange(256) / 255
_LINEAR = np.where(_LINEAR <= 0.04045, _LINEAR / 12.92, ((_LINEAR + 0.055) / 1.055) ** 2.4).astype(np.float32)


def average_linear(image: Image) -> Floats:
    """The 5x5 means of an image in linear light, 0..1: (ceil(rows / 5), ceil(columns / 5), 3)."""
    return average_blocks(cv2.LUT(pad_blocks(image, _COLOR_BLOCK, cv2.BORDER_REPLICATE), _LINEAR), _COLOR_BLOCK)


def compute_lab(image: Image) -> Floats:
    """CIELAB of the 5x5 means of an image, taken in linear light: (ceil(rows / 5), ceil(columns / 5), 3)."""
    return convert_linear_to_lab(average_linear(image))


def weighted_mean(values: Floats, weight: Floats, total: float | None = None) -> float:
    """The mean of `values`, each counted by its weight; `total` is `sum_weights(weight)`, where it is known."""
    return float((values * weight).sum(dtype=np.float64) / (sum_weights(weight) if total is None else total))


def sum_weights(weight: Floats) -> float:
    """What sums of weighted values are divided by: never 0."""
    return max(float(weight.sum(dtype=np.float64)), 1e-9)


def compute_mean(luma: NDArray[np.uint8], mask: Mask) -> float:
    """Mean of luma where the mask is not 0, levels; 0 where it is empty."""
    # Norms are sums of whole numbers: exact, and with a mask 20 times as fast as `cv2.mean` and `cv2.meanStdDev`.
    return float(cv2.norm(luma, cv2.NORM_L1, mask) * (1 / max(cv2.countNonZero(mask), 1)))


def compute_spread(luma: NDArray[np.uint8], mask: Mask) -> float:
    """Standard deviation of luma where the mask is not 0, levels; 0 where it is empty."""
    mean = compute_mean(luma, mask)
    square = cv2.norm(luma, cv2.NORM_L2SQR, mask) / max(cv2.countNonZero(mask), 1)
    return math.sqrt(max(square - mean * mean, 0.0))
