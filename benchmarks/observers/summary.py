"""What the observers say of draws that they were not fitted on, in tables."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from draws import LABELS
from observers import Observer, Values, drop_shared, fit_machine, fit_person, get_families

from distortlab.distortions.catalog import CATALOG, FAMILIES

SEVERITIES = (1, 2, 3, 4, 5)
_SHORT = {
    "compression": "compr.", "brighten": "bright.", "darken": "darken", "contrast_strengthen": "contr.+",
    "contrast_weaken": "contr.-", "saturate_strengthen": "satur.+", "saturate_weaken": "satur.-",
    "oversharpen": "sharpen", "pixelate": "pixel.", "quantization": "quant.",
}  # fmt: skip


def shorten(family: str) -> str:
    """The name of a family for the head of a column."""
    return _SHORT.get(family, family)


@dataclass(frozen=True)
class Verdicts:
    """What an observer said of draws: their labels, (N, families) posteriors, and what it said after one look."""

    name: str
    draws: pd.DataFrame
    posteriors: Values
    glances: Values

    @property
    def own(self) -> Values:
        """The posterior of the true family, (N,)."""
        return np.asarray(self.posteriors[np.arange(len(self.draws)), get_families(self.draws)])

    @property
    def right(self) -> Values:
        """1 where one look gives the true family, else 0, (N,)."""
        return np.asarray(self.glances.argmax(1) == get_families(self.draws), dtype=float)

    def average(self, column: str) -> pd.DataFrame:
        """Mean posterior of every family by the values of a label."""
        return pd.DataFrame(self.posteriors, columns=list(FAMILIES)).groupby(self.draws[column]).mean()

    def average_cells(self) -> pd.DataFrame:
        """Mean posterior of the true family, variants in the order of the catalog by severities."""
        table = pd.Series(self.own).groupby([self.draws["variant"], self.draws["severity"]]).mean().unstack()
        order = [row.name for row in CATALOG if row.name in table.index]
        return table.reindex(index=order, columns=list(SEVERITIES))


def judge(first: pd.DataFrame, second: pd.DataFrame) -> tuple[Verdicts, Verdicts]:
    """What machine and person say of both sets of draws, each fitted on the other set: no photograph is in both."""
    second = drop_shared(second, first)
    fits = (fit_machine, fit_person)
    halves = [[_judge_half(fit(own), other) for own, other in ((first, second), (second, first))] for fit in fits]
    machine, person = (_join(*parts) for parts in halves)
    return machine, person


def _judge_half(observer: Observer, draws: pd.DataFrame) -> Verdicts:
    return Verdicts(observer.name, draws[list(LABELS)], observer.predict(draws), observer.glance(draws))


def _join(first: Verdicts, second: Verdicts) -> Verdicts:
    draws = pd.concat([first.draws, second.draws], ignore_index=True)
    posteriors = np.concatenate([first.posteriors, second.posteriors])
    return Verdicts(first.name, draws, posteriors, np.concatenate([first.glances, second.glances]))


def list_rivals(shares: Mapping[str, float], own: str, least: float = 0.04, most: int = 3) -> str:
    """The families that a true one is taken for, with their shares: `noise .12, blur .05`."""
    others = sorted(((share, name) for name, share in shares.items() if name != own), reverse=True)
    shown = [f"{name} {share:.2f}".replace("0.", ".", 1) for share, name in others[:most] if share >= least]
    return ", ".join(shown)


def print_verdicts(verdicts: Verdicts) -> None:
    """Matrices on the console: by family, by variant, by severity."""
    print(f"\n## {verdicts.name}: one look right {verdicts.right.mean():.3f}, mean posterior {verdicts.own.mean():.3f}")
    for column in ("family", "variant"):
        print(f"mean posterior, %, by {column}:")
        table = verdicts.average(column)
        order = list(FAMILIES) if column == "family" else [row.name for row in CATALOG if row.name in table.index]
        shown = (100 * table.reindex(order)).round().astype(int).rename(columns=shorten)
        print(shown.to_string())
    frame = verdicts.draws.assign(right=verdicts.right, own=verdicts.own)
    print(frame.groupby("severity")[["right", "own"]].mean().round(3).to_string())
    print("mean posterior of the true family by variant and severity:")
    print(verdicts.average_cells().round(2).to_string())
