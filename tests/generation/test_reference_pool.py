"""The order in which the regions of a reference are tried."""

from collections import Counter

from dataset_samples import COLUMNS, ROWS, picture, small_recipe
from hypothesis import given
from hypothesis import strategies as st

from distortlab.core.region import Box, Region
from distortlab.generation.reference_pool import LoadedReference
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
