"""Tests of two models on the same items: published examples, their level and what they find."""

import numpy as np
import pytest
from bench_scores import make_scores

from refine_bench.statistics.paired import compare_models, holm, mcnemar, meng, williams


def test_williams_gives_the_published_example() -> None:
    # The example of r.test in R's psych: t = -0.89, p = 0.37 for r12 = .4, r13 = .5, r23 = .1, n = 103.
    assert williams(0.4, 0.5, 0.1, 103) == pytest.approx(0.37, abs=0.005)


def test_meng_agrees_with_williams_on_large_samples() -> None:
    assert meng(0.80, 0.83, 0.9, 1000) == pytest.approx(williams(0.80, 0.83, 0.9, 1000), abs=0.002)


def test_a_model_is_not_better_than_itself() -> None:
    x, y = make_scores(0)
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
