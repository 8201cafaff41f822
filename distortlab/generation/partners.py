"""With what an image of a stream is compared: a second image of its reference, made for the question alone.

In a data set two images that stand beside each other are compared. An item of a stream knows no other, so it brings
its own. Beside an image that is distorted as a whole stands one with the same family, two levels away or more, or one
with another family at the other end of the levels; beside one with distorted regions the pristine one, and the other
way round.
"""

from collections.abc import Mapping

from distortlab.core.seeds import Source
from distortlab.generation.composition import EditRequest, list_kinds
from distortlab.generation.difficulties import CellShares
from distortlab.generation.possible_tasks import SURE, can_compare
from distortlab.generation.stream_weights import choose, redraw_edits
from distortlab.recipe import CompositionRules

__all__ = ["draw_partner"]

Edits = tuple[EditRequest, ...]
_WHOLE = "whole"


def draw_partner(
    edits: Edits,
    rules: CompositionRules,
    shares: CellShares,
    source: Source,
    families: Mapping[str, float] | None = None,
) -> Edits | None:
    """Draw what is to be done to the image that another one is compared with.

    Parameters
    ----------
    edits
        Of the image.
    rules
        The kinds of images that there are.
    shares
        Of the cells (family, severity) of the recipe, by difficulty.
    source
        What is drawn comes from it.
    families
        Weights in place of the recipe's shares.

    Returns
    -------
    tuple of EditRequest or None
        Empty for the pristine image; None where no image of these kinds can be compared with it.
    """
    kinds = list_kinds(rules)
    if not edits:
        distorted = [kind for kind in kinds if kind]
        if not distorted:
            return None
        kind = distorted[source.below(len(distorted))]
        blank = tuple(EditRequest("", 1, place) for place in kind)
        return redraw_edits(blank, shares, source, families, repeat=rules.repeat_families)
    if edits[0].place == _WHOLE and (found := _draw_whole(edits[0], shares, source, families)):
        return (found,)
    return () if () in kinds else None


def _draw_whole(
    own: EditRequest, shares: CellShares, source: Source, families: Mapping[str, float] | None
) -> EditRequest | None:
    """A distortion of the whole frame that is surely weaker or stronger than another one."""
    same: dict[EditRequest, float] = {}
    other: dict[EditRequest, float] = {}
    for (family, severity), by_difficulty in sorted(shares.items()):
        request = EditRequest(family, severity, own.place)
        if not can_compare((own, request), SURE):
            continue
        is_same = family == own.family
        weight = 1.0 if families is None or is_same else families.get(family, 0.0)
        (same if is_same else other)[request] = weight * sum(by_difficulty.values())
    wanted = source.below(2)
    for weights in (same, other) if wanted else (other, same):
        if sum(weights.values()) > 0:
            found = choose(weights, source)
            difficulty = choose(shares[found.family, found.severity], source)
            return EditRequest(found.family, found.severity, own.place, difficulty)
    return None
