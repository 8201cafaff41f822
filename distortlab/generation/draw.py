"""From a slot to a distorted image: draw edits, measure them, keep only what can be seen and goes the right way.

A rejected draw tries another variant of the same family, then another region, then another reference, so families,
severities and tasks stay as planned. Every rejection is counted with its reason. No label without an effect.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from distortlab.core.seeds import short_stream
from distortlab.distortions.base import Distortion, Profile
from distortlab.distortions.catalog import list_variants
from distortlab.distortions.controls import Control
from distortlab.distortions.edit import Edit
from distortlab.generation.controls import VISIBLE, draw_seam
from distortlab.generation.draw_counts import NO_PLACE, NOT_NATURAL, REPEATED
from distortlab.generation.loaded_reference import WHOLE, LoadedReference
from distortlab.generation.plan import Slot
from distortlab.generation.reference_pool import DrawKey, ReferencePool
from distortlab.generation.working_image import Rejection, WorkingImage, add_edit, draw_edit, predict_fault
from distortlab.recipe import Recipe
from distortlab.references.base import NamedRegion, Reference
from distortlab.severity.difficulty import find_difficulty
from distortlab.severity.visibility import find_region_fault

__all__ = ["DistortedImage", "draw_image", "draw_on_reference", "would_show"]

DEAD_END = "no place for a later edit of the image"
_SURE = 0.95
"""The reach of a variant from which it is taken to reach a severity in every region that the gates let through."""

_HALVINGS = 5
"""How often the band around a target is halved to find factors to aim at: 1, then 62 others."""


@dataclass(frozen=True, slots=True)
class DistortedImage:
    """An image of the data set, with what its row and its questions need.

    `working` has its pixels and edits. `pixels_sha256` is empty where nobody wanted to know it. `distractors` are names
    of other regions that the slot would have taken as well.
    """

    slot: Slot
    working: WorkingImage
    pixels_sha256: str = ""
    distractors: tuple[str, ...] = ()

    @property
    def edits(self) -> tuple[Edit, ...]:
        """In the order in which they were done; none of a pristine image."""
        return self.working.edits

    @property
    def places(self) -> tuple[NamedRegion, ...]:
        """The region of each edit with its name."""
        return self.working.places

    @property
    def reference(self) -> Reference:
        """The clean image."""
        return self.working.loaded.reference

    def encode(self) -> bytes:
        """The file of the image, or its patch."""
        return self.working.encode()


def draw_image(
    slot: Slot, pool: ReferencePool, known: set[str] | None, with_distractors: bool | None = None
) -> DistortedImage | None:
    """Make the image of a slot.

    Parameters
    ----------
    slot
        What is asked for.
    pool
        The references to draw from. Rejected draws are added to its counts.
    known
        SHA-256 of the pixels of the shard's images so far; that of the new image is added. Two slots that fall back
        on one region must not make the same picture. None: no hash is made, and the same picture may come again.
    with_distractors
        Whether to find the names that an object question could offer beside the true one; unless given,
        where the slot has such a question.

    Returns
    -------
    DistortedImage or None
        None where every allowed draw was rejected.
    """
    for loaded, turn in pool.load_natural(slot) if slot.control == "natural" else pool.load_for(slot):
        image = draw_on_reference(slot, loaded, turn, pool, known, with_distractors)
        if image is not None:
            return image
    if slot.control == "natural":
        pool.counts.rejected[NOT_NATURAL] += 1
    return None


def draw_on_reference(
    slot: Slot,
    loaded: LoadedReference,
    turn: int,
    pool: ReferencePool,
    known: set[str] | None,
    with_distractors: bool | None = None,
) -> DistortedImage | None:
    """Make the image of a slot from one reference, the `turn`-th of it; all else as for `draw_image`."""
    wanted = "object" in slot.tasks if with_distractors is None else with_distractors
    wanted = wanted and [request.place for request in slot.edits] == ["region"]
    for outcome in _draw_outcomes(slot, _start_image(slot, loaded), turn, known, pool.drawn):
        if isinstance(outcome, Rejection):
            pool.counts.rejected[outcome.reason] += 1
            pool.counts.count_setting(outcome.tries, outcome.basis)
            continue
        if known is not None:
            known.add(outcome.pixels_sha256)
        for setting in outcome.working.settings:
            pool.counts.count_setting(*setting, is_accepted=True)
        names = _find_distractors(slot, loaded, turn, outcome.places[0].object) if wanted else ()
        return replace(outcome, distractors=names)
    return None


def _start_image(slot: Slot, loaded: LoadedReference) -> WorkingImage:
    """The clean reference. A pristine image of a recipe with controls says what the photograph is as it was taken."""
    clean = WorkingImage.start(loaded)
    if slot.edits or not loaded.recipe.controls.is_wanted or slot.control == "seam" or not loaded.natural_kind:
        return clean
    return replace(clean, control=Control(loaded.natural_kind))


def _draw_outcomes(
    slot: Slot, working: WorkingImage, turn: int, known: set[str] | None, drawn: dict[DrawKey, str]
) -> Iterator[DistortedImage | Rejection]:
    """What comes of every place with every variant for the edits that are still to be done, one after the other."""
    done = len(working.edits)
    if slot.control == "seam" and working.control is None:
        yield from _draw_seams(slot, working, turn, known)
        return
    if done == len(slot.edits):
        yield _finish_image(slot, working, known)
        return
    places, rows = _list_places(slot, working, turn), _order_variants(slot, working)
    if not places:
        yield Rejection(NO_PLACE)
    for index in places:
        for outcome in _draw_in_place(slot, rows, working, index, known is not None, drawn):
            if isinstance(outcome, Rejection):
                yield outcome
                continue
            yield from _draw_outcomes(slot, outcome, turn, known, drawn)
            if done + 1 < len(slot.edits):
                yield Rejection(DEAD_END, *outcome.settings[-1])
                break  # what other variants leave for later edits is the same


def _draw_seams(
    slot: Slot, working: WorkingImage, turn: int, known: set[str] | None
) -> Iterator[DistortedImage | Rejection]:
    """What comes of a region that goes through the mask unseen, one after the other; a rejection at the end."""
    for control, image in draw_seam(working.loaded.recipe, slot.image_id, working.loaded, turn):
        yield _finish_image(slot, replace(working, image=image, control=control), known)
    yield Rejection(VISIBLE)


def _draw_in_place(
    slot: Slot,
    rows: Sequence[Distortion],
    working: WorkingImage,
    index: int,
    is_unique: bool,
    drawn: dict[DrawKey, str],
) -> Iterator[WorkingImage | Rejection]:
    """What comes of every variant in one place. What is in `drawn` is not rendered again, where the place is clean."""
    if violation := working.loaded.find_violation(index):
        yield Rejection(f"a region {violation}")
        return
    is_only, is_clean = len(slot.edits) == 1, working.is_clean(index)
    for row in rows:
        key = _choose_key(slot, row, working, index, drawn)
        reason = drawn.get(key) if is_clean else None
        if reason is not None and (is_only or reason != REPEATED):
            yield Rejection(reason)
            continue
        candidate = draw_edit(slot, row, working, index, key[-1])
        is_known = is_clean and not row.random
        if isinstance(candidate, Rejection):
            if is_known:
                drawn[key] = candidate.reason
            yield candidate
        else:
            if is_known and is_only and is_unique:
                drawn[key] = REPEATED
            yield add_edit(working, candidate, index)


def _choose_key(
    slot: Slot, row: Distortion, working: WorkingImage, index: int, drawn: Mapping[DrawKey, str]
) -> DrawKey:
    """What is drawn in a place, and which factor of the target is aimed at: for the only edit of an image the first
    that has not made a picture yet.
    """
    recipe, reference = working.loaded.recipe, working.loaded.reference.id
    key = (reference, index, row.name, working.get_next_request(slot).severity)
    if row.random or recipe.severity != "equalized" or len(slot.edits) > 1:
        return (*key, 1.0)
    aims = _list_aims(recipe.tolerance)
    return next((full for aim in aims if drawn.get(full := (*key, aim)) != REPEATED), (*key, aims[-1]))


@cache
def _list_aims(tolerance: float) -> tuple[float, ...]:
    """Which factor of the target a setting is searched for, the first time a region is drawn with a variant and a
    severity, the second, and so on: far apart at first. Without randomness a variant would make the first picture
    again; a few photographs do for more images this way.
    """
    halvings = range(1, _HALVINGS + 1)
    powers = [sign * odd / 2**level for level in halvings for odd in range(1, 2**level, 2) for sign in (1, -1)]
    return (1.0, *(round(tolerance**power, 4) for power in powers))


def _list_places(slot: Slot, working: WorkingImage, turn: int) -> Sequence[int]:
    """The places to try for the next edit: the whole frame, or regions that are free."""
    loaded, left = working.loaded, slot.edits[len(working.edits) :]
    if left[0].place == "whole":
        return (WHOLE,)
    order = loaded.order_regions(slot.image_id, turn)
    if loaded.recipe.composition.overlap:
        free = [index for index in order if index not in working.indices]
    else:
        free = loaded.list_free(working.indices, order, len(left))
    return free[: loaded.recipe.visibility.regions_per_reference]


def _finish_image(slot: Slot, working: WorkingImage, known: set[str] | None) -> DistortedImage | Rejection:
    sha256 = "" if known is None else working.hash_pixels()
    if known is not None and sha256 in known:
        return Rejection(REPEATED, *(working.settings[-1] if len(slot.edits) == 1 else ()))
    return DistortedImage(slot, working, sha256)


def _order_variants(slot: Slot, working: WorkingImage) -> list[Distortion]:
    seed, number = working.loaded.recipe.seed, len(working.edits)
    source = short_stream(seed, slot.image_id, "variant", *([number] if number else []))
    return source.permute(_list_next_rows(slot, working))


def _list_next_rows(slot: Slot, working: WorkingImage) -> tuple[Distortion, ...]:
    """The variants that may do the next edit of an image."""
    request = working.get_next_request(slot)
    return _list_rows(request.family, working.loaded.recipe.profile, request.severity, request.difficulty)


@cache
def _list_rows(family: str, profile: Profile, severity: int, difficulty: str | None) -> tuple[Distortion, ...]:
    rows = list_variants(family, profile, severity)
    if difficulty is None:
        return rows
    return tuple(row for row in rows if find_difficulty(row.name, severity) == difficulty)


def _find_distractors(slot: Slot, loaded: LoadedReference, turn: int, own: str | None) -> tuple[str, ...]:
    """Names of other regions that this slot would have taken as well, as many as a question offers, by prediction.

    What a distortion does not show on is never the answer (no saturation on gravel): offered, it would be a candidate
    to strike out unseen.
    """
    names, first = loaded.candidate_names(slot.image_id), loaded.first_regions(turn)
    if own not in names:
        return ()
    found: list[str] = []
    clean = WorkingImage.start(loaded)
    # Any of the variants will do: first those that need no prediction.
    rows = sorted(_list_next_rows(slot, clean), key=lambda row: not _is_sure(slot, row, loaded.recipe))
    for name in short_stream(loaded.recipe.seed, slot.image_id, "rivals").permute(sorted(names - {own})):
        if len(found) == loaded.recipe.questions.object_candidates - 1:
            break
        if any(would_show(slot, row, clean, first[name]) for row in rows):
            found.append(name)
    return tuple(found)


def would_show(slot: Slot, row: Distortion, clean: WorkingImage, index: int) -> bool:
    """Whether the region at `index` would be taken for a slot as well, as far as can be told without rendering.

    A variant that nearly every region reaches is only held against the gates; of others the reach is predicted. How an
    edit looks to a model that shrinks the image is not predicted: it is rendered.
    """
    recipe = clean.loaded.recipe
    scene = clean.loaded.rough_scene(index)
    is_sure = _is_sure(slot, row, recipe)
    if find_region_fault(scene, row.name) if is_sure else predict_fault(slot, row, clean, scene):
        return False
    if not recipe.visibility.max_pixels:
        return True
    return not isinstance(draw_edit(slot, row, clean, index), Rejection)


def _is_sure(slot: Slot, row: Distortion, recipe: Recipe) -> bool:
    """Whether nearly every region that the gates let through reaches the severity of a slot."""
    return recipe.severity == "equalized" and row.reach[slot.severity - 1] >= _SURE
