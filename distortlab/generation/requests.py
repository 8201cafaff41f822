"""What is to be done and asked in images that are planned together, in exact shares."""

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise

from distortlab.core.seeds import stream
from distortlab.generation.allocation import assign_cells, assign_tasks, match_tasks
from distortlab.generation.composition import (
    EditRequest,
    Places,
    arrange_comparisons,
    assign_places,
    separate_families,
)
from distortlab.generation.difficulties import CellShares, assign_difficulties
from distortlab.generation.partners import draw_partner
from distortlab.generation.possible_tasks import assign_possible_tasks, list_possible_tasks, list_preferred_tasks
from distortlab.recipe import CompositionRules, Recipe
from distortlab.references.base import Entry
from distortlab.tasks import TASKS

__all__ = ["has_choice", "request_images"]

Edits = tuple[EditRequest, ...]


def has_choice(entry: Entry) -> bool:
    """Whether an object question about an image of this reference is likely to have three candidates or more."""
    return entry.name_count >= 3


def request_images(
    recipe: Recipe,
    name: str,
    owners: Sequence[int],
    own: Sequence[Entry],
    asked: Mapping[str, float],
    cell_shares: CellShares,
    is_unique: bool = True,
) -> list[tuple[tuple[EditRequest, ...], tuple[str, ...]]]:
    """Say what is to be done and asked in each of some images that are planned together, in exact shares.

    Parameters
    ----------
    recipe
        Its seed draws the order.
    name
        Of these images, e.g. that of their split; part of the address of the draw.
    owners
        Which reference each image is made from, as a number. Images of one stand together.
    own
        The references.
    asked
        Tasks by share, as `select_tasks` has them.
    cell_shares
        As `share_cells` has them.
    is_unique
        Whether a reference gives one pristine image only, and an image can be compared with the one before it. Where
        each is made by itself, it may be compared with one that is made for that (`partners`).

    Returns
    -------
    list of tuple
        (edits, tasks) of every image.
    """
    compared = _count_comparisons(recipe, asked, len(owners)) if is_unique else 0
    edits = _assign_edits(recipe, name, owners, own, cell_shares, is_unique, compared)
    choice = [has_choice(own[owner]) for owner in owners]
    if recipe.composition == CompositionRules() and all(TASKS[task].subject == "region" for task in asked):
        tasks = assign_tasks(recipe, name, asked, len(owners))
        tasks = match_tasks(tasks, choice, stream(recipe.seed, name, "matched"))
    else:
        others = _list_before(edits, owners) if is_unique else _list_partners(recipe, name, asked, edits, cell_shares)
        tasks = _assign_possible(recipe, name, asked, edits, choice, others)
    return list(zip(edits, tasks, strict=True))


def _count_comparisons(recipe: Recipe, asked: Mapping[str, float], images: int) -> int:
    """How many comparisons of two images are wanted."""
    return round(asked.get("comparison", 0.0) / sum(asked.values()) * recipe.samples_per_image * images)


def _assign_edits(
    recipe: Recipe,
    name: str,
    owners: Sequence[int],
    own: Sequence[Entry],
    cell_shares: CellShares,
    is_unique: bool,
    compared: int,
) -> list[tuple[EditRequest, ...]]:
    """The edits of every image."""
    room = {} if recipe.composition.most_regions < 2 else _count_room(own)
    places = assign_places(recipe, name, owners, room, is_unique)
    images = [image for image, of_image in enumerate(places) for _ in of_image]
    cells = assign_cells(recipe, name, [owners[image] for image in images], cell_shares)
    if not recipe.composition.repeat_families:
        cells = separate_families(cells, images)
    if compared:
        source = stream(recipe.seed, name, "comparisons")
        pairs = source.permute(_list_pairs(places, owners))[:compared]
        cells = arrange_comparisons(cells, images, pairs, source)
    difficulties = assign_difficulties(cells, cell_shares)
    flat = [
        EditRequest(*cell, place, difficulty)
        for cell, place, difficulty in zip(
            cells, (p for of_image in places for p in of_image), difficulties, strict=True
        )
    ]
    ends = [0, *accumulate(map(len, places))]
    return [tuple(flat[start:end]) for start, end in pairwise(ends)]


def _list_pairs(places: Sequence[Places], owners: Sequence[int]) -> list[tuple[int, int]]:
    """The edits of neighbors of one reference that are both distorted as a whole, each image in one pair."""
    starts = [0, *accumulate(map(len, places))]
    pairs: list[tuple[int, int]] = []
    last = -1
    for at in range(1, len(places)):
        if at - 1 > last and owners[at] == owners[at - 1] and places[at] == places[at - 1] == ("whole",):
            pairs.append((starts[at - 1], starts[at]))
            last = at
    return pairs


def _list_before(edits: Sequence[Edits], owners: Sequence[int]) -> list[Edits | None]:
    """The edits of the image before each, where it is of the same reference."""
    return [edits[at - 1] if at and owners[at] == owners[at - 1] else None for at in range(len(owners))]


def _list_partners(
    recipe: Recipe, name: str, asked: Mapping[str, float], edits: Sequence[Edits], cell_shares: CellShares
) -> list[Edits | None]:
    """Edits of an image such as would be made to be compared with each, where that is asked."""
    if "comparison" not in asked:
        return [None] * len(edits)
    return [
        draw_partner(own, recipe.composition, cell_shares, stream(recipe.seed, name, "partner", at))
        for at, own in enumerate(edits)
    ]


def _assign_possible(
    recipe: Recipe,
    name: str,
    asked: Mapping[str, float],
    edits: Sequence[Edits],
    choice: Sequence[bool],
    others: Sequence[Edits | None],
) -> list[tuple[str, ...]]:
    """The tasks of images of several kinds. `others` are the edits of those that they may be compared with."""
    negatives = recipe.composition.negatives
    possible = [list_possible_tasks(*both, negatives) for both in zip(edits, others, strict=True)]
    preferred = [list_preferred_tasks(*about) for about in zip(edits, others, choice, strict=True)]
    pristine = [not own for own in edits]
    return assign_possible_tasks(recipe, name, asked, possible, preferred, pristine)


def _count_room(own: Sequence[Entry]) -> dict[int, int]:
    """How many regions references have, of those of which that is known."""
    return {owner: entry.region_count for owner, entry in enumerate(own) if entry.region_count}
