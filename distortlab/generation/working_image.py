"""An image with the edits done so far, and the next edit of it: rendered, measured, and kept or rejected.

A label must hold in the finished image. What an edit does to its region is the difference between the image without
that edit and with it; where a later edit reaches into the region, that is measured again, and the later edit rejected
where the earlier label would no longer hold.
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from distortlab.core.image import Image, get_shape
from distortlab.core.region import Region
from distortlab.distortions.base import TARGETS, Distortion
from distortlab.distortions.catalog import get_amount
from distortlab.distortions.controls import Control
from distortlab.distortions.edit import Edit, Visibility, compute_spatial_scale, render, render_edit
from distortlab.generation.loaded_reference import LoadedReference
from distortlab.generation.plan import EditRequest, Slot
from distortlab.recipe import Recipe
from distortlab.references.base import NamedRegion
from distortlab.severity.lookalike import find_lookalike_fault
from distortlab.severity.model_size import measure_at_model_size
from distortlab.severity.predictor import predict_curve, predict_lookalike
from distortlab.severity.scene import Scene
from distortlab.severity.search import find_misfit, search_amount
from distortlab.severity.visibility import find_label_fault, find_region_fault, measure_visibility
from distortlab.severity.visibility_curve import Basis, VisibilityCurve

__all__ = ["GIVE_UP", "TRIES", "Candidate", "Rejection", "WorkingImage", "add_edit", "draw_edit", "predict_fault"]

SPOILED = "an earlier label would not hold beside it"

TRIES = 2
"""Settings that are tried in one region before another variant or region is."""

GIVE_UP = 1.8
"""The factor off its target from which on another variant or region is drawn at once: of next tries few would do."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An edit that was rendered and measured.

    Parameters
    ----------
    edit
        With its visibility.
    pixels
        The box of its region after it, uint8 (rows, columns, 3).
    tries
        How many settings were rendered to find its own.
    basis
        What the first setting was taken from.
    """

    edit: Edit
    pixels: Image
    tries: int = 1
    basis: Basis = "ladder"

    @property
    def visibility(self) -> Visibility:
        """What was measured."""
        assert self.edit.visibility is not None
        return self.edit.visibility


@dataclass(frozen=True, slots=True)
class Rejection:
    """A draw that does not become a label.

    `reason` is what it is counted under, `tries` how many settings were rendered, the first of them taken from `basis`.
    """

    reason: str
    tries: int = 0
    basis: Basis = "ladder"


@dataclass(frozen=True, slots=True)
class WorkingImage:
    """A reference with the edits done so far, in order. Its pixels are never written to: `add` copies them.

    Parameters
    ----------
    loaded
        The reference and its regions.
    image
        The pixels after all edits, uint8 (rows, columns, 3); with none, those of the reference.
    edits
        What was done; the number of an edit stands in the address of its randomness.
    indices
        Which region of the reference every edit is of, or `WHOLE`.
    settings
        How many settings were rendered for every edit, and what the first of them was taken from.
    control
        What a pristine image is a control of. That of a seam is in the pixels.
    """

    loaded: LoadedReference
    image: Image
    edits: tuple[Edit, ...] = ()
    indices: tuple[int, ...] = ()
    settings: tuple[tuple[int, Basis], ...] = ()
    control: Control | None = None
    _scenes: dict[int, Scene] = field(default_factory=dict, repr=False)

    @classmethod
    def start(cls, loaded: LoadedReference) -> "WorkingImage":
        """The clean reference."""
        return cls(loaded, loaded.reference.image)

    def measure_scene(self, index: int) -> Scene:
        """The measurements of the region at `index` as it is now, before the next edit; made once."""
        if self.is_clean(index):
            return self.loaded.scene(index)
        if index not in self._scenes:
            self._scenes[index] = Scene.of_region(self.image, self.loaded.region(index))
        return self._scenes[index]

    def is_clean(self, index: int) -> bool:
        """Whether the box of the region at `index` is still that of the reference."""
        box = self.loaded.region(index).bbox
        return not any(edit.bbox.meets(box) for edit in self.edits)

    def predict_curve(self, row: Distortion, scene: Scene) -> VisibilityCurve:
        """How visible the settings of a distortion are predicted to be in a region of this image."""
        return predict_curve(row, scene, compute_spatial_scale(get_shape(self.image)))

    @property
    def places(self) -> tuple[NamedRegion, ...]:
        """The region of every edit, as it was drawn, with its name."""
        return tuple(map(self.loaded.place, self.indices))

    def add(self, candidate: Candidate, index: int) -> "WorkingImage":
        """The image with one more edit."""
        image = self.image.copy()
        image[candidate.edit.bbox.slices] = candidate.pixels
        return WorkingImage(
            self.loaded,
            image,
            (*self.edits, candidate.edit),
            (*self.indices, index),
            (*self.settings, (candidate.tries, candidate.basis)),
        )

    def get_next_request(self, slot: Slot) -> EditRequest:
        """What a slot asks to be done next."""
        return slot.edits[len(self.edits)]

    @property
    def changed_regions(self) -> list[Region]:
        """Outside of them the image is its reference."""
        own = [self.control.region] if self.control and self.control.region else []
        return [*(edit.region for edit in self.edits), *own]

    def hash_pixels(self) -> str:
        """SHA-256 of the pixels (`core.image.pixels_sha256`)."""
        return self.loaded.hash_pixels(self.image, self.changed_regions)

    def encode(self) -> bytes:
        """The file of the image, or its patch."""
        return self.loaded.encode(self.image, self.changed_regions)


def draw_edit(
    slot: Slot, row: Distortion, working: WorkingImage, index: int, aim: float = 1.0
) -> Candidate | Rejection:
    """Render and measure the next edit of an image.

    Parameters
    ----------
    slot
        Says the severity of its next edit, and names the randomness.
    row
        The variant of that edit's family to try.
    working
        The image before the edit.
    index
        Which region of the reference to try, or `WHOLE`.
    aim
        Where in the band of V that the severity allows a setting is searched for, as a factor of its target.

    Returns
    -------
    Candidate or Rejection
        The edit with its pixels; or why it must not become a label: the region has nothing for it to act on, the change
        cannot be seen, goes the wrong way, or does not fit its severity.
    """
    scene, recipe = working.measure_scene(index), working.loaded.recipe
    request = working.get_next_request(slot)
    severity = request.severity
    if reason := find_region_fault(scene, row.name):
        return Rejection(f"{request.family}: {reason}")
    if recipe.severity == "equalized":
        curve = working.predict_curve(row, scene)
        if reason := _predict_misfit(severity, row, working, scene, curve):
            return Rejection(f"{row.name} {severity}: {reason}", basis=curve.basis)
        candidate = _search_candidate(slot, row, working, index, curve, aim)
    else:
        candidate = _render_candidate(slot, row, working, index, get_amount(row, severity, recipe.profile))
    if reason := _find_fault(candidate, working.image, recipe):
        return Rejection(f"{row.name} {severity}: {reason}", candidate.tries, candidate.basis)
    return candidate


def _predict_misfit(
    severity: int, row: Distortion, working: WorkingImage, scene: Scene, curve: VisibilityCurve
) -> str | None:
    """Why no setting is predicted to give a label of the severity, or None."""
    if not curve.can_reach(math.log(TARGETS[severity - 1]), working.loaded.recipe.tolerance):
        return "predicted to be out of reach"
    scale = compute_spatial_scale(get_shape(working.image))
    if predict_lookalike(row, severity, scene, scale):
        return "predicted to look like blur"
    return None


def predict_fault(slot: Slot, row: Distortion, working: WorkingImage, scene: Scene) -> str | None:
    """Why `draw_edit` would reject a draw in a region, or None, as far as can be told without rendering."""
    recipe, severity = working.loaded.recipe, working.get_next_request(slot).severity
    if reason := find_region_fault(scene, row.name):
        return reason
    curve = working.predict_curve(row, scene)
    if recipe.severity == "equalized":
        return _predict_misfit(severity, row, working, scene, curve)
    v = math.exp(curve.evaluate(row.dial.locate(get_amount(row, severity, recipe.profile))))
    return "not visible" if v < recipe.visibility.minimum else find_misfit(v, severity, recipe.tolerance)


def _search_candidate(
    slot: Slot, row: Distortion, working: WorkingImage, index: int, curve: VisibilityCurve, aim: float
) -> Candidate:
    """The edit whose visibility is nearest to the target of its severity."""

    def render(amount: float) -> tuple[float, Candidate]:
        candidate = _render_candidate(slot, row, working, index, amount)
        return candidate.visibility.v, candidate

    tolerance, severity = working.loaded.recipe.tolerance, working.get_next_request(slot).severity
    found = search_amount(row, severity, tolerance, render, curve, TRIES, max(GIVE_UP, tolerance), aim)
    return replace(found.outcome, tries=found.tries, basis=curve.basis)


def _render_candidate(slot: Slot, row: Distortion, working: WorkingImage, index: int, amount: float) -> Candidate:
    recipe = working.loaded.recipe
    edit = Edit(
        region=working.loaded.region(index),
        distortion=row.name,
        severity=working.get_next_request(slot).severity,
        amount=amount,
        scale=compute_spatial_scale(get_shape(working.image)),
        feather=recipe.regions.feather,
        address=(recipe.seed, slot.image_id, len(working.edits), row.name),
        version=row.version,
    )
    pixels = render_edit(working.image, edit)
    return Candidate(
        replace(edit, visibility=measure_visibility(working.measure_scene(index), pixels, row.name)), pixels
    )


def add_edit(working: WorkingImage, candidate: Candidate, index: int) -> WorkingImage | Rejection:
    """The image with one more edit, and with all earlier ones as they show in it; or a rejection, where the label of an
    earlier one would not hold any longer.
    """
    grown, new = working.add(candidate, index), candidate.edit
    edits = list(grown.edits)
    for number, edit in enumerate(working.edits):
        if not edit.bbox.meets(new.bbox):
            continue
        without = render(working.loaded.reference.image, [other for other in grown.edits if other is not edit])
        scene = Scene.of_region(without, edit.region)
        after = np.ascontiguousarray(grown.image[edit.bbox.slices])
        edits[number] = replace(edit, visibility=measure_visibility(scene, after, edit.distortion))
        fault = find_region_fault(scene, edit.distortion)
        if fault or _find_fault(Candidate(edits[number], after), without, working.loaded.recipe):
            return Rejection(f"{new.distortion} {new.severity}: {SPOILED}", candidate.tries, candidate.basis)
    return replace(grown, edits=tuple(edits))


def _find_fault(candidate: Candidate, before: Image, recipe: Recipe) -> str | None:
    """Why an edit of the image `before` must not become a label, or None."""
    edit, rules = candidate.edit, recipe.visibility
    reason = find_label_fault(candidate.visibility, edit.distortion, rules.minimum)
    if reason := reason or find_misfit(candidate.visibility.v, edit.severity, recipe.tolerance):
        return reason
    if reason := find_lookalike_fault(before, edit, candidate.pixels):
        return reason
    if rules.max_pixels:
        pixels, region = candidate.pixels, edit.region
        small = measure_at_model_size(before, pixels, region, edit.distortion, rules.max_pixels)
        reason = find_label_fault(small, edit.distortion, rules.minimum)
        return reason and f"{reason} at the model's size"
    return None
