"""Pixelation: mosaics on the grid of the image."""

import cv2
import numpy as np

from distortlab.core.image import Image
from distortlab.distortions.base import Dial, Distortion, Site, depictqa_ladder, matched_ladder


def block_size(block: float, scale: float) -> int:
    """Whole pixels. Small images keep the size given for 512: a block of 2 cannot become smaller and be seen."""
    return max(2, round(block * max(1.0, scale)))


def block_mosaic(image: Image, block: float, site: Site) -> Image:
    """Every block of the grid takes its mean; blocks at the right and lower edge of the frame repeat the last pixel."""
    rows, columns = image.shape[:2]
    b = block_size(block, site.scale)
    padded = cv2.copyMakeBorder(image, 0, -rows % b, 0, -columns % b, cv2.BORDER_REPLICATE)
    down = (padded.shape[1] // b, padded.shape[0] // b)
    means = cv2.resize(padded, down, interpolation=cv2.INTER_AREA)
    tiles = means.repeat(b, axis=0).repeat(b, axis=1)[:rows, :columns]
    return np.ascontiguousarray(tiles, dtype=np.uint8)


PIXELATE = (
    Distortion(
        "pixelate.block",
        block_mosaic,
        "block, px",
        Dial(2, 64, whole=True),
        matched_ladder(2, 3, 4, 5, 6),
        depictqa_ladder(
            2, 3, 4, 5, 6,
            deviation="whole blocks for DepictQA's 2, 2.5, 3.3, 4, 5, whose tiles are of unequal size",
        ),
        grid=block_size,
        reach=(0.11, 0.44, 0.69, 0.86, 0.96),
    ),
)  # fmt: skip
