"""From a window of a stream to its samples: images in memory with their questions, encoded when somebody asks."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from distortlab.core import seeds
from distortlab.core.errors import BuildFailed, UserError
from distortlab.core.image import Image
from distortlab.dataset.schema import ImageRecord, Picture, Sample
from distortlab.distortions.edit import Edit
from distortlab.generation.difficulties import CellShares
from distortlab.generation.draw import DistortedImage, draw_image
from distortlab.generation.plan import Slot
from distortlab.generation.reference_pool import ReferencePool, encode_changed
from distortlab.generation.rows import make_image_record, make_questions
from distortlab.generation.stream_plan import WINDOW, Window, redraw_edits
from distortlab.generation.task_balance import TaskBalance
from distortlab.imaging.encode import Canvas
from distortlab.recipe import Recipe

__all__ = ["Drawn", "StreamRules", "StreamSample", "WindowDrawer", "draw_window"]

_ATTEMPTS = 4
"""How many families are tried for an image before it is an error."""
_KEPT_PIXELS = 8 << 20
"""All references of a window, up to a megapixel each."""


@dataclass(frozen=True, slots=True)
class StreamRules:
    """What all windows of a stream have in common. Can be pickled."""

    recipe: Recipe
    vocabulary: Mapping[str, float]
    tasks: tuple[str, ...]
    cell_shares: CellShares


@dataclass(frozen=True, eq=False)
class StreamSample:
    """One image of a stream with its questions.

    Parameters
    ----------
    index
        Its place in the stream, from 0.
    image
        uint8 RGB, (rows, columns, 3).
    reference
        The clean image, of the same shape. Not to be written to: other samples share it.
    edits
        What was done, in order; with none the image is the reference.
    questions
        Rows of the table `rft` without `images`.
    """

    index: int
    image: Image
    reference: Image
    edits: tuple[Edit, ...]
    questions: tuple[dict[str, Any], ...]
    _record: ImageRecord = field(repr=False)
    _samples: tuple[Sample, ...] = field(repr=False)
    _canvas: Canvas = field(repr=False)

    @property
    def regions(self) -> list[dict[str, Any]]:
        """One row for each edit, as in the column `regions` of the table `images`."""
        return list(self._record.as_row()["regions"])

    def encode(self) -> tuple[dict[str, Any], ...]:
        """The rows of the table `rft`, with their pictures as files in memory, in the codec of the recipe."""
        encoded = encode_changed(self._canvas, self.image, [edit.region for edit in self.edits])
        own = Picture(encoded, self._record.image.path)
        return tuple(
            replace(sample, images=tuple(own if p is self._record.image else p for p in sample.images)).as_row()
            for sample in self._samples
        )


class WindowDrawer:
    """Draws the images of a window, in any order: each comes out the same whichever were drawn before.

    Parameters
    ----------
    window
        What is planned.
    rules
        Of the stream.
    """

    def __init__(self, window: Window, rules: StreamRules) -> None:
        self.window, self.rules = window, rules
        # None is spare: where the reference of an image does not do, those that are loaded anyway are tried first.
        self._pool = ReferencePool(window.entries, rules.recipe, is_independent=True, kept_pixels=_KEPT_PIXELS)

    def load_references(self) -> None:
        """Load the references of the images now, not with the first image of each."""
        for entry in sorted({slot.entry for slot in self.window.slots}):
            self._pool.load(entry)

    def draw(
        self, index: int, families: Mapping[str, float] | None = None, severities: Mapping[str, float] | None = None
    ) -> StreamSample:
        """Draw the item `index` of the stream, with weights in place of the shares of the recipe if any are given.

        Raises `BuildFailed` where no reference can be used, and where every draw was rejected.
        """
        slot, avoided = self.window.slots[index % WINDOW], frozenset[str]()
        if families is not None or severities is not None:
            slot = self._redraw(slot, "cells", families, severities)
        for attempt in range(_ATTEMPTS):
            sample = self._draw_slot(slot, families)
            if sample is not None:
                return sample
            avoided = avoided.union(edit.family for edit in slot.edits)
            slot = self._redraw(slot, f"again {attempt}", families, severities, avoided)
        raise BuildFailed(self._explain_rejections(index))

    def _redraw(
        self,
        slot: Slot,
        purpose: str,
        families: Mapping[str, float] | None,
        severities: Mapping[str, float] | None,
        avoided: frozenset[str] = frozenset(),
    ) -> Slot:
        recipe, shares = self.rules.recipe, self.rules.cell_shares
        source, repeat = seeds.stream(recipe.seed, slot.image_id, purpose), recipe.composition.repeat_families
        return replace(slot, edits=redraw_edits(slot.edits, shares, source, families, severities, avoided, repeat))

    def _draw_slot(self, slot: Slot, families: Mapping[str, float] | None) -> StreamSample | None:
        balance = TaskBalance(self._list_tasks(slot), 1, self.rules.recipe.questions.object_candidates)
        image = draw_image(slot, self._pool, None, with_distractors=balance.wants_object(slot.tasks))
        if image is not None:
            return self._make_sample(image, balance, families)
        if self._pool.is_exhausted:
            raise BuildFailed(self._explain_references(slot))
        return None

    def _list_tasks(self, slot: Slot) -> tuple[str, ...]:
        """The tasks of a slot, and what may take the place of one that cannot be asked: grounding, unless nothing would
        be left. Families that seldom show on two objects would else be the answer more often than others.
        """
        return tuple(task for task in self.rules.tasks if len(slot.tasks) == 1 or task in (*slot.tasks, "grounding"))

    def _make_sample(
        self, image: DistortedImage, balance: TaskBalance, families: Mapping[str, float] | None
    ) -> StreamSample:
        recipe, loaded = self.rules.recipe, image.working.loaded
        if families is not None:  # what is the answer more often is offered more often: reading alone gains nothing
            recipe = replace(recipe, families={family: families.get(family, 0.0) for family in recipe.families})
        record = make_image_record(image, recipe, is_encoded=False)
        samples = make_questions(image, record, balance, recipe, self.rules.vocabulary)
        if not samples and image.slot.tasks and "diagnosis" in self.rules.tasks:  # nothing is far enough apart in V
            image = replace(image, slot=replace(image.slot, tasks=("diagnosis",)))
            samples = make_questions(image, record, balance, recipe, self.rules.vocabulary)
        rows = tuple({key: value for key, value in s.as_row().items() if key != "images"} for s in samples)
        pixels = image.working.image
        if not image.edits:
            pixels = np.array(pixels)  # that of the reference itself
        reference = image.reference.image
        reference.setflags(write=False)
        index = int(image.slot.image_id.rpartition("-")[2])
        return StreamSample(index, pixels, reference, image.edits, rows, record, tuple(samples), loaded.canvas)

    def _explain_references(self, slot: Slot) -> str:
        counts = self._pool.counts
        reasons = {**counts.screened, "cannot be read": len(counts.failures)}
        found = ", ".join(f"{count} {reason}" for reason, count in reasons.items() if count)
        return (
            f"none of the {len(self.window.entries)} references that {slot.image_id} may be made from can be used "
            f"({found}): take other references, or loosen [references] and [regions] in the recipe"
        )

    def _explain_rejections(self, index: int) -> str:
        reasons = ", ".join(f"{count} {reason}" for reason, count in self._pool.counts.rejected.most_common(3))
        return (
            f"item {index} of the stream could not be made: every draw was rejected in {_ATTEMPTS} families, most "
            f"often for {reasons}; take other references, or loosen [visibility] and [regions] in the recipe"
        )


Drawn = tuple[list[StreamSample], UserError | None]
"""Samples, and what ended them early."""


def draw_window(rules: StreamRules, job: tuple[Window, int]) -> Drawn:
    """Draw the images of a window from an index of the stream on."""
    window, first = job
    drawer, out = WindowDrawer(window, rules), list[StreamSample]()
    try:
        for index in range(first, (window.number + 1) * WINDOW):
            out.append(drawer.draw(index))
    except UserError as error:
        return out, error
    return out, None
