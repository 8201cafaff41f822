"""Scales, and the mapping to 1-5."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refine_bench.datasets import Scale, to_five


@given(st.floats(0, 1), st.floats(-1e3, 1e3), st.floats(0.1, 1e3), st.booleans())
def test_a_scale_maps_onto_one_to_five(share: float, low: float, width: float, up: bool) -> None:
    scale = Scale(low, low + width, up)
    value = to_five(low + share * width, scale)
    assert value == pytest.approx(1 + 4 * (share if up else 1 - share), abs=1e-9)
    assert to_five(low, scale) == (1.0 if up else 5.0)


def test_the_observed_range_gives_the_training_label_of_refine_iqa() -> None:
    # Its example file says so for 10004473376.jpg; DeQA-Score's set runs from 1.09615 to 4.31.
    assert to_five(3.828571, Scale(1.09615, 4.31)) == pytest.approx(4.400806947958697, abs=2e-5)
