"""References that images are made from: loaded when needed, some kept; and the order in which regions are tried."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import zip_longest
from typing import TypeVar

from distortlab.core.errors import BadReference
from distortlab.core.image import Image, SharedHash, get_shape
from distortlab.core.region import Box, Region
from distortlab.core.seeds import short_stream
from distortlab.dataset.patches import encode_patch
from distortlab.generation.candidates import NameGroups, select_compatible_names
from distortlab.generation.composition import are_apart
from distortlab.generation.draw_counts import DrawCounts
from distortlab.generation.plan import Slot
from distortlab.imaging.encode import Canvas
from distortlab.recipe import Recipe
from distortlab.references.base import Entry, NamedRegion, Reference
from distortlab.references.licenses import is_allowed
from distortlab.references.natural import find_natural_kind
from distortlab.references.regions.rules import find_rule_violation
from distortlab.references.regions.tightening import tighten_region
from distortlab.references.screening import screen
from distortlab.severity.scene import Scene

__all__ = ["WHOLE", "DrawKey", "LoadedReference", "ReferencePool", "encode_changed"]

T = TypeVar("T")
WHOLE = -1
"""The index of the whole frame, beside those of the regions of a reference."""
# Reference, index of the region, variant, severity, and which factor of its target is searched for.
DrawKey = tuple[str, int, str, int, float]

_KEPT_PIXELS = 4 << 20
"""With their files and encoded bands references take about 6 bytes for each pixel."""


class LoadedReference:
    """A reference in memory, with what the images made from it share: measurements of its regions, encoded bands, and
    the order in which regions are tried.

    Parameters
    ----------
    reference
        The clean image and its regions.
    recipe
        Its seed orders the regions, its codec encodes images.
    patches
        Encode the box around the regions in place of the whole image.
    is_independent
        Whether images must come out the same whichever were made before. Costs a measurement now and then that could
        have been taken from another image.
    """

    def __init__(
        self, reference: Reference, recipe: Recipe, patches: bool = False, is_independent: bool = False
    ) -> None:
        self.reference = reference
        self.pixels = math.prod(get_shape(reference.image))
        self.recipe = recipe
        self.canvas = Canvas(reference.image, recipe.codec)
        self._hash = SharedHash(reference.image)
        self.patches = patches
        self.is_independent = is_independent
        self._regions: dict[int, Region] = {}
        self._scenes: dict[int, Scene] = {}
        self._rough_scenes: dict[int, Scene] = {}
        self._apart: dict[tuple[int, int], bool] = {}
        self._names: dict[str, frozenset[str]] = {}  # of the last image

    def encode(self, image: Image, regions: Sequence[Region]) -> bytes:
        """The file of an image that differs from the reference in some regions only: the whole of it, or the patch."""
        if self.patches:
            return encode_patch(image, regions)
        return encode_changed(self.canvas, image, regions)

    def hash_pixels(self, image: Image, regions: Sequence[Region]) -> str:
        """`pixels_sha256` of an image that differs from the reference in some regions only."""
        return self._hash.compute(image, min((region.bbox.y1 for region in regions), default=0))

    @cached_property
    def regions_by_name(self) -> dict[str | None, list[int]]:
        """The indices of the regions of every name, both shuffled."""
        source = short_stream(self.recipe.seed, "regions", self.reference.id)
        names = [place.object for place in self.reference.regions]
        shuffled = source.permute(range(len(names)))
        # One region speaks for each name, or names with many regions would come first more often than others.
        firsts = sorted({name: names.index(name) for name in names}.values(), key=shuffled.index)
        by_name: dict[str | None, list[int]] = {names[index]: [] for index in firsts}
        for index in shuffled:
            by_name[names[index]].append(index)
        return by_name

    @cached_property
    def groups(self) -> NameGroups:
        """Which names lie inside which regions."""
        return NameGroups(self.reference)

    def candidate_names(self, image_id: str) -> frozenset[str]:
        """The names that an object question about an image may offer: all but some of those that lie inside others."""
        if image_id not in self._names:
            source = short_stream(self.recipe.seed, image_id, "names")
            names = source.permute(sorted(filter(None, self.regions_by_name)))
            self._names = {image_id: select_compatible_names(names, self.groups.conflicting_pairs)}
        return self._names[image_id]

    def first_regions(self, turn: int) -> dict[str | None, int]:
        """For each name the region that the `turn`-th image would take, in the order in which it tries them.

        Every image begins with another name: no name comes first more often than another, however many regions it has.
        When all have been first, each takes its next region.
        """
        groups = list(self.regions_by_name.items())
        start, round_ = turn % max(len(groups), 1), turn // max(len(groups), 1)
        return {name: group[round_ % len(group)] for name, group in _rotate(groups, start)}

    def order_regions(self, image_id: str, turn: int) -> list[int]:
        """The indices of all regions in the order in which the `turn`-th image tries them.

        One of every name, then a second one; before all others those of the names that its question may offer.
        """
        places, offered = self.reference.regions, self.candidate_names(image_id)
        first = self.first_regions(turn).items()
        groups = [_rotate(self.regions_by_name[name], self.regions_by_name[name].index(at)) for name, at in first]
        in_turn = [index for round_ in zip_longest(*groups) for index in round_ if index is not None]
        return sorted(in_turn, key=lambda index: places[index].object not in offered)

    @cached_property
    def whole(self) -> NamedRegion:
        """The whole frame."""
        size = get_shape(self.reference.image)
        return NamedRegion(Region.from_box(Box(0, 0, size[1], size[0]), size), None)

    def place(self, index: int) -> NamedRegion:
        """The region at `index` as it was drawn, or the whole frame."""
        return self.whole if index == WHOLE else self.reference.regions[index]

    def region(self, index: int) -> Region:
        """The pixels that an edit of the region at `index` changes: without background, where people drew it."""
        if index not in self._regions:
            region = self.place(index).region
            is_drawn = self.reference.drawn_by_hand and index != WHOLE
            self._regions[index] = self._tighten(region) if is_drawn else region
        return self._regions[index]

    def _tighten(self, region: Region) -> Region:
        """A region without background; as it was drawn where the rest would break the rules of the recipe."""
        tight = tighten_region(self.reference.image, region)
        return region if find_rule_violation(tight, self.recipe.regions) else tight

    def find_violation(self, index: int) -> str | None:
        """Why the region at `index` may not be changed after all, or None: a single outline that is in pieces."""
        return None if index == WHOLE else find_rule_violation(self.region(index), self.recipe.regions)

    def list_free(self, used: Sequence[int], order: Sequence[int], wanted: int) -> list[int]:
        """The regions of `order` that are disjoint from those `used`, and leave room for `wanted` - 1 others."""
        free = [index for index in order if all(self._are_apart(index, other) for other in used)]
        return [index for index in free if wanted == 1 or self.list_free([index], free, wanted - 1)]

    def _are_apart(self, one: int, other: int) -> bool:
        pair = (min(one, other), max(one, other))
        if pair not in self._apart:
            regions = self.place(one).region, self.place(other).region
            self._apart[pair] = one != other and are_apart(*regions, self.recipe.regions.feather)
        return self._apart[pair]

    @cached_property
    def natural_kind(self) -> str | None:
        """What the photograph is as it was taken: one of `recipe.NATURAL`, or None."""
        return find_natural_kind(self.reference.id, self.reference.image, self.recipe.controls.references)

    def scene(self, index: int) -> Scene:
        """The measurements of the clean region at `index`, made once."""
        if index not in self._scenes:
            known = self._rough_scenes.get(index) if self._is_as_drawn(index) else None
            self._scenes[index] = known or Scene.of_region(self.reference.image, self.region(index))
        return self._scenes[index]

    def _is_as_drawn(self, index: int) -> bool:
        """Whether nothing was taken off a region."""
        return self.region(index) is self.place(index).region

    def rough_scene(self, index: int) -> Scene:
        """The measurements of the region at `index` as it was drawn, background included: those of `scene` where they
        are there already. For what need not be exact: an outline is not tightened.
        """
        if index in self._scenes and (not self.is_independent or self._is_as_drawn(index)):
            return self._scenes[index]
        if index not in self._rough_scenes:
            self._rough_scenes[index] = Scene.of_region(self.reference.image, self.reference.regions[index].region)
        return self._rough_scenes[index]


@dataclass(slots=True)
class ReferencePool:
    """The references of some slots. That of the slot and the last ones that were used stay in memory: an image that
    falls back on others does not make the next image of its own reference load and screen it again.

    Parameters
    ----------
    entries
        Loaded when a slot needs them. A slot says which it tries first.
    recipe
        The rules that references must pass.
    spare
        So many at the end of the entries are no slot's own: where that of a slot does not do, they are tried first.
    patches
        Encode patches and not whole images.
    is_independent
        Whether images must come out the same whichever were made before: see `LoadedReference`.
    kept_pixels
        References of so many pixels together are kept.
    counts
        Is added to.
    drawn
        What would come of a draw that was made before and is not random, by reference, region, variant, severity and
        aim: why it was rejected, or that the image would be the same again.
    """

    entries: Sequence[Entry]
    recipe: Recipe
    spare: int = 0
    patches: bool = False
    is_independent: bool = False
    kept_pixels: int = _KEPT_PIXELS
    counts: DrawCounts = field(default_factory=DrawCounts)
    drawn: dict[DrawKey, str] = field(default_factory=dict)
    _ordinary: set[int] = field(default_factory=set)
    _opened: set[str] = field(default_factory=set)
    _unusable: set[int] = field(default_factory=set)
    _kept: dict[int, LoadedReference] = field(default_factory=dict)
    _own: int = -1

    def order_entries(self, slot: Slot) -> Iterator[tuple[int, int]]:
        """(entry, turn) to try for a slot: its own reference, then spares, then those of other slots, the last ones
        before it first. Slots beside each other try the same ones: they are in memory still.
        """
        yield slot.entry, slot.turn
        primary = len(self.entries) - self.spare
        spares = _rotate([*range(primary, len(self.entries))], slot.entry * self.spare // primary)
        source = short_stream(self.recipe.seed, slot.image_id, "fallback")
        for entry in (*spares, *reversed(range(slot.entry)), *range(slot.entry + 1, primary)):
            yield entry, source.below(1 << 16)

    @property
    def is_exhausted(self) -> bool:
        """Whether every entry was opened, and none can be used."""
        return len(self._unusable) == len(self.entries)

    def load_for(self, slot: Slot) -> Iterator[tuple[LoadedReference, int]]:
        """(reference, turn) to try for a slot, loaded one by one: its own, and as many more as the recipe allows.

        Those that cannot be used do not count: they cost nothing after the first time.
        """
        left = self.recipe.visibility.references_per_image + 1
        self._own = slot.entry
        for entry, turn in self.order_entries(slot):
            loaded = self.load(entry)
            if loaded:
                yield loaded, turn
                left -= 1
            if not left:
                return

    def load_natural(self, slot: Slot) -> Iterator[tuple[LoadedReference, int]]:
        """(reference, turn) of those that are blurred in parts, dark or moved as they were taken, the slot's own first.
        Of the others only that is kept, so they are opened once.
        """
        self._own = slot.entry
        for entry, turn in self.order_entries(slot):
            loaded = None if entry in self._ordinary else self.load(entry)
            if loaded and loaded.natural_kind:
                yield loaded, turn
            elif loaded:
                self._ordinary.add(entry)

    def load(self, index: int) -> LoadedReference | None:
        """The reference of an entry, or None where it cannot be used; the reason is counted once."""
        if index in self._unusable:
            return None
        loaded = self._kept.pop(index, None) or self._load_entry(self.entries[index])
        if loaded is None:
            self._unusable.add(index)
            return None
        self._kept[index] = loaded
        self._forget_oldest()
        return loaded

    def _forget_oldest(self) -> None:
        """Keep what fits, and always the last one used and that of the slot."""
        pixels = sum(loaded.pixels for loaded in self._kept.values())
        for index in [*self._kept][:-1]:
            if pixels > self.kept_pixels and index != self._own:
                pixels -= self._kept.pop(index).pixels

    def _load_entry(self, entry: Entry) -> LoadedReference | None:
        is_new = entry.id not in self._opened
        self._opened.add(entry.id)
        self.counts.opened = len(self._opened)
        try:
            reference = entry.load(self.recipe.references, self.recipe.regions)
        except BadReference as error:
            self.counts.failures.append({"reference": entry.id, "reason": str(error)})
            return None
        if is_new:
            self.counts.skipped.update(reference.skipped)
        if reason := self._find_fault(reference):
            self.counts.screened[reason] += 1
            return None
        return LoadedReference(reference, self.recipe, self.patches, self.is_independent)

    def _find_fault(self, reference: Reference) -> str | None:
        """Why no image may be made from a reference, or None."""
        rules = self.recipe.references
        if not is_allowed(reference.license, rules.licenses.allow, rules.licenses.deny):
            return "license left out by the recipe"
        return screen(reference.image, rules) or (None if reference.regions else "no region that passes the rules")


def encode_changed(canvas: Canvas, image: Image, regions: Sequence[Region]) -> bytes:
    """The file of an image that differs from the reference of a canvas in some regions only."""
    rows = [row for region in regions for row in (region.bbox.y1, region.bbox.y2)]
    return canvas.encode(image, (min(rows, default=0), max(rows, default=0)))


def _rotate(items: list[T], start: int) -> list[T]:
    return items[start:] + items[:start]
