"""The catalogue as a table: names, ladders, where they come from, and what `find` and `get_amount` say."""

import dataclasses
import re
from collections import Counter

import numpy as np
import pytest
from samples import NAMES, PROFILES, SEVERITIES, Pixels

from distortlab.api import distort
from distortlab.core.errors import UserError
from distortlab.distortions import catalog
from distortlab.distortions.base import Distortion, Ladder
from distortlab.distortions.catalog import (
    CATALOG,
    FAMILIES,
    LEAST_REACH,
    find,
    get_amount,
    list_served_severities,
    list_variants,
)
from distortlab.tasks import terms

# DepictQA x_distortion at 59aea4a, severity 1 to 5. What is not here is ours.
DEPICTQA = {
    "blur.gaussian": (1, 2, 3, 4, 5),
    "blur.lens": (2, 3, 4, 6, 8),
    "blur.glass": (0.7, 0.9, 1.2, 1.4, 1.6),
    "blur.zoom": (1.03, 1.06, 1.10, 1.15, 1.21),
    "blur.jitter": (1, 2, 3, 4, 5),
    "noise.gaussian_rgb": (0.05, 0.10, 0.15, 0.20, 0.25),
    "noise.gaussian_ycbcr": (0.05, 0.06, 0.07, 0.08, 0.09),
    "noise.speckle": (0.14, 0.21, 0.28, 0.35, 0.42),
    "noise.correlated": (0.08, 0.11, 0.14, 0.18, 0.22),
    "noise.poisson": (80, 60, 40, 25, 15),
    "noise.impulse": (0.01, 0.03, 0.05, 0.07, 0.10),
    "compression.jpeg": (25, 18, 12, 8, 5),
    "quantization.median": (20, 15, 10, 6, 3),
    "quantization.otsu": (15, 11, 8, 5, 3),
    "oversharpen.unsharp_mask": (2, 2.8, 4, 6, 8),
}
# Rows that do what DepictQA's code does, at its settings.
THE_SAME = {
    "noise.gaussian_rgb",
    "noise.speckle",
    "noise.poisson",
    "compression.jpeg",
    "brighten.shift_rgb",
    "brighten.gamma_rgb",
    "darken.shift_rgb",
    "darken.gamma_rgb",
}


def ladders(row: Distortion) -> list[Ladder]:
    return [row.matched] + ([row.dq] if row.dq else [])


def test_families_are_those_of_the_tasks_in_their_order() -> None:
    assert tuple(terms.FAMILIES) == FAMILIES
    assert len(FAMILIES) == 12
    assert [row.family for row in CATALOG] == sorted((row.family for row in CATALOG), key=FAMILIES.index)


def test_names_are_unique_and_say_family_and_variant() -> None:
    assert max(Counter(NAMES).values()) == 1
    for row in CATALOG:
        assert re.fullmatch(r"[a-z_]+\.[a-z0-9_]+", row.name)
        assert row.name == f"{row.family}.{row.variant}"


@pytest.mark.parametrize("name", NAMES)
def test_every_row_is_complete(name: str) -> None:
    row = find(name)
    assert row.unit.strip()
    assert row.version >= 1
    assert row.operator.__doc__
    for ladder in ladders(row):
        assert ladder.source.strip()
        steps = np.sign(np.diff(ladder.values))
        assert len(ladder.values) == 5
        assert set(steps) in ({1.0}, {-1.0}), "not strictly monotone"
    directions = {np.sign(ladder.values[4] - ladder.values[0]) for ladder in ladders(row)}
    assert len(directions) == 1, "the two profiles turn the dial in opposite directions"


@pytest.mark.parametrize("name", NAMES)
def test_ladders_lie_on_their_dial(name: str) -> None:
    row = find(name)
    toward = np.sign(row.dial.strongest - row.dial.weakest)
    for ladder in ladders(row):
        assert all(row.dial.contains(value) for value in ladder.values)
        assert np.sign(ladder.values[4] - ladder.values[0]) == toward
    for value in (row.dial.weakest - toward * 1e-3, row.dial.strongest + toward * 1e-3, np.nan, np.inf, -np.inf):
        assert not row.dial.contains(value)


@pytest.mark.parametrize("name", NAMES)
def test_both_ends_of_a_dial_can_be_used(name: str, small: Pixels) -> None:
    """Also on small and odd regions, where a length meets the frame."""
    for amount in (find(name).dial.weakest, find(name).dial.strongest):
        for box in (None, (3, 5, 4, 6), (100, 60, 128, 96)):
            out = distort(small, name, amount=amount, box=box)
            assert out.edit.amount == amount


@pytest.mark.parametrize("name", NAMES)
def test_halo_and_grid_are_whole_and_grow_with_the_dial(name: str) -> None:
    row = find(name)
    for ladder in ladders(row):
        for scale in (0.1, 1.0, 4.0):
            dials = [value * (scale if row.spatial else 1) for value in ladder.values]
            halos, grids = [row.halo(d, scale) for d in dials], [row.grid(d, scale) for d in dials]
            assert all(type(value) is int for value in halos + grids)
            assert halos == sorted(halos)
            assert min(halos) >= 0
            assert min(grids) >= 1


def test_the_dq_profile_has_depictqas_settings() -> None:
    for name, values in DEPICTQA.items():
        row = find(name)
        assert row.dq is not None
        assert row.dq.values == values


def test_every_family_has_a_variant_in_each_profile_but_where_the_field_has_none() -> None:
    for profile in PROFILES:
        for family in FAMILIES:
            found = list_variants(family, profile)
            assert found
            assert all(row.family == family and row.get_ladder(profile) for row in found)
    assert sum(len(list_variants(family, "matched")) for family in FAMILIES) == len(CATALOG)


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_severity_is_served_by_variants_that_reach_it_or_by_the_best(family: str, severity: int) -> None:
    everyone, serving = list_variants(family, "matched"), list_variants(family, "matched", severity)
    shares = {row.name: row.reach[severity - 1] for row in everyone if severity not in row.declined}
    assert serving
    assert not any(severity in row.declined for row in serving)
    if max(shares.values()) >= LEAST_REACH:
        assert {row.name for row in serving} == {name for name, share in shares.items() if share >= LEAST_REACH}
    else:
        assert [shares[row.name] for row in serving] == [max(shares.values())]
    assert list_variants(family, "dq", severity) == list_variants(family, "dq")


@pytest.mark.parametrize("name", NAMES)
def test_the_reach_of_a_row_is_five_shares_and_is_served_as_it_says(name: str) -> None:
    row = find(name)
    assert len(row.reach) == 5
    assert all(0 <= share <= 1 for share in row.reach)
    assert set(row.declined) < set(SEVERITIES)
    served = list_served_severities(row)
    assert served, "a variant that is never drawn"
    assert not set(served) & set(row.declined)


def test_webp_leaves_the_severities_at_which_it_reads_as_blur_to_the_others() -> None:
    assert [len(list_variants("compression", "matched", severity)) for severity in SEVERITIES] == [3, 3, 3, 2, 2]
    assert list_served_severities(find("compression.webp")) == (1, 2, 3)


def test_a_severity_that_no_variant_reaches_is_left_to_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = tuple(
        dataclasses.replace(find(name), reach=(1.0, 1.0, 1.0, share, share), declined=declined)
        for name, share, declined in (
            ("saturate_weaken.ycbcr", 0.1, ()),
            ("saturate_weaken.hsv", 0.4, ()),
            ("saturate_weaken.hsv", 0.9, (5,)),
        )
    )
    monkeypatch.setattr(catalog, "CATALOG", rows)
    assert list_variants("saturate_weaken", "matched", 3) == rows
    assert list_variants("saturate_weaken", "matched", 4) == rows[2:]
    assert list_variants("saturate_weaken", "matched", 5) == rows[1:2]


@pytest.mark.parametrize("name", [row.name for row in CATALOG if row.dq])
def test_what_differs_from_depictqa_is_written_beside_it(name: str) -> None:
    ladder = find(name).dq
    assert ladder is not None
    assert "DepictQA" in ladder.source
    assert bool(ladder.deviation) == (name not in THE_SAME)


@pytest.mark.parametrize("name", NAMES)
def test_amount_of_reads_the_ladder(name: str) -> None:
    row = find(name)
    assert tuple(get_amount(row, severity, "matched") for severity in SEVERITIES) == row.matched.values
    assert row.get_ladder("matched") is row.matched
    assert row.get_ladder("dq") is row.dq


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("gausian_blur", "blur.gaussian"),
        ("blur.gausian", "blur.gaussian"),
        ("noise.poison", "noise.poisson"),
        ("brighten.shift", "brighten.shift_rgb"),
        ("Blur.Gaussian", None),
        ("", None),
    ],
)
def test_find_names_the_nearest(wrong: str, near: str | None) -> None:
    with pytest.raises(UserError) as error:
        find(wrong)
    assert f"no distortion called {wrong!r}" in str(error.value)
    assert "distortlab list" in str(error.value)
    if near:
        assert f"did you mean {near!r}?" in str(error.value)
    else:
        assert "blur.gaussian" in str(error.value)


@pytest.mark.parametrize("severity", [0, 6, -1, 2.5, 100])
def test_amount_of_refuses_a_severity_that_is_none(severity: float) -> None:
    with pytest.raises(UserError, match=rf"severity {severity} is not one of 1, 2, 3, 4, 5"):
        get_amount(find("blur.gaussian"), severity, "matched")  # type: ignore[arg-type]


def test_amount_of_says_which_variants_the_profile_has() -> None:
    with pytest.raises(UserError, match=r"quantization\.uniform has no 'dq' ladder; .*quantization\.median"):
        get_amount(find("quantization.uniform"), 3, "dq")


def test_rows_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        CATALOG[0].name = "other"  # type: ignore[misc]
