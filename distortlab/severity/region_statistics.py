"""Cheap statistics of a region before it is changed, from which the effect of a setting is predicted (`predictor`).

A family is predicted from those that tell something of it; each is made when it is first asked for. Every statistic is
rounded to a 64th. What processors disagree about in sums of float32 is some millionth part, so that they give the same
statistic, and from it the same setting, but for about one region in some thousands.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from distortlab.severity.half_size import (
    HalfSize,
    average,
    choose_rows,
    compute_squared_gradient,
    compute_weighted_spread,
    shrink_mask,
    shrink_pixels,
)
from distortlab.severity.scene import Scene, average_mask_blocks
from distortlab.severity.trials import Trial, TrialSample
from distortlab.severity.visibility import GRADIENT_FLOOR

__all__ = ["NAMES", "STEPS", "TRIALS", "RegionStatistics", "list_statistics", "measure_statistics"]

STEPS = 64
"""Steps per unit of a statistic."""

_LEVELS = ("spread", "mean luma", "near white", "bright", "near black", "upper quarter")
_GRADIENTS = ("gradient", "flatness", "spread of flatness", "fine flatness", "coarse gradient", "coarse flatness")
_SHAPE = ("size", "edge", "odd corner")
_CHROMA = ("colorfulness", "spread of chroma")
_BLUR, _SHARPEN = "structure lost by a blur", "structure gained by sharpening"
_FOUR, _THREE = "structure lost by four levels", "structure lost by three levels"

TRIALS: Mapping[str, Trial] = MappingProxyType(
    {
        f"{trial.variant} {trial.amount:g}": trial
        for trial in (
            Trial("darken.gamma_rgb", 1.8, 1),
            Trial("saturate_strengthen.ycbcr", 4, 1),
            Trial("saturate_strengthen.hsv", 2.5, 1),
            Trial("saturate_strengthen.hsv", 14, 1),
            Trial("saturate_weaken.hsv", 0.3, 1),
            Trial("quantization.uniform", 5, 3),
            Trial("quantization.median", 8, 1),
        )
    }
)
"""Statistics that are trials, by name."""

_COMMON = (*_LEVELS, *_GRADIENTS, *_SHAPE)
_FAMILIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "blur": ("detail", _BLUR),
        "compression": ("detail", _BLUR, *_CHROMA),
        "brighten": _CHROMA,
        "darken": _CHROMA,
        "contrast_strengthen": ("detail", _FOUR),
        "contrast_weaken": ("detail", _FOUR),
        "saturate_strengthen": _CHROMA,
        "saturate_weaken": _CHROMA,
        "oversharpen": ("detail", _BLUR, _SHARPEN),
        "pixelate": ("detail", _BLUR, _SHARPEN),
        "quantization": ("detail", *_CHROMA, _THREE),
    }
)

NAMES = (*_COMMON, "detail", *_CHROMA, _BLUR, _SHARPEN, _FOUR, _THREE, *TRIALS)
"""All statistics, in their order.

"odd corner" counts the odd ones among x and y of the region's box: V is measured on blocks of 2 x 2 pixels of the box,
and a mosaic of the image meets them or does not. A trial is the logarithm of about the V of an operator.
"""

_LEAST_SIDE = 4
_ENOUGH = 65536
_FLOOR = np.float32(GRADIENT_FLOOR)
_NO_LOSS = 0.004
_GREYS = np.arange(256.0)
_LEVEL_SUMS = np.stack(
    [_GREYS**0, _GREYS, _GREYS * _GREYS, _GREYS >= 230, _GREYS >= 190, _GREYS < 26], axis=1, dtype=np.float64
)
"""What counts of the levels are multiplied with for their number, sum, sum of squares, and three shares, (256, 6)."""


@cache
def list_statistics(family: str) -> tuple[str, ...]:
    """The statistics that a family is predicted from."""
    own = tuple(name for name, trial in TRIALS.items() if trial.variant.startswith(f"{family}."))
    return (*_COMMON, *_FAMILIES.get(family, ()), *own)


def measure_statistics(scene: Scene) -> "RegionStatistics | None":
    """The statistics of a region, or None where they mean nothing: it is a few pixels thin, or all of one luma."""
    if min(scene.luma.shape) < _LEAST_SIDE:
        return None
    statistics = RegionStatistics(scene)
    if np.count_nonzero(statistics.counts) < 2 or not np.vdot(statistics.half.squares, statistics.half.weight):
        return None
    return statistics


class RegionStatistics:
    """The statistics of a region. Each is made when it is first asked for, with those that cost nothing more.

    Parameters
    ----------
    scene
        The region before it is changed.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._values: dict[str, int] = {}

    def compute(self, names: Sequence[str]) -> tuple[int, ...]:
        """Compute statistics.

        Parameters
        ----------
        names
            Which of `NAMES`.

        Returns
        -------
        tuple
            They, in 64ths.
        """
        for name in names:
            if name not in self._values:
                group, measure = _GROUPS.get(name) or ((name,), _measure_trial(name))
                values = zip(group, measure(self), strict=True)
                self._values |= {key: round(value * STEPS) for key, value in values}
        return tuple(self._values[name] for name in names)

    @property
    def scene(self) -> Scene:
        """The region."""
        return self._scene

    @cached_property
    def counts(self) -> NDArray[np.float64]:
        """How many pixels of the region have each luma, (256,); of a large one, those of every other row."""
        luma, mask = self._scene.luma, self._scene.mask
        if mask.size > _ENOUGH and mask[::2].any():
            luma, mask = np.ascontiguousarray(luma[::2]), np.ascontiguousarray(mask[::2])
        return np.asarray(cv2.calcHist([luma], [0], mask, [256], [0, 256]).ravel(), np.float64)

    @cached_property
    def half(self) -> HalfSize:
        """The region at half its size; of a large one, some strips."""
        rows = choose_rows(self._scene.mask, _ENOUGH)
        chosen = slice(None) if rows is None else rows
        return HalfSize(shrink_pixels(self._scene.luma[chosen]), shrink_mask(self._scene.mask[chosen]), rows)

    @cached_property
    def sample(self) -> TrialSample:
        """The part of the region on which operators are tried."""
        return TrialSample(self._scene)


Measure = Callable[[RegionStatistics], Sequence[float]]


def _measure_levels(region: RegionStatistics) -> Sequence[float]:
    """Spread and mean of luma, the shares of pixels near white, bright, and near black, and the upper quartile."""
    counts = region.counts
    total, first, second, *ends = (counts @ _LEVEL_SUMS).tolist()  # of whole numbers: exact in any order
    mean = first / total
    spread = math.sqrt(max(second / total - mean * mean, 0.0))
    shares = (count / total for count in ends)
    return math.log(spread + 1), mean / 128, *shares, int(counts.cumsum().searchsorted(0.75 * total)) / 64


def _measure_gradients(region: RegionStatistics) -> Sequence[float]:
    """How large gradients are; how much of the region has little to change, how unevenly, and how much hardly any; the
    first two at a quarter of the size.
    """
    half = region.half
    counted, (flatness, fine) = (half.weight, half.total), half.flatness
    flat = (average(flatness, *counted), compute_weighted_spread(flatness, *counted), average(fine, *counted))
    coarse, weight = compute_squared_gradient(shrink_pixels(half.luma)), average_mask_blocks(half.weight, 2)
    coarsely_counted = (weight, float(weight.sum()))
    means = [
        math.log(math.sqrt(average(*each)) + 1) for each in ((half.squares, *counted), (coarse, *coarsely_counted))
    ]
    return means[0], *flat, means[1], average(_FLOOR / (coarse + _FLOOR), *coarsely_counted)


def _measure_shape(region: RegionStatistics) -> Sequence[float]:
    """The logarithm of the number of pixels, that of the length of the edge for each of them, and the corner."""
    mask = region.scene.mask
    pixels = int(np.count_nonzero(mask))
    inner = np.count_nonzero(mask[:, 1:] != mask[:, :-1]) + np.count_nonzero(mask[1:] != mask[:-1])
    outer = sum(int(np.count_nonzero(side)) for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))
    odd = sum(side % 2 for side in region.scene.corner)
    return math.log(pixels) / 10, math.log((inner + outer) / pixels), odd


def _measure_detail(region: RegionStatistics) -> Sequence[float]:
    return (math.log(region.scene.detail + 1),)


def _measure_chroma(region: RegionStatistics) -> Sequence[float]:
    """Mean chroma as CIEDE2000 weighs it, and the logarithm of the spread of chroma."""
    weight, lab = region.scene.colors
    if not weight.any():
        return 0.0, 0.0
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    seen, total = chroma / (1 + np.float32(0.045) * chroma), float(weight.sum())
    return average(seen, weight, total) / 10, math.log(compute_weighted_spread(chroma, weight, total) + 1)


def _measure_loss(region: RegionStatistics, luma: NDArray[np.uint8]) -> Sequence[float]:
    """The logarithm of the structure that V would find changed: a small experiment, which tells more of what such
    changes do than all that is measured on the region itself.
    """
    return (math.log(region.half.measure_structure(luma) + _NO_LOSS),)


def _measure_blur(region: RegionStatistics) -> Sequence[float]:
    return _measure_loss(region, np.asarray(cv2.blur(region.half.luma, (3, 3)), np.uint8))


def _measure_sharpening(region: RegionStatistics) -> Sequence[float]:
    luma = region.half.luma
    return _measure_loss(region, np.asarray(cv2.addWeighted(luma, 2.5, _soften(luma), -1.5, 0), np.uint8))


def _soften(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.GaussianBlur(luma, (3, 3), 0.7), np.uint8)


def _measure_four_levels(region: RegionStatistics) -> Sequence[float]:
    """With the means of four levels that are equally frequent in the region."""
    return _reduce_levels(region, _find_equal_levels(region.counts, 4))


def _measure_three_levels(region: RegionStatistics) -> Sequence[float]:
    """With three levels of little variance: two rounds of k-means, from levels that are equally frequent."""
    bins = _find_equal_levels(region.counts, 3)
    for _ in range(2):
        centers = np.unique(_average_bins(region.counts, bins))
        bins = np.searchsorted((centers[1:] + centers[:-1]) / 2, _GREYS)
    return _reduce_levels(region, bins)


def _find_equal_levels(counts: NDArray[np.float64], levels: int) -> NDArray[np.intp]:
    """For every luma, the level it belongs to, (256,)."""
    shares = (np.cumsum(counts) - counts / 2) / counts.sum()
    return np.minimum((shares * levels).astype(np.intp), levels - 1)


def _average_bins(counts: NDArray[np.float64], bins: NDArray[np.intp]) -> NDArray[np.float64]:
    """For every luma, the mean of its level, (256,)."""
    means = np.bincount(bins, counts * _GREYS) / np.maximum(np.bincount(bins, counts), 1)
    return np.asarray(means[bins], np.float64)


def _reduce_levels(region: RegionStatistics, bins: NDArray[np.intp]) -> Sequence[float]:
    table = np.rint(_average_bins(region.counts, bins)).astype(np.uint8)
    return _measure_loss(region, np.asarray(cv2.LUT(region.half.luma, table), np.uint8))


def _measure_trial(name: str) -> Measure:
    return lambda region: (region.sample.measure(TRIALS[name]),)


_GROUPS: Mapping[str, tuple[tuple[str, ...], Measure]] = MappingProxyType(
    {
        name: (group, measure)
        for group, measure in (
            (_LEVELS, _measure_levels),
            (_GRADIENTS, _measure_gradients),
            (_SHAPE, _measure_shape),
            (("detail",), _measure_detail),
            (_CHROMA, _measure_chroma),
            ((_BLUR,), _measure_blur),
            ((_SHARPEN,), _measure_sharpening),
            ((_FOUR,), _measure_four_levels),
            ((_THREE,), _measure_three_levels),
        )
        for name in group
    }
)
