"""Over-sharpening: an unsharp mask turned up until edges have halos."""

import cv2
import numpy as np

from distortlab.core.image import Image
from distortlab.distortions.base import Dial, Distortion, Site, depictqa_ladder, matched_ladder
from distortlab.distortions.exact_math import blur_gaussian

_SIGMA = 1.1


def unsharp_mask(image: Image, amount: float, site: Site) -> Image:
    """`(1 + amount) x - amount G(x)`, with a Gaussian of 1.1 px (at 512)."""
    soft = blur_gaussian(image, _SIGMA * site.scale)
    return np.asarray(cv2.addWeighted(image, 1 + amount, soft, -amount, 0), dtype=np.uint8)


OVERSHARPEN = (
    Distortion(
        "oversharpen.unsharp_mask",
        unsharp_mask,
        "amount",
        Dial(0.1, 30, step=1 / 64),
        matched_ladder(2.625, 3.375, 4.875, 7.75, 15.25),
        depictqa_ladder(
            2, 2.8, 4, 6, 8, deviation="the Gaussian is cut at 3 sigma, not at 2 px, and scales with the image"
        ),
        halo=lambda amount, scale: int(np.ceil(3 * _SIGMA * scale)),
        reach=(0.99, 0.99, 0.99, 0.99, 0.98),
    ),
)
