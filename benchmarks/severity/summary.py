"""Numbers over many edits: what grows, what is out of order, what cannot be present."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = ["Order", "count_inversions", "measure_growth", "summarize_edits"]


@dataclass(frozen=True, slots=True)
class Order:
    """`share` of `pairs`."""

    share: float
    pairs: int

    def __str__(self) -> str:
        return f"{100 * self.share:.1f} %" if self.pairs else "none"


def _table(edits: pd.DataFrame, by: str) -> np.ndarray:
    """(regions, variants, 5) of a measure; NaN where there is no such edit."""
    wide = edits.set_index(["region", "name", "severity"])[by].unstack("severity").reindex(columns=range(1, 6))
    wide = wide.unstack("name")
    regions, names = len(wide), wide.columns.get_level_values(1).nunique()
    return wide.to_numpy().reshape(regions, 5, names).transpose(0, 2, 1)


def count_inversions(edits: pd.DataFrame, by: str = "v", sign: int = 1) -> Order:
    """Of two variants on one region, one at severity s and the other at s + 1: how often s changes the region more."""
    values = sign * _table(edits, by)
    worse = total = 0
    for s in range(4):
        low, high = values[:, :, s], values[:, :, s + 1]
        both = ~np.isnan(low)[:, :, None] & ~np.isnan(high)[:, None, :]
        both &= ~np.eye(low.shape[1], dtype=bool)[None]
        with np.errstate(invalid="ignore"):
            worse += int((both & (low[:, :, None] > high[:, None, :])).sum())
        total += int(both.sum())
    return Order(worse / max(total, 1), total)


def measure_growth(edits: pd.DataFrame, by: str = "v") -> tuple[Order, Order]:
    """Of (region, variant), how often the measure grows with every severity there is; and of all single steps."""
    steps: list[bool] = []
    whole: list[bool] = []
    for sequence in _table(edits, by).reshape(-1, 5):
        present = sequence[~np.isnan(sequence)]
        if len(present) > 1:
            ups = np.diff(present) > 0
            steps += ups.tolist()
            whole.append(bool(ups.all()))
    return Order(float(np.mean(whole)), len(whole)), Order(float(np.mean(steps)), len(steps))


def summarize_edits(edits: pd.DataFrame) -> dict[str, object]:
    """The lines of the table of bars, for one population of edits."""
    whole, steps = measure_growth(edits)
    first = edits[edits.severity == 1]
    families = first.name.str.partition(".")[0]
    hidden = (first.v < 1).groupby(families).mean().mean()
    wrong = (edits.reason == "wrong direction").groupby(edits.name).mean()
    return {
        "edits": f"{len(edits):,}",
        "V grows with every severity, of (region, variant)": whole,
        "V grows, of single steps": steps,
        "cross-variant inversions": count_inversions(edits),
        "the same by 1 - SSIM": count_inversions(edits, "ssim", -1),
        "the same by CIEDE2000": count_inversions(edits, "delta_e"),
        "not visible at severity 1 (V < 1), mean over families": f"{100 * hidden:.1f} %",
        "wrong direction": f"{100 * (edits.reason == 'wrong direction').mean():.1f} %",
        "wrong direction, worst variant": f"{100 * wrong.max():.0f} % ({wrong.idxmax()})" if wrong.max() else "none",
    }
