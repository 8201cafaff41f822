"""Shares of difficulties in a plan: which family has which difficulty at which severity, and how often each is drawn.

How hard a distortion is to tell follows from its variant and severity, so shares of difficulties are shares of (family,
severity, difficulty). They are fitted to the shares that the recipe asks for by iterative proportional fitting: first
with every family as often at every severity as without the wish; where that leaves no room, with the shares of families
and of severities kept, but not of their pairs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from distortlab.core.errors import BadRecipe
from distortlab.distortions.catalog import list_variants
from distortlab.recipe import Recipe
from distortlab.severity.difficulty import find_difficulty
from distortlab.tasks.terms import DIFFICULTIES

__all__ = ["CellShares", "assign_difficulties", "share_cells"]

CellShares = Mapping[tuple[str, int], Mapping[str | None, float]]
"""(family, severity) -> share of all images by difficulty; by None alone where none is asked for."""

K = TypeVar("K")
_Table = NDArray[np.float64]
_Margin = tuple[tuple[int, ...], _Table]

_ROUNDS = 500
_CLOSE = 1e-3
"""How far the shares may be off what is asked for."""
_STEPS = 20
"""How finely the shares nearest to impossible ones are looked for."""


def share_cells(recipe: Recipe) -> CellShares:
    """Return the share of every (family, severity), by difficulty.

    Raises
    ------
    BadRecipe
        Where the families and severities of the recipe cannot have such shares of difficulties; the message says which
        cannot, or what shares are nearest.
    """
    if not recipe.difficulties:
        return {(f, int(s)): {None: a * b} for f, a in recipe.families.items() for s, b in recipe.severities.items()}
    wish = _Wish.read(recipe)
    wish.check_support()
    fitted = wish.fit(wish.difficulties)
    if fitted is None:
        raise BadRecipe(wish.explain())
    cells = [(family, severity) for family in wish.families for severity in wish.severities]
    rows = fitted.reshape(len(cells), len(DIFFICULTIES)).tolist()
    return {cell: dict(zip(DIFFICULTIES, row, strict=True)) for cell, row in zip(cells, rows, strict=True)}


def assign_difficulties(cells: Sequence[tuple[str, int]], shares: CellShares) -> list[str | None]:
    """Return the difficulty of every image: the one that is furthest behind its share, of those that its family has at
    its severity.
    """
    if all(None in own for own in shares.values()):
        return [None] * len(cells)
    within = {cell: _normalize_all(own) for cell, own in shares.items() if sum(own.values()) > 0}
    # Whole numbers of cells come to slightly other shares than the cells have: what they lack is owed from the start.
    owed: dict[str | None, float] = {
        difficulty: len(cells) * sum(own[difficulty] for own in shares.values())
        - sum(within[cell][difficulty] for cell in cells)
        for difficulty in DIFFICULTIES
    }
    out = []
    for cell in cells:
        for difficulty, share in within[cell].items():
            owed[difficulty] += share
        chosen = max((d for d, share in within[cell].items() if share > 0), key=lambda difficulty: owed[difficulty])
        owed[chosen] -= 1
        out.append(chosen)
    return out


def _normalize(shares: Mapping[str, float]) -> dict[str, float]:
    whole = sum(shares.values())
    return {name: share / whole for name, share in shares.items() if share > 0}


@dataclass(frozen=True)
class _Wish:
    """Shares that a recipe asks for, adding up to 1, and `counts`: (families, severities, difficulties), how many
    variants there are.
    """

    families: Mapping[str, float]
    severities: Mapping[int, float]
    difficulties: Mapping[str, float]
    counts: _Table

    @classmethod
    def read(cls, recipe: Recipe) -> "_Wish":
        families = _normalize(recipe.families)
        severities = {int(severity): share for severity, share in _normalize(recipe.severities).items()}
        asked = _normalize(recipe.difficulties)
        counts = np.array([[_count_variants(f, s) for s in severities] for f in families], float)
        return cls(families, severities, {name: asked.get(name, 0.0) for name in DIFFICULTIES}, counts)

    def check_support(self) -> None:
        """Raise `BadRecipe` for a family, severity or difficulty that has no variant."""
        counts = self.counts * (np.array(list(self.difficulties.values())) > 0)
        asked = [name for name, share in self.difficulties.items() if share > 0]
        sums = {
            "family": zip(self.families, counts.sum((1, 2)), strict=True),
            "severity": zip(self.severities, counts.sum((0, 2)), strict=True),
            "difficulty": ((d, n) for d, n in zip(DIFFICULTIES, counts.sum((0, 1)), strict=True) if d in asked),
        }
        for kind, pairs in sums.items():
            if missing := [str(name) for name, count in pairs if count == 0]:
                raise BadRecipe(
                    f"difficulties asks for {' or '.join(asked)}, which nothing with {kind} {', '.join(missing)} is: "
                    "leave that out, or ask for other difficulties"
                )

    def fit(self, difficulties: Mapping[str, float]) -> _Table | None:
        """Shares of (family, severity, difficulty) with these shares of difficulties; None where there are none."""
        families, severities = (np.array(list(shares.values())) for shares in (self.families, self.severities))
        wanted: _Margin = ((0, 1), np.array(list(difficulties.values())))
        pairs: list[_Margin] = [((2,), np.outer(families, severities))]
        apart: list[_Margin] = [((1, 2), families), ((0, 2), severities)]
        for others in (pairs, apart):
            fitted = _fit_margins(self.counts, [wanted, *others])
            if all(np.abs(fitted.sum(axes) - target).max() < _CLOSE for axes, target in (wanted, *others)):
                return fitted
        return None

    def explain(self) -> str:
        """Say what shares of difficulties are nearest to those asked for."""
        weights = np.multiply.outer(list(self.families.values()), list(self.severities.values()))
        as_they_come = (weights[..., None] * self.counts / self.counts.sum(2, keepdims=True).clip(1)).sum((0, 1))
        asked = np.array(list(self.difficulties.values()))
        steps = (asked + (as_they_come - asked) * step / _STEPS for step in range(1, _STEPS + 1))
        rounded = (dict(zip(DIFFICULTIES, np.round(step, 2).tolist(), strict=True)) for step in steps)
        nearest = next((step for step in rounded if self.fit(_normalize_all(step)) is not None), None)
        return (
            f"difficulties asks for {_format_shares(self.difficulties)}, and these families and severities cannot have "
            "them: " + (f"the nearest is about {_format_shares(nearest)}" if nearest else "ask for others")
        )


def _count_variants(family: str, severity: int) -> list[int]:
    """How many variants of a family have each difficulty at a severity."""
    found = [find_difficulty(row.name, severity) for row in list_variants(family, "matched", severity)]
    return [found.count(difficulty) for difficulty in DIFFICULTIES]


def _normalize_all(shares: Mapping[K, float]) -> dict[K, float]:
    whole = sum(shares.values())
    return {name: share / whole for name, share in shares.items()}


def _fit_margins(weights: _Table, margins: Sequence[_Margin]) -> _Table:
    """Iterative proportional fitting (Deming and Stephan 1940). A margin: the axes that are summed over, and what the
    sums should be. The last of them fits best.
    """
    table = weights / weights.sum()
    for _ in range(_ROUNDS):
        before = table
        for axes, target in margins:
            sums = table.sum(axes)
            factors = np.divide(target, sums, out=np.zeros(sums.shape), where=sums > 0)
            table = table * np.expand_dims(factors, axes)
        if np.abs(table - before).max() < 1e-9:
            break
    return table


def _format_shares(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {share:.2f}" for name, share in shares.items())
