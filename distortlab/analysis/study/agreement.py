"""How far people agree with each other: Krippendorff's alpha for answers without an order."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np

from distortlab.analysis.study.resampling import DRAWS, Bounds, draw_indices, find_bounds

__all__ = ["Alpha", "compute_alpha"]


class Alpha(TypedDict):
    """Krippendorff's alpha: 1 where all agree, 0 where they agree as by chance. `units`: things that two people or more
    answered, which alone count; None where there are none, or all answers are one and the same.
    """

    value: float | None
    interval: Bounds
    units: int


def compute_alpha(answers: Mapping[object, Sequence[str]]) -> Alpha:
    """Compute Krippendorff's alpha (nominal) with an interval from units drawn again.

    Parameters
    ----------
    answers
        For every thing that was asked about, the answers of different people.

    Examples
    --------
    >>> from distortlab.analysis.study.agreement import compute_alpha
    >>> compute_alpha({1: ["a", "a"], 2: ["b", "b"], 3: ["a", "b"]})["value"]
    0.4444444444444444
    """
    kept = [given for given in answers.values() if len(given) > 1]
    names = sorted({value for given in kept for value in given})
    counts = np.array([[given.count(name) for name in names] for given in map(list, kept)], dtype=np.float64)
    if len(names) < 2:
        return {"value": None, "interval": None, "units": len(kept)}
    each = counts.sum(axis=1)
    apart = (each**2 - (counts**2).sum(axis=1)) / (each - 1)

    def alpha(
        weights: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        total, found = weights @ each, weights @ counts
        expected = (total**2 - (found**2).sum(axis=-1)) / (total - 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return 1 - weights @ apart / expected

    drawn = draw_indices(len(kept), (DRAWS, len(kept)), "units", len(kept))
    weights = np.stack([np.bincount(row, minlength=len(kept)) for row in drawn]).astype(np.float64)
    values = alpha(weights)
    values = values[np.isfinite(values)]
    interval = find_bounds(values) if len(kept) > 1 and len(values) else None
    return {"value": float(alpha(np.ones(len(kept)))), "interval": interval, "units": len(kept)}
