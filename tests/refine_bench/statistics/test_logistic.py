"""The logistic fit against a global search, and on lists on which fits fail."""

import numpy as np
import pytest
from bench_scores import make_scores
from numpy.typing import NDArray
from scipy import optimize

from refine_bench.statistics.correlation import plcc, rmse
from refine_bench.statistics.logistic import fit_logistic

Floats = NDArray[np.float64]


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
        latent, y = make_scores(seed, 300)
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
    latent, y = make_scores(seed, 200)
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
    latent, y = make_scores(5, 500)
    reached = []
    for change in (lambda t: t, lambda t: -t, lambda t: 100 * t + 7, lambda t: 1e-3 * t, lambda t: 1e6 + t):
        fit = fit_logistic(change(latent), y, 5)
        assert fit is not None
        reached.append(plcc(fit.mapped, y))
    assert np.ptp(np.array(reached, dtype=float)) < 1e-4


def test_a_fit_on_too_few_or_constant_points_is_undefined() -> None:
    assert fit_logistic(np.arange(11), np.arange(11), 5) is None
    assert fit_logistic(np.ones(50), np.arange(50), 4) is None
