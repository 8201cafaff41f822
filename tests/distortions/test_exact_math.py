"""The frozen tables of noise against SciPy's."""

import numpy as np
import pytest
from scipy import special, stats

from distortlab.distortions.exact_math import load_normal_quantiles
from distortlab.distortions.families.noise import _poisson_table


def test_normal_quantiles_are_scipys_to_their_rounding() -> None:
    expected = special.ndtri((np.arange(65536) + 0.5) / 65536)
    table = load_normal_quantiles()
    assert table.shape == (65536,)
    assert table.dtype == np.float32
    assert np.abs(table - expected).max() <= 0.5 / 4096 + 1e-9
    assert np.array_equal(table * 4096, np.rint(expected * 4096))


def test_normal_quantiles_are_symmetric_and_rise() -> None:
    table = load_normal_quantiles()
    assert np.array_equal(table, -table[::-1])
    assert (np.diff(table) >= 0).all()


def test_normal_quantiles_have_mean_0_and_variance_1() -> None:
    table = load_normal_quantiles().astype(np.float64)
    assert table.mean() == 0
    assert table.var() == pytest.approx(1, abs=2e-3)
    assert (table**4).mean() == pytest.approx(3, abs=0.05)


@pytest.mark.parametrize("photons", [150, 50, 14.5])
def test_the_poisson_table_is_scipys(photons: float) -> None:
    """The count at a quantile, as a level. Where a sum of probabilities ends on a quantile, it may be one count off."""
    table, quantile = _poisson_table(photons), (np.arange(4096) + 0.5) / 4096
    for level in (0, 1, 17, 128, 200, 255):
        counts = stats.poisson.ppf(quantile, level * photons / 255) if level else np.zeros(4096)
        levels = np.clip(np.rint(counts * (255 / photons)), 0, 255)
        assert (table[level] != levels).mean() < 0.001


def test_the_poisson_table_keeps_the_mean_where_nothing_clips() -> None:
    table = _poisson_table(150).astype(float)
    for level in (20, 60, 100, 140):
        assert table[level].mean() == pytest.approx(level, abs=0.25)
        assert table[level].std() == pytest.approx(np.sqrt(level * 255 / 150), rel=0.03)


def test_the_poisson_table_leaves_black_alone() -> None:
    assert not _poisson_table(50)[0].any()
