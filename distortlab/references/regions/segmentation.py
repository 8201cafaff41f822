"""Regions of a picture that nobody annotated: compact pieces of one look, found by graph-based segmentation.

The picture is segmented on a small copy at two scales (Felzenszwalb and Huttenlocher 2004,
doi:10.1023/B:VISI. 0000022288.19776.77); each piece is smoothed, filled and judged by how compact and large
it is and how little of it lies along the frame; of pieces that overlap, the best is kept. The result is a
region with an outline of its own, not an object with a name.
"""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from distortlab.core.image import Image, get_shape
from distortlab.core.region import Mask, Region
from distortlab.imaging.decode import shrink
from distortlab.recipe import RegionRules
from distortlab.references.regions.rules import find_rule_violation

__all__ = ["segment_image"]

WORKING_SIDE = 160
SCALES = (100.0, 300.0)
SMOOTHING = 0.8
MIN_COMPACTNESS = 0.6
"""Least share of its convex hull that a piece must fill; a disc has 1, a five-pointed star 0.47."""
MAX_REGIONS = 12


class _Piece(NamedTuple):
    score: float
    mask: Mask


def segment_image(image: Image, rules: RegionRules) -> tuple[Region, ...]:
    """Find compact pieces of one look in an image.

    Parameters
    ----------
    image
        uint8 RGB, (rows, columns, 3).
    rules
        Of the recipe.

    Returns
    -------
    tuple of Region
        Up to `MAX_REGIONS` that do not overlap and pass `rules`, the best first. Always the same for the same image.
    """
    small = shrink(image, WORKING_SIDE)
    pieces = sorted(_find_pieces(small, rules), key=lambda piece: -piece.score)
    taken = np.zeros(get_shape(small), np.uint8)
    found: list[Region] = []
    for piece in pieces:
        if cv2.countNonZero(cv2.bitwise_and(taken, piece.mask)) or len(found) == MAX_REGIONS:
            continue
        region = Region.from_mask(_enlarge_mask(piece.mask, get_shape(image)))
        if find_rule_violation(region, rules) is None:
            taken |= piece.mask
            found.append(region)
    return tuple(found)


def _find_pieces(small: Image, rules: RegionRules) -> Iterator[_Piece]:
    from skimage.segmentation import felzenszwalb

    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)
    frame = small.shape[0] * small.shape[1]
    least = max(16, int(rules.min_area * frame))
    for scale in SCALES:
        labels = felzenszwalb(lab, scale=scale, sigma=SMOOTHING, min_size=least // 2, channel_axis=-1)
        for label in np.flatnonzero(np.bincount(labels.ravel()) >= least):
            mask = _clean_mask(labels == label)
            share = cv2.countNonZero(mask) / frame
            compact = _compactness(mask)
            if rules.min_area <= share <= rules.max_area and compact >= MIN_COMPACTNESS:
                yield _Piece(compact * share**0.25 * (1 - _frame_share(mask)), mask)


def _clean_mask(piece: NDArray[np.bool_]) -> Mask:
    """The largest part of a piece without its thin arms, holes filled, outline smoothed; 0 or 1."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    mask = cv2.morphologyEx(piece.astype(np.uint8), cv2.MORPH_OPEN, disc)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(mask)
    if contours:
        cv2.drawContours(filled, [max(contours, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    return np.asarray(cv2.medianBlur(filled, 5), dtype=np.uint8)


def _compactness(mask: Mask) -> float:
    """Area over the area of the convex hull, 0..1."""
    points = cv2.findNonZero(mask)
    if points is None:
        return 0.0
    hull = cv2.convexHull(points)
    outer = np.zeros_like(mask)
    cv2.fillConvexPoly(outer, hull, 1)
    return len(points) / max(1, cv2.countNonZero(outer))


def _frame_share(mask: Mask) -> float:
    """Pixels on the frame over the perimeter of the box, 0..1: pieces of background lie along the frame."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    on_frame = sum(int(np.count_nonzero(side)) for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))
    return min(1.0, on_frame / (2 * (np.ptp(rows) + np.ptp(columns) + 2)))


def _enlarge_mask(mask: Mask, shape: tuple[int, int]) -> Mask:
    """To full size with a smooth outline: blurred, interpolated, then cut at one half."""
    soft = cv2.blur(mask * np.uint8(255), (3, 3), borderType=cv2.BORDER_REPLICATE)
    soft = cv2.resize(soft, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(soft, dtype=np.uint8) >> np.uint8(7)
