"""The search for the setting at which a region changes by the V that a severity means."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import NAMES, SEVERITIES, blob, photograph

from distortlab.core.region import Region
from distortlab.distortions.base import TARGETS, Distortion
from distortlab.distortions.catalog import CATALOG, find
from distortlab.distortions.edit import Edit, compute_spatial_scale, render_edit
from distortlab.severity.scene import Scene
from distortlab.severity.search import find_misfit, search_amount
from distortlab.severity.visibility import measure_visibility
from distortlab.severity.visibility_curve import VisibilityCurve

ROWS = st.sampled_from(CATALOG)
CONTINUOUS = st.sampled_from([row for row in CATALOG if not row.dial.whole])


def region_that_shows(row: Distortion, share: float, slope: float) -> Callable[[float], tuple[float, float]]:
    """A made-up region: V is `share` times that of the median region, and grows `slope` times as fast."""
    places = [row.dial.locate(value) for value in row.matched.values]
    logs = np.log(TARGETS)

    def try_amount(amount: float) -> tuple[float, float]:
        place = row.dial.locate(amount)
        low, high = (0, 1) if place < places[2] else (3, 4)
        pace = (logs[high] - logs[low]) / (places[high] - places[low])
        inner = float(np.interp(place, places, logs)) if places[0] <= place <= places[4] else 0.0
        outer = logs[0] + pace * (place - places[0]) if place < places[0] else logs[4] + pace * (place - places[4])
        level = inner if places[0] <= place <= places[4] else outer
        return share * math.exp(slope * (level - logs[2]) + logs[2]), amount

    return try_amount


@given(CONTINUOUS, st.sampled_from(SEVERITIES), st.floats(0.4, 2.5), st.floats(0.6, 1.6))
def test_it_comes_as_near_as_is_asked(row: Distortion, severity: int, share: float, slope: float) -> None:
    try_amount = region_that_shows(row, share, slope)
    target, reach = TARGETS[severity - 1], (try_amount(row.dial.weakest)[0], try_amount(row.dial.strongest)[0])
    found = search_amount(row, severity, 1.1, try_amount)
    assert found.outcome == found.amount  # what was made belongs to the setting
    assert found.ratio == pytest.approx(try_amount(found.amount)[0] / target)
    if reach[0] <= target <= reach[1]:
        assert 1 / 1.1 <= found.ratio <= 1.1
        assert found.tries <= 8
    elif not 1 / 1.1 <= found.ratio <= 1.1:
        assert found.amount in (row.dial.weakest, row.dial.strongest)
        assert found.tries <= 4


@given(CONTINUOUS, st.sampled_from([2, 3, 4]), st.sampled_from([1 / 1.1, 1.05, 1.1]))
def test_it_makes_for_another_place_in_the_band(row: Distortion, severity: int, aim: float) -> None:
    found = search_amount(row, severity, 1.2, region_that_shows(row, 1.0, 1.0), aim=aim)
    assert found.tries == 1
    assert (found.ratio - 1) * (aim - 1) > 0


@given(ROWS, st.sampled_from(SEVERITIES), st.lists(st.floats(0, 30), min_size=1))
def test_whatever_a_region_answers_it_ends_with_the_nearest(
    row: Distortion, severity: int, answers: list[float]
) -> None:
    """Noise in place of a region: V neither grows with the dial nor is the same twice."""
    seen: list[tuple[float, float]] = []

    def try_amount(amount: float) -> tuple[float, float]:
        seen.append((amount, answers[len(seen) % len(answers)]))
        return seen[-1][1], amount

    found = search_amount(row, severity, 1.05, try_amount)
    assert found.tries == len(seen) <= 10
    assert len({amount for amount, _ in seen}) == len(seen)
    assert all(row.dial.contains(amount) for amount, _ in seen)
    off = {amount: abs(math.log(max(v, 1e-3) / TARGETS[severity - 1])) for amount, v in seen}
    assert off[found.amount] == min(off.values())


@given(ROWS, st.sampled_from(SEVERITIES), st.floats(1.2, 3), st.lists(st.floats(0.1, 30), min_size=1))
def test_it_gives_up_where_every_try_is_far_off(
    row: Distortion, severity: int, give_up: float, answers: list[float]
) -> None:
    seen: list[float] = []

    def try_amount(amount: float) -> tuple[float, float]:
        seen.append(abs(math.log(answers[len(seen) % len(answers)] / TARGETS[severity - 1])))
        return answers[(len(seen) - 1) % len(answers)], amount

    search_amount(row, severity, 1.1, try_amount, most=5, give_up=give_up)
    if seen[0] > math.log(give_up) + 1e-9:
        assert len(seen) == 1
    elif len(seen) > 1:
        assert seen[0] > math.log(1.1) - 1e-9


@pytest.mark.parametrize("row", [row for row in CATALOG if not row.dial.whole], ids=lambda row: row.name)
def test_between_two_tries_it_follows_the_curve(row: Distortion) -> None:
    """A region that differs from its curve by a line through both ends: the next try is right."""
    places = np.arange(257) / 256
    curve = VisibilityCurve(places, math.log(TARGETS[2]) + 3 * (places**3 - 0.4**3), basis="predicted")
    seen: list[float] = []

    def try_amount(amount: float) -> tuple[float, float]:
        seen.append(row.dial.locate(amount))
        off = (-0.4, 0.5)[len(seen) - 1] if len(seen) < 3 else 0.0
        return TARGETS[2] * math.exp(off), amount

    assert search_amount(row, 3, 1.1, try_amount, curve).tries == 3
    weak, strong, chosen = seen
    errors = [off - 3 * (place**3 - 0.4**3) for place, off in ((weak, -0.4), (strong, 0.5))]
    corrected = 3 * (chosen**3 - 0.4**3) + np.interp(chosen, (weak, strong), errors)
    assert abs(corrected) < 0.05


@pytest.mark.parametrize("name", NAMES)
def test_on_a_photograph(name: str) -> None:
    """Every row comes within 15 %, or there is no setting between the last two that would."""
    image, row = photograph(), find(name)
    region = Region.from_mask(blob(image.shape[:2]))
    scene = Scene(np.ascontiguousarray(image[region.bbox.slices]), region.mask)

    def v_of(amount: float) -> float:
        edit = Edit(region, name, 1, amount, compute_spatial_scale(region.size), 2, (0, name))
        return measure_visibility(scene, render_edit(image, edit), name).v

    seen: dict[float, float] = {}

    def try_amount(amount: float) -> tuple[float, float]:
        seen[amount] = v_of(amount)
        return seen[amount], amount

    for severity in SEVERITIES:
        seen.clear()
        found = search_amount(row, severity, 1.15, try_amount)
        assert seen[found.amount] == pytest.approx(found.ratio * TARGETS[severity - 1])
        if not 1 / 1.15 <= found.ratio <= 1.15:
            ends = row.dial.strongest in seen if max(seen.values()) < TARGETS[severity - 1] else row.dial.whole
            assert ends, (severity, seen)


@given(ROWS, st.floats(0, 1))
def test_a_place_on_the_dial_is_a_setting(row: Distortion, place: float) -> None:
    dial = row.dial
    setting = dial.interpolate(place)
    assert dial.contains(round(setting, 12))
    if dial.step:
        exact = dataclasses.replace(dial, step=0.0).interpolate(place)
        assert setting % dial.step == 0
        assert abs(setting - exact) <= (dial.step if place < 0.01 else dial.step / 2)
        return
    assert (dial.interpolate(0), dial.interpolate(1)) == pytest.approx((dial.weakest, dial.strongest))
    if not dial.whole:
        assert dial.locate(setting) == pytest.approx(place, abs=1e-9)
    assert dial.interpolate(dial.locate(row.matched.values[2])) == pytest.approx(row.matched.values[2])


@given(st.sampled_from(SEVERITIES), st.floats(0.01, 100), st.floats(1.05, 4) | st.just(math.inf))
def test_a_v_is_called_by_a_severity_within_a_factor(severity: int, ratio: float, tolerance: float) -> None:
    v = ratio * TARGETS[severity - 1]
    said = find_misfit(v, severity, tolerance)
    off = abs(math.log(v / TARGETS[severity - 1]))
    if off < math.log(tolerance) - 1e-9:
        assert said is None
    elif off > math.log(tolerance) + 1e-9:
        assert said == f"{'less' if ratio < 1 else 'more'} visible than its severity"
