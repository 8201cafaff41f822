"""What a stream consists of: blocks of images with exact shares, and windows of images that share a few references.

Item i depends on the recipe, the references, the seed and i. Families, severities and tasks are assigned in blocks of
`BLOCK` images. A window of `WINDOW` images takes the next few references of an order that is drawn anew for every pass
over them, so that loading is paid once for the images made from a reference; within the window the images are shuffled.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from distortlab.core import seeds
from distortlab.generation.composition import check_composition
from distortlab.generation.controls import ControlKind, assign_controls
from distortlab.generation.difficulties import share_cells
from distortlab.generation.plan import (
    EditRequest,
    Slot,
    check_families,
    find_most_regions,
    select_tasks,
    weigh_vocabulary,
)
from distortlab.generation.requests import request_images
from distortlab.recipe import Recipe
from distortlab.references.base import Entry, References

__all__ = ["BLOCK", "WINDOW", "StreamPlan", "Window", "recall"]

BLOCK = 512
"""Images in which families, severities and tasks have exact shares."""
WINDOW = 16
"""Images that share references: what one process draws at a time."""
_LEAST_ENTRIES = 64
_KEPT_BLOCKS, _KEPT_EPOCHS = 4, 2

K = TypeVar("K")
T = TypeVar("T")
Request = tuple[tuple[EditRequest, ...], tuple[str, ...], ControlKind | None]


@dataclass(frozen=True, slots=True)
class Window:
    """The images `number * WINDOW` and on. The entries at the end that no slot has are for images that no other
    reference of the window will do for.

    `replacement` is 0, or counts how often images of this window were planned anew, with other references and under
    other names, because nothing came of them. `has_all` says that there are no references but `entries`.
    """

    number: int
    slots: tuple[Slot, ...]
    entries: tuple[Entry, ...]
    replacement: int = 0
    has_all: bool = False


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
        self.asked = select_tasks(recipe, self.vocabulary)
        self._listed = None if references.count is None else references.entries(references.count)
        check_composition(recipe, find_most_regions(recipe, self._listed or references.entries(1)))
        self._per_window = max(1, min(WINDOW, round(WINDOW / recipe.images_per_reference)))
        most = max(_LEAST_ENTRIES, 4 * recipe.visibility.references_per_image)
        self._most_entries = min(most, references.count or most)
        self._blocks: dict[int, list[Request]] = {}
        self._epochs: dict[int, list[int]] = {}

    def make_window(self, number: int, replacement: int = 0) -> Window:
        """The window of a number, from 0; or what takes the place of its images, from 1: the same requests, over the
        references that follow in the order.
        """
        per = self._per_window
        first = number * per + replacement * self._most_entries
        positions = [first + image * per // WINDOW for image in range(WINDOW)]
        entries, own = self._list_entries(first)
        order = seeds.stream(self.recipe.seed, "stream", number, "order").permute(range(WINDOW))
        block, offset = divmod(number * WINDOW, BLOCK)
        requests = recall(self._blocks, block, self._plan_block, _KEPT_BLOCKS)[offset : offset + WINDOW]
        suffix = f"-{replacement}" if replacement else ""
        slots = tuple(
            Slot(
                f"stream-{number * WINDOW + place:09d}{suffix}",
                *requests[image][:2],
                entry=own[positions[image] - first],
                turn=self._count_turn(positions, image),
                control=requests[image][2],
            )
            for place, image in enumerate(order)
        )
        return Window(number, slots, tuple(entries), replacement, len(entries) == self.references.count)

    def _plan_block(self, number: int) -> list[Request]:
        """(edits, tasks, control) of the images of a block, those of a reference beside each other."""
        windows, per = BLOCK // WINDOW, self._per_window
        owners = [at * per + image * per // WINDOW for at in range(windows) for image in range(WINDOW)]
        first = number * windows * per
        own = self._take([self._locate(first + at) for at in range(windows * per)])
        name = f"stream-{number}"
        requests = request_images(self.recipe, name, owners, own, self.asked, self.cell_shares, is_unique=False)
        ids = [own[owner].id for owner in owners]
        controls = assign_controls(self.recipe, name, [edits for edits, _ in requests], ids)
        return [(*request, control) for request, control in zip(requests, controls, strict=True)]

    def _count_turn(self, positions: Sequence[int], image: int) -> int:
        """How many images the reference of an image has had before it, at least: each begins with another region."""
        count = self.references.count
        epoch = positions[image] // count if count else 0
        within = image - positions.index(positions[image])
        return epoch * math.ceil(WINDOW / self._per_window) + within

    def _list_entries(self, first: int) -> tuple[list[Entry], list[int]]:
        """The entries of a window, each once, the spare ones last; and where the entry of each of its positions is."""
        found: dict[int, int] = {}
        own: list[int] = []
        position = first
        while len(own) < self._per_window or len(found) < self._most_entries:
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
        return recall(self._epochs, epoch, self._shuffle, _KEPT_EPOCHS)[offset]

    def _shuffle(self, epoch: int) -> list[int]:
        source = seeds.stream(self.recipe.seed, "stream", "references", epoch)
        return source.permute(range(self.references.count or 0))

    def _take(self, indices: Sequence[int]) -> list[Entry]:
        listed = self.references.entries(max(indices) + 1) if self._listed is None else self._listed
        return [listed[index] for index in indices]


def recall(known: dict[K, T], key: K, make: Callable[[K], T], most: int) -> T:
    """`make(key)`, the last few of which are kept."""
    if key not in known:
        known[key] = make(key)
        if len(known) > most:
            del known[next(iter(known))]
    return known[key]
