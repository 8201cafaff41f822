"""Outlines: read, refused or drawn."""

from typing import Any

import numpy as np
import pytest
from coco_samples import REGIONS, json_values
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from reference_samples import square

from distortlab.core.region import Box, Region
from distortlab.core.run_lengths import decode_runs
from distortlab.references.regions.outlines import (
    Runs,
    Shape,
    draw_shape,
    read_rectangle,
    read_shape,
)
from distortlab.references.regions.rules import find_rule_violation

# pycocotools 2.0.11 has not followed NumPy 2 in how an array is copied.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


SIZE = (30, 40)


def draw_small(shape: Shape | str, stored: tuple[int, int] = SIZE) -> Region | str:
    assert not isinstance(shape, str)
    return draw_shape(shape, SIZE, stored)


@given(st.lists(st.tuples(st.floats(-100, 140), st.floats(-100, 130)), min_size=3, max_size=9))
def test_polygons_reaching_out_of_the_picture_are_clipped_to_it(points: list[tuple[float, float]]) -> None:
    flat = [value for point in points for value in point]
    region = draw_small(read_shape({"segmentation": [flat]}, None))
    # The same outline, moved into a frame large enough to hold it all.
    moved = [value + 100 for value in flat]
    whole = coco_mask.decode(coco_mask.frPyObjects([moved], 300, 300))[100:130, 100:140, 0]
    if isinstance(region, str):
        assert region in ("outside the picture", "outline of an absurd length")
        assert not whole.any()
    else:
        found = coco_mask.decode(region.rle)
        # Rounding differs by one pixel along edges that were moved.
        assert abs(int(found.sum()) - int(whole.sum())) <= 4 * sum(SIZE)
        assert region.size == SIZE


def test_polygons_are_drawn_as_the_reference_code_draws_them() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        parts = [rng.uniform(0, 30, 12).round(2).tolist() for _ in range(2)]
        expected = coco_mask.merge(coco_mask.frPyObjects(parts, *SIZE))
        assert draw_small(read_shape({"segmentation": parts}, None)) == Region.from_rle(expected)


@pytest.mark.parametrize(
    ("outline", "reason"),
    [
        ([square(50, 5, 9)], "outside the picture"),
        ([square(-9, -9, 9)], "outside the picture"),
        ([[0, 0, 1e12, 0, 1e12, 1e12]], "outline of an absurd length"),
        ([[-1.7e308, 0, 1.7e308, 0, 1.7e308, 9]], "outline of an absurd length"),
        ([[0, 0, 39, 29] * 5000], "outline of an absurd length"),
        ({"size": [40, 30], "counts": [1200]}, "run lengths of another size than the picture"),
        ({"size": [30, 40], "counts": "\x00"}, "damaged run lengths"),
        ({"size": [30, 40], "counts": ""}, "damaged run lengths"),
        ({"size": [30, 40], "counts": "o" * 50}, "damaged run lengths"),
        ({"size": [30, 40], "counts": "oooooooooooo0"}, "damaged run lengths"),
    ],
)
def test_what_cannot_be_drawn_has_a_reason(outline: Any, reason: str) -> None:
    shape = read_shape({"segmentation": outline}, None)
    assert (shape if isinstance(shape, str) else draw_shape(shape, SIZE, SIZE)) == reason


def test_a_degenerate_polygon_is_empty() -> None:
    region = draw_small(read_shape({"segmentation": [[5, 5, 5, 5, 5, 5]]}, None))
    assert isinstance(region, Region)
    assert find_rule_violation(region, REGIONS) == "empty"


masks = st.builds(
    lambda seed, share: (np.random.default_rng(seed).random(SIZE) < share).astype(np.uint8),
    st.integers(0, 1000),
    st.sampled_from([0.0, 0.02, 0.5, 1.0]),
)


@given(masks)
def test_runs_are_read_as_they_were_written(mask: np.ndarray) -> None:
    region = Region.from_mask(mask)
    runs = decode_runs(region.counts, mask.size)
    assert runs is not None
    values = np.repeat(np.arange(runs.size) % 2, runs)
    assert np.array_equal(values, mask.ravel(order="F"))
    as_text, as_list = ({"size": list(SIZE), "counts": c} for c in (region.counts.decode(), runs.tolist()))
    assert draw_small(read_shape({"segmentation": as_text}, None)) == region
    assert draw_small(read_shape({"segmentation": as_list}, None)) == region


@settings(max_examples=500)
@given(masks, st.data())
def test_damaged_runs_are_refused_or_drawn_inside(mask: np.ndarray, data: st.DataObject) -> None:
    counts = bytearray(Region.from_mask(mask).counts)
    for _ in range(data.draw(st.integers(1, 4))):
        counts[data.draw(st.integers(0, len(counts) - 1))] = data.draw(st.integers(48, 111))
    region = draw_shape(Runs(SIZE, bytes(counts)), SIZE, SIZE)
    if isinstance(region, Region) and region.area:
        box = region.bbox
        assert 0 <= box.x1 < box.x2 <= 40
        assert 0 <= box.y1 < box.y2 <= 30
        assert region.mask.sum() == region.area


@given(st.text(st.characters(codec="ascii"), max_size=40))
def test_any_text_is_refused_or_drawn(text: str) -> None:
    shape = read_shape({"segmentation": {"size": list(SIZE), "counts": text}}, None)
    assert isinstance(draw_small(shape), Region | str)


def test_runs_of_no_length_do_not_mislead_the_box() -> None:
    counts = [0, 0, 100, 0, 0, 50, 1050]
    region = draw_small(read_shape({"segmentation": {"size": list(SIZE), "counts": counts}}, None))
    assert isinstance(region, Region)
    assert region == Region.from_mask(coco_mask.decode(region.rle))
    assert (region.area, region.bbox) == (50, Box(3, 0, 5, 30))


@settings(max_examples=300)
@given(json_values, json_values)
def test_any_outline_and_any_box_are_refused_or_drawn(outline: Any, box: Any) -> None:
    rectangle = read_rectangle(box)
    shape = read_shape({"segmentation": outline}, None if isinstance(rectangle, str) else rectangle)
    assert isinstance(shape if isinstance(shape, str) else draw_shape(shape, SIZE, SIZE), Region | str)
