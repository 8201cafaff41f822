"""Metrics against SciPy, the fit against a brute-force one, intervals and tests against simulation."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import optimize, stats

from refine_bench.statistics.correlation import estimate_ceiling, krcc, linear_rmse, mean, plcc, rmse, srcc
from refine_bench.statistics.intervals import (
    FEW,
    GROUPS,
    Interval,
    Ranks,
    describe_units,
    estimate_intervals,
    estimate_mean_interval,
    estimate_ratio_interval,
    estimate_srcc_interval,
    form_groups,
    leave_out,
    make_interval,
)
from refine_bench.statistics.logistic import fit_logistic
from refine_bench.statistics.paired import compare_models, holm, mcnemar, meng, williams

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks" / "statistics"))
import coverage

Floats = NDArray[np.float64]


def _scores(seed: int, n: int = 400, noise: float = 0.6) -> tuple[Floats, Floats]:
    """(latent predictions, MOS on 1-5)."""
    rng = np.random.default_rng(seed)
    quality = rng.normal(size=n)
    return quality + noise * rng.normal(size=n), np.clip(3 + 0.8 * quality, 1, 5)


# --- metrics --------------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(3, 300), st.integers(0, 3))
def test_metrics_agree_with_scipy(seed: int, n: int, decimals: int) -> None:
    x, y = (values.round(decimals) for values in _scores(seed, n))  # few decimals, many ties
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert plcc(x, y) is srcc(x, y) is krcc(x, y) is None
        return
    assert plcc(x, y) == pytest.approx(stats.pearsonr(x, y)[0], abs=1e-12)
    assert srcc(x, y) == pytest.approx(stats.spearmanr(x, y)[0], abs=1e-12)
    assert krcc(x, y) == pytest.approx(stats.kendalltau(x, y)[0], abs=1e-12)
    assert rmse(x, y) == pytest.approx(float(np.sqrt(np.mean((x - y) ** 2))), abs=1e-12)


def test_the_linear_rmse_is_that_of_the_best_line() -> None:
    x, y = _scores(0)
    line = np.polyval(np.polyfit(x, y, 1), x)
    assert linear_rmse(x, y) == pytest.approx(rmse(line, y), abs=1e-12)


@pytest.mark.parametrize("x", [[1.0, 1.0, 1.0], [1.0, 2.0], [], [1e9 + 1e-8, 1e9, 1e9 - 1e-8]])
def test_what_is_undefined_is_none(x: list[float]) -> None:
    y = [float(k) for k in range(len(x))]
    assert plcc(x, y) is srcc(x, y) is krcc(x, y) is linear_rmse(x, y) is None
    assert mean([None, plcc(x, y)]) is None
    assert mean([0.5, None]) == 0.5


@pytest.mark.parametrize("bad", [[1.0, np.nan, 2.0], [1.0, np.inf, 2.0], [1.0, 2.0]])
def test_what_is_not_finite_or_not_paired_is_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match=r"finite|one length"):
        plcc(bad, [1.0, 2.0, 3.0])


def test_the_ceiling_is_the_correlation_of_truth_and_mean_opinion() -> None:
    rng = np.random.default_rng(3)
    true, sd, n = rng.normal(3, 0.6, 4000), np.full(4000, 0.9), np.full(4000, 15)
    votes = true + rng.normal(size=4000) * sd / np.sqrt(n)
    found = estimate_ceiling(votes, sd, n)
    assert found is not None
    assert found.plcc == pytest.approx(stats.pearsonr(true, votes)[0], abs=0.01)
    assert found.srcc == pytest.approx(stats.spearmanr(true, votes)[0], abs=0.01)
    assert estimate_ceiling(np.full(10, 3.0), np.ones(10), np.ones(10)) is None


# --- the logistic fit -----------------------------------------------------------------------------------------------

SHAPES = {
    "saturating": lambda t: 1 / (1 + np.exp(-2 * t)),
    "hundred": lambda t: 100 / (1 + np.exp(-2 * t)),
    "falling": lambda t: 1 - 1 / (1 + np.exp(-2 * t)),
    "exponential": lambda t: np.exp(1.5 - 0.6 * t),
    "decibel": lambda t: 32 + 4 * t,
    "near one": lambda t: 1 - np.exp(-(t + 6)),
    "integers": lambda t: np.clip(np.round(3 + t), 1, 5),
    "two values": lambda t: (t > 0) * 1.0,
    "far off": lambda t: 1e6 + t,
    "tiny": lambda t: 1e-3 * t,
}


def _five(p: Floats, x: Floats) -> Floats:
    return np.asarray(p[0] * (0.5 - 1 / (1 + np.exp(np.clip(p[1] * (x - p[2]), -500, 500)))) + p[3] * x + p[4])


@pytest.mark.parametrize("name", list(SHAPES))
@pytest.mark.parametrize("kind", [4, 5])
def test_the_fit_never_fails_nor_turns_back(name: str, kind: int) -> None:
    for seed in range(3):
        latent, y = _scores(seed, 300)
        x = SHAPES[name](latent)
        fit = fit_logistic(x, y, kind)  # type: ignore[arg-type]
        assert fit is not None
        raw, mapped = plcc(x, y), plcc(fit.mapped, y)
        assert raw is not None
        assert mapped is not None
        assert mapped >= abs(raw) - 1e-9
        order = np.argsort(x)
        steps = np.diff(fit.mapped[order]) * np.sign(raw)
        assert (steps >= -1e-6).all()


@pytest.mark.parametrize("seed", range(2))
def test_the_fit_is_as_good_as_a_global_search(seed: int) -> None:
    latent, y = _scores(seed, 200)
    x = SHAPES["saturating"](latent)
    fit = fit_logistic(x, y, 4)
    assert fit is not None

    def cost(p: Floats) -> float:
        return float(np.sum((_five(np.array([p[0], p[1], p[2], 0.0, p[3]]), x) - y) ** 2))

    box = [(0, 20), (0.05, 60), (-1, 2), (0, 6)]
    best = optimize.differential_evolution(cost, box, seed=seed, tol=1e-10, maxiter=400)
    assert float(np.sum((fit.mapped - y) ** 2)) <= best.fun * (1 + 1e-4)


def test_a_curve_of_five_parameters_is_found_again() -> None:
    x = np.random.default_rng(0).normal(size=2000)
    y = _five(np.array([3.2, 1.3, 0.4, 0.15, 2.9]), x)
    fit = fit_logistic(x, y, 5)
    assert fit is not None
    assert fit.status == "ok"
    assert rmse(fit.mapped, y) == pytest.approx(0, abs=1e-7)


def test_mapping_does_not_depend_on_scale_or_direction() -> None:
    latent, y = _scores(5, 500)
    reached = []
    for change in (lambda t: t, lambda t: -t, lambda t: 100 * t + 7, lambda t: 1e-3 * t, lambda t: 1e6 + t):
        fit = fit_logistic(change(latent), y, 5)
        assert fit is not None
        reached.append(plcc(fit.mapped, y))
    assert np.ptp(np.array(reached, dtype=float)) < 1e-4


def test_a_fit_on_too_few_or_constant_points_is_undefined() -> None:
    assert fit_logistic(np.arange(11), np.arange(11), 5) is None
    assert fit_logistic(np.ones(50), np.arange(50), 4) is None


# --- intervals ------------------------------------------------------------------------------------------------------


def test_ranks_under_counts_are_those_of_the_repeated_list() -> None:
    rng = np.random.default_rng(1)
    values = rng.integers(0, 6, 40).astype(float)
    counts = rng.integers(0, 4, (5, 40)).astype(float)
    ranks = Ranks(values)(counts)
    for row, got in zip(counts, ranks, strict=True):
        repeats = row.astype(int)
        np.testing.assert_allclose(np.repeat(got, repeats), stats.rankdata(np.repeat(values, repeats)))


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(6, 120), st.integers(0, 2), st.integers(2, 12))
def test_what_is_left_is_scored_as_if_it_were_all(seed: int, n: int, decimals: int, references: int) -> None:
    x, y = (values.round(decimals) for values in _scores(seed, n))
    of = [k % references for k in range(n)]
    groups = form_groups(n, of)
    found = leave_out(x, y, groups)
    for place, kept in enumerate([np.full(n, True), *(np.array(of) != group for group in range(groups.count))]):
        for name, metric in (("plcc", plcc), ("srcc", srcc), ("rmse", rmse)):
            value = metric(x[kept], y[kept])
            if value is not None:
                assert found[name][place] == pytest.approx(value, abs=1e-9)


@given(st.integers(1, 1000), st.one_of(st.none(), st.integers(1, 400)))
def test_groups_hold_whole_units_and_are_alike_in_size(n: int, references: int | None) -> None:
    of = None if references is None else [f"r{k % references}" for k in range(n)]
    groups = form_groups(n, of)
    units = n if references is None else min(n, references)
    assert (groups.units, groups.count) == (units, min(units, GROUPS))
    assert sorted(set(groups.of)) == list(range(groups.count))
    assert (form_groups(n, of).of == groups.of).all()
    sizes = [len(found) for found in _units_of(groups.of.tolist(), of or list(range(n)))]
    assert max(sizes) - min(sizes) <= 1


def _units_of(groups: list[int], of: Sequence[object]) -> list[set[object]]:
    """The units of every group; a unit in two of them would be counted twice."""
    found: dict[int, set[object]] = {}
    for group, unit in zip(groups, of, strict=True):
        found.setdefault(group, set()).add(unit)
    assert sum(map(len, found.values())) == len(set(of))
    return list(found.values())


def test_intervals_hold_the_value_and_know_their_clusters() -> None:
    x, y = _scores(4, 300)
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
    true = stats.spearmanr(*_scores(99, 200_000))[0]
    for seed in range(200):
        found = estimate_srcc_interval(*_scores(seed, 300))
        assert found is not None
        covered += found.low <= true <= found.high
    assert 0.90 <= covered / 200 <= 0.99


def test_ten_thousand_predictions_take_seconds() -> None:
    x, y = _scores(0, 10_000)
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
    noisy = _scores(3, 30)
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


# --- paired tests ---------------------------------------------------------------------------------------------------


def test_williams_gives_the_published_example() -> None:
    # The example of r.test in R's psych: t = -0.89, p = 0.37 for r12 = .4, r13 = .5, r23 = .1, n = 103.
    assert williams(0.4, 0.5, 0.1, 103) == pytest.approx(0.37, abs=0.005)


def test_meng_agrees_with_williams_on_large_samples() -> None:
    assert meng(0.80, 0.83, 0.9, 1000) == pytest.approx(williams(0.80, 0.83, 0.9, 1000), abs=0.002)


def test_a_model_is_not_better_than_itself() -> None:
    x, y = _scores(0)
    for found in compare_models(x, x, y):
        assert found.difference == 0
        assert found.p_jackknife == 1.0
        assert found.p_test in (None, 1.0)


def test_tests_keep_their_level_and_find_real_differences() -> None:
    wrong, right, n = 0, 0, 30
    for seed in range(n):
        rng = np.random.default_rng(seed)
        y, shared = rng.normal(size=200), rng.normal(size=200)
        a, b = (y + 0.6 * shared + 0.4 * rng.normal(size=200) for _ in range(2))
        worse = y + 0.6 * shared + 0.9 * rng.normal(size=200)
        first, second = compare_models(a, b, y), compare_models(a, worse, y)
        wrong += sum((p or 1) < 0.05 for c in first for p in (c.p_test, c.p_jackknife))
        right += sum((p or 1) < 0.05 for c in second for p in (c.p_test, c.p_jackknife))
    assert wrong / (4 * n) < 0.09
    assert right / (4 * n) > 0.9


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03, None]) == [pytest.approx(0.03), pytest.approx(0.06), pytest.approx(0.06), None]
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_mcnemar_counts_only_disagreement() -> None:
    a, b = [1] * 10 + [0] * 5, [1] * 4 + [0] * 11
    assert mcnemar(a, b) == pytest.approx(2 * 0.5**6)
    assert mcnemar(a, a) is None
