"""How V grows along a dial: places, and what can be reached."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import SEVERITIES

from distortlab.distortions.base import TARGETS, Distortion
from distortlab.distortions.catalog import CATALOG
from distortlab.severity.visibility_curve import VisibilityCurve, list_places, make_ladder_curve

ROWS = st.sampled_from(CATALOG)


@given(ROWS)
def test_the_curve_of_the_ladder_goes_through_it(row: Distortion) -> None:
    curve = make_ladder_curve(row)
    assert (np.diff(curve.places) > 0).all()
    for severity, amount in zip(SEVERITIES, row.matched.values, strict=True):
        place = row.dial.locate(amount)
        if row.matched.values.count(amount) == 1:
            assert curve.evaluate(place) == pytest.approx(math.log(TARGETS[severity - 1]))
            assert row.dial.interpolate(curve.locate(math.log(TARGETS[severity - 1]))) == pytest.approx(amount)


@given(ROWS)
def test_places_of_whole_numbers_are_those_of_the_settings(row: Distortion) -> None:
    places = list_places(row.dial)
    assert (places[0], places[-1]) == (0, 1)
    amounts = [row.dial.interpolate(place) for place in places]
    if row.dial.whole:
        low, high = sorted((row.dial.weakest, row.dial.strongest))
        assert sorted(amounts) == list(np.arange(low, high + 1))
    else:
        assert len(places) == 257


def test_what_is_predicted_says_what_it_can_reach() -> None:
    curve = VisibilityCurve(np.array([0.0, 0.5, 1.0]), np.log([1.0, 2.0, 4.0]), basis="predicted")
    assert curve.can_reach(math.log(4.25), 1.2)
    assert not curve.can_reach(math.log(4.5), 1.2)  # within the tolerance, and as likely beyond it
    assert not curve.can_reach(math.log(6.5), 1.2)
    assert curve.can_reach(math.log(5.2), 2)
    assert not curve.can_reach(math.log(0.5), 1.2)
    assert curve.can_reach(math.log(2.9), 1.01)
    assert not replace(curve, whole=True).can_reach(math.log(2.9), 1.2)  # between two settings, near neither
    assert curve.locate(math.log(1.9)) == 0.5
    assert curve.locate(9.0) == 1.0


def test_what_is_not_predicted_reaches_all_that_is_known() -> None:
    for basis in ("ladder", "undefined"):
        assert make_ladder_curve(CATALOG[0], basis).can_reach(99.0, 1.01)  # type: ignore[arg-type]
