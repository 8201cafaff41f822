"""Less contrast about the region's own mean luma."""

import numpy as np

from distortlab.core.image import Image
from distortlab.distortions.base import Dial, Distortion, Site, depictqa_ladder, matched_ladder
from distortlab.distortions.tone import compute_luma_levels, map_luma, scale_contrast


def compress_contrast(image: Image, width: float, site: Site) -> Image:
    """Pull luma together softly: `m + d / (1 + |d| / width)`, m the region's mean luma, d the distance from it.

    Fine detail near the mean survives, highlights and shadows do not; the output stays within `width` levels of m.
    """
    luma = compute_luma_levels(image)
    counts = site.count_levels(luma)
    mean = float(counts @ np.arange(256.0)) / float(counts.sum())

    def curve(levels: np.ndarray) -> np.ndarray:
        distance = levels - mean
        return mean + distance / (1 + np.abs(distance) / width)

    return map_luma(image, luma, curve)


CONTRAST_WEAKEN = (
    Distortion(
        "contrast_weaken.scale",
        scale_contrast,
        "gain",
        Dial(0.98, 0),
        matched_ladder(0.517, 0.452, 0.368, 0.278, 0.169),
        depictqa_ladder(
            0.75, 0.6, 0.45, 0.3, 0.2,
            deviation="of luma, where DepictQA's scales every channel; about the mean of the region, not of the array "
            "it lies in",
        ),
        version=2,
        reach=(1, 1, 1, 0.99, 0.97),
    ),
    Distortion(
        "contrast_weaken.compress",
        compress_contrast,
        "half width, levels",
        Dial(1000, 1),
        matched_ladder(106, 80.2, 54.6, 32, 12.7),
        None,
        version=2,
        reach=(1, 1, 1, 0.98, 0.95),
    ),
)  # fmt: skip
