"""What is known of a reference in memory, and the order in which its regions are tried."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from dataset_samples import COLUMNS, ROWS, picture, small_recipe
from hypothesis import given
from hypothesis import strategies as st

from distortlab.core.region import Box, Region
from distortlab.generation import loaded_reference
from distortlab.generation.loaded_reference import LoadedReference
from distortlab.recipe import RegionRules
from distortlab.references.base import NamedRegion, Reference


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_every_image_of_a_reference_begins_with_another_name(counts: list[int]) -> None:
    """However many regions a name has, it comes first as often as the others; and all its regions get their turn."""
    named = [chr(97 + i) for i, count in enumerate(counts) for _ in range(count)]
    region = Region.from_box(Box(0, 0, 40, 40), (ROWS, COLUMNS))
    places = tuple(NamedRegion(region, name) for name in named)
    reference = Reference("r", picture(1), b"", "png", "made", "none", places, annotated=places)
    loaded = LoadedReference(reference, small_recipe())
    turns = len(counts) * 9
    first = Counter(places[loaded.order_regions("image", turn)[0]].object for turn in range(turns))
    compatible = loaded.candidate_names("image")
    assert set(first) == set(compatible)
    firsts = [loaded.first_regions(turn) for turn in range(turns)]
    assert set(Counter(next(iter(order)) for order in firsts).values()) == {9}
    assert {index for order in firsts for index in order.values()} == set(range(len(named)))


def test_a_region_that_would_break_the_rules_without_its_background_stays_as_it_was_drawn() -> None:
    image = np.full((ROWS, COLUMNS, 3), (90, 150, 60), np.uint8)
    image[30:130, 40:180] = (120, 60, 40)
    drawn = Region.from_box(Box(36, 26, 184, 134), (ROWS, COLUMNS))
    reference = Reference("r", image, b"", "png", "made", "none", (NamedRegion(drawn, "coat"),), drawn_by_hand=True)
    rules = RegionRules(min_area=0.01, min_side=8)
    tight = LoadedReference(reference, replace(small_recipe(), regions=rules)).region(0)
    assert 0.8 * drawn.area < tight.area < 0.95 * drawn.area
    strict = replace(rules, min_area=0.95 * drawn.area / (ROWS * COLUMNS))
    assert LoadedReference(reference, replace(small_recipe(), regions=strict)).region(0).rle == drawn.rle


@pytest.mark.parametrize("is_independent", [False, True])
def test_where_images_are_independent_rough_measurements_are_never_those_of_another(is_independent: bool) -> None:
    region = Region.from_box(Box(40, 20, 220, 180), (ROWS, COLUMNS))
    places = (NamedRegion(region, "dog"),)
    reference = Reference("r", picture(1), b"", "png", "made", "none", places, annotated=places, drawn_by_hand=True)
    loaded = LoadedReference(reference, small_recipe(), is_independent=is_independent)
    assert (loaded.scene(0) is loaded.rough_scene(0)) != is_independent


@pytest.mark.parametrize("is_rough_first", [False, True])
def test_a_region_as_it_was_drawn_is_measured_once(is_rough_first: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loaded_reference, "tighten_region", lambda image, region: region)
    places = (NamedRegion(Region.from_box(Box(40, 20, 220, 180), (ROWS, COLUMNS)), "dog"),)
    reference = Reference("r", picture(1), b"", "png", "made", "none", places, annotated=places, drawn_by_hand=True)
    loaded = LoadedReference(reference, small_recipe(), is_independent=True)
    calls = (loaded.scene, loaded.rough_scene)
    first, second = (call(0) for call in (calls[::-1] if is_rough_first else calls))
    assert first is second
