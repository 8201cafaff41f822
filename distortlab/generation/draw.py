"""From a slot to a distorted image: try, look, and keep only what can be seen and goes the right way.

A rejected draw tries another variant of the same family, then another region, then another reference, so families,
severities and tasks stay as planned. Every rejection is counted with its reason. No label without an effect.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import zip_longest
from typing import TypeVar

import numpy as np

from distortlab.core.errors import BadReference
from distortlab.core.image import Image, pixels_sha256, shape_of
from distortlab.core.seeds import stream
from distortlab.dataset.patches import encode_patch
from distortlab.distortions.base import Distortion
from distortlab.distortions.catalog import amount_of, variants
from distortlab.distortions.edit import Edit, applied, spatial_scale, with_visibility
from distortlab.generation.candidates import compatible_names, conflicting_pairs
from distortlab.generation.plan import Shard, Slot
from distortlab.imaging.encode import Canvas
from distortlab.recipe import Recipe
from distortlab.references.base import Entry, NamedRegion, Reference
from distortlab.references.licenses import is_allowed
from distortlab.references.screening import screen
from distortlab.severity.model_size import seen_small
from distortlab.severity.scene import Scene
from distortlab.severity.search import equalized, misfit
from distortlab.severity.visibility import gate, measure, verdict

__all__ = ["Bench", "Drawn", "Tally", "draw"]

T = TypeVar("T")


@dataclass(slots=True)
class Tally:
    """What happened in a shard: rejected draws, screened references and skipped annotations, each by reason."""

    rejected: Counter[str] = field(default_factory=Counter)
    screened: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    opened: int = 0
    failures: list[dict[str, str]] = field(default_factory=list)


class Workpiece:
    """A loaded reference with what is worth keeping between its images."""

    def __init__(self, reference: Reference, recipe: Recipe, patches: bool = False) -> None:
        self.reference = reference
        self.recipe = recipe
        self.canvas = Canvas(reference.image, recipe.codec)
        self.patches = patches
        self.scenes: dict[int, Scene] = {}

    def encode(self, image: Image, edit: Edit) -> bytes:
        """The file of a distorted image: the whole of it, or the patch."""
        if self.patches:
            return encode_patch(image, [edit.region])
        return self.canvas.encode(image, (edit.bbox.y1, edit.bbox.y2))

    @cached_property
    def by_name(self) -> dict[str | None, list[int]]:
        """The regions of every name, both shuffled."""
        source = stream(self.recipe.seed, "regions", self.reference.id)
        names = [place.object for place in self.reference.regions]
        shuffled = source.shuffled(range(len(names)))
        # One region speaks for each name, or names with many regions would come first more often than others.
        firsts = sorted({name: names.index(name) for name in names}.values(), key=shuffled.index)
        by_name: dict[str | None, list[int]] = {names[index]: [] for index in firsts}
        for index in shuffled:
            by_name[names[index]].append(index)
        return by_name

    @cached_property
    def conflicts(self) -> frozenset[frozenset[str]]:
        """Pairs of names that cannot be offered beside each other."""
        return conflicting_pairs(self.reference)

    def names(self, image_id: str) -> frozenset[str]:
        """The names from among which an image asks: all, but for some of those that lie inside others."""
        source = stream(self.recipe.seed, image_id, "names")
        return compatible_names(source.shuffled(sorted(filter(None, self.by_name))), self.conflicts)

    def firsts(self, turn: int) -> dict[str | None, int]:
        """For each name the region that the `turn`-th image would take, in the order in which it tries them.

        Every image begins with another name: no name comes first more often than another, however many regions it has.
        When all have been first, each takes its next region.
        """
        groups = list(self.by_name.items())
        start, round_ = turn % max(len(groups), 1), turn // max(len(groups), 1)
        return {name: group[round_ % len(group)] for name, group in _rotated(groups, start)}

    def regions(self, image_id: str, turn: int) -> list[int]:
        """The indices of the regions that the `turn`-th image tries, in order: one of every name, then a second one;
        first of all those of the names from among which it asks.
        """
        places, asked = self.reference.regions, self.names(image_id)
        groups = [_rotated(self.by_name[name], self.by_name[name].index(at)) for name, at in self.firsts(turn).items()]
        in_turn = [index for round_ in zip_longest(*groups) for index in round_ if index is not None]
        ordered = sorted(in_turn, key=lambda index: places[index].object not in asked)
        return ordered[: self.recipe.visibility.regions_per_reference]

    def scene(self, index: int) -> Scene:
        """The measurements of a region before it is changed."""
        if index not in self.scenes:
            region = self.reference.regions[index].region
            box = np.ascontiguousarray(self.reference.image[region.bbox.slices])
            self.scenes[index] = Scene(box, region.mask)
        return self.scenes[index]


@dataclass(slots=True)
class Bench:
    """The references of a shard, the last of them kept at hand. `patches`: encode patches and not whole images."""

    shard: Shard
    recipe: Recipe
    patches: bool = False
    tally: Tally = field(default_factory=Tally)
    _opened: set[str] = field(default_factory=set)
    _unusable: set[int] = field(default_factory=set)
    _last: tuple[int, Workpiece] | None = None

    def candidates(self, slot: Slot) -> Iterator[tuple[int, int]]:
        """(entry, turn) to try for a slot: its own reference, then spares, then those of other slots."""
        yield slot.entry, slot.turn
        rest = [*range(self.shard.primary, len(self.shard.entries)), *range(self.shard.primary)]
        source = stream(self.recipe.seed, slot.image_id, "fallback")
        for entry in _rotated(rest, source.below(max(1, len(rest) - self.shard.primary))):
            if entry != slot.entry:
                yield entry, source.below(1 << 16)

    def pieces(self, slot: Slot) -> Iterator[tuple[Workpiece, int]]:
        """The loaded references to try for a slot, with the turn: its own and as many more as the recipe allows.
        Those that cannot be used are not counted: they cost nothing after the first time.
        """
        left = self.recipe.visibility.references_per_image + 1
        for entry, turn in self.candidates(slot):
            piece = self.workpiece(entry)
            if piece:
                yield piece, turn
                left -= 1
            if not left:
                return

    def workpiece(self, index: int) -> Workpiece | None:
        """The loaded reference, or None where it cannot be used; why is noted once."""
        if index in self._unusable:
            return None
        if self._last is None or self._last[0] != index:
            piece = self._load(self.shard.entries[index])
            if piece is None:
                self._unusable.add(index)
                return None
            self._last = (index, piece)
        return self._last[1]

    def _load(self, entry: Entry) -> Workpiece | None:
        self._opened.add(entry.id)
        self.tally.opened = len(self._opened)
        try:
            reference = entry.load(self.recipe.references, self.recipe.regions)
        except BadReference as error:
            self.tally.failures.append({"reference": entry.id, "reason": str(error)})
            return None
        self.tally.skipped.update(reference.skipped)
        rules = self.recipe.references
        allowed = is_allowed(reference.license, rules.licenses.allow, rules.licenses.deny)
        reason = screen(reference.image, rules) if allowed else "license left out by the recipe"
        reason = reason or (None if reference.regions else "no region that passes the rules")
        if reason:
            self.tally.screened[reason] += 1
            return None
        return Workpiece(reference, self.recipe, self.patches)


def _rotated(items: list[T], start: int) -> list[T]:
    return items[start:] + items[:start]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A distorted image: the edit, the region it was done to, the hash of its pixels, the file or the patch.

    `rivals` are names of regions that would have done as well.
    """

    slot: Slot
    edit: Edit
    place: NamedRegion
    reference: Reference
    pixels_sha256: str
    encoded: bytes
    rivals: tuple[str, ...] = ()


def draw(slot: Slot, bench: Bench, known: set[str], with_rivals: bool | None = None) -> Drawn | None:
    """The image of a slot, or None where every allowed try was rejected. `known` holds the pixel hashes of the shard:
    two slots that fall back on one region must not make the same picture. `with_rivals`: find out what an object
    question could offer; unless given, where the slot has one.
    """
    wanted = "object" in slot.tasks if with_rivals is None else with_rivals
    for piece, turn in bench.pieces(slot):
        for index in piece.regions(slot.image_id, turn):
            for row in _variants(slot, bench.recipe):
                drawn = _attempt(slot, row, piece, index, bench.tally, known)
                if drawn:
                    return replace(drawn, rivals=_rivals(slot, piece, turn, drawn.place.object) if wanted else ())
    return None


def _rivals(slot: Slot, piece: Workpiece, turn: int, own: str | None) -> tuple[str, ...]:
    """Names of other regions that this slot would have taken as well, as many as are asked for. What a distortion does
    not show on is never the answer (no saturation on gravel): offered, it would be a candidate to strike out unseen.
    """
    names, firsts = piece.names(slot.image_id), piece.firsts(turn)
    if own not in names:
        return ()
    found: list[str] = []
    for name in stream(piece.recipe.seed, slot.image_id, "rivals").shuffled(sorted(names - {own})):
        if len(found) == piece.recipe.questions.object_candidates - 1:
            break
        tries = (_tried_out(slot, row, piece, firsts[name]) for row in _variants(slot, piece.recipe))
        if any(not isinstance(tried, str) for tried in tries):
            found.append(name)
    return tuple(found)


def _variants(slot: Slot, recipe: Recipe) -> list[Distortion]:
    source = stream(recipe.seed, slot.image_id, "variant")
    return source.shuffled(variants(slot.family, recipe.profile))


def _attempt(slot: Slot, row: Distortion, piece: Workpiece, index: int, tally: Tally, known: set[str]) -> Drawn | None:
    tried = _tried_out(slot, row, piece, index)
    if isinstance(tried, str):
        tally.rejected[tried] += 1
        return None
    edit, after = tried
    return _finished(slot, edit, piece.reference.regions[index], piece, after, tally, known)


def _tried_out(slot: Slot, row: Distortion, piece: Workpiece, index: int) -> tuple[Edit, Image] | str:
    """The edit of a region and the box after it, or why it must not become a label."""
    if reason := gate(piece.scene(index), row.name):
        return f"{slot.family}: {reason}"
    tried = _equalized if piece.recipe.severity == "equalized" else _from_ladder
    edit, after = tried(slot, row, piece, index)
    if reason := _reason(edit, after, piece):
        return f"{row.name} {slot.severity}: {reason}"
    return edit, after


def _from_ladder(slot: Slot, row: Distortion, piece: Workpiece, index: int) -> tuple[Edit, Image]:
    return _tried(slot, row, piece, index, amount_of(row, slot.severity, piece.recipe.profile))


def _equalized(slot: Slot, row: Distortion, piece: Workpiece, index: int) -> tuple[Edit, Image]:
    def tried(amount: float) -> tuple[float, tuple[Edit, Image]]:
        edit, after = _tried(slot, row, piece, index, amount)
        assert edit.visibility is not None
        return edit.visibility.v, (edit, after)

    return equalized(row, slot.severity, piece.recipe.tolerance, tried).made


def _tried(slot: Slot, row: Distortion, piece: Workpiece, index: int, amount: float) -> tuple[Edit, Image]:
    """The edit with its measurement, and the box of the region after it."""
    edit = _edit(slot, row, piece.reference.regions[index], piece, amount)
    after = applied(piece.reference.image, edit)
    return with_visibility(edit, measure(piece.scene(index), after, row.name)), after


def _reason(edit: Edit, after: Image, piece: Workpiece) -> str | None:
    """Why an edit must not become a label, or None."""
    seen, recipe = edit.visibility, piece.recipe
    assert seen is not None
    reason = verdict(seen, edit.distortion, recipe.visibility.minimum)
    if reason := reason or misfit(seen.v, edit.severity, recipe.tolerance):
        return reason
    if recipe.visibility.max_pixels:
        small = seen_small(piece.reference.image, after, edit.region, edit.distortion, recipe.visibility.max_pixels)
        reason = verdict(small, edit.distortion, recipe.visibility.minimum)
        return reason and f"{reason} at the model's size"
    return None


def _edit(slot: Slot, row: Distortion, place: NamedRegion, piece: Workpiece, amount: float) -> Edit:
    recipe = piece.recipe
    return Edit(
        region=place.region,
        distortion=row.name,
        severity=slot.severity,
        amount=amount,
        scale=spatial_scale(shape_of(piece.reference.image)),
        feather=recipe.regions.feather,
        address=(recipe.seed, slot.image_id, 0, row.name),
        version=row.version,
    )


def _finished(
    slot: Slot,
    edit: Edit,
    place: NamedRegion,
    piece: Workpiece,
    after: Image,
    tally: Tally,
    known: set[str],
) -> Drawn | None:
    """Put the change in, hash and encode, and take it out again: the reference is not copied."""
    image, box = piece.reference.image, edit.bbox
    before = image[box.slices].copy()
    image[box.slices] = after
    try:
        name = pixels_sha256(image)
        if name in known:
            tally.rejected["the same picture again"] += 1
            return None
        known.add(name)
        return Drawn(slot, edit, place, piece.reference, name, piece.encode(image, edit))
    finally:
        image[box.slices] = before
