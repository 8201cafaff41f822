"""Metrics against SciPy, and the ceiling that the noise of ratings sets against simulation."""

import numpy as np
import pytest
from bench_scores import make_scores
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from refine_bench.statistics.correlation import estimate_ceiling, krcc, linear_rmse, mean, plcc, rmse, srcc


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(3, 300), st.integers(0, 3))
def test_metrics_agree_with_scipy(seed: int, n: int, decimals: int) -> None:
    x, y = (values.round(decimals) for values in make_scores(seed, n))  # few decimals, many ties
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert plcc(x, y) is srcc(x, y) is krcc(x, y) is None
        return
    assert plcc(x, y) == pytest.approx(stats.pearsonr(x, y)[0], abs=1e-12)
    assert srcc(x, y) == pytest.approx(stats.spearmanr(x, y)[0], abs=1e-12)
    assert krcc(x, y) == pytest.approx(stats.kendalltau(x, y)[0], abs=1e-12)
    assert rmse(x, y) == pytest.approx(float(np.sqrt(np.mean((x - y) ** 2))), abs=1e-12)


def test_the_linear_rmse_is_that_of_the_best_line() -> None:
    x, y = make_scores(0)
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
