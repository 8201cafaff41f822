"""Outlines drawn by people, without what they hold of the background at their edge.

The polygons of COCO run some pixels outside their objects in places. Brightened or sharpened, that strip of grass or
sky is a bright rim around the object, which shows where an edit was made and looks like no distortion of the object.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from distortlab.core.image import Image
from distortlab.core.region import Box, Mask, Region

__all__ = ["tighten_region"]

Floats = NDArray[np.float32]

# All lengths in pixels at half size.
_BAND, _WINDOW = 3, 15
_LEAST_NEAR = 8
"""Pixels of the object, and of the background, that must be near for a pixel to be compared with them."""
_LEAST_APART = 30.0**2
"""Squared distance of the colours of object and background, levels: below it they cannot be told apart."""
_LEAST_KEPT = 0.75
"""An outline that would lose more is left as it is: what is compared with may be the wrong part of it."""


class _Near(NamedTuple):
    """Of every pixel: the mean colour of some other pixels in a window around it, and their number."""

    color: Floats
    weight: Floats


def tighten_region(image: Image, region: Region) -> Region:
    """Take pixels off the edge of a region that look like what lies around it.

    A pixel within 6 of the edge is taken off where its colour is at least twice as near to the mean of the background
    around it as to that of the object around it, or beside such a pixel nearer at all. Sums are of whole numbers, so
    every processor has the same.

    Parameters
    ----------
    image
        uint8 RGB, (rows, columns, 3).
    region
        The region as it was drawn, of that image.

    Returns
    -------
    Region
        A part of `region`; itself where nothing is to be taken off, or more than a quarter.
    """
    frame = _align(region.bbox.grow(4 * _BAND, region.size), region.size)
    mask = np.zeros((frame.height, frame.width), np.uint8)
    mask[region.bbox.relative_to(frame).slices] = region.mask
    background = _find_background(np.ascontiguousarray(image[frame.slices]), mask)
    if not background.any():
        return region
    kept = cv2.morphologyEx(mask & ~background, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    if np.count_nonzero(kept) < _LEAST_KEPT * region.area:
        return region
    full = np.zeros(region.size, np.uint8)
    full[frame.slices] = kept
    return Region.from_mask(full)


def _align(box: Box, size: tuple[int, int]) -> Box:
    """The box with its first corner on even coordinates, so that half size has the same pixels whatever the box is."""
    return Box(box.x1 // 2 * 2, box.y1 // 2 * 2, min(box.x2, size[1]), min(box.y2, size[0]))


def _find_background(crop: Image, mask: Mask) -> Mask:
    """Which pixels of a mask look like background, uint8 0 or 1."""
    rows, columns = mask.shape
    levels, share = _halve(crop), _halve(mask * np.uint8(255))
    small = levels.astype(np.float32)
    deep = cv2.erode((share > 127).view(np.uint8), np.ones((2 * _BAND + 1,) * 2, np.uint8))
    inner, outer = _average_near(levels, deep), _average_near(levels, (share == 0).view(np.uint8))
    comparable = (share > 0) & (deep == 0) & (inner.weight >= _LEAST_NEAR) & (outer.weight >= _LEAST_NEAR)
    apart = _square_distance(inner.color, outer.color) > _LEAST_APART
    off, own = _square_distance(small, outer.color), _square_distance(small, inner.color)
    sure = (comparable & apart & (4 * off < own)).view(np.uint8)
    sure = cv2.morphologyEx(sure, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    found = cv2.dilate(sure, np.ones((3, 3), np.uint8)) & (comparable & (off < own))
    return np.ascontiguousarray(found.repeat(2, axis=0).repeat(2, axis=1)[:rows, :columns])


def _halve(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The means of 2 x 2 pixels, rounded; where the last ones stick out, the edge is repeated."""
    rows, columns = pixels.shape[:2]
    if rows % 2 or columns % 2:
        pixels = cv2.copyMakeBorder(pixels, 0, rows % 2, 0, columns % 2, cv2.BORDER_REPLICATE)
    half = (pixels.shape[1] // 2, pixels.shape[0] // 2)
    return np.asarray(cv2.resize(pixels, half, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _average_near(image: Image, chosen: Mask) -> _Near:
    weight, total = (
        cv2.boxFilter(plane, cv2.CV_32F, (_WINDOW, _WINDOW), normalize=False, borderType=cv2.BORDER_CONSTANT)
        for plane in (chosen, cv2.copyTo(image, chosen))
    )
    return _Near(total / np.maximum(weight, np.float32(1))[..., None], weight)


def _square_distance(one: Floats, other: Floats) -> Floats:
    square = (one - other) ** 2
    return np.asarray(square[..., 0] + square[..., 1] + square[..., 2], np.float32)
