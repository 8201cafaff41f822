"""Tone operators that more than one family dials: shift, gamma and contrast about the mean."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from distortlab.core.image import Image
from distortlab.distortions.base import Site
from distortlab.distortions.exact_math import apply_curve, compute_channel_max, compute_exact_luma, to_uint8

__all__ = [
    "compute_luma_levels",
    "gamma_rgb",
    "gamma_value",
    "map_luma",
    "scale_contrast",
    "shift_rgb",
    "shift_value",
]

Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]
_LEVELS = np.arange(256, dtype=np.float64)


def shift_rgb(image: Image, shift: float, site: Site) -> Image:
    """Add `shift` (a share of the range; negative darkens) to every channel."""
    return apply_curve(image, lambda x: x + 255 * shift)


def gamma_rgb(image: Image, exponent: float, site: Site) -> Image:
    """Raise every channel to `exponent`; above 1 darkens."""
    return apply_curve(image, lambda x: 255 * (x / 255) ** exponent)


def shift_value(image: Image, shift: float, site: Site) -> Image:
    """Add `shift` to the value of HSV; hue and saturation stay."""
    return _map_value(image, np.clip(np.arange(256) + 255 * shift, 0, 255))


def gamma_value(image: Image, exponent: float, site: Site) -> Image:
    """Raise the value of HSV to `exponent`; hue and saturation stay."""
    return _map_value(image, 255 * (np.arange(256) / 255) ** exponent)


def _map_value(image: Image, value: NDArray[np.float64]) -> Image:
    """Send max(R, G, B) through a table of 256 values by scaling the pixel: no HSV, and no rounding on the way."""
    top = compute_channel_max(image)
    gain = (value / np.maximum(np.arange(256), 1)).astype(np.float32)
    gains = cv2.LUT(top, gain)
    out = cv2.multiply(image, cv2.merge([gains] * 3), dtype=cv2.CV_8U)
    if value[0] > 0:
        out[top == 0] = round(float(value[0]))
    return np.asarray(out, dtype=np.uint8)


def compute_luma_levels(image: Image) -> NDArray[np.uint8]:
    """Luma rounded to 8 bits, (rows, columns)."""
    return np.rint(compute_exact_luma(image)).astype(np.uint8)


def map_luma(image: Image, luma: NDArray[np.uint8], curve: Curve) -> Image:
    """Send luma through a tone curve of the levels 0..255, and add its change to every channel alike.

    The differences between the channels stay, and with them chroma, until a channel clips: the same curve applied to
    every channel saturates a picture where it is steep, and takes its colour away where it is flat.
    """
    change = to_uint8(curve(_LEVELS)).astype(np.int16) - np.arange(256, dtype=np.int16)
    changes = cv2.LUT(luma, change)
    return np.asarray(cv2.add(image, cv2.merge([changes] * 3), dtype=cv2.CV_8U), dtype=np.uint8)


def scale_contrast(image: Image, gain: float, site: Site) -> Image:
    """Scale the distance of luma from the region's mean by `gain`; where levels clip, all are shifted to keep it."""
    luma = compute_luma_levels(image)
    offset = _find_offset(site.count_levels(luma), gain)
    return map_luma(image, luma, lambda levels: offset + levels * gain)


def _find_offset(counts: NDArray[np.float64], gain: float) -> float:
    """What to add to `gain` times luma so that pixels with these counts of the levels keep their mean.

    The sums are of whole numbers, so every processor finds the same.
    """
    total, wanted = float(counts.sum()), float(counts @ _LEVELS)

    def excess(offset: float) -> float:
        return float(counts @ to_uint8(offset + _LEVELS * gain).astype(np.float64)) - wanted

    offset = wanted / total * (1 - gain)
    if 2 * abs(excess(offset)) <= total:
        return offset
    low, high = -255 * gain, 255.0
    for _ in range(16):
        offset = (low + high) / 2
        low, high = (low, offset) if excess(offset) > 0 else (offset, high)
    return offset
