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
    """Of every pixel: the sum of the colours of some other pixels in a window around it, and their number, (rows,
    columns, 4).
    """

    sums: Floats

    @property
    def weight(self) -> Floats:
        """How many there are."""
        return self.sums[..., 3]

    def average(self, places: NDArray[np.intp]) -> Floats:
        """The mean colours around some pixels, float32 (n, 3); none of them without others near."""
        sums = self.sums.reshape(-1, 4).take(places, axis=0)
        return np.asarray(sums[:, :3] / sums[:, 3:], np.float32)


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
    if not cv2.countNonZero(background):
        return region
    kept = cv2.morphologyEx(mask & ~background, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    if cv2.countNonZero(kept) < _LEAST_KEPT * region.area:
        return region
    return Region.from_part(kept, frame, region.size)


def _align(box: Box, size: tuple[int, int]) -> Box:
    """The box with its first corner on even coordinates, so that half size has the same pixels whatever the box is."""
    return Box(box.x1 // 2 * 2, box.y1 // 2 * 2, min(box.x2, size[1]), min(box.y2, size[0]))


def _find_background(crop: Image, mask: Mask) -> Mask:
    """Which pixels of a mask look like background, uint8 0 or 1."""
    rows, columns = mask.shape
    small, share = _halve(crop), _halve(mask * np.uint8(255))
    deep = cv2.erode((share > 127).view(np.uint8), np.ones((2 * _BAND + 1,) * 2, np.uint8))
    counted = cv2.cvtColor(small, cv2.COLOR_RGB2RGBA)
    counted[..., 3] = 1
    inner, outer = _sum_near(counted, deep), _sum_near(counted, (share == 0).view(np.uint8))
    comparable = (share > 0) & (deep == 0) & (inner.weight >= _LEAST_NEAR) & (outer.weight >= _LEAST_NEAR)
    places = np.flatnonzero(comparable)
    color, object_color, background_color = (
        small.reshape(-1, 3).take(places, axis=0).astype(np.float32),
        inner.average(places),
        outer.average(places),
    )
    apart = _square_distance(object_color, background_color) > _LEAST_APART
    off, own = _square_distance(color, background_color), _square_distance(color, object_color)
    like = np.zeros_like(share)  # nearer to the background: 1, and surely of it: 2
    like.put(places, np.add(off < own, apart & (4 * off < own), dtype=np.uint8))
    sure = cv2.morphologyEx((like == 2).view(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    found = cv2.dilate(sure, np.ones((3, 3), np.uint8)) & (like != 0).view(np.uint8)
    whole = cv2.resize(found, (2 * found.shape[1], 2 * found.shape[0]), interpolation=cv2.INTER_NEAREST)
    return np.ascontiguousarray(whole[:rows, :columns])


def _halve(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The means of 2 x 2 pixels, rounded; where the last ones stick out, the edge is repeated."""
    rows, columns = pixels.shape[:2]
    if rows % 2 or columns % 2:
        pixels = cv2.copyMakeBorder(pixels, 0, rows % 2, 0, columns % 2, cv2.BORDER_REPLICATE)
    half = (pixels.shape[1] // 2, pixels.shape[0] // 2)
    return np.asarray(cv2.resize(pixels, half, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _sum_near(counted: NDArray[np.uint8], chosen: Mask) -> _Near:
    """Sums over the chosen pixels of an image whose fourth channel is 1: they count themselves."""
    pixels, window = cv2.copyTo(counted, chosen), (_WINDOW, _WINDOW)
    sums = cv2.boxFilter(pixels, cv2.CV_32F, window, normalize=False, borderType=cv2.BORDER_CONSTANT)
    return _Near(np.asarray(sums, np.float32))


def _square_distance(one: Floats, other: Floats) -> Floats:
    square = (one - other) ** 2
    return np.asarray(square[..., 0] + square[..., 1] + square[..., 2], np.float32)
