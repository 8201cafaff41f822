"""From a window of a stream to its samples: images in memory with their questions, encoded when somebody asks.

An item that cannot be made is a failure with its reason; what takes its place is planned by `stream_plan`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from distortlab.core import seeds
from distortlab.core.errors import UserError
from distortlab.core.image import Image
from distortlab.core.region import Region
from distortlab.dataset.schema import ImageRecord, Picture, Sample
from distortlab.distortions.edit import Edit
from distortlab.generation.difficulties import CellShares
from distortlab.generation.draw import DistortedImage, draw_image, draw_on_reference
from distortlab.generation.loaded_reference import encode_changed
from distortlab.generation.partners import draw_partner
from distortlab.generation.plan import Slot
from distortlab.generation.reference_pool import ReferencePool
from distortlab.generation.rows import make_image_record, make_questions, make_samples, select_pictures
from distortlab.generation.set_questions import ask_about_set
from distortlab.generation.stream_failures import ItemFailure, Reason
from distortlab.generation.stream_plan import WINDOW, Window
from distortlab.generation.stream_weights import redraw_edits
from distortlab.generation.task_balance import TaskBalance
from distortlab.imaging.encode import Canvas
from distortlab.recipe import Recipe

__all__ = ["Drawn", "StreamRules", "StreamSample", "WindowDrawer", "draw_window"]

_ATTEMPTS = 4
"""How many families are tried for an image before it is given up."""
_PARTNERS = 3
"""How many second images are tried for a comparison."""
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
        Rows of the table `rft` without `images`; one at least.
    other, other_edits
        A second image of the reference, with which a question compares it, and what was done to that; else None and
        nothing.
    replacement
        0, or how often the item was planned anew because nothing came of it.
    """

    index: int
    image: Image
    reference: Image
    edits: tuple[Edit, ...]
    questions: tuple[dict[str, Any], ...]
    other: Image | None
    other_edits: tuple[Edit, ...]
    replacement: int
    _records: tuple[ImageRecord, ...] = field(repr=False)
    _samples: tuple[Sample, ...] = field(repr=False)
    _canvas: Canvas = field(repr=False)
    _changed: tuple[list[Region], ...] = field(repr=False)

    @property
    def regions(self) -> list[dict[str, Any]]:
        """One row for each edit, as in the column `regions` of the table `images`."""
        return list(self._records[0].as_row()["regions"])

    @property
    def other_regions(self) -> list[dict[str, Any]]:
        """The same of the second image; empty where there is none."""
        return [row for record in self._records[1:] for row in record.as_row()["regions"]]

    def select_pictures(self, question: Mapping[str, Any]) -> tuple[Image, ...]:
        """The images that one of the questions shows, in order."""
        if self.other is not None and question["image_id"] != self._records[0].image_id:
            return select_pictures(question["task"], self.reference, self.other, self.image)
        return select_pictures(question["task"], self.reference, self.image, self.other)

    def encode(self) -> tuple[dict[str, Any], ...]:
        """The rows of the table `rft`, with their pictures as files in memory, in the codec of the recipe."""
        images = (self.image, *([] if self.other is None else [self.other]))
        files = [encode_changed(self._canvas, *both) for both in zip(images, self._changed, strict=True)]
        pictures = {
            id(record.image): Picture(file, record.image.path)
            for record, file in zip(self._records, files, strict=True)
        }
        return tuple(
            replace(sample, images=tuple(pictures.get(id(p), p) for p in sample.images)).as_row()
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
    ) -> StreamSample | ItemFailure:
        """Draw the item `index` of the stream, with weights in place of the shares of the recipe if any are given.

        It cannot be made where no reference can be used, where every draw was rejected, and where nothing can be asked.
        """
        slot, avoided = self.window.slots[index % WINDOW], frozenset[str]()
        if families is not None or severities is not None:
            slot = self._redraw(slot, "cells", families, severities)
        for attempt in range(_ATTEMPTS):
            image = self._draw_slot(slot)
            if image is not None:
                return self._make_sample(index, image, families) or self._fail("nothing can be asked", {})
            if self._pool.is_exhausted:
                counts = {**self._pool.counts.screened, "cannot be read": len(self._pool.counts.failures)}
                return self._fail("no reference can be used", {r: count for r, count in counts.items() if count})
            avoided = avoided.union(edit.family for edit in slot.edits)
            slot = replace(slot, control=None)  # none of these references does: a pristine image like others
            slot = self._redraw(slot, f"again {attempt}", families, severities, avoided)
        return self._fail("every draw was rejected", self._pool.counts.rejected)

    def _fail(self, reason: Reason, counts: Mapping[str, int]) -> ItemFailure:
        return ItemFailure(reason, dict(counts), len(self.window.entries), self.window.has_all)

    def _redraw(
        self,
        slot: Slot,
        purpose: str,
        families: Mapping[str, float] | None,
        severities: Mapping[str, float] | None,
        avoided: frozenset[str] = frozenset(),
    ) -> Slot:
        recipe, shares = self.rules.recipe, self.rules.cell_shares
        source, repeat = seeds.short_stream(recipe.seed, slot.image_id, purpose), recipe.composition.repeat_families
        return replace(slot, edits=redraw_edits(slot.edits, shares, source, families, severities, avoided, repeat))

    def _draw_slot(self, slot: Slot) -> DistortedImage | None:
        wants_object = self._balance_tasks(slot).wants_object(slot.tasks)
        return draw_image(slot, self._pool, None, with_distractors=wants_object)

    def _balance_tasks(self, slot: Slot) -> TaskBalance:
        return TaskBalance(self._list_tasks(slot), 1, self.rules.recipe.questions.object_candidates)

    def _list_tasks(self, slot: Slot) -> tuple[str, ...]:
        """The tasks of a slot, and what may take the place of one that cannot be asked: grounding, unless nothing would
        be left. Families that seldom show on two objects would else be the answer more often than others.
        """
        return tuple(task for task in self.rules.tasks if len(slot.tasks) == 1 or task in (*slot.tasks, "grounding"))

    def _make_sample(
        self, index: int, image: DistortedImage, families: Mapping[str, float] | None
    ) -> StreamSample | None:
        """The sample of an image; None where nothing can be asked about it."""
        recipe = self.rules.recipe
        if families is not None:  # what is the answer more often is offered more often: reading alone gains nothing
            recipe = replace(recipe, families={family: families.get(family, 0.0) for family in recipe.families})
        record = make_image_record(image, recipe, is_encoded=False)
        other = self._draw_other(image, record, families) if "comparison" in image.slot.tasks else None
        samples = self._ask(image, record, recipe, other and other[1])
        if not samples:
            return None
        image.reference.image.setflags(write=False)
        return StreamSample(
            index,
            _copy_pixels(image),
            image.reference.image,
            image.edits,
            tuple({key: value for key, value in s.as_row().items() if key != "images"} for s in samples),
            _copy_pixels(other[0]) if other else None,
            other[0].edits if other else (),
            self.window.replacement,
            (record, other[1]) if other else (record,),
            tuple(samples),
            image.working.loaded.canvas,
            tuple(one.working.changed_regions for one in (image, *([other[0]] if other else []))),
        )

    def _draw_other(
        self, image: DistortedImage, record: ImageRecord, families: Mapping[str, float] | None
    ) -> tuple[DistortedImage, ImageRecord] | None:
        """A second image of the same reference that can be compared, with its row."""
        rules, slot, loaded = self.rules, image.slot, image.working.loaded
        for attempt in range(_PARTNERS):
            source = seeds.short_stream(rules.recipe.seed, slot.image_id, "partner", attempt)
            edits = draw_partner(slot.edits, rules.recipe.composition, rules.cell_shares, source, families)
            if edits is None:
                break
            asked = Slot(f"{slot.image_id}-other", edits, (), slot.entry, slot.turn)
            other = draw_on_reference(asked, loaded, slot.turn, self._pool, None)
            if other is None:
                continue
            row = make_image_record(other, rules.recipe, is_encoded=False)
            if ask_about_set("comparison", record, rules.recipe, row):
                return other, row
        return None

    def _ask(
        self, image: DistortedImage, record: ImageRecord, recipe: Recipe, other: ImageRecord | None
    ) -> list[Sample]:
        """The questions about an image. Of two that are compared, each is shown first as often."""
        balance, vocabulary = self._balance_tasks(image.slot), self.rules.vocabulary
        samples = make_questions(image, record, balance, recipe, vocabulary, other)
        if not samples and "diagnosis" in self.rules.tasks:  # nothing is far enough apart in V
            image = replace(image, slot=replace(image.slot, tasks=("diagnosis",)))
            samples = make_questions(image, record, balance, recipe, vocabulary)
        if other and seeds.short_stream(recipe.seed, record.image_id, "shown first").below(2):
            turned = make_samples(None, other, ("comparison",), recipe, vocabulary, record)
            samples = [turned[0] if sample.task == "comparison" else sample for sample in samples]
        return samples


def _copy_pixels(image: DistortedImage) -> Image:
    """The pixels of an image, which may be written to."""
    return image.working.image if image.working.changed_regions else np.array(image.working.image)


Drawn = tuple[list[StreamSample | ItemFailure], UserError | None]
"""Items, and what ended them early."""


def draw_window(rules: StreamRules, job: tuple[Window, int]) -> Drawn:
    """Draw the images of a window from an index of the stream on."""
    window, first = job
    drawer, out = WindowDrawer(window, rules), list[StreamSample | ItemFailure]()
    try:
        for index in range(first, (window.number + 1) * WINDOW):
            out.append(drawer.draw(index))
    except UserError as error:
        return out, error
    return out, None
