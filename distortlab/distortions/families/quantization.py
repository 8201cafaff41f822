"""Quantization: fewer levels, or fewer colours, chosen from the region's own pixels."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as pillow

from distortlab.core.image import Image
from distortlab.distortions.base import Dial, Distortion, Site, depictqa_ladder, matched_ladder
from distortlab.distortions.exact_math import to_uint8

_SAMPLE = 2048
_LEVELS = np.arange(256.0)


def uniform_levels(image: Image, levels: float, site: Site) -> Image:
    """`levels` equal bins from black to white in every channel, each replaced by one of as many evenly spaced levels.

    They lie so that the channel's mean and spread in the region stay: fixed levels darken, and change the contrast.
    """
    k = round(levels)
    bins = np.floor(np.arange(256) * k / 256)

    def space_levels(counts: NDArray[np.float64]) -> NDArray[np.float64]:
        (mean, spread), (middle, width) = _mean_spread(_LEVELS, counts), _mean_spread(bins, counts)
        return mean + (bins - middle) * (spread / width if width else 0.0)

    return _per_channel(image, site, space_levels)


def _mean_spread(values: NDArray[np.float64], counts: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and standard deviation. The sums are of whole numbers, so every processor has the same."""
    total, first, second = (float(counts @ power) for power in (values**0, values, values * values))
    return first / total, math.sqrt(max(second / total - (first / total) ** 2, 0.0))


def median_levels(image: Image, levels: float, site: Site) -> Image:
    """`levels` bins of equal population in every channel of the region, each replaced by its mean."""
    return _per_channel(image, site, lambda counts: _bin_means(_equal_population(counts, round(levels)), counts))


def otsu_levels(image: Image, levels: float, site: Site) -> Image:
    """`levels` bins of least variance within a bin (multi-level Otsu), found by Lloyd's iteration on the histogram.

    Unlike a search over thresholds it takes milliseconds and never fails on a region with few levels.
    """
    return _per_channel(image, site, lambda counts: _lloyd(counts, round(levels)))


def _per_channel(image: Image, site: Site, table_of: object) -> Image:
    tables = [table_of(site.count_levels(plane)) for plane in cv2.split(image)]  # type: ignore[operator]
    return np.asarray(cv2.LUT(image, to_uint8(np.stack(tables, axis=-1))[None]), dtype=np.uint8)


def _equal_population(counts: NDArray[np.float64], k: int) -> NDArray[np.intp]:
    """The bin of every level: by the share of pixels at or below the middle of the level."""
    share = (np.cumsum(counts) - counts / 2) / counts.sum()
    return np.minimum((share * k).astype(np.intp), k - 1)


def _bin_means(bins: NDArray[np.intp], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """For every level, the mean of the pixels in its bin; empty bins take the mean of their levels."""
    levels, weight = np.arange(256.0), counts + 1e-9
    k = int(bins.max()) + 1
    means = np.bincount(bins, weight * levels, k) / np.maximum(np.bincount(bins, weight, k), 1e-12)
    return means[bins]


def _lloyd(counts: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    bins = _equal_population(counts, k)
    for _ in range(30):
        centres = np.unique(_bin_means(bins, counts))
        nearest = np.searchsorted((centres[1:] + centres[:-1]) / 2, np.arange(256.0))
        if np.array_equal(nearest, bins):
            break
        bins = nearest
    return _bin_means(bins, counts)


def palette_colors(image: Image, colours: float, site: Site) -> Image:
    """`colours` colours by median cut and one round of k-means over the region's pixels, without dithering.

    The palette comes from about 2,048 of the pixels, evenly spaced: median cut takes 1 ms for a thousand.
    """
    pixels = np.ascontiguousarray(site.pixels[:: max(1, len(site.pixels) // _SAMPLE)])[None]
    cut = pillow.fromarray(pixels).quantize(round(colours), pillow.Quantize.MEDIANCUT, dither=pillow.Dither.NONE)
    palette = np.array(cut.getpalette("RGB"), dtype=np.uint8).reshape(-1, 3)[: round(colours)]
    nearest = _nearest(pixels, palette).ravel()
    counts = np.bincount(nearest, minlength=len(palette))[:, None]
    sums = np.stack([np.bincount(nearest, plane, len(palette)) for plane in pixels[0].T], axis=-1)
    refined = to_uint8(np.where(counts, sums / np.maximum(counts, 1), palette))
    table = np.zeros((1, 256, 3), np.uint8)
    table[0, : len(refined)] = refined
    return np.asarray(cv2.LUT(cv2.merge([_nearest(image, refined)] * 3), table), dtype=np.uint8)


def _nearest(image: Image, palette: Image) -> NDArray[np.uint8]:
    """The index of every pixel's nearest colour, uint8 (rows, columns).

    Where the distance is smallest, twice the product less the square of the colour is largest. All of it is whole
    numbers below 2**24, so float32 is exact in whatever order the products are added.
    """
    matrix = np.column_stack([2.0 * palette, -(palette.astype(np.float64) ** 2).sum(axis=1)])
    pixels = image.astype(np.float32)
    index = np.zeros(image.shape[:2], np.uint8)
    best = cv2.transform(pixels, matrix[:1])
    for k in range(1, len(palette)):
        score = cv2.transform(pixels, matrix[k : k + 1])
        index = np.maximum(index, (score > best).view(np.uint8) * np.uint8(k))  # k is larger than all before it
        best = cv2.max(best, score)
    return index


QUANTIZATION = (
    Distortion(
        "quantization.uniform",
        uniform_levels,
        "levels per channel",
        Dial(64, 2, whole=True),
        matched_ladder(9, 7, 6, 5, 3),
        None,
        version=3,
        reach=(0.89, 0.9, 0.82, 0.86, 0.78),
    ),
    Distortion(
        "quantization.median",
        median_levels,
        "levels per channel",
        Dial(64, 2, whole=True),
        matched_ladder(10, 8, 6, 4, 3),
        depictqa_ladder(20, 15, 10, 6, 3, deviation="from the pixels of the region; the image given is not changed"),
        reach=(0.2, 0.39, 0.63, 0.76, 0.73),
    ),
    Distortion(
        "quantization.otsu",
        otsu_levels,
        "levels per channel",
        Dial(64, 2, whole=True),
        matched_ladder(6, 5, 4, 3, 2),
        depictqa_ladder(
            15, 11, 8, 5, 3,
            deviation="the same criterion without DepictQA's search, which takes up to 20 s and raises on few levels; "
            "bins become their means, where DepictQA's darken",
        ),
        reach=(0.74, 0.8, 0.61, 0.73, 0.55),
    ),
    Distortion(
        "quantization.palette",
        palette_colors,
        "colours",
        Dial(64, 2, whole=True),
        matched_ladder(11, 8, 5, 4, 3),
        None,
        version=2,
        reach=(0.79, 0.78, 0.89, 0.86, 0.71),
    ),
)  # fmt: skip
