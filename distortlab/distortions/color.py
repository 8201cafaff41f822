"""Colour operators that more than one family dials: chroma and saturation."""

import cv2
import numpy as np

from distortlab.core.image import Image
from distortlab.distortions.base import Site
from distortlab.distortions.exact_math import compute_channel_max, compute_channel_min, compute_exact_luma, to_uint8

__all__ = ["scale_chroma", "scale_saturation"]


def scale_chroma(image: Image, gain: float, site: Site) -> Image:
    """Scale Cb and Cr (BT.601) by `gain`, as one linear map of RGB: luma stays until a channel clips."""
    grey = compute_exact_luma(image)[..., None]
    return to_uint8(grey + (image - grey) * np.float32(gain))


def scale_saturation(image: Image, gain: float, site: Site) -> Image:
    """Scale the saturation of HSV by `gain`, at most to 1; hue and value stay.

    In closed form: every channel moves away from the largest one. No conversion to HSV, whose float version differs
    between instruction sets and whose 8-bit version is off by up to 4 levels.
    """
    top, span = compute_channel_max(image), cv2.subtract(compute_channel_max(image), compute_channel_min(image))
    limit = top.astype(np.float32) / np.maximum(span, np.float32(1))
    factor = np.minimum(np.float32(gain), limit)
    planes = [top - (top - plane).astype(np.float32) * factor for plane in cv2.split(image)]
    return np.asarray(cv2.merge([to_uint8(plane) for plane in planes]), dtype=np.uint8)
