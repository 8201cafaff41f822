"""Which references are loaded and kept, and the order in which the regions of one are tried."""

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from dataset_samples import COLUMNS, ROWS, Painting, picture, small_recipe
from hypothesis import given
from hypothesis import strategies as st

from distortlab.core.region import Box, Region
from distortlab.generation import reference_pool
from distortlab.generation.plan import EditRequest, Slot
from distortlab.generation.reference_pool import LoadedReference, ReferencePool
from distortlab.recipe import ReferenceRules, RegionRules
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


@dataclass(frozen=True, slots=True)
class Counted:
    """A painting that counts how often it is loaded."""

    painting: Painting
    loads: Counter[str] = field(default_factory=Counter)

    @property
    def id(self) -> str:
        return self.painting.id

    @property
    def name_count(self) -> int:
        return self.painting.name_count

    @property
    def region_count(self) -> int:
        return self.painting.region_count

    def load(self, references: ReferenceRules, regions: RegionRules) -> Reference:
        self.loads[self.id] += 1
        return self.painting.load(references, regions)


def pool_of(*kinds: str, kept_pixels: int = 1 << 30) -> tuple[ReferencePool, Counter[str]]:
    loads: Counter[str] = Counter()
    entries = tuple(Counted(Painting(number, kind), loads) for number, kind in enumerate(kinds))
    return ReferencePool(entries, small_recipe(), len(entries) - 2, kept_pixels=kept_pixels), loads


def slot(entry: int, number: int = 0) -> Slot:
    return Slot(f"train-{number:06d}", (EditRequest("noise", 3),), ("object",), entry, 0)


def test_the_reference_of_a_slot_outlasts_those_it_falls_back_on() -> None:
    pool, loads = pool_of(*["good"] * 6, kept_pixels=2 * ROWS * COLUMNS)
    first = list(pool.load_for(slot(0)))
    assert len(first) == 6
    again = next(pool.load_for(slot(0, 1)))
    assert again[0] is first[0][0]
    assert set(loads.values()) == {1}
    assert len(pool._kept) == 2
    next(pool.load_for(slot(1, 2)))
    next(pool.load_for(slot(2, 3)))
    next(pool.load_for(slot(0, 4)))
    assert loads["painting-000000"] == 2


@given(st.integers(1, 9), st.integers(0, 9), st.data())
def test_where_a_reference_does_not_do_each_other_is_tried_once_and_spares_first(
    primary: int, spare: int, data: st.DataObject
) -> None:
    pool = ReferencePool([Painting(number) for number in range(primary + spare)], small_recipe(), spare)
    entry = data.draw(st.integers(0, primary - 1))
    own, *others = [found for found, _ in pool.order_entries(slot(entry))]
    assert own == entry
    assert sorted(others) == [number for number in range(primary + spare) if number != entry]
    assert all(number >= primary for number in others[:spare])
    assert others[spare:] == [*range(entry - 1, -1, -1), *range(entry + 1, primary)]


def test_slots_beside_each_other_fall_back_on_the_same_spares() -> None:
    pool = ReferencePool([Painting(number) for number in range(80)], small_recipe(), 20)
    first = [[found for found, _ in pool.order_entries(slot(entry))][1] for entry in range(60)]
    assert first == sorted(first)
    assert set(first) == set(range(60, 80))


def test_what_is_left_out_of_a_reference_is_counted_once_however_often_it_is_loaded() -> None:
    pool, loads = pool_of("good", "good", "empty", kept_pixels=0)
    for _ in range(3):
        for entry in (0, 1, 2):
            pool._own = entry
            assert (pool.load(entry) is None) == (entry == 2)
    assert loads == {"painting-000000": 3, "painting-000001": 3, "painting-000002": 1}
    assert pool.counts.skipped == {"too thin": 1}
    assert pool.counts.screened.total() == 1
    assert pool.counts.opened == 3


@pytest.mark.parametrize("is_independent", [False, True])
def test_where_images_are_independent_rough_measurements_are_never_those_of_another(is_independent: bool) -> None:
    region = Region.from_box(Box(40, 20, 220, 180), (ROWS, COLUMNS))
    places = (NamedRegion(region, "dog"),)
    reference = Reference("r", picture(1), b"", "png", "made", "none", places, annotated=places, drawn_by_hand=True)
    loaded = LoadedReference(reference, small_recipe(), is_independent=is_independent)
    assert (loaded.scene(0) is loaded.rough_scene(0)) != is_independent


@pytest.mark.parametrize("is_rough_first", [False, True])
def test_a_region_as_it_was_drawn_is_measured_once(is_rough_first: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_pool, "tighten_region", lambda image, region: region)
    places = (NamedRegion(Region.from_box(Box(40, 20, 220, 180), (ROWS, COLUMNS)), "dog"),)
    reference = Reference("r", picture(1), b"", "png", "made", "none", places, annotated=places, drawn_by_hand=True)
    loaded = LoadedReference(reference, small_recipe(), is_independent=True)
    calls = (loaded.scene, loaded.rough_scene)
    first, second = (call(0) for call in (calls[::-1] if is_rough_first else calls))
    assert first is second
