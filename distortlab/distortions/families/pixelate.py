"""Pixelation: mosaics on the grid of the image."""

import cv2
import numpy as np
from numpy.typing import NDArray

from distortlab.core.image import Image
from distortlab.distortions.base import Dial, Distortion, Site, depictqa_ladder, matched_ladder


def compute_block(block: float, scale: float) -> float:
    """Side of a block in pixels. Small images keep what is given for 512: a block of 2 cannot become smaller and be
    seen.
    """
    return max(2.0, block * max(1.0, scale))


def block_mosaic(image: Image, block: float, site: Site) -> Image:
    """Each block of the grid takes its mean. Where the side is not whole, blocks of the next whole sizes take turns."""
    side = compute_block(block, site.scale)
    rows = _cut(site.crop.y1, site.crop.y2, side)
    columns = _cut(site.crop.x1, site.crop.x2, side)
    sums = cv2.integral(image, sdepth=cv2.CV_32S)[np.ix_(rows, columns)]
    heights, widths = np.diff(rows), np.diff(columns)
    areas = (heights[:, None] * widths)[..., None]
    totals = np.diff(np.diff(sums, axis=0), axis=1)
    means = ((2 * totals + areas) // (2 * areas)).astype(np.uint8)
    across, down = (np.repeat(np.arange(len(sizes)), sizes) for sizes in (widths, heights))
    return np.ascontiguousarray(means.take(across, axis=1).take(down, axis=0))


def _cut(first: int, last: int, side: float) -> NDArray[np.intp]:
    """Where the blocks between two coordinates of the image begin, and where the last one ends, from `first` on."""
    numbers = np.arange(int(first / side), int(last / side) + 2)
    edges = np.clip(np.rint(numbers * side).astype(np.intp), first, last)
    return np.unique(np.concatenate(([first], edges, [last]))) - first


PIXELATE = (
    Distortion(
        "pixelate.block",
        block_mosaic,
        "block, px",
        Dial(2, 64),
        matched_ladder(2.1, 2.45, 3.2, 4.1, 5.5),
        depictqa_ladder(
            2, 2.5, 3.3, 4, 5,
            deviation="on the grid of the image, each block its mean, where DepictQA's takes the means of a resampling",
        ),
        halo=lambda block, scale: int(np.ceil(compute_block(block, scale))),
        reach=(0.31, 0.86, 0.93, 1, 1),
        version=2,
    ),
)  # fmt: skip
