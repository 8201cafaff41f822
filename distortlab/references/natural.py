"""Photographs that are blurred in parts or dark as they were taken: clean, and easily taken for distorted ones.

Set by looking at 152 photographs of COCO 2017 (benchmarks/controls.py, docs/diagnosis.md). Motion is not measured: what
shows it best of what was tried, fine detail that is lacking along one direction, found skies, beaches and water.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from distortlab.core.image import Image

__all__ = ["find_natural_kind", "measure_focus", "measure_natural_kind"]

_DARK = 60
"""Mean luma below which a photograph was taken in low light: 7 of 152."""
_BLURRED, _SHARP = 0.085, 0.03
"""Shares of blocks out of focus and in focus from which on there is bokeh: 12 of 152, two of them doubtful."""
_RATIOS = (0.22, 0.55)
"""Fine over coarse detail of a block: below the first it is out of focus, above the second in focus."""
_COARSE = 2
"""Squared levels of coarse detail that a block must have to say anything."""
_REACHES = (1, 2, 5, 10)
"""Pixels that a mean reaches to either side: fine detail is what lies between the first two, coarse the last two."""
_SIDE, _BLOCKS = 480, 16


def find_natural_kind(name: str, image: Image, listed: Mapping[str, Sequence[str]]) -> str | None:
    """Say what a reference is as it was taken: "bokeh", "low_light", "motion", or None.

    Parameters
    ----------
    name
        Its id.
    image
        uint8 RGB, (rows, columns, 3).
    listed
        The ids of those that are, by kind; where there are any, nothing is measured.
    """
    if listed:
        return next((kind for kind, names in listed.items() if name in names), None)
    return measure_natural_kind(image)


def measure_natural_kind(image: Image) -> str | None:
    """Say what the pixels tell: "low_light" for a low mean luma, else "bokeh" for blocks in and out of focus."""
    luma = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    if float(cv2.mean(luma)[0]) < _DARK:
        return "low_light"
    blurred, sharp = measure_focus(luma)
    return "bokeh" if blurred >= _BLURRED and sharp >= _SHARP else None


def measure_focus(luma: NDArray[np.uint8]) -> tuple[float, float]:
    """Measure how much of an image is out of focus and in focus.

    Parameters
    ----------
    luma
        uint8, (rows, columns).

    Returns
    -------
    tuple of float
        The shares of blocks with coarse detail and little fine detail, and with much of both. The rest is in between,
        or flat.
    """
    side = min(luma.shape)
    block = max(8, side // _BLOCKS)
    # Sums of whole numbers: the same on every machine, as which photographs are taken hangs on them.
    reaches = [max(at, round(reach * side / _SIDE)) for at, reach in enumerate(_REACHES, 1)]
    fine, coarse = (_measure_detail(luma, (reaches[at], reaches[at + 1]), block) for at in (0, 2))
    ratio, says = np.sqrt(fine / np.maximum(coarse, 1e-9)), coarse > _COARSE
    return float((says & (ratio < _RATIOS[0])).mean()), float((says & (ratio > _RATIOS[1])).mean())


def _measure_detail(luma: NDArray[np.uint8], reaches: tuple[int, int], block: int) -> NDArray[np.float64]:
    """Squared differences of two means of a pixel's surroundings, averaged in blocks, squared levels; what does not
    fill a block at the right and at the bottom is left out.
    """
    sides = [2 * reach + 1 for reach in reaches]
    sums = [cv2.boxFilter(luma, cv2.CV_32S, (side, side), normalize=False).astype(np.int64) for side in sides]
    areas = [side * side for side in sides]
    squares = (sums[0] * areas[1] - sums[1] * areas[0]) ** 2
    rows, columns = luma.shape[0] // block, luma.shape[1] // block
    inside = squares[: rows * block, : columns * block].reshape(rows, block, columns, block)
    return np.asarray(inside.sum(axis=(1, 3)) / (areas[0] * areas[1]) ** 2 / block**2)
