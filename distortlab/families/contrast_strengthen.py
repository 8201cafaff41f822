"""More contrast about the region's own mean luma."""

import numpy as np

from distortlab.arithmetic import lookup, luma
from distortlab.distortion import Distortion, Site, depictqa, matched
from distortlab.image import Image
from distortlab.tone import scale_contrast


def sigmoid_contrast(image: Image, gain: float, site: Site) -> Image:
    """An S-curve of logistic slope `gain` that keeps black, white and the region's mean where they are."""
    pivot = float(np.clip(luma(site.pixels).mean(), 12, 243)) / 255

    def curve(levels: np.ndarray) -> np.ndarray:
        x = levels / 255
        s = 1 / (1 + np.exp(-gain * (x - pivot)))
        black, white = 1 / (1 + np.exp(gain * pivot)), 1 / (1 + np.exp(-gain * (1 - pivot)))
        low = pivot * (s - black) / (0.5 - black)
        high = pivot + (1 - pivot) * (s - 0.5) / (white - 0.5)
        return np.where(x < pivot, low, high) * 255

    return lookup(image, curve)


CONTRAST_STRENGTHEN = (
    Distortion(
        "contrast_strengthen.scale",
        scale_contrast,
        "gain",
        matched(1.36, 1.6, 1.91, 2.6, 4.3),
        depictqa(1.4, 1.7, 2.1, 2.6, 4.0, deviation="about the mean of the region, not of the array it lies in"),
    ),
    Distortion(
        "contrast_strengthen.sigmoid",
        sigmoid_contrast,
        "logistic gain",
        matched(5, 6.7, 9.1, 13.7, 23.5),
        depictqa(
            4, 8, 12, 16, 20,
            deviation="for `stretch` 2, 4, 6, 8, 10: twice its exponent gives its slope at mid-grey; anchored at the "
            "mean, where DepictQA's sends the mean to mid-grey and weakens 49 % of regions at severity 1",
        ),
    ),
)  # fmt: skip
