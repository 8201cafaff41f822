"""Scores on rated images: agreement with the mean opinions, its intervals, and what the failures do to it."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from refine_bench.prompts.answers import Reading
from refine_bench.scoring.failures import MAX_FAILURES, describe_failures
from refine_bench.scoring.measures import (
    Agreement,
    AttributeCell,
    CeilingFacts,
    CorrelationCell,
    MappedFit,
    RatedMeasures,
)
from refine_bench.statistics.correlation import estimate_ceiling, is_defined, krcc, linear_rmse, mean, plcc, rmse, srcc
from refine_bench.statistics.intervals import Interval, estimate_intervals, list_bounds
from refine_bench.statistics.logistic import Kind, fit_logistic
from refine_bench.statistics.units import describe_units

__all__ = ["RatedPrediction", "score_rated"]


@dataclass(frozen=True, slots=True)
class RatedPrediction:
    """A rated image with what was read from the model's answers.

    Attributes
    ----------
    readings
        One for each sample.
    truth
        The mean opinion, on 1-5, higher is better.
    cluster
        What images of one scene share; intervals are clustered by it.
    sd, n_ratings
        Of the single ratings, on 1-5, and their number.
    kind
        The distortion, where the set names it.
    attributes
        Opinions on other things than quality, by their names.
    """

    name: str
    readings: tuple[Reading, ...]
    truth: float
    cluster: str | None = None
    sd: float | None = None
    n_ratings: int | None = None
    kind: str | None = None
    source: str = ""
    attributes: Mapping[str, float] = field(default_factory=dict)

    @property
    def value(self) -> float | None:
        """The mean of the samples that were read."""
        return mean([reading.value for reading in self.readings])

    @property
    def spread(self) -> float | None:
        """Standard deviation between samples; None for fewer than two."""
        values = [reading.value for reading in self.readings if reading.value is not None]
        return float(np.std(values, ddof=1)) if len(values) > 1 else None


def score_rated(
    items: Sequence[RatedPrediction],
    *,
    sign: float = 1.0,
    scale: tuple[float, float] | None = (1.0, 5.0),
    groups: Mapping[str, Sequence[str]] | None = None,
    max_failures: float = MAX_FAILURES,
) -> RatedMeasures:
    """Score a model on one rated set.

    Parameters
    ----------
    items
        One for each image of the set.
    sign
        -1 where the model's numbers fall with quality.
    scale
        The worst and the best answer; None for numbers without a scale. RMSE is that on 1-5, None without one.
    groups
        Distortions that belong together, by the name of the group.
    max_failures
        Share of unread answers above which there is no rank.

    Returns
    -------
    RatedMeasures
        Ready for JSON: metrics with intervals, failures and what they do, curves, the ceiling, a point for each image.
    """
    read = [item for item in items if item.value is not None]
    x = np.array([sign * value for item in read if (value := item.value) is not None])
    y = np.array([item.truth for item in read])
    clusters = [item.cluster for item in read] if read and all(item.cluster for item in read) else None
    statuses = [reading.status for item in items for reading in item.readings if reading.value is None]
    asked = sum(len(item.readings) for item in items)
    five = _make_rescaler(scale)
    known = five if scale else None
    can_rank = bool(read) and is_defined(x, y)
    masses = [reading.mass for item in items for reading in item.readings]
    return {
        "kind": "rated",
        "scale": list(scale) if scale else None,
        "n": len(items),
        "n_read": len(read),
        **describe_failures(statuses, asked, can_rank=can_rank, max_failures=max_failures),
        **_measure_agreement(x, y, known),
        "undefined": _explain_undefined(x, y),
        "intervals": _format_intervals(estimate_intervals(five(x), y, clusters), scale is not None)
        if len(read)
        else {},
        "clusters": len(set(clusters)) if clusters else None,
        **describe_units(len(read), clusters),
        "columns": _fill_failures(items, x, y, sign, scale),
        "mapped": _score_mapped(x, y),
        "ceiling": _find_ceiling(read),
        "samples": max((len(item.readings) for item in items), default=0),
        "sample_sd": mean([item.spread for item in items]),
        "mass": mean(masses),
        "by_kind": _score_kinds(read, sign),
        "by_group": _score_groups(read, sign, groups or {}),
        "by_attribute": _score_attributes(read, sign),
        "points": [
            (item.name, None if item.value is None else sign * item.value, item.truth, item.spread) for item in items
        ],
    }


def _make_rescaler(scale: tuple[float, float] | None) -> Callable[[np.ndarray], np.ndarray]:
    """From the model's scale to 1-5."""
    if scale is None or scale == (1.0, 5.0):
        return lambda x: x
    low, high = scale
    return lambda x: 1.0 + 4.0 * (x - low) / (high - low)


def _measure_agreement(x: np.ndarray, y: np.ndarray, five: Callable[[np.ndarray], np.ndarray] | None) -> Agreement:
    linear, ranked = plcc(x, y), srcc(x, y)
    return {
        "plcc": linear,
        "srcc": ranked,
        "krcc": krcc(x, y),
        "linear_rmse": linear_rmse(x, y),
        "rmse": rmse(five(x), y) if five else None,
        "mean": mean([linear, ranked]) if linear is not None and ranked is not None else None,
    }


def _explain_undefined(x: np.ndarray, y: np.ndarray) -> str | None:
    """Why there is no correlation."""
    if len(x) < 3:
        return f"{len(x)} pairs are too few"
    if not is_defined(x):
        return "the predictions are constant"
    return None if is_defined(y) else "the opinions are constant"


def _format_intervals(found: Mapping[str, Interval | None], on_scale: bool) -> dict[str, list[float] | None]:
    kept = {name: value for name, value in found.items() if on_scale or name != "rmse"}
    return {name: list_bounds(value) for name, value in kept.items()}


def _fill_failures(
    items: Sequence[RatedPrediction], x: np.ndarray, y: np.ndarray, sign: float, scale: tuple[float, float] | None
) -> dict[str, Agreement]:
    """What the failures do: left out, taken for the middle of the scale, taken for its worst end."""
    low, high = scale or ((float(x.min()), float(x.max())) if len(x) else (0.0, 1.0))
    five = _make_rescaler(scale) if scale else None
    found = {"drop": _measure_agreement(x, y, five)}
    truth = np.array([item.truth for item in items])
    for name, fill in (("midpoint", (low + high) / 2), ("worst", low)):
        whole = np.array([fill if item.value is None else sign * item.value for item in items])
        found[name] = _measure_agreement(whole, truth, five)
    return found


def _score_mapped(x: np.ndarray, y: np.ndarray) -> dict[str, MappedFit]:
    """After a logistic with 4 and with 5 parameters; `status` says what the fit came to."""
    found: dict[str, MappedFit] = {}
    kinds: tuple[Kind, ...] = (4, 5)
    for kind in kinds:
        fit = fit_logistic(x, y, kind) if len(x) else None
        if fit is None:
            found[str(kind)] = {"plcc": None, "srcc": None, "rmse": None, "status": "undefined"}
            continue
        found[str(kind)] = {
            "plcc": plcc(fit.mapped, y),
            "srcc": srcc(fit.mapped, y),
            "rmse": rmse(fit.mapped, y),
            "status": fit.status,
            "curve": [[round(float(v), 6) for v in axis] for axis in fit.curve],
        }
    return found


def _find_ceiling(items: Sequence[RatedPrediction]) -> CeilingFacts | None:
    known = [(item.truth, item.sd, item.n_ratings) for item in items if item.sd is not None and item.n_ratings]
    if not known or len(known) < len(items):
        return None
    found = estimate_ceiling(*map(list, zip(*known, strict=True)))
    return {"reliability": found.reliability, "plcc": found.plcc, "srcc": found.srcc} if found else None


def _score_kinds(items: Sequence[RatedPrediction], sign: float) -> dict[str, CorrelationCell]:
    groups: dict[str, list[RatedPrediction]] = defaultdict(list)
    for item in items:
        if item.kind:
            groups[item.kind].append(item)
    found: dict[str, CorrelationCell] = {}
    for kind, group in sorted(groups.items()):
        found[kind] = _score_group(group, sign)
    return found if len(found) > 1 else {}


def _score_group(items: Sequence[RatedPrediction], sign: float) -> CorrelationCell:
    return {"n": len(items), "srcc": srcc(_list_values(items, sign), [item.truth for item in items])}


def _list_values(items: Sequence[RatedPrediction], sign: float) -> list[float]:
    return [sign * value for item in items if (value := item.value) is not None]


def _score_groups(
    items: Sequence[RatedPrediction], sign: float, groups: Mapping[str, Sequence[str]]
) -> dict[str, CorrelationCell]:
    members = {name: [item for item in items if item.kind in kinds] for name, kinds in groups.items()}
    return {name: _score_group(found, sign) for name, found in members.items() if found}


def _score_attributes(items: Sequence[RatedPrediction], sign: float) -> dict[str, AttributeCell]:
    found: dict[str, AttributeCell] = {}
    for name in dict.fromkeys(name for item in items for name in item.attributes):
        known = [item for item in items if name in item.attributes]
        opinions = [item.attributes[name] for item in known]
        found[name] = {
            "n": len(known),
            "srcc": srcc(_list_values(known, sign), opinions),
            "opinion": srcc([item.truth for item in known], opinions),
        }
    return found
