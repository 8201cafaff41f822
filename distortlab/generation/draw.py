"""From a slot to a distorted image: try, look, and keep only what can be seen and goes the right way.

A rejected draw tries another variant of the same family, then another region, then another reference, so families,
severities and tasks stay as planned. Every rejection is counted with its reason. No label without an effect.
"""

from dataclasses import dataclass, replace

from distortlab.core.image import Image, pixels_sha256, shape_of
from distortlab.core.seeds import stream
from distortlab.distortions.base import Distortion
from distortlab.distortions.catalog import get_amount, list_variants
from distortlab.distortions.edit import Edit, compute_spatial_scale, render_edit
from distortlab.generation.plan import Slot
from distortlab.generation.reference_pool import DrawCounts, LoadedReference, ReferencePool
from distortlab.recipe import Recipe
from distortlab.references.base import NamedRegion, Reference
from distortlab.severity.model_size import measure_at_model_size
from distortlab.severity.search import find_misfit, search_amount
from distortlab.severity.visibility import find_label_fault, find_region_fault, measure_visibility

__all__ = ["Drawn", "draw"]


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


def draw(slot: Slot, pool: ReferencePool, known: set[str], with_rivals: bool | None = None) -> Drawn | None:
    """The image of a slot, or None where every allowed try was rejected. `known` holds the pixel hashes of the shard:
    two slots that fall back on one region must not make the same picture. `with_rivals`: find out what an object
    question could offer; unless given, where the slot has one.
    """
    wanted = "object" in slot.tasks if with_rivals is None else with_rivals
    for loaded, turn in pool.load_for(slot):
        for index in loaded.order_regions(slot.image_id, turn):
            for row in _variants(slot, pool.recipe):
                drawn = _attempt(slot, row, loaded, index, pool.counts, known)
                if drawn:
                    return replace(drawn, rivals=_rivals(slot, loaded, turn, drawn.place.object) if wanted else ())
    return None


def _rivals(slot: Slot, loaded: LoadedReference, turn: int, own: str | None) -> tuple[str, ...]:
    """Names of other regions that this slot would have taken as well, as many as are asked for. What a distortion does
    not show on is never the answer (no saturation on gravel): offered, it would be a candidate to strike out unseen.
    """
    names, firsts = loaded.candidate_names(slot.image_id), loaded.first_regions(turn)
    if own not in names:
        return ()
    found: list[str] = []
    for name in stream(loaded.recipe.seed, slot.image_id, "rivals").permute(sorted(names - {own})):
        if len(found) == loaded.recipe.questions.object_candidates - 1:
            break
        tries = (_tried_out(slot, row, loaded, firsts[name]) for row in _variants(slot, loaded.recipe))
        if any(not isinstance(tried, str) for tried in tries):
            found.append(name)
    return tuple(found)


def _variants(slot: Slot, recipe: Recipe) -> list[Distortion]:
    source = stream(recipe.seed, slot.image_id, "variant")
    return source.permute(list_variants(slot.family, recipe.profile))


def _attempt(
    slot: Slot, row: Distortion, loaded: LoadedReference, index: int, counts: DrawCounts, known: set[str]
) -> Drawn | None:
    tried = _tried_out(slot, row, loaded, index)
    if isinstance(tried, str):
        counts.rejected[tried] += 1
        return None
    edit, after = tried
    return _finished(slot, edit, loaded.reference.regions[index], loaded, after, counts, known)


def _tried_out(slot: Slot, row: Distortion, loaded: LoadedReference, index: int) -> tuple[Edit, Image] | str:
    """The edit of a region and the box after it, or why it must not become a label."""
    if reason := find_region_fault(loaded.scene(index), row.name):
        return f"{slot.family}: {reason}"
    tried = _equalized if loaded.recipe.severity == "equalized" else _from_ladder
    edit, after = tried(slot, row, loaded, index)
    if reason := _reason(edit, after, loaded):
        return f"{row.name} {slot.severity}: {reason}"
    return edit, after


def _from_ladder(slot: Slot, row: Distortion, loaded: LoadedReference, index: int) -> tuple[Edit, Image]:
    return _tried(slot, row, loaded, index, get_amount(row, slot.severity, loaded.recipe.profile))


def _equalized(slot: Slot, row: Distortion, loaded: LoadedReference, index: int) -> tuple[Edit, Image]:
    def tried(amount: float) -> tuple[float, tuple[Edit, Image]]:
        edit, after = _tried(slot, row, loaded, index, amount)
        assert edit.visibility is not None
        return edit.visibility.v, (edit, after)

    return search_amount(row, slot.severity, loaded.recipe.tolerance, tried).outcome


def _tried(slot: Slot, row: Distortion, loaded: LoadedReference, index: int, amount: float) -> tuple[Edit, Image]:
    """The edit with its measurement, and the box of the region after it."""
    edit = _edit(slot, row, loaded.reference.regions[index], loaded, amount)
    after = render_edit(loaded.reference.image, edit)
    return replace(edit, visibility=measure_visibility(loaded.scene(index), after, row.name)), after


def _reason(edit: Edit, after: Image, loaded: LoadedReference) -> str | None:
    """Why an edit must not become a label, or None."""
    seen, recipe = edit.visibility, loaded.recipe
    assert seen is not None
    reason = find_label_fault(seen, edit.distortion, recipe.visibility.minimum)
    if reason := reason or find_misfit(seen.v, edit.severity, recipe.tolerance):
        return reason
    if recipe.visibility.max_pixels:
        small = measure_at_model_size(
            loaded.reference.image, after, edit.region, edit.distortion, recipe.visibility.max_pixels
        )
        reason = find_label_fault(small, edit.distortion, recipe.visibility.minimum)
        return reason and f"{reason} at the model's size"
    return None


def _edit(slot: Slot, row: Distortion, place: NamedRegion, loaded: LoadedReference, amount: float) -> Edit:
    recipe = loaded.recipe
    return Edit(
        region=place.region,
        distortion=row.name,
        severity=slot.severity,
        amount=amount,
        scale=compute_spatial_scale(shape_of(loaded.reference.image)),
        feather=recipe.regions.feather,
        address=(recipe.seed, slot.image_id, 0, row.name),
        version=row.version,
    )


def _finished(
    slot: Slot,
    edit: Edit,
    place: NamedRegion,
    loaded: LoadedReference,
    after: Image,
    counts: DrawCounts,
    known: set[str],
) -> Drawn | None:
    """Put the change in, hash and encode, and take it out again: the reference is not copied."""
    image, box = loaded.reference.image, edit.bbox
    before = image[box.slices].copy()
    image[box.slices] = after
    try:
        name = pixels_sha256(image)
        if name in known:
            counts.rejected["the same picture again"] += 1
            return None
        known.add(name)
        return Drawn(slot, edit, place, loaded.reference, name, loaded.encode(image, edit))
    finally:
        image[box.slices] = before
