"""Boxes, regions, feathers and blends."""

import json

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from samples import Pixels, aligned, blob
from strategies import masks

from distortlab.core.region import Box, Region, blend, feather_mask

# --- feather and blend -------------------------------------------------------------------------------------------


@given(mask=masks(40), feather=st.integers(0, 5))
def test_weights_stay_inside_and_are_whole_in_the_depth(mask: Pixels, feather: int) -> None:
    region = Region.from_mask(mask)
    weight = region.feather_mask(feather)
    assert weight.dtype == np.uint8
    assert not weight[region.mask == 0].any()
    size = 2 * feather + 1
    # What lies beyond the frame belongs to the region as far as its edge pixels do.
    continued = cv2.copyMakeBorder(mask, *[feather] * 4, borderType=cv2.BORDER_REPLICATE)
    deep = cv2.erode(continued, np.ones((size, size), np.uint8), borderValue=1)[
        feather : feather + mask.shape[0], feather : feather + mask.shape[1]
    ]
    assert (weight[deep[region.bbox.slices] == 1] == 255).all()


@pytest.mark.parametrize("feather", range(6))
def test_weights_rise_from_a_straight_edge_inward(feather: int) -> None:
    weight = feather_mask(np.ones((41, 41), np.uint8), feather)
    middle = weight[20, :21].astype(int)
    assert (np.diff(middle) >= 0).all()
    straight = 255 * (2 * np.arange(feather) + 1) / (2 * feather + 1)
    assert np.abs(middle[:feather] - straight).max(initial=0) <= 2
    assert middle[feather] == 255
    assert (middle[:feather] < 255).all()
    assert (middle > 0).all()
    assert np.array_equal(weight, weight[::-1, ::-1])
    assert np.array_equal(weight, weight.T)


@pytest.mark.parametrize("side", ["top", "bottom", "left", "right"])
def test_a_side_on_the_frame_is_not_feathered(side: str) -> None:
    weight = feather_mask(np.ones((30, 30), np.uint8), 4, **{side: False})
    edges = {"top": weight[0], "bottom": weight[-1], "left": weight[:, 0], "right": weight[:, -1]}
    for name, line in edges.items():
        assert (line[10:20] == 255).all() == (name == side)


@pytest.mark.parametrize(
    ("box", "free"),
    [
        (Box(0, 5, 20, 25), "left"),
        (Box(5, 0, 25, 20), "top"),
        (Box(20, 5, 40, 25), "right"),
        (Box(5, 10, 25, 30), "bottom"),
    ],
)
def test_a_region_knows_which_of_its_sides_lie_on_the_frame(box: Box, free: str) -> None:
    weight = Region.from_box(box, (30, 40)).feather_mask(3)
    assert np.array_equal(weight, feather_mask(np.ones((20, 20), np.uint8), 3, **{free: False}))


def test_blend_rounds_to_the_nearest_level_for_every_weight() -> None:
    """All 65,536 pairs of levels at each weight; no ties are possible, 255 being odd."""
    old, new = (plane.astype(np.uint8) for plane in np.mgrid[:256, :256])
    pictures = [np.repeat(plane[..., None], 3, axis=2) for plane in (old, new)]
    for value in (0, 1, 2, 63, 127, 128, 200, 253, 254, 255):
        out = blend(pictures[0], pictures[1], np.full((256, 256), value, np.uint8))
        exact = (new.astype(np.float64) * value + old * (255.0 - value)) / 255
        assert np.array_equal(out, np.repeat(np.rint(exact)[..., None], 3, axis=2))


def test_blend_leaves_its_inputs_alone(small: Pixels) -> None:
    new = 255 - small
    blend(small, new, blob(small.shape[:2]) * np.uint8(120))
    assert np.array_equal(new, 255 - small)


@pytest.mark.parametrize("columns", range(1, 7))
@pytest.mark.parametrize("rows", range(1, 7))
def test_the_smallest_regions_are_feathered_and_blended(rows: int, columns: int) -> None:
    """OpenCV takes arrays of 1 x 1 and 4 x 1 for scalars; a region may have any shape."""
    image, shape = np.full((9, 9, 3), 100, np.uint8), (9, 9)
    for x, y in ((0, 0), (1, 1), (9 - columns, 9 - rows)):
        for feather in range(4):
            region = Region.from_box(Box(x, y, x + columns, y + rows), shape)
            weight = region.feather_mask(feather)
            assert weight.shape == (rows, columns)
            out = blend(image[region.bbox.slices], np.full((rows, columns, 3), 200, np.uint8), weight)
            assert np.array_equal(out[..., 0], np.rint(100 + 100 * (weight / 255)))


# --- boxes and regions -------------------------------------------------------------------------------------------


@given(
    st.integers(0, 60),
    st.integers(0, 40),
    st.integers(1, 30),
    st.integers(1, 30),
    st.integers(0, 50),
    st.integers(1, 16),
)
def test_a_grown_box_is_on_the_grid_or_on_the_frame(x: int, y: int, w: int, h: int, halo: int, grid: int) -> None:
    shape, box = (71, 93), Box(x, y, x + w, y + h)
    out = box.grow(halo, shape, grid)
    assert out == aligned(box, shape, halo, grid)
    assert 0 <= out.x1 <= box.x1 < box.x2 <= out.x2 <= shape[1]
    assert 0 <= out.y1 <= box.y1 < box.y2 <= out.y2 <= shape[0]
    assert box.relative_to(out) == Box(x - out.x1, y - out.y1, x + w - out.x1, y + h - out.y1)


@given(masks(40))
def test_a_region_is_its_mask(mask: Pixels) -> None:
    region = Region.from_mask(mask)
    rows, columns = np.nonzero(mask)
    box = Box(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
    assert region.bbox == box
    assert region.area == mask.sum()
    assert np.array_equal(region.mask, mask[box.slices])
    assert Region.from_rle(json.loads(json.dumps(region.rle))) == region
    assert region == Region.from_mask(mask.astype(bool)) == Region.from_mask(mask * 255) == Region.from_mask(mask * 0.5)


@given(masks(60), st.integers(1, 12), st.integers(1, 12))
def test_a_region_is_encoded_and_decoded_as_pycocotools_does(mask: Pixels, rows: int, columns: int) -> None:
    """Only the columns of its box are, which must not show: not in small frames, nor where it touches a side."""
    for part in (mask, mask[:rows, :columns], np.asfortranarray(mask), mask[::-1, ::-1]):
        coded = coco_mask.encode(np.asfortranarray(part))
        region = Region.from_mask(part)
        assert region.counts == coded["counts"]
        again = Region(region.size, region.counts)
        assert again.bbox == region.bbox
        assert np.array_equal(again.mask, coco_mask.decode(coded)[region.bbox.slices])
        assert np.array_equal(again.mask, region.mask)


@given(masks(40), st.integers(0, 9), st.integers(0, 9), st.integers(0, 3), st.integers(0, 3))
def test_a_part_of_an_image_is_enough(mask: Pixels, top: int, left: int, bottom: int, right: int) -> None:
    whole = np.pad(mask, ((top, bottom), (left, right)))
    rows, columns = mask.shape
    region = Region.from_part(
        mask, Box(left, top, left + columns, top + rows), (top + rows + bottom, left + columns + right)
    )
    assert region == Region.from_mask(whole)
    assert region.bbox == Region.from_mask(whole).bbox
    assert np.array_equal(region.mask, Region.from_mask(whole).mask)


@given(masks(40))
def test_the_largest_part_is_that_of_the_connected_components(mask: Pixels) -> None:
    _, _, statistics, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    assert Region.from_mask(mask).largest_part == statistics[1:, cv2.CC_STAT_AREA].max() / mask.sum()


def test_an_empty_region_has_no_part() -> None:
    region = Region.from_mask(np.zeros((5, 7), bool))
    assert (region.area, region.bbox, region.mask.shape, region.largest_part) == (0, Box(0, 0, 0, 0), (0, 0), 0.0)
    assert Region(region.size, region.counts).mask.shape == (0, 0)


def test_a_box_region_is_a_rectangle() -> None:
    box = Box(3, 5, 17, 11)
    region = Region.from_box(box, (20, 30))
    assert (region.bbox, region.area) == (box, 84)
    assert region.mask.all()
