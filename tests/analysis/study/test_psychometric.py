"""Curves: known parameters are found again, and intervals hold the truth."""

import numpy as np
import pytest

from distortlab.analysis.study.psychometric import Trials, estimate_threshold, make_trials, predict_seen

RNG = np.random.default_rng


def simulate(seed: int, threshold: float, people: int, n: int, guess: float = 0.1, lapse: float = 0.02) -> Trials:
    """`n` answers of each person, a quarter of them where nothing is distorted; slope 3 to the octave."""
    rng = RNG(seed)
    v = 2 ** rng.uniform(-0.5, 3.5, (people, n))
    v[:, : n // 4] = 0
    with np.errstate(divide="ignore"):
        seen = np.where(v > 0, 1 / (1 + np.exp(-3 * (np.log2(v) - np.log2(threshold)))), 0.0)
    said = rng.random((people, n)) < guess + (1 - guess - lapse) * seen
    return make_trials(v.ravel(), said.ravel(), np.repeat(np.arange(people), n))


@pytest.mark.parametrize("threshold", [1.5, 4.0])
def test_many_answers_find_the_parameters(threshold: float) -> None:
    found = estimate_threshold(simulate(0, threshold, 8, 500))
    assert found["v"] == pytest.approx(threshold, rel=0.06)
    assert found["slope"] == pytest.approx(3.0, rel=0.15)
    assert found["guess"] == pytest.approx(0.1, abs=0.02)
    assert found["lapse"] == pytest.approx(0.02, abs=0.015)
    assert (found["n"], found["people"], found["extrapolated"]) == (3000, 8, False)
    assert predict_seen(threshold, found) == pytest.approx(0.1 + 0.88 / 2, abs=0.03)


@pytest.mark.parametrize(("people", "n"), [(1, 60), (5, 30)])
def test_intervals_hold_the_truth(people: int, n: int) -> None:
    found = [estimate_threshold(simulate(seed, 2.5, people, n))["interval"] for seed in range(10)]
    held = sum(low <= 2.5 <= high for low, high in filter(None, found))
    assert held >= 8  # of 95 %, fewer than 8 of 10 come up once in 90 times
    assert all(high / low < 4.5 for low, high in filter(None, found))


def test_people_who_differ_make_a_wider_interval() -> None:
    """As many answers at thresholds of 1.5 and 5 know less of the threshold of people than answers at one."""
    alike = simulate(1, 2.7, 4, 60)
    parts = [simulate(seed, threshold, 1, 60) for seed, threshold in enumerate((1.5, 5.0, 1.5, 5.0))]
    apart = make_trials(*(np.concatenate([part[k] for part in parts]) for k in (0, 1)), np.repeat(np.arange(4), 60))
    widths = [np.ptp(np.log2(estimate_threshold(trials)["interval"])) for trials in (alike, apart)]
    assert widths[1] > 1.5 * widths[0]


def test_answers_without_an_exception_have_a_finite_fit() -> None:
    v = [0.0, 0.0, 1.0, 2.0, 4.0, 8.0]
    for seen in ([0] * 6, [1] * 6, [0, 0, 0, 0, 1, 1]):
        found = estimate_threshold(make_trials(v, seen, [0] * 6))
        assert all(np.isfinite([found["v"], found["slope"], *found["interval"]]))
    assert 2 < found["v"] < 4
    assert estimate_threshold(make_trials(v, [0] * 6, [0] * 6))["extrapolated"]


def test_nothing_distorted_is_no_curve() -> None:
    assert estimate_threshold(make_trials([0.0], [0], [0]))["v"] is None
