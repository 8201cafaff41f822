"""References that images are made from: loaded when they are needed, and the last ones kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from distortlab.core.errors import BadReference
from distortlab.core.seeds import short_stream
from distortlab.generation.draw_counts import DrawCounts
from distortlab.generation.loaded_reference import LoadedReference
from distortlab.generation.plan import Slot
from distortlab.recipe import Recipe
from distortlab.references.base import Entry, Reference
from distortlab.references.licenses import is_allowed
from distortlab.references.screening import screen

__all__ = ["DrawKey", "ReferencePool"]

# Reference, index of the region, variant, severity, and which factor of its target is searched for.
DrawKey = tuple[str, int, str, int, float]

_KEPT_PIXELS = 4 << 20
"""With their files and encoded bands references take about 6 bytes for each pixel."""


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
        end, primary = len(self.entries), len(self.entries) - self.spare
        first = primary + slot.entry * self.spare // primary
        source = short_stream(self.recipe.seed, slot.image_id, "fallback")
        spares, others = (range(first, end), range(primary, first)), range(slot.entry + 1, primary)
        for entry in chain(*spares, reversed(range(slot.entry)), others):
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
