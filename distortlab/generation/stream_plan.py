"""What a stream consists of: blocks of images with exact shares, and windows of images that share a few references.

Item i depends on the recipe, the references, the seed and i. Families, severities and tasks are assigned in blocks of
`BLOCK` images. A window of `WINDOW` images takes the next few references of an order that is drawn anew for every pass
over them, so that loading is paid once for the images made from a reference; within the window the images are shuffled.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from distortlab.core import seeds
from distortlab.core.errors import UserError, describe_unknown
from distortlab.core.seeds import Stream
from distortlab.generation.composition import check_composition
from distortlab.generation.difficulties import CellShares, share_cells
from distortlab.generation.plan import (
    EditRequest,
    Slot,
    check_families,
    find_most_regions,
    select_tasks,
    weigh_vocabulary,
)
from distortlab.generation.requests import request_images
from distortlab.recipe import SEVERITIES, Recipe
from distortlab.references.base import Entry, References
from distortlab.tasks import TASKS

__all__ = ["BLOCK", "WINDOW", "StreamPlan", "Window", "check_weights", "redraw_edits"]

BLOCK = 512
"""Images in which families, severities and tasks have exact shares."""
WINDOW = 16
"""Images that share references: what one process draws at a time."""
_LEAST_ENTRIES = 64
_KEPT_BLOCKS, _KEPT_EPOCHS = 4, 2

T = TypeVar("T")
Request = tuple[tuple[EditRequest, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Window:
    """The images `number * WINDOW` and on. The entries at the end that no slot has are for images that no other
    reference of the window will do for.
    """

    number: int
    slots: tuple[Slot, ...]
    entries: tuple[Entry, ...]


class StreamPlan:
    """Plans the images of a stream. No image is opened.

    Parameters
    ----------
    recipe
        What is asked for; its seed is that of the stream. Number of images, splits and shards mean nothing here.
    references
        Where the clean images come from.

    Raises
    ------
    BadRecipe
        For families, difficulties and numbers of regions that cannot be, and where no task is left.
    """

    def __init__(self, recipe: Recipe, references: References) -> None:
        check_families(recipe)
        self.recipe, self.references = recipe, references
        self.cell_shares = share_cells(recipe)
        self.vocabulary = weigh_vocabulary(references)
        asked = select_tasks(recipe, self.vocabulary)  # each image is made by itself: none is compared with another
        self.asked = {task: s for task, s in asked.items() if TASKS[task].images == 1 or TASKS[task].shows_reference}
        self._listed = None if references.count is None else references.entries(references.count)
        check_composition(recipe, find_most_regions(recipe, self._listed or references.entries(1)))
        self._per_window = max(1, min(WINDOW, round(WINDOW / recipe.images_per_reference)))
        self._blocks: dict[int, list[Request]] = {}
        self._epochs: dict[int, list[int]] = {}

    def make_window(self, number: int) -> Window:
        """The window of a number, from 0."""
        first, per = number * self._per_window, self._per_window
        positions = [first + image * per // WINDOW for image in range(WINDOW)]
        entries, own = self._list_entries(first)
        order = seeds.stream(self.recipe.seed, "stream", number, "order").permute(range(WINDOW))
        block, offset = divmod(number * WINDOW, BLOCK)
        requests = _recall(self._blocks, block, self._plan_block, _KEPT_BLOCKS)[offset : offset + WINDOW]
        slots = tuple(
            Slot(
                f"stream-{number * WINDOW + place:09d}",
                *requests[image],
                entry=own[positions[image] - first],
                turn=self._count_turn(positions, image),
            )
            for place, image in enumerate(order)
        )
        return Window(number, slots, tuple(entries))

    def _plan_block(self, number: int) -> list[Request]:
        """(edits, tasks) of the images of a block, those of a reference beside each other."""
        windows, per = BLOCK // WINDOW, self._per_window
        owners = [at * per + image * per // WINDOW for at in range(windows) for image in range(WINDOW)]
        first = number * windows * per
        own = self._take([self._locate(first + at) for at in range(windows * per)])
        name = f"stream-{number}"
        return request_images(self.recipe, name, owners, own, self.asked, self.cell_shares, is_unique=False)

    def _count_turn(self, positions: Sequence[int], image: int) -> int:
        """How many images the reference of an image has had before it, at least: each begins with another region."""
        count = self.references.count
        epoch = positions[image] // count if count else 0
        within = image - positions.index(positions[image])
        return epoch * math.ceil(WINDOW / self._per_window) + within

    def _list_entries(self, first: int) -> tuple[list[Entry], list[int]]:
        """The entries of a window, each once, the spare ones last; and where the entry of each of its positions is."""
        most = max(_LEAST_ENTRIES, 4 * self.recipe.visibility.references_per_image)
        most = min(most, self.references.count or most)
        found: dict[int, int] = {}
        own: list[int] = []
        position = first
        while len(own) < self._per_window or len(found) < most:
            place = found.setdefault(self._locate(position), len(found))
            if len(own) < self._per_window:
                own.append(place)
            position += 1
        return self._take(list(found)), own

    def _locate(self, position: int) -> int:
        """The index of the entry at a position of the endless order."""
        count = self.references.count
        if count is None:
            return position
        epoch, offset = divmod(position, count)
        return _recall(self._epochs, epoch, self._shuffle, _KEPT_EPOCHS)[offset]

    def _shuffle(self, epoch: int) -> list[int]:
        source = seeds.stream(self.recipe.seed, "stream", "references", epoch)
        return source.permute(range(self.references.count or 0))

    def _take(self, indices: Sequence[int]) -> list[Entry]:
        listed = self.references.entries(max(indices) + 1) if self._listed is None else self._listed
        return [listed[index] for index in indices]


def _recall(known: dict[int, T], key: int, make: Callable[[int], T], most: int) -> T:
    """`make(key)`, the last few of which are kept."""
    if key not in known:
        known[key] = make(key)
        if len(known) > most:
            del known[next(iter(known))]
    return known[key]


# --- other weights --------------------------------------------------------------------------------------------------


def redraw_edits(
    edits: Sequence[EditRequest],
    shares: CellShares,
    source: Stream,
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
        family = _choose(_weigh_families(shares, families, avoided, taken), source)
        weights = {s: sum(own.values()) for (name, s), own in shares.items() if name == family}
        if severities is not None:
            weights = {s: severities.get(str(s), 0.0) * (weight > 0) for s, weight in weights.items()}
        if not sum(weights.values()) > 0:
            raise UserError(f"no severity that the recipe has for {family!r} has a weight above 0: {severities}")
        severity = _choose(weights, source)
        difficulty = _choose(shares[family, severity], source)
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


def _choose(weights: Mapping[T, float], source: Stream) -> T:
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
