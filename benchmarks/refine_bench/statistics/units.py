"""What an interval rests on: items, or references where items share them."""

from collections.abc import Sequence
from typing import TypedDict

__all__ = ["FEW", "UnitFacts", "describe_units"]

FEW = 20
"""Units below which an interval is not to be trusted: from here on at least 93 % of them hold the truth where 95 % are
asked for (docs/bench-statistics.md)."""


class UnitFacts(TypedDict):
    """What an interval rests on. `unit`: "items" or "references"; `few_clusters`: whether `units` is below `FEW`."""

    units: int
    unit: str
    few_clusters: bool


def describe_units(n: int, clusters: Sequence[object] | None) -> UnitFacts:
    """Describe what the interval of n items rests on.

    Parameters
    ----------
    n
        Items.
    clusters
        (n,) what share a scene, e.g. names of references; None where all items are independent.

    Returns
    -------
    UnitFacts
        Ready for JSON.
    """
    units = n if clusters is None else len(set(clusters))
    return {"units": units, "unit": "items" if clusters is None else "references", "few_clusters": units < FEW}
