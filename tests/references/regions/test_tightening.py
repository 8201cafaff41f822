"""Outlines drawn by people lose the background that they hold at their edge, and nothing else."""

import cv2
import numpy as np
import pytest
from samples import Pixels

from distortlab.api import distort
from distortlab.core.region import Region
from distortlab.references.regions.tightening import tighten_region

GRASS, SKY, COAT = (90, 150, 60), (200, 220, 250), (120, 60, 40)


def scene(background: tuple[int, int, int] = GRASS, noise: int = 6) -> tuple[Pixels, Pixels]:
    """A disc of one colour on another, with some noise; and the mask of the disc."""
    image = np.full((160, 200, 3), background, np.uint8)
    disc = np.zeros((160, 200), np.uint8)
    cv2.circle(disc, (100, 80), 45, 1, -1)
    image[disc != 0] = COAT
    rng = np.random.default_rng(3)
    return (image + rng.integers(-noise, noise + 1, image.shape)).astype(np.uint8), disc


def grow(mask: Pixels, pixels: int) -> Pixels:
    return cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1,) * 2))


def outside(region: Region, disc: Pixels) -> float:
    """The share of a region that is not the object."""
    full = np.zeros(region.size, np.uint8)
    full[region.bbox.slices] = region.mask
    return float((full & (1 - disc)).sum() / full.sum())


@pytest.mark.parametrize("background", [GRASS, SKY])
@pytest.mark.parametrize("loose", [3, 4, 5])
def test_the_background_in_an_outline_is_taken_off(background: tuple[int, int, int], loose: int) -> None:
    image, disc = scene(background)
    region = Region.from_mask(grow(disc, loose))
    tight = tighten_region(image, region)
    assert outside(region, disc) > 0.03 * loose
    assert outside(tight, disc) < outside(region, disc) / 2
    assert tight.area > 0.97 * disc.sum()


def test_a_bright_rim_is_gone() -> None:
    """The fault that it is for: grass beside a darker object, brightened with it."""
    image, disc = scene()
    region = Region.from_mask(grow(disc, 4))
    ring = (grow(disc, 4) != 0) & (grow(disc, 1) == 0)
    rims = []
    for one in (region, tighten_region(image, region)):
        mask = np.zeros(region.size, np.uint8)
        mask[one.bbox.slices] = one.mask
        out = distort(image, "brighten.shift_value", 4, mask=mask).image
        rims.append(float(np.abs(out[ring].astype(int) - image[ring]).mean()))
    assert rims[0] > 8
    assert rims[1] < rims[0] / 4


def test_an_outline_that_fits_stays_as_it_is() -> None:
    image, disc = scene()
    region = Region.from_mask(disc)
    assert tighten_region(image, region).area > 0.995 * region.area
    inside = Region.from_mask(cv2.erode(disc, np.ones((5, 5), np.uint8)))
    assert tighten_region(image, inside) is inside


def test_objects_that_look_like_their_background_keep_their_outline() -> None:
    image, disc = scene((130, 72, 52))
    region = Region.from_mask(grow(disc, 4))
    assert tighten_region(image, region) is region


def test_an_outline_that_would_lose_too_much_stays_as_it_is() -> None:
    image = np.full((160, 200, 3), GRASS, np.uint8)
    disc = np.zeros((160, 200), np.uint8)
    cv2.circle(disc, (100, 80), 14, 1, -1)
    image[disc != 0] = COAT
    region = Region.from_mask(grow(disc, 5))
    assert tighten_region(image, region) is region


def test_what_is_kept_is_a_part_of_the_region(photograph: Pixels, blob_mask: Pixels) -> None:
    region = Region.from_mask(blob_mask)
    tight = tighten_region(photograph, region)
    assert tight.count_common(region) == tight.area <= region.area


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (7, 30)])
@pytest.mark.parametrize("at", [(0, 0), (61, 83)])
def test_small_regions_and_those_at_the_frame_are_taken(shape: tuple[int, int], at: tuple[int, int]) -> None:
    image, _ = scene()
    mask = np.zeros((160, 200), np.uint8)
    mask[at[0] : at[0] + shape[0], at[1] : at[1] + shape[1]] = 1
    assert tighten_region(image, Region.from_mask(mask)).area > 0
    mask[:] = 1
    assert tighten_region(image, Region.from_mask(mask)).area == mask.sum()
