"""Metrics with groups of references (or items) left out in turn, which a jackknife needs.

Units are references where images share one, otherwise items; more than `GROUPS` of them form that many groups. A
metric is computed of all items and without each group, by weights of 0 and 1: nothing is sorted again for each group.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distortlab.core.seeds import stream
from refine_bench.statistics.correlation import krcc

__all__ = [
    "GROUPS",
    "Groups",
    "Ranks",
    "form_groups",
    "leave_out",
    "leave_out_krcc",
    "leave_out_ratio",
    "weighted_pearson",
]

Floats = NDArray[np.float64]

GROUPS = 200
"""Parts that are left out in turn, at most: their standard error is within 5 % of that of leaving out every item."""
_CHUNK = 250_000


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of items. `of`: (n,) the group of every item; `units`: references or items they were made of."""

    of: NDArray[np.int64]
    count: int
    units: int


def form_groups(n: int, clusters: Sequence[object] | None) -> Groups:
    """Put items into groups by cluster.

    Parameters
    ----------
    n
        Items.
    clusters
        (n,) what share a scene, e.g. names of references; None where every item is a unit of its own.

    Returns
    -------
    Groups
        One for each unit; beyond `GROUPS` units, they are dealt to so many groups by lot, always the same one.
    """
    places: dict[object, int] = {}
    of = [places.setdefault(name, len(places)) for name in (range(n) if clusters is None else clusters)]
    unit = np.array(of, dtype=np.int64)
    if len(places) <= GROUPS:
        return Groups(unit, len(places), len(places))
    lot = np.argsort(stream("refine-bench", "groups", len(places)).words(len(places)), kind="stable")
    dealt = np.empty(len(places), dtype=np.int64)
    dealt[lot] = np.arange(len(places)) % GROUPS
    return Groups(dealt[unit], GROUPS, len(places))


def _iterate_weights(groups: Groups) -> Iterator[Floats]:
    """(chunk, n) weights: all items, then all without each group."""
    chunk = max(1, _CHUNK // len(groups.of))
    for start in range(0, groups.count + 1, chunk):
        left = np.arange(start, min(start + chunk, groups.count + 1)) - 1
        yield (groups.of[None, :] != left[:, None]).astype(np.float64)


def weighted_pearson(x: Floats, y: Floats, w: Floats) -> Floats:
    """Pearson's correlation under weights.

    Parameters
    ----------
    x, y
        (n,) or (draws, n) values.
    w
        (draws, n) weights.

    Returns
    -------
    ndarray
        (draws,); NaN where what has a weight is constant.
    """
    total = w.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mx, my = (w * x).sum(axis=1) / total, (w * y).sum(axis=1) / total
        dx, dy = x - mx[:, None], y - my[:, None]
        wx = w * dx
        return np.asarray((wx * dy).sum(axis=1) / np.sqrt((wx * dx).sum(axis=1) * (w * dy * dy).sum(axis=1)))


class Ranks:
    """Mean ranks of a list under any weights: no sorting for each of them."""

    def __init__(self, values: Floats) -> None:
        _, self._group = np.unique(values, return_inverse=True)
        self._order = np.argsort(self._group, kind="stable")
        self._first = np.flatnonzero(np.diff(self._group[self._order], prepend=-1))

    def __call__(self, counts: Floats) -> Floats:
        """(draws, n) of (draws, n)."""
        size = np.add.reduceat(counts[:, self._order], self._first, axis=1)
        before = np.cumsum(size, axis=1) - size
        return np.asarray((before + (size + 1) / 2)[:, self._group])


def leave_out(x: Floats, y: Floats, groups: Groups) -> dict[str, Floats]:
    """Compute metrics of all items, then without each group.

    Parameters
    ----------
    x, y
        (n,) predictions and opinions.
    groups
        The groups of the items.

    Returns
    -------
    dict
        Of "plcc", "srcc", "mean" of both and "rmse", (1 + groups,) each; NaN where one is undefined.
    """
    rx, ry = Ranks(x), Ranks(y)
    found: dict[str, list[Floats]] = {"plcc": [], "srcc": [], "rmse": []}
    # Centred, so that an offset of a million costs no digits.
    cx, cy = x - x.mean(), y - y.mean()
    for w in _iterate_weights(groups):
        found["plcc"].append(weighted_pearson(cx, cy, w))
        found["srcc"].append(weighted_pearson(rx(w), ry(w), w))
        with np.errstate(invalid="ignore"):
            found["rmse"].append(np.sqrt((w * (x - y) ** 2).sum(axis=1) / w.sum(axis=1)))
    whole = {name: np.concatenate(parts) for name, parts in found.items()}
    return {**whole, "mean": (whole["plcc"] + whole["srcc"]) / 2}


def leave_out_krcc(x: Floats, y: Floats, groups: Groups) -> Floats:
    """Compute KRCC of all items, then without each group: (1 + groups,), NaN where it is undefined."""
    kept = [slice(None), *(groups.of != group for group in range(groups.count))]
    values = [krcc(x[rows], y[rows]) for rows in kept]
    return np.array([np.nan if value is None else value for value in values])


def leave_out_ratio(above: Floats, below: Floats, groups: Groups) -> Floats:
    """Compute sum(above) / sum(below) of all items, then without each group: (1 + groups,)."""
    a, b = (np.bincount(groups.of, weights=values, minlength=groups.count) for values in (above, below))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.concatenate([[a.sum() / b.sum()], (a.sum() - a) / (b.sum() - b)])
