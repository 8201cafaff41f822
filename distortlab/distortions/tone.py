"""Tone operators that more than one family dials: shift, gamma and contrast about the mean."""

import cv2
import numpy as np
from numpy.typing import NDArray

from distortlab.core.image import Image
from distortlab.distortions.base import Site
from distortlab.distortions.exact_math import apply_curve, compute_channel_max, compute_exact_luma

__all__ = ["gamma_rgb", "gamma_value", "scale_contrast", "shift_rgb", "shift_value"]


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


def scale_contrast(image: Image, gain: float, site: Site) -> Image:
    """Scale the distance from the region's own mean luma by `gain`."""
    mean = float(compute_exact_luma(site.pixels).mean())
    return apply_curve(image, lambda x: mean + (x - mean) * gain)
