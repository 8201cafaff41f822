"""A reference in memory: its regions and the order in which they are tried, what was measured in them, its files."""

import math
from collections.abc import Sequence
from functools import cached_property
from itertools import zip_longest
from typing import TypeVar

from distortlab.core.image import Image, SharedHash, get_shape
from distortlab.core.region import Box, Region
from distortlab.core.seeds import short_stream
from distortlab.dataset.patches import encode_patch
from distortlab.generation.candidates import NameGroups, select_compatible_names
from distortlab.generation.composition import are_apart
from distortlab.imaging.encode import Canvas
from distortlab.recipe import Recipe
from distortlab.references.base import NamedRegion, Reference
from distortlab.references.natural import find_natural_kind
from distortlab.references.regions.rules import find_rule_violation
from distortlab.references.regions.tightening import tighten_region
from distortlab.severity.scene import Scene

__all__ = ["WHOLE", "LoadedReference", "encode_changed"]

T = TypeVar("T")
WHOLE = -1
"""The index of the whole frame, beside those of the regions of a reference."""


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


def encode_changed(canvas: Canvas, image: Image, regions: Sequence[Region]) -> bytes:
    """The file of an image that differs from the reference of a canvas in some regions only."""
    rows = [row for region in regions for row in (region.bbox.y1, region.bbox.y2)]
    return canvas.encode(image, (min(rows, default=0), max(rows, default=0)))


def _rotate(items: list[T], start: int) -> list[T]:
    return items[start:] + items[:start]
