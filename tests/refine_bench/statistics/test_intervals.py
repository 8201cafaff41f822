"""Intervals: what they hold, how wide they are, and how often they hold the truth in simulation."""

import sys
import time
from pathlib import Path

import numpy as np
import pytest
from bench_scores import make_scores
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from refine_bench.statistics.correlation import krcc, plcc, srcc
from refine_bench.statistics.intervals import (
    Interval,
    estimate_intervals,
    estimate_mean_interval,
    estimate_ratio_interval,
    estimate_srcc_interval,
    make_interval,
)
from refine_bench.statistics.jackknife import form_groups, leave_out
from refine_bench.statistics.logistic import fit_logistic
from refine_bench.statistics.units import FEW, describe_units

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks" / "statistics"))
import coverage


def test_intervals_hold_the_value_and_know_their_clusters() -> None:
    x, y = make_scores(4, 300)
    found = estimate_intervals(x, y, [k // 25 for k in range(300)])
    for name, value in (("plcc", plcc(x, y)), ("srcc", srcc(x, y)), ("krcc", krcc(x, y))):
        interval = found[name]
        assert interval is not None
        assert value is not None
        assert interval.low < value < interval.high
        assert interval.clusters == 12 < FEW
        assert interval.few
    assert estimate_intervals([1.0] * 9, list(range(9)))["srcc"] is None


def test_intervals_of_items_that_share_a_reference_are_wider() -> None:
    rng = np.random.default_rng(0)
    scene = np.repeat(np.arange(40), 25)
    y = rng.normal(size=1000)
    x = y + rng.normal(size=40)[scene] + 0.3 * rng.normal(size=1000)
    alone, together = estimate_intervals(x, y)["srcc"], estimate_intervals(x, y, scene.tolist())["srcc"]
    assert alone is not None
    assert together is not None
    assert together.high - together.low > 1.5 * (alone.high - alone.low)


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["srcc", "plcc"])
def test_intervals_cover_what_they_say_with_twenty_references(metric: str) -> None:
    """Percentiles of a bootstrap hold the truth in 85 % of these sets, and of as many with 10 references in 83 %."""
    strong, draws = coverage.MODELS[0], 400
    rng = np.random.default_rng(99)
    quality, opinion, _ = coverage.make_qualities(rng, 8000)
    true = (srcc if metric == "srcc" else plcc)(coverage.make_scores(rng, quality, strong), opinion)
    assert true is not None
    held = 0
    for _ in range(draws):
        quality, opinion, of = coverage.make_qualities(rng, FEW)
        groups = form_groups(len(of), of)
        values = leave_out(coverage.make_scores(rng, quality, strong), opinion, groups)[metric]
        found = make_interval(values, groups)
        assert found is not None
        held += found.low <= true <= found.high
    assert held / draws > 0.92


@pytest.mark.slow
@pytest.mark.parametrize(("share", "within"), [(0.5, 0.1), (0.8, 0.1), (0.95, 0.1), (0.95, 0.3)])
def test_intervals_of_accuracies_cover_what_they_say(share: float, within: float) -> None:
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(400):
        right, of = coverage.make_answers(rng, FEW, share, within)
        found = estimate_mean_interval(right, of)
        assert found is not None
        held += found.low <= share <= found.high
    assert held / 400 > 0.92


@pytest.mark.slow
def test_intervals_cover_what_they_say() -> None:
    covered = 0
    true = stats.spearmanr(*make_scores(99, 200_000))[0]
    for seed in range(200):
        found = estimate_srcc_interval(*make_scores(seed, 300))
        assert found is not None
        covered += found.low <= true <= found.high
    assert 0.90 <= covered / 200 <= 0.99


def test_ten_thousand_predictions_take_seconds() -> None:
    x, y = make_scores(0, 10_000)
    start = time.process_time()
    estimate_intervals(x, y)
    fit_logistic(x, y, 5)
    assert time.process_time() - start < 20  # 4 s on a quiet core


def test_the_interval_of_a_mean() -> None:
    values = np.random.default_rng(0).random(500) < 0.7
    found = estimate_mean_interval(values)
    assert found is not None
    spread = 1.96 * np.sqrt(0.7 * 0.3 / 500)
    assert (found.high - found.low) / 2 == pytest.approx(spread, rel=0.15)
    assert estimate_mean_interval([1.0]) is None


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("n", [5, 20, 400])
def test_all_right_is_not_certain(value: float, n: int) -> None:
    found = estimate_mean_interval([value] * n)
    assert found is not None
    assert min(found.low, 1 - found.high) == 0.0
    assert 0.5 / n < found.high - found.low < 8 / n


@settings(max_examples=60)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=40), st.integers(1, 6))
def test_intervals_of_shares_hold_the_share_and_stay_between_0_and_1(values: list[float], size: int) -> None:
    found = estimate_mean_interval(values, [k // size for k in range(len(values))])
    if found is not None:
        assert 0 <= found.low <= float(np.mean(values)) + 1e-12
        assert float(np.mean(values)) - 1e-12 <= found.high <= 1


def test_a_perfect_model_and_very_few_references() -> None:
    x = np.arange(30.0)
    assert estimate_intervals(x, x)["srcc"] == Interval(1.0, 1.0, 30)
    noisy = make_scores(3, 30)
    two = estimate_intervals(*noisy, [k % 2 for k in range(30)])["srcc"]
    assert two is not None
    assert two.few
    assert -1 <= two.low < two.high <= 1
    assert estimate_intervals(*noisy, ["one"] * 30)["srcc"] is None


@pytest.mark.parametrize(
    ("n", "references", "few"), [(19, None, True), (20, None, False), (400, 19, True), (40, 20, False)]
)
def test_few_units_are_flagged(n: int, references: int | None, few: bool) -> None:
    found = describe_units(n, None if references is None else [k % references for k in range(n)])
    assert found == {
        "units": references or n,
        "unit": "items" if references is None else "references",
        "few_clusters": few,
    }


def test_the_interval_of_a_ratio_holds_it() -> None:
    rng = np.random.default_rng(0)
    right = rng.integers(1, 4, 300).astype(float)
    hits = np.array([rng.binomial(int(n), 0.6) for n in right], dtype=float)
    found = estimate_ratio_interval(hits, right)
    assert found is not None
    assert found.low < hits.sum() / right.sum() < found.high
    assert found.high - found.low < 0.15
    alone = estimate_srcc_interval(right, hits)
    assert alone is not None
    assert alone == estimate_intervals(right, hits)["srcc"]
