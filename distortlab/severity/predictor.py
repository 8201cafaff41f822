"""Predict from cheap statistics of a region which setting of a dial gives the V that a severity means.

For every variant log V is a polynomial in the square root of the place on the dial, whose lower coefficients are linear
in those statistics of the region that its family has (`region_statistics`), and in the scale of the image. The
coefficients were fitted to photographs by benchmarks/severity/fit_predictor.py and are part of the package:
predictor.json. The dial of lengths counts in pixels here, whatever the image's size.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distortlab.core.errors import UserError
from distortlab.distortions.base import TARGETS, Dial, Distortion
from distortlab.distortions.catalog import FAMILIES
from distortlab.distortions.edit import MEASURE_VERSION
from distortlab.severity import region_statistics
from distortlab.severity.region_statistics import RegionStatistics
from distortlab.severity.scene import Scene
from distortlab.severity.visibility_curve import VisibilityCurve, list_places, make_ladder_curve

__all__ = [
    "ALL_STATISTICS",
    "FORMAT",
    "STATISTICS",
    "Prediction",
    "Predictor",
    "VariantModel",
    "compute_fingerprint",
    "compute_place_shift",
    "load_predictor",
    "measure_statistics",
    "parse_predictor",
    "predict_amount",
    "predict_curve",
    "predict_lookalike",
    "transform_places",
]

FORMAT = 2
"""Version of the file of coefficients: in 1 all families had the same statistics."""

SCALE = "scale of the image"
ALL_STATISTICS = (*region_statistics.NAMES, SCALE)
"""Statistics of some family or other, in the order of `Predictor.center`."""

STATISTICS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {family: (*region_statistics.list_statistics(family), SCALE) for family in FAMILIES}
)
"""By family what log V is predicted from; operators whose lengths are not on their dial depend on the scale."""

_COLUMNS = {family: np.array([ALL_STATISTICS.index(name) for name in names]) for family, names in STATISTICS.items()}


@dataclass(frozen=True, slots=True)
class VariantModel:
    """The model of a variant.

    Parameters
    ----------
    version
        Of the operator that it was fitted to.
    low, high
        Ends of the part of the dial that it was fitted on, as places for a short side of 512 pixels.
    coefficients
        (5, 1 + statistics of the family): row k, times (1, statistics), is the coefficient of x**k in log V, where x is
        `transform_places`.
    """

    version: int
    low: float
    high: float
    coefficients: NDArray[np.float64]

    def evaluate(self, places: NDArray[np.float64], statistics: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log V at places, (n,), for standardized statistics."""
        *powers, last = (self.coefficients[:, 0] + self.coefficients[:, 1:] @ statistics).tolist()
        x = transform_places(places)
        log_v = np.full_like(x, last)
        for power in reversed(powers):  # Horner's scheme, in place
            log_v *= x
            log_v += power
        return log_v


@dataclass(frozen=True)
class Predictor:
    """What was fitted.

    Parameters
    ----------
    photographs
        What it was fitted on.
    center, spread, low, high
        Of all statistics there, in 64ths as they are: mean, standard deviation, and the ends between which they count.
    models
        By the names of the variants.
    lookalikes
        By the names of variants that a blur may look the same as at severity 1: coefficients, (1 + statistics,), of the
        logarithm of how visibly they differ over what is asked (`lookalike.LEAST_FROM_BLUR`).
    """

    photographs: str
    center: NDArray[np.float64]
    spread: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    models: Mapping[str, VariantModel]
    lookalikes: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def find_model(self, row: Distortion) -> VariantModel | None:
        """The model of a variant, or None where none was fitted to this version of its operator."""
        model = self.models.get(row.name)
        return model if model and model.version == row.version else None

    def standardize(self, family: str, statistics: Sequence[float]) -> tuple[NDArray[np.float64], bool]:
        """Statistics of a family in units of their spread, and whether any had to be moved to the edge of what was
        fitted.
        """
        values, (low, high, center, spread) = np.array(statistics, np.float64), self._by_family[family]
        inside = np.minimum(np.maximum(values, low), high)
        is_clamped = bool((inside != values).any())
        inside -= center
        inside /= spread
        return inside, is_clamped

    @cached_property
    def _by_family(self) -> Mapping[str, tuple[NDArray[np.float64], ...]]:
        """`low`, `high`, `center` and `spread` of the statistics of each family."""
        parts = (self.low, self.high, self.center, self.spread)
        return {family: tuple(part[columns] for part in parts) for family, columns in _COLUMNS.items()}


@dataclass(frozen=True, slots=True)
class Prediction:
    """A setting of a dial, and whether the target of its severity can be reached in the region by any."""

    amount: float
    is_reachable: bool
    curve: VisibilityCurve


def predict_amount(
    row: Distortion, severity: int, scene: Scene, scale: float = 1.0, tolerance: float = 1.2
) -> Prediction:
    """Predict which setting of a distortion gives a severity in a region.

    Parameters
    ----------
    row
        A distortion with a `matched` ladder.
    severity
        1 to 5; its target is in `TARGETS`.
    scene
        The region before the change.
    scale
        The short side of the image over 512, as `compute_spatial_scale` has it.
    tolerance
        The factor by which V may be off the target for it to count as reached.

    Returns
    -------
    Prediction
        With the setting of the ladder, called reachable, where nothing can be predicted.
    """
    curve, target = predict_curve(row, scene, scale), math.log(TARGETS[severity - 1])
    amount = row.dial.interpolate(curve.locate(target))
    if curve.basis in ("ladder", "undefined"):
        amount = row.matched.values[severity - 1]
    return Prediction(amount, curve.can_reach(target, tolerance), curve)


def predict_curve(row: Distortion, scene: Scene, scale: float = 1.0) -> VisibilityCurve:
    """Predict how V grows along the dial of a distortion in a region; parameters as of `predict_amount`.

    Statistics beyond those of the photographs that were fitted are moved to their edge, which `basis` says. Where the
    statistics are undefined, and where no model was fitted to this version of the operator, the ladder is taken.
    """
    if scene.statistics is None:
        return make_ladder_curve(row, "undefined")
    predictor = load_predictor()
    model = predictor.find_model(row)
    if model is None:
        return make_ladder_curve(row)
    statistics, is_clamped = predictor.standardize(row.family, measure_statistics(scene.statistics, row.family, scale))
    shift = compute_place_shift(row, scale)
    places = _list_fitted_places(row.dial, model.low, model.high, shift)
    if not len(places):
        return make_ladder_curve(row)
    middle = int(places.searchsorted(row.dial.locate(row.matched.values[2])))
    log_v = _make_monotone(model.evaluate(places + shift, statistics), middle)
    return VisibilityCurve(places, log_v, row.dial.whole, "clamped" if is_clamped else "predicted")


@lru_cache(maxsize=1024)
def _list_fitted_places(dial: Dial, low: float, high: float, shift: float) -> NDArray[np.float64]:
    """The places of a dial that lie, moved by `shift`, within those that a model was fitted on. Read-only."""
    places = list_places(dial)
    fitted = places[(places + shift >= low) & (places + shift <= high)]
    fitted.setflags(write=False)
    return fitted


def predict_lookalike(row: Distortion, severity: int, scene: Scene, scale: float = 1.0) -> bool:
    """Predict whether a blur of the region would look the same (`lookalike`), so that it must not become a label."""
    predictor = load_predictor()
    if severity != 1 or row.name not in predictor.lookalikes or scene.statistics is None:
        return False
    if predictor.find_model(row) is None:
        return False
    coefficients = predictor.lookalikes[row.name]
    statistics = predictor.standardize(row.family, measure_statistics(scene.statistics, row.family, scale))[0]
    return bool(coefficients[0] + coefficients[1:] @ statistics < 0)


def _make_monotone(values: NDArray[np.float64], middle: int) -> NDArray[np.float64]:
    """Not decreasing. In the middle of the dial a polynomial is right; at its ends it may turn back."""
    middle = min(middle, len(values) - 1)
    rising = np.maximum.accumulate(values[middle:])
    return np.concatenate([np.minimum.accumulate(values[middle::-1])[:0:-1], rising])


def transform_places(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """What log V is a polynomial in, about -1 to 1 where severities lie: some dials do all in their first tenth."""
    return np.asarray(4 * (np.sqrt(np.maximum(places, 0)) - 0.7))


def measure_statistics(statistics: RegionStatistics, family: str, scale: float) -> tuple[int, ...]:
    """The statistics of a region that a family is predicted from, `STATISTICS`, in 64ths."""
    names = region_statistics.list_statistics(family)
    return *statistics.compute(names), round(math.log(scale) * region_statistics.STEPS)


def compute_place_shift(row: Distortion, scale: float) -> float:
    """How much further along a dial of lengths the same number of pixels is in an image of another size; else 0."""
    if not row.spatial and row.family != "pixelate":
        return 0.0
    factor = scale if row.spatial else max(1.0, scale)  # blocks are never smaller than in an image of 512 pixels
    return math.log(factor) / math.log(row.dial.strongest / row.dial.weakest)


@cache
def load_predictor() -> Predictor:
    """The coefficients that come with the package."""
    return parse_predictor(json.loads(_read_file()), "distortlab/severity/predictor.json")


@cache
def compute_fingerprint() -> str:
    """SHA-256 of the coefficients that come with the package: other ones give other settings."""
    return hashlib.sha256(_read_file().encode()).hexdigest()


def _read_file() -> str:
    return (resources.files("distortlab.severity") / "predictor.json").read_text(encoding="utf-8")


def parse_predictor(values: Mapping[str, Any], where: str) -> Predictor:
    """Read coefficients from plain values.

    Parameters
    ----------
    values
        As benchmarks/severity/fit_predictor.py writes them.
    where
        The file, for the sentence of an error.

    Raises
    ------
    UserError
        The file is damaged, has another format, or was fitted for another measure of V, other targets or statistics.
    """
    for key, wanted in (
        ("format", FORMAT),
        ("measure", MEASURE_VERSION),
        ("targets", list(TARGETS)),
        ("statistics", {family: list(names) for family, names in STATISTICS.items()}),
    ):
        if values.get(key) != wanted:
            raise UserError(
                f"{where} has {key} = {values.get(key)!r}, this version of distortlab needs {wanted!r}: fit it again "
                "with `make predictor`"
            )
    try:
        models = {name: _read_model(model) for name, model in values["variants"].items()}
        center, spread, low, high = (np.array(values[key], np.float64) for key in ("center", "spread", "low", "high"))
        lookalikes = {name: np.array(part, np.float64) for name, part in values.get("lookalikes", {}).items()}
        return Predictor(values["photographs"], center, spread, low, high, models, lookalikes)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{where} is damaged ({type(error).__name__}): fit it again with `make predictor`") from error


def _read_model(values: Mapping[str, Any]) -> VariantModel:
    low, high = values["places"]
    return VariantModel(values["version"], low, high, np.array(values["coefficients"], np.float64))
