"""Which annotations become regions, and which of them are drawn for that."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distortlab.core.region import Region
from distortlab.recipe import RegionRules
from distortlab.references.regions.outlines import Drawing, Polygons, draw_regions, draw_shape, prepare_shape
from distortlab.references.regions.rules import find_rule_violation, is_surely_too_small
from distortlab.references.regions.selection import AnnotatedRegion, select_regions

# pycocotools 2.0.11 has not followed NumPy 2 in how an array is copied.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SIZE = (60, 90)
RULES = RegionRules(min_side=4)


def polygon(*numbers: float) -> Polygons:
    return Polygons((np.array(numbers, np.float64).tobytes(),))


def square(x: float, y: float, side: float) -> Polygons:
    return polygon(x, y, x + side, y, x + side, y + side, x, y + side)


points = st.lists(st.floats(-20, 110), min_size=6, max_size=12).filter(lambda values: len(values) % 2 == 0)


@given(points, points, st.sampled_from([SIZE, (30, 45), (41, 61), (120, 180)]))
def test_a_drawing_stays_within_its_reach(first: list[float], second: list[float], stored: tuple[int, int]) -> None:
    shape = Polygons(polygon(*first).parts + polygon(*second).parts)
    drawing = prepare_shape(shape, SIZE, stored)
    if isinstance(drawing, str):
        assert drawing in ("outside the picture", "outline of an absurd length")
        return
    assert isinstance(drawing, Drawing)
    box, reach = drawing.region.bbox, drawing.reach
    if drawing.region.area:
        assert reach.x1 <= box.x1 < box.x2 <= reach.x2
        assert reach.y1 <= box.y1 < box.y2 <= reach.y2
    if is_surely_too_small(reach, stored, RULES):
        assert find_rule_violation(drawing.region, RULES) in ("too small", "empty")
    assert draw_shape(shape, SIZE, stored) == drawing.region


def test_what_is_left_out_anyway_is_not_drawn() -> None:
    shapes = {"large": square(5, 5, 30), "crowd": square(20, 20, 30), "speck": square(70, 10, 2)}
    drawings = {name: prepare_shape(shape, SIZE, SIZE) for name, shape in shapes.items()}
    candidates = [AnnotatedRegion(name, drawing, name == "crowd") for name, drawing in drawings.items()]
    selection = select_regions([*candidates, AnnotatedRegion("lost", "outside the picture")], RULES)
    assert [place.object for place in selection.regions] == ["large"]
    assert selection.skipped == {"crowd": 1, "too small": 1, "outside the picture": 1}
    assert [place.object for place in selection.annotated] == list(shapes)
    assert [name for name, drawing in drawings.items() if "region" in vars(drawing)] == ["large"]
    assert [place.region for place in selection.annotated] == [
        draw_shape(shape, SIZE, SIZE) for shape in shapes.values()
    ]


@given(st.lists(st.tuples(st.floats(-10, 95), st.floats(-10, 70), st.floats(0.1, 70), st.booleans()), max_size=8))
def test_the_same_regions_are_selected_drawn_or_not(squares: list[tuple[float, float, float, bool]]) -> None:
    shapes = [(square(x, y, side), crowd) for x, y, side, crowd in squares]
    late = select_regions([AnnotatedRegion("a", prepare_shape(s, SIZE, SIZE), crowd) for s, crowd in shapes], RULES)
    early = select_regions([AnnotatedRegion("a", draw_shape(s, SIZE, SIZE), crowd) for s, crowd in shapes], RULES)
    assert late.regions == early.regions
    assert [place.region for place in late.annotated] == [place.region for place in early.annotated]
    assert sum(late.skipped.values()) == sum(early.skipped.values())
    small = ("too small", "empty")
    assert Counter({k: v for k, v in late.skipped.items() if k not in small}) == Counter(
        {k: v for k, v in early.skipped.items() if k not in small}
    )


NECK = (5, 5, 25, 5, 25, 15, 55, 15.001, 55, 5, 75, 5, 75, 25, 55, 25, 55, 15.002, 25, 15.001, 25, 25, 5, 25)
"""Two squares, and a neck between them that is too thin for a pixel."""


def test_a_single_outline_is_taken_to_be_in_one_piece_and_others_are_not() -> None:
    torn = prepare_shape(polygon(*NECK), SIZE, SIZE)
    apart = prepare_shape(Polygons(square(5, 5, 20).parts + square(55, 5, 20).parts), SIZE, SIZE)
    assert isinstance(torn, Drawing)
    assert find_rule_violation(torn.region, RULES) == "in pieces"
    selection = select_regions([AnnotatedRegion("torn", torn), AnnotatedRegion("apart", apart)], RULES)
    assert [place.object for place in selection.regions] == ["torn"]
    assert selection.skipped == {"in pieces": 1}


@given(st.lists(st.lists(points, min_size=1, max_size=3), min_size=1, max_size=5))
def test_regions_drawn_together_are_those_of_their_parts(outlines: list[list[list[float]]]) -> None:
    shapes = [Polygons(tuple(polygon(*part).parts[0] for part in parts)) for parts in outlines]
    together = [prepare_shape(shape, SIZE, SIZE) for shape in shapes]
    draw_regions([drawing for drawing in together if isinstance(drawing, Drawing)])
    for drawing in together:
        if isinstance(drawing, Drawing):
            assert "region" in vars(drawing)
            parts = [draw_shape(Polygons((part,)), SIZE, SIZE) for part in drawing.parts]
            union = Region.union([part for part in parts if isinstance(part, Region)])
            fresh = Region(union.size, union.counts)
            assert drawing.region == fresh
            assert (drawing.region.area, drawing.region.bbox) == (fresh.area, fresh.bbox)


def test_rectangles_and_regions_are_their_own_reach() -> None:
    region = Region.from_mask(np.ones((20, 20), bool))
    (place,) = select_regions([AnnotatedRegion("a", region)], RegionRules(max_area=1, max_box=1, min_side=4)).annotated
    assert place.reach == region.bbox
