"""Groups and metrics with groups left out, against the same computed one by one."""

from collections.abc import Sequence

import numpy as np
import pytest
from bench_scores import make_scores
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from refine_bench.statistics.correlation import plcc, rmse, srcc
from refine_bench.statistics.jackknife import GROUPS, Ranks, form_groups, leave_out


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
    x, y = (values.round(decimals) for values in make_scores(seed, n))
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
