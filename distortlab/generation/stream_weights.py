"""Other weights than those of the recipe, for single items of a stream."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from distortlab.core.errors import UserError, describe_unknown
from distortlab.core.seeds import Source
from distortlab.generation.composition import EditRequest
from distortlab.generation.difficulties import CellShares
from distortlab.recipe import SEVERITIES

__all__ = ["check_weights", "choose", "redraw_edits"]

T = TypeVar("T")


def redraw_edits(
    edits: Sequence[EditRequest],
    shares: CellShares,
    source: Source,
    families: Mapping[str, float] | None = None,
    severities: Mapping[str, float] | None = None,
    avoided: frozenset[str] = frozenset(),
    repeat: bool = False,
) -> tuple[EditRequest, ...]:
    """Draw families and severities anew for the edits of an image, whose places stay.

    Parameters
    ----------
    edits
        As they were planned.
    shares
        Of the cells (family, severity) of the recipe, by difficulty.
    source
        Three numbers are taken from it for each edit.
    families, severities
        Weights in place of the recipe's shares. Of a family only those severities are drawn that the recipe has for it;
        where `families` are too few for an image, the others are drawn by the shares.
    avoided
        Families that are not drawn as long as there are others.
    repeat
        Whether an image may have a family twice even so.
    """
    out: list[EditRequest] = []
    for edit in edits:
        taken = frozenset[str]() if repeat else frozenset(own.family for own in out)
        family = choose(_weigh_families(shares, families, avoided, taken), source)
        weights = {s: sum(own.values()) for (name, s), own in shares.items() if name == family}
        if severities is not None:
            weights = {s: severities.get(str(s), 0.0) * (weight > 0) for s, weight in weights.items()}
        if not sum(weights.values()) > 0:
            raise UserError(f"no severity that the recipe has for {family!r} has a weight above 0: {severities}")
        severity = choose(weights, source)
        difficulty = choose(shares[family, severity], source)
        out.append(replace(edit, family=family, severity=severity, difficulty=difficulty))
    return tuple(out)


def _weigh_families(
    shares: CellShares, families: Mapping[str, float] | None, avoided: frozenset[str], taken: frozenset[str]
) -> dict[str, float]:
    """Weights without `avoided` and `taken`; where nothing is left without `taken`, then those of the recipe."""
    usual = dict.fromkeys(sorted({family for family, _ in shares}), 0.0)
    for (family, _), own in shares.items():
        usual[family] += sum(own.values())
    asked = usual if families is None else {family: families.get(family, 0.0) for family in usual}
    for weights, left_out in ((asked, avoided | taken), (asked, taken), (usual, taken)):
        left = {family: weight * (family not in left_out) for family, weight in weights.items()}
        if sum(left.values()) > 0:
            return left
    return asked


def choose(weights: Mapping[T, float], source: Source) -> T:
    """Draw a key by its weight."""
    return list(weights)[source.choose_index(list(weights.values()))]


def check_weights(
    families: Mapping[str, float] | None, severities: Mapping[str, float] | None, known: Sequence[str]
) -> None:
    """Raise `UserError` for weights that are no distribution over families of the recipe, or over severities.

    Parameters
    ----------
    families, severities
        Name -> weight, severities "1".."5".
    known
        The families of the recipe.
    """
    for kind, weights, names in (("family", families, known), ("severity", severities, SEVERITIES)):
        if weights is None:
            continue
        for name, weight in weights.items():
            if name not in names:
                raise UserError(describe_unknown(f"{kind} of this stream", name, names))
            if not 0 <= weight < math.inf:
                raise UserError(f"the weight of {kind} {name!r} is {weight}; weights are 0 or more")
        if not sum(weights.values()) > 0:
            raise UserError(f"no {kind} has a weight above 0: {dict(weights)}")
