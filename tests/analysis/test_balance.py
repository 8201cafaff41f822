"""Balance: doubt as statistics has it, size as it matters, and no wolf where there is none."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from distortlab.analysis.balance import BalanceCheck, chi_square_tail, compare_counts, flag_imbalances


@given(st.floats(0.1, 400), st.integers(1, 80))
def test_the_tail_is_that_of_chi_square(value: float, freedom: int) -> None:
    ours, exact = chi_square_tail(value, freedom), float(stats.chi2.sf(value, freedom))
    if exact > 1e-8 and freedom > 1:
        assert ours == pytest.approx(exact, rel=0.25, abs=2e-3)
    assert 0 <= ours <= 1


@given(st.lists(st.integers(1, 5_000), min_size=2, max_size=12), st.data())
def test_the_statistic_is_the_g_test_of_scipy(counts: list[int], data: st.DataObject) -> None:
    weights = data.draw(st.lists(st.floats(0.1, 10), min_size=len(counts), max_size=len(counts)))
    names = [str(i) for i in range(len(counts))]
    check = compare_counts("x", dict(zip(names, counts, strict=True)), dict(zip(names, weights, strict=True)))
    assert check is not None
    expected = np.array(weights) / sum(weights) * sum(counts)
    g, _ = stats.power_divergence(counts, expected, lambda_="log-likelihood")
    assert check.g == pytest.approx(g, abs=1e-6)
    assert check.effect == pytest.approx(np.sqrt(stats.chisquare(counts, expected)[0] / sum(counts)), abs=1e-6)


def test_the_sentence_names_what_is_furthest_off() -> None:
    counts = {"first": 1554, "second": 1153, "third": 1153, "fourth": 1152}
    said = "answers stand in {category} place in {share} of {n} questions"
    (check,) = flag_imbalances([compare_counts("places", counts, dict.fromkeys(counts, 1.0), said)])
    assert check.off
    assert check.sentence == "answers stand in first place in 31 % of 5,012 questions; expected 25 %"


def test_small_data_sets_do_not_cry_wolf_and_small_effects_do_not_count() -> None:
    even = {"a": 1.0, "b": 1.0}
    assert not flag_imbalances([compare_counts("few", {"a": 9, "b": 3}, even)])[0].off
    assert not flag_imbalances([compare_counts("little", {"a": 510_000, "b": 490_000}, even)])[0].off
    assert flag_imbalances([compare_counts("both", {"a": 600, "b": 400}, even)])[0].off


def test_of_a_thousand_balanced_data_sets_about_none_is_found_wanting() -> None:
    """Each with twenty checks: without sharing the doubt, one in five would be."""
    rng = np.random.default_rng(7)

    def check(n: int) -> BalanceCheck | None:
        return compare_counts("x", Counter(map(str, rng.integers(0, 12, n))), {str(i): 1.0 for i in range(12)})

    wanting = sum(any(c.off for c in flag_imbalances([check(150) for _ in range(20)])) for _ in range(300))
    assert wanting <= 9


def test_nothing_to_compare_is_no_check() -> None:
    assert compare_counts("one", {"a": 5}, {"a": 1.0}) is None
    assert compare_counts("none", {}, {"a": 1.0, "b": 1.0}) is None
    assert flag_imbalances([None]) == ()
    check = compare_counts("left out", {"a": 5, "b": 5, "c": 90}, {"a": 1.0, "b": 1.0, "c": 0.0})
    assert check is not None
    assert check.n == 10
