"""Which references are loaded and kept, and which ones a slot falls back on."""

from collections import Counter
from dataclasses import dataclass, field

from dataset_samples import COLUMNS, ROWS, Painting, small_recipe
from hypothesis import given
from hypothesis import strategies as st

from distortlab.generation.plan import EditRequest, Slot
from distortlab.generation.reference_pool import ReferencePool
from distortlab.recipe import ReferenceRules, RegionRules
from distortlab.references.base import Reference


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
