"""Shares with intervals, and Krippendorff's alpha, against known numbers."""

import numpy as np
import pytest

from distortlab.analysis.study.agreement import compute_alpha
from distortlab.analysis.study.resampling import compute_share, estimate_wilson_interval


def test_wilson() -> None:
    """Newcombe 1998, table I: 81 of 263, and 0 of 20."""
    assert estimate_wilson_interval(81, 263) == pytest.approx([0.2553, 0.3662], abs=1e-4)
    assert estimate_wilson_interval(0, 20) == pytest.approx([0.0, 0.1611], abs=1e-4)


def test_people_who_differ_make_a_wider_interval() -> None:
    values = [1.0] * 50 + [0.0] * 50
    alike = compute_share(values, [k % 10 for k in range(100)])
    apart = compute_share(values, [k // 10 for k in range(100)])
    alone = compute_share(values, [0] * 100)
    assert alike["value"] == apart["value"] == alone["value"] == 0.5
    assert alike["interval"] == alone["interval"] == pytest.approx(estimate_wilson_interval(50, 100))
    assert apart["interval"][1] - apart["interval"][0] > 2 * (alone["interval"][1] - alone["interval"][0])
    assert compute_share([], []) == {"n": 0, "people": 0, "value": None, "interval": None}


def test_alpha_of_krippendorffs_example() -> None:
    """Krippendorff 2011, section C: four observers, twelve units, nominal alpha .743."""
    rows = (
        (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
        (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
        (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
        (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
    )
    units = {k: [str(row[k]) for row in rows if row[k] is not None] for k in range(12)}
    found = compute_alpha(units)
    assert found["value"] == pytest.approx(0.743, abs=5e-4)
    assert found["units"] == 11
    assert found["interval"][0] < 0.743 < found["interval"][1]


def test_alpha_of_chance_is_none() -> None:
    rng = np.random.default_rng(0)
    found = compute_alpha({k: [str(value) for value in rng.integers(0, 3, 4)] for k in range(400)})
    assert abs(found["value"]) < 0.05
    assert compute_alpha({1: ["a", "a"], 2: ["a", "a"]})["value"] is None
    assert compute_alpha({1: ["a"]}) == {"value": None, "interval": None, "units": 0}
