"""Photographs, masks and the shortest way to distort them, for the tests and for `record_goldens.py`."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

from distortlab.core.region import Box, Region, blend
from distortlab.distortions.base import Distortion, Profile, Site
from distortlab.distortions.catalog import CATALOG, get_amount
from distortlab.distortions.edit import Edit, render

Pixels = NDArray[np.uint8]

NAMES = tuple(row.name for row in CATALOG)
DQ_NAMES = tuple(row.name for row in CATALOG if row.dq is not None)
SEVERITIES = (1, 2, 3, 4, 5)
PROFILES: tuple[Profile, ...] = ("matched", "dq")
# The only ones whose pixels may depend on the seed.
RANDOM = {
    *(name for name in NAMES if name.startswith("noise.")),
    "blur.motion",
    "blur.glass",
    "blur.jitter",
}


@lru_cache(maxsize=1)
def photograph() -> Pixels:
    """200 rows, 260 columns of scikit-image's portrait: skin, cloth, edges, a flag, dark and light. Read-only."""
    return _frozen(data.astronaut()[10:210, 110:370])


@lru_cache(maxsize=1)
def small_photograph() -> Pixels:
    """96 rows, 128 columns of scikit-image's cat. Read-only."""
    return _frozen(data.chelsea()[80:176, 100:228])


def _frozen(image: Pixels) -> Pixels:
    out = np.ascontiguousarray(image)
    out.setflags(write=False)
    return out


def blob(shape: tuple[int, int]) -> Pixels:
    """Two joined discs in the middle: a box with corners that do not belong to the region."""
    rows, columns = shape
    mask = np.zeros(shape, np.uint8)
    cv2.ellipse(
        mask, (int(columns * 0.42), int(rows * 0.45)), (int(columns * 0.22), int(rows * 0.26)), 0, 0, 360, 1, -1
    )
    cv2.circle(mask, (int(columns * 0.65), int(rows * 0.6)), int(rows * 0.18), 1, -1)
    return mask


def thin(shape: tuple[int, int]) -> Pixels:
    """A slanted line, two or three pixels wide."""
    mask = np.zeros(shape, np.uint8)
    cv2.line(mask, (shape[1] // 5, shape[0] // 4), (shape[1] * 4 // 5, shape[0] * 2 // 3), 1, 2)
    return mask


def touching(shape: tuple[int, int]) -> Pixels:
    """An ellipse that is cut off by the upper and the left side of the frame."""
    mask = np.zeros(shape, np.uint8)
    cv2.ellipse(mask, (shape[1] // 6, shape[0] // 8), (shape[1] // 3, shape[0] // 3), 20, 0, 360, 1, -1)
    return mask


def corner(shape: tuple[int, int]) -> Pixels:
    """A box in the lower right corner of the frame."""
    mask = np.zeros(shape, np.uint8)
    mask[shape[0] * 2 // 3 :, shape[1] * 3 // 4 :] = 1
    return mask


def pixel(shape: tuple[int, int]) -> Pixels:
    """A single pixel."""
    mask = np.zeros(shape, np.uint8)
    mask[shape[0] // 3, shape[1] // 2] = 1
    return mask


def scattered(shape: tuple[int, int]) -> Pixels:
    """Single pixels and small groups all over the image."""
    return (np.random.default_rng(5).random(shape) < 0.2).astype(np.uint8)


def whole(shape: tuple[int, int]) -> Pixels:
    """Everything."""
    return np.ones(shape, np.uint8)


MASKS: Mapping[str, Callable[[tuple[int, int]], Pixels]] = {
    kind.__name__: kind for kind in (blob, thin, touching, corner, pixel, scattered, whole)
}


def edit_of(
    row: Distortion,
    severity: int,
    mask: Pixels,
    *,
    scale: float = 1.0,
    feather: int = 0,
    seed: int = 0,
    profile: Profile = "matched",
) -> Edit:
    """An edit at the lengths of a 512-pixel image, whatever the size of the picture at hand."""
    amount, region = get_amount(row, severity, profile), Region.from_mask(mask)
    return Edit(region, row.name, severity, amount, scale, feather, (seed, row.name), row.version)


def distorted(image: Pixels, row: Distortion, severity: int, mask: Pixels, **options: Any) -> Pixels:
    """The whole image with one edit, by way of the region engine."""
    return render(image, [edit_of(row, severity, mask, **options)])


def on_whole_image(image: Pixels, row: Distortion, edit: Edit) -> Pixels:
    """What the region engine must agree with: the operator on the whole frame, then the same blend."""
    region = edit.region
    frame = (image.shape[0], image.shape[1])
    everything = Region.from_mask(np.ones(frame, np.uint8)).bbox
    site = Site(frame, everything, region.bbox, region.mask, image, edit.address, edit.scale)
    changed = row.operator(image, edit.amount * edit.scale if row.spatial else edit.amount, site)
    out, cut = image.copy(), region.bbox.slices
    inside = [np.ascontiguousarray(picture[cut]) for picture in (image, changed)]
    out[cut] = blend(inside[0], inside[1], region.feather_mask(edit.feather))
    return out


def difference(first: Pixels, second: Pixels) -> float:
    """Mean absolute difference, levels."""
    return float(cv2.absdiff(first, second).mean(dtype=np.float64))


def steps(values: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Neighbours in a list."""
    return list(pairwise(values))


def aligned(box: Box, shape: tuple[int, ...], halo: int, grid: int) -> Box:
    """Written out: one halo around the box, then outward to the grid, then cut off at the frame."""
    x1, y1 = ((v - halo) - (v - halo) % grid for v in box[:2])
    x2, y2 = ((v + halo) + -(v + halo) % grid for v in box[2:])
    return Box(max(x1, 0), max(y1, 0), min(x2, shape[1]), min(y2, shape[0]))
