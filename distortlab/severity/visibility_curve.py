"""How V grows along the dial of a distortion in one region: as predicted, or as the ladder says of the median one."""

import math
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from distortlab.distortions.base import TARGETS, Dial, Distortion

__all__ = ["Basis", "VisibilityCurve", "list_places", "make_ladder_curve"]

Basis = Literal["ladder", "predicted", "clamped", "undefined"]
"""Where a curve comes from: the ladder, where nothing else is known; a prediction, from statistics that lie within
those it was fitted on, or were moved to their edge; the ladder, because the statistics of the region are undefined.
"""

GRID = 256
"""Places of a dial that are told apart: what processors disagree about is smaller than a step by far."""

_SURE = 0.4
"""The share of the tolerance that counts: what is predicted at its edge is as often beyond it, and costs renders."""


@dataclass(frozen=True, slots=True)
class VisibilityCurve:
    """log V at places of a dial, for one region.

    Parameters
    ----------
    places
        0 (weakest) to 1 (strongest), increasing; those of the settings where the dial has whole numbers.
    log_v
        Natural logarithm of V there, not decreasing.
    whole
        Whether there is nothing between the places.
    basis
        Where it comes from.
    """

    places: NDArray[np.float64]
    log_v: NDArray[np.float64]
    whole: bool = False
    basis: Basis = "ladder"

    def locate(self, log_v: float) -> float:
        """The place at which log V comes nearest to `log_v`; the weakest of several."""
        return float(self.places[np.argmin(np.abs(self.log_v - log_v))])

    def evaluate(self, place: float) -> float:
        """Log V at a place, by straight lines."""
        return float(np.interp(place, self.places, self.log_v))

    def can_reach(self, log_v: float, tolerance: float) -> bool:
        """Whether some place gives V within a factor of `tolerance`; yes where nothing was predicted."""
        if self.basis in ("ladder", "undefined"):
            return True
        if self.whole:
            off = float(np.abs(self.log_v - log_v).min())
        else:
            off = float(max(self.log_v[0] - log_v, log_v - self.log_v[-1]))
        return off <= _SURE * math.log(tolerance)


@cache
def list_places(dial: Dial) -> NDArray[np.float64]:
    """The places of a dial from which a setting is chosen: 257 at equal steps, or those of the whole numbers. They are
    kept, and cannot be written to.
    """
    low, high = sorted((round(dial.weakest), round(dial.strongest)))
    whole = [dial.locate(amount) for amount in range(low, high + 1)] if dial.whole else []
    places = np.unique(whole) if dial.whole else np.arange(GRID + 1) / GRID
    places.setflags(write=False)
    return places


def make_ladder_curve(row: Distortion, basis: Basis = "ladder") -> VisibilityCurve:
    """The curve of the median region: `TARGETS` at the settings of the `matched` ladder, on by straight lines."""
    known, index = np.unique([row.dial.locate(value) for value in row.matched.values], return_index=True)
    levels = np.log(TARGETS)[index]
    places = np.union1d(list_places(row.dial), known)
    log_v = np.interp(places, known, levels)
    if len(known) > 1:
        slopes = np.diff(levels) / np.diff(known)
        log_v += np.minimum(places - known[0], 0) * slopes[0] + np.maximum(places - known[-1], 0) * slopes[-1]
    return VisibilityCurve(places, log_v, row.dial.whole, basis)
