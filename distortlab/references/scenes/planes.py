"""Images as a JPEG file holds them: brightness at full size, two differences of colour at half of it.

A scene is composed in these planes and encoded from them: that is half the numbers of RGB, and none is converted
twice. Pixels come out the same on every processor: operations are exact, or their quotients are never near a half.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from distortlab.core.image import Image
from distortlab.core.region import Mask

__all__ = ["ONE", "Planes", "convert_colors", "halve", "lay_over", "make_planes", "multiply", "resize"]

Plane = NDArray[np.uint8]

ONE = 127
"""The factor that changes nothing: an odd number, so that no quotient is half a whole number."""

# The coefficients of libjpeg, times 65536.
_MATRIX = np.array([[19595, -11059, 32768], [38470, -21709, -27439], [7471, 32768, -5329]], np.int32)
_OFFSET = np.array([1 << 15, (128 << 16) + (1 << 15) - 1, (128 << 16) + (1 << 15) - 1], np.int32)


@dataclass(slots=True)
class Planes:
    """An image in the full-range YCbCr of JFIF: `luma`, uint8 (rows, columns), both even; `cb` and `cr`, uint8 of half
    the rows and columns, where 128 stands for no colour.
    """

    luma: Plane
    cb: Plane
    cr: Plane

    def crop(self, rows: int, columns: int) -> "Planes":
        """The upper left part; of an odd number of rows or columns the last has its half of the differences."""
        half = slice((rows + 1) // 2), slice((columns + 1) // 2)
        parts = (self.luma[:rows, :columns], self.cb[half], self.cr[half])
        return Planes(*(np.ascontiguousarray(part) for part in parts))

    def encode_jpeg(self, quality: int) -> bytes:
        """A JPEG file with 4:2:0 subsampling."""
        return bytes(simplejpeg.encode_jpeg_yuv_planes(self.luma, self.cb, self.cr, quality=quality))


def convert_colors(rgb: NDArray[np.integer]) -> NDArray[np.int32]:
    """Convert RGB, (..., 3) and 0..255, to YCbCr, int32, 0..255."""
    return (rgb.astype(np.int32) @ _MATRIX + _OFFSET) >> 16


def make_planes(image: Image) -> Planes:
    """The planes of an RGB image, without its last row or column where their number is odd."""
    rows, columns = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2
    luma, cb, cr = (np.ascontiguousarray(part, np.uint8) for part in np.moveaxis(convert_colors(image), -1, 0))
    return Planes(luma[:rows, :columns].copy(), halve(cb[:rows, :columns]), halve(cr[:rows, :columns]))


def halve(plane: Plane) -> Plane:
    """A plane at half its size, which is even."""
    return resize(plane, (plane.shape[0] // 2, plane.shape[1] // 2))


def resize(plane: Plane, size: tuple[int, int]) -> Plane:
    """A plane at `size` (rows, columns), interpolated in integers; the plane itself where that is its size."""
    if plane.shape == size:
        return plane
    return np.asarray(cv2.resize(plane, size[::-1], interpolation=cv2.INTER_LINEAR_EXACT), dtype=np.uint8)


def multiply(plane: Plane, factor: Plane, one: int = ONE) -> Plane:
    """`plane * factor / one`, rounded, at most 255; `one` is odd."""
    return np.asarray(cv2.multiply(plane, factor, scale=1 / one), dtype=np.uint8)


def lay_over(below: Plane, above: Plane, weight: Mask) -> None:
    """Blend `above` into `below` by `weight`, 0..255."""
    rest = multiply(below, np.asarray(cv2.bitwise_not(weight), np.uint8), 255)
    cv2.add(rest, multiply(above, weight, 255), dst=below)
