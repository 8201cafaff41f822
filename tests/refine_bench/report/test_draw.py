"""Drawings of the page."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refine_bench.report.draw import draw_interval, find_bar_start


@given(
    st.floats(-1, 1),
    st.lists(st.floats(-1, 1), min_size=2, max_size=2).map(sorted),
    st.one_of(st.none(), st.floats(0, 1)),
)
def test_bars_have_room_for_what_they_show(value: float, interval: list[float], floor: float | None) -> None:
    start = find_bar_start([value, *interval])
    assert start <= min(0.0, value, interval[0])
    drawn = draw_interval(value, interval, floor, start)
    a, b = (float(re.search(rf'class="range".*?{end}="([\d.]+)"', drawn)[1]) for end in ("x1", "x2"))
    assert b - a == pytest.approx(112 * (interval[1] - interval[0]) / (1 - start), abs=0.11)
    assert ('class="zero"' in drawn) == (start < 0)
