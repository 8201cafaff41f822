"""The catalogue in pictures: every variant at the five severities of a ladder, on one photograph."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from distortlab.api import distort, make_region
from distortlab.core.errors import UserError, describe_unknown
from distortlab.core.image import Image, get_shape
from distortlab.core.region import Mask, Region
from distortlab.distortions.base import Distortion, Profile
from distortlab.distortions.catalog import CATALOG, FAMILIES
from distortlab.imaging.decode import read_image
from distortlab.visualization.tiles import Tile, draw_sheet

__all__ = ["Step", "draw_catalog_sheet", "load_photograph", "load_sample_photograph", "render_steps", "select_rows"]

_AROUND = 16  # pixels of the photograph around the region
_WIDEST = 320  # of a tile; larger regions are shown smaller


@dataclass(frozen=True, slots=True)
class Step:
    """A distortion at one severity. `image` is cut out around the region, uint8 RGB; `v` how visible it came out."""

    row: Distortion
    severity: int
    amount: float
    v: float
    image: Image


def load_sample_photograph() -> tuple[Image, Mask]:
    """scikit-image's portrait of Eileen Collins (NASA, public domain) and a mask of the head."""
    from skimage import data

    image = np.ascontiguousarray(data.astronaut())
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.ellipse(mask, (217, 108), (66, 98), 0, 0, 360, 1, -1)
    return image, mask


def load_photograph(
    image: Path | None = None, mask: Path | None = None, box: tuple[int, int, int, int] | None = None
) -> tuple[Image, Mask]:
    """A picture file and what of it to distort, as `distort` takes them; the sample photograph without a file."""
    if image is None and mask is None and box is None:
        return load_sample_photograph()
    pixels = load_sample_photograph()[0] if image is None else read_image(image)
    area = None if mask is None else np.asarray(read_image(mask).any(axis=2))
    region = make_region(get_shape(pixels), area, box)
    full = np.zeros(region.size, np.uint8)
    full[region.bbox.slices] = region.mask
    return pixels, full


def select_rows(families: Sequence[str], profile: Profile) -> list[Distortion]:
    """The rows of some families (of all, if none is named) that have a ladder in the profile."""
    for family in families:
        if family not in FAMILIES:
            raise UserError(describe_unknown("family", family, FAMILIES))
    return [row for row in CATALOG if row.get_ladder(profile) and (not families or row.family in families)]


def render_steps(image: Image, mask: Mask, rows: Sequence[Distortion], profile: Profile = "matched") -> Iterator[Step]:
    """Every row at the five severities of its ladder, in the masked region of one photograph."""
    cut = _cut_out(image, mask)
    for row in rows:
        ladder = row.get_ladder(profile)
        for severity, amount in enumerate(ladder.values if ladder else (), 1):
            out = distort(image, row.name, severity, mask=mask, profile=profile)
            assert out.edit.visibility is not None
            yield Step(row, severity, amount, out.edit.visibility.v, out.image[cut])


def _cut_out(image: Image, mask: Mask) -> tuple[slice, slice]:
    return Region.from_mask(mask).bbox.grow(_AROUND, (image.shape[0], image.shape[1])).slices


def draw_catalog_sheet(image: Image, mask: Mask, steps: Sequence[Step]) -> Image:
    """A row for each variant: the photograph, then severities 1 to 5 with their settings and how visible they are.

    `steps` come from `render_steps` with the same photograph. Around regions of up to 320 pixels nothing is resampled.
    """
    rows, columns = image[_cut_out(image, mask)].shape[:2]
    scale = min(1.0, _WIDEST / max(rows, columns))
    width, height = max(96, round(columns * scale)), max(1, round(rows * scale))
    return draw_sheet(list(_make_tiles(image, mask, steps)), 6, width, height, text=16 if width >= 160 else 12)


def _make_tiles(image: Image, mask: Mask, steps: Sequence[Step]) -> Iterator[Tile]:
    for step in steps:
        if step.severity == 1:
            yield Tile(image[_cut_out(image, mask)], step.row.name, f"dial: {step.row.unit}")
        yield Tile(step.image, f"severity {step.severity}", f"{step.amount:g}   V {step.v:.1f}")
