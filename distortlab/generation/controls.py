"""Pristine images that are controls: which of a plan are, and how a region is taken through the mask unseen.

Shares are exact where every image can be made. A natural control is made of the first reference within reach that is
blurred in parts, dark or moved as it was taken; a seam control of the slot's own, in the first region in which an
operation changes something that nobody sees.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from distortlab.core.errors import BadRecipe
from distortlab.core.image import Image
from distortlab.core.seeds import stream
from distortlab.distortions.controls import OPERATIONS, SEAM, Control, render_control
from distortlab.generation.allocation import largest_remainder
from distortlab.recipe import Recipe
from distortlab.references.base import Entry
from distortlab.severity.visibility import measure_visibility

if TYPE_CHECKING:
    from distortlab.generation.composition import EditRequest
    from distortlab.generation.loaded_reference import LoadedReference

__all__ = ["VISIBLE", "ControlKind", "assign_controls", "check_controls", "draw_seam", "spread_listed"]

ControlKind = Literal["natural", "seam"]
VISIBLE = "a seam control that could be seen, or is the same picture"


def assign_controls(
    recipe: Recipe, name: str, edits: Sequence[Sequence["EditRequest"]], references: Sequence[str]
) -> list[ControlKind | None]:
    """Say which of the pristine images that are planned together are controls, in an order drawn by address.

    Parameters
    ----------
    recipe
        Its `controls` has the shares.
    name
        Of these images, e.g. that of their split.
    edits
        Of every image; a pristine one has none.
    references
        The id of the reference of every image: those that the recipe names are natural controls before others.
    """
    out: list[ControlKind | None] = [None] * len(edits)
    rules = recipe.controls
    if not rules.is_wanted:
        return out
    pristine = stream(recipe.seed, name, "controls").permute([at for at, own in enumerate(edits) if not own])
    names = _list_names(recipe)
    pristine.sort(key=lambda at: references[at] not in names)
    rest = max(0.0, 1 - rules.natural - rules.seam)
    counts = largest_remainder({"natural": rules.natural, SEAM: rules.seam, "": rest}, len(pristine))
    for place, image in enumerate(pristine):
        if place < counts["natural"]:
            out[image] = "natural"
        elif place < counts["natural"] + counts[SEAM]:
            out[image] = "seam"
    return out


def _list_names(recipe: Recipe) -> set[str]:
    return {name for names in recipe.controls.references.values() for name in names}


def spread_listed(recipe: Recipe, entries: Sequence[Entry], wanted: int) -> Sequence[Entry]:
    """The entries with those that the recipe names evenly among the first `wanted`, so that every shard has its share.

    As they are where the recipe names none.
    """
    names = _list_names(recipe) if recipe.controls.natural else set()
    listed, others = ([entry for entry in entries if (entry.id in names) == is_named] for is_named in (True, False))
    if not listed or not wanted:
        return entries
    listed = listed[:wanted]
    places = {at * wanted // len(listed) for at in range(len(listed))}
    own, rest = iter(listed), iter(others)
    first = [next(own) if at in places else next(rest) for at in range(wanted)]
    return [*first, *rest]


def check_controls(recipe: Recipe, entries: Sequence[Entry]) -> None:
    """Raise `BadRecipe` where the recipe names fewer photographs than it has natural controls, each of which is one."""
    rules = recipe.controls
    if not rules.references or not rules.natural:
        return
    composition = recipe.composition
    pristine = recipe.n * composition.pristine / sum(composition.kinds.values())
    there = sum(entry.id in _list_names(recipe) for entry in entries)
    if there < int(rules.natural * pristine):
        raise BadRecipe(
            f"controls.natural asks for {int(rules.natural * pristine)} images, and {there} of these references are "
            "named in controls.references: name more, or ask for a smaller share"
        )


def draw_seam(recipe: Recipe, image_id: str, loaded: "LoadedReference", turn: int) -> Iterator[tuple[Control, Image]]:
    """Take regions through the mask, each with every operation, as long as somebody asks for more.

    Parameters
    ----------
    recipe
        Its seed draws the order of the operations; its `regions.feather` is that of the mask.
    image_id
        Names the randomness.
    loaded
        The reference.
    turn
        Which of its regions comes first.

    Yields
    ------
    tuple
        The control with its V, and the whole image: something is changed, and V is below 1.
    """
    reference = loaded.reference.image
    operations = stream(recipe.seed, image_id, "operation").permute(list(OPERATIONS))
    for index in loaded.order_regions(image_id, turn)[: recipe.visibility.regions_per_reference]:
        if loaded.find_violation(index):
            continue
        region = loaded.region(index)
        for name in operations:
            address = (recipe.seed, image_id, "control", name)
            control = Control(SEAM, region, name, recipe.regions.feather, address)
            image = render_control(reference, control)
            inside = np.ascontiguousarray(image[region.bbox.slices])
            v = measure_visibility(loaded.scene(index), inside, "compression.jpeg").v
            if v < _LEAST and not np.array_equal(inside, reference[region.bbox.slices]):
                yield replace(control, v=v), image


_LEAST = 1.0
"""V from which on a change can be seen."""
