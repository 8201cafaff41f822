"""The expected human score of a severity: its laws, and which of them people judged."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distortlab.distortions.base import TARGETS
from distortlab.distortions.catalog import CATALOG
from distortlab.severity.human_scores import (
    BEST,
    ERROR,
    ERROR_OUTSIDE,
    JUDGED,
    SCALE,
    describe_basis,
    describe_severities,
    estimate_score,
    find_human_score,
)

VISIBILITIES = st.floats(0, 1e6)


@given(VISIBILITIES, VISIBILITIES)
def test_what_is_more_visible_is_scored_no_better(first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert estimate_score(low) >= estimate_score(high)


@given(VISIBILITIES)
def test_a_score_lies_on_the_scale(v: float) -> None:
    assert min(SCALE) <= estimate_score(v) <= BEST <= max(SCALE)


def test_the_scale_is_used_from_end_to_end() -> None:
    assert estimate_score(0) == pytest.approx(4.61, abs=0.06)  # what KADID's people gave to unchanged pictures
    assert estimate_score(15) < 1.5
    scores = [estimate_score(0.1 * k) for k in range(200)]
    assert all(a > b for a, b in itertools.pairwise(scores))


def test_severities_are_apart_for_people_too() -> None:
    scores = [estimate_score(target) for target in TARGETS]
    assert all(a - b > 0.15 for a, b in itertools.pairwise(scores))


def test_every_variant_has_a_score_at_every_severity() -> None:
    for row in CATALOG:
        for severity, target in enumerate(TARGETS, 1):
            found = find_human_score(row.name, severity)
            assert found.score == pytest.approx(estimate_score(target), abs=0.006)
            assert found.error in (ERROR, ERROR_OUTSIDE)


def test_only_what_people_judged_is_called_measured() -> None:
    assert set(JUDGED) <= {row.name for row in CATALOG}
    for row in CATALOG:
        for severity, target in enumerate(TARGETS, 1):
            low, high = JUDGED.get(row.name, (1, 0))
            assert (find_human_score(row.name, severity).basis == "measured") == (low <= target <= high)
        assert (describe_basis(row.name) == "-") == all(
            find_human_score(row.name, severity).basis == "extrapolated" for severity in range(1, 6)
        )


@pytest.mark.parametrize("name", ["brighten.gamma_rgb", "contrast_weaken.scale", "pixelate.block"])
def test_tone_is_never_called_measured_and_has_the_larger_error(name: str) -> None:
    found = [find_human_score(name, severity) for severity in range(1, 6)]
    assert {(score.error, score.basis) for score in found} == {(ERROR_OUTSIDE, "extrapolated")}
    assert ERROR_OUTSIDE > ERROR


def test_the_page_on_visibility_has_these_numbers() -> None:
    text = (Path(__file__).parents[2] / "docs" / "visibility.md").read_text(encoding="utf-8")
    section = " ".join(text.partition("## What people would say")[2].split())
    targets, scores = (
        ", ".join(texts) for texts in zip(*((f"{t:g}", f"{estimate_score(t):.1f}") for t in TARGETS), strict=True)
    )
    assert f"V = {targets}, mean scores of {scores} on" in section
    assert f"off by {ERROR:.2f} points" in section
    assert f"by {ERROR_OUTSIDE:.2f}." in section


def test_the_sentence_holds_the_scores_and_the_errors() -> None:
    sentence = describe_severities()
    for value in (*(estimate_score(target) for target in TARGETS), ERROR, ERROR_OUTSIDE):
        assert f"{value:.1f}" in sentence
