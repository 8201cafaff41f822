"""The numbers of docs/people.md: how each measure agrees with people, with intervals, and where V does not."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from cells import ALL, CELLS, CORE, OPERATORS, Measured, read_human_scores
from fit import Agreement, Curves, fit_curves, measure_agreement

from distortlab.core.seeds import stream

RESAMPLES = 200
SETS = {"core": CORE, "all": ALL}


class Interval(NamedTuple):
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


class Row(NamedTuple):
    """A measure on one set of cells."""

    measure: str
    cells: str
    photographs: int
    spearman: Interval
    kendall: Interval
    rms: Interval
    left_out: Interval
    ms: float


def compare_measures(measured: Measured, resamples: int = RESAMPLES) -> list[Row]:
    """A row for every measure and set of cells, V first; intervals over photographs and operators drawn again."""
    scores = read_human_scores()
    rows = []
    for name, values in measured.values.items():
        present = values[:, ~np.isnan(values).any(0)]
        for label, inside in SETS.items():
            rows.append(_compare(name, label, present[inside], scores[inside], OPERATORS[inside], measured, resamples))
    return rows


def _compare(
    name: str, label: str, values: np.ndarray, scores: np.ndarray, operators: np.ndarray, measured: Measured, count: int
) -> Row:
    point = measure_agreement(values.mean(1), scores, operators)
    drawn = [_resample(values, scores, operators, name, k) for k in range(count)]
    low, high = np.percentile(np.array(drawn), [2.5, 97.5], axis=0)
    intervals = [Interval(*numbers) for numbers in zip(point, low, high, strict=True)]
    return Row(name, label, values.shape[1], *intervals, ms=measured.ms[name])


def _resample(values: np.ndarray, scores: np.ndarray, operators: np.ndarray, name: str, place: int) -> Agreement:
    """Photographs and operators drawn with replacement; the same ones for every measure on as many photographs."""
    draw, names = stream("people", "bootstrap", place), np.unique(operators)
    photographs = [draw.below(values.shape[1]) for _ in range(values.shape[1])]
    chosen = [names[draw.below(len(names))] for _ in names]
    weights = np.array([chosen.count(operator) for operator in operators])
    return measure_agreement(values[:, photographs].mean(1), scores, operators, weights)


def fit_core(v: np.ndarray) -> Curves:
    """The curve from V (cells,) to the human score, fitted on the core."""
    return fit_curves(v[None, CORE], read_human_scores()[CORE], np.ones((1, int(CORE.sum()))))


def measure_left_out(v: np.ndarray) -> float:
    """The error of the curve on operators that it was not fitted on, in points of a score."""
    return measure_agreement(v[CORE], read_human_scores()[CORE], OPERATORS[CORE]).left_out


def measure_outside(v: np.ndarray) -> float:
    """The error of the curve of the core on the other cells that could be made: tone and pixelation."""
    outside = ALL & ~CORE
    return float(np.sqrt(np.mean((fit_core(v).predict(v)[0] - read_human_scores())[outside] ** 2)))


class OperatorRow(NamedTuple):
    """V, human scores and what the curve says, of the five levels of one of KADID's types."""

    name: str
    group: str
    v: Sequence[float]
    human: Sequence[float]
    expected: Sequence[float]

    @property
    def bias(self) -> float:
        """Mean of what the curve says minus what people said: below 0 where V makes too much of the change."""
        return float(np.mean(np.subtract(self.expected, self.human)))


def compare_operators(v: np.ndarray) -> list[OperatorRow]:
    """A row for every type that is rendered."""
    human, expected = read_human_scores(), fit_core(v).predict(v)[0]
    kinds = {kind.number: kind for kind, _ in CELLS}
    return [
        OperatorRow(kind.name, kind.group, *(x[number == OPERATORS].tolist() for x in (v, human, expected)))
        for number, kind in kinds.items()
    ]


class Content(NamedTuple):
    """How much one setting's score varies over photographs, in points: V's, and people's (KADID's photographs)."""

    expected: float
    human: float


def compare_content(measured: Measured) -> Content:
    """Root mean square over the core of the standard deviation within a cell."""
    curve = fit_core(measured.means("V"))
    spread = curve.predict(measured.values["V"][CORE]).std(axis=1, ddof=1)
    people = read_human_scores("mos_sd_over_references")[CORE]
    return Content(float(np.sqrt(np.mean(spread**2))), float(np.sqrt(np.mean(people**2))))


def spread_at(v: np.ndarray, target: float) -> dict[str, float]:
    """The human score of every core operator at V = `target`, read between its levels; without those it lies beyond."""
    found = {}
    for row in compare_operators(v):
        order = np.argsort(row.v)
        x, y = np.log(np.maximum(row.v, 1e-3))[order], np.array(row.human)[order]
        if row.group == "core" and x[0] <= np.log(target) <= x[-1]:
            found[row.name] = float(np.interp(np.log(target), x, y))
    return found
