"""From a slot to a distorted image: draw edits, measure them, keep only what can be seen and goes the right way.

A rejected draw tries another variant of the same family, then another region, then another reference, so families,
severities and tasks stay as planned. Every rejection is counted with its reason. No label without an effect.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from distortlab.core.image import pixels_sha256
from distortlab.core.seeds import stream
from distortlab.distortions.base import Distortion
from distortlab.distortions.catalog import list_variants
from distortlab.distortions.edit import Edit
from distortlab.generation.draw_counts import REPEATED
from distortlab.generation.plan import Slot
from distortlab.generation.reference_pool import DrawKey, LoadedReference, ReferencePool
from distortlab.generation.working_image import Candidate, Rejection, WorkingImage, draw_edit, predict_fault
from distortlab.recipe import Recipe
from distortlab.references.base import NamedRegion, Reference
from distortlab.severity.difficulty import find_difficulty
from distortlab.severity.visibility import find_region_fault
from distortlab.severity.visibility_curve import Basis

__all__ = ["DistortedImage", "draw_image", "would_show"]

_SURE = 0.95
"""The reach of a variant from which it is taken to reach a severity in every region that the gates let through."""


@dataclass(frozen=True, slots=True)
class DistortedImage:
    """An image of the data set, with what its row and its questions need.

    `working` has its pixels and edits. `pixels_sha256` is empty where nobody wanted to know it. `distractors` are names
    of other regions that the slot would have taken as well. `tries` settings were rendered for the last edit, the first
    of them taken from `basis`.
    """

    slot: Slot
    working: WorkingImage
    pixels_sha256: str = ""
    distractors: tuple[str, ...] = ()
    tries: int = 1
    basis: Basis = "ladder"

    @property
    def edits(self) -> tuple[Edit, ...]:
        """In the order in which they were done."""
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
    wanted = "object" in slot.tasks if with_distractors is None else with_distractors
    for loaded, turn in pool.load_for(slot):
        for outcome in _draw_outcomes(slot, WorkingImage.start(loaded), turn, known, pool.drawn):
            if isinstance(outcome, Rejection):
                pool.counts.rejected[outcome.reason] += 1
                pool.counts.count_setting(outcome.tries, outcome.basis)
                continue
            if known is not None:
                known.add(outcome.pixels_sha256)
            pool.counts.count_setting(outcome.tries, outcome.basis, is_accepted=True)
            names = _find_distractors(slot, loaded, turn, outcome.places[0].object) if wanted else ()
            return replace(outcome, distractors=names)
    return None


def _draw_outcomes(
    slot: Slot, clean: WorkingImage, turn: int, known: set[str] | None, drawn: dict[DrawKey, str]
) -> Iterator[DistortedImage | Rejection]:
    """What comes of every region with every variant, one after the other. What is in `drawn` is not rendered again."""
    for index in clean.loaded.order_regions(slot.image_id, turn):
        for row in _order_variants(slot, clean.loaded.recipe):
            key = (clean.loaded.reference.id, index, row.name, slot.severity)
            if key in drawn:
                yield Rejection(drawn[key])
                continue
            candidate = draw_edit(slot, row, clean, index)
            if isinstance(candidate, Rejection):
                drawn.update({} if row.random else {key: candidate.reason})
                yield candidate
            else:
                drawn.update({} if row.random or known is None else {key: REPEATED})
                yield _finish_image(slot, clean, index, candidate, known)


def _finish_image(
    slot: Slot, clean: WorkingImage, index: int, candidate: Candidate, known: set[str] | None
) -> DistortedImage | Rejection:
    working = clean.add(candidate, clean.loaded.reference.regions[index])
    setting = candidate.tries, candidate.basis
    sha256 = "" if known is None else pixels_sha256(working.image)
    if known is not None and sha256 in known:
        return Rejection(REPEATED, *setting)
    return DistortedImage(slot, working, sha256, (), *setting)


def _order_variants(slot: Slot, recipe: Recipe) -> list[Distortion]:
    rows = list_variants(slot.family, recipe.profile, slot.severity)
    if slot.difficulty is not None:
        rows = tuple(row for row in rows if find_difficulty(row.name, slot.severity) == slot.difficulty)
    return stream(recipe.seed, slot.image_id, "variant").permute(rows)


def _find_distractors(slot: Slot, loaded: LoadedReference, turn: int, own: str | None) -> tuple[str, ...]:
    """Names of other regions that this slot would have taken as well, as many as a question offers, by prediction.

    What a distortion does not show on is never the answer (no saturation on gravel): offered, it would be a candidate
    to strike out unseen.
    """
    names, first = loaded.candidate_names(slot.image_id), loaded.first_regions(turn)
    if own not in names:
        return ()
    found: list[str] = []
    clean, rows = WorkingImage.start(loaded), _order_variants(slot, loaded.recipe)
    for name in stream(loaded.recipe.seed, slot.image_id, "rivals").permute(sorted(names - {own})):
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
    is_sure = recipe.severity == "equalized" and row.reach[slot.severity - 1] >= _SURE
    if find_region_fault(scene, row.name) if is_sure else predict_fault(slot, row, clean, scene):
        return False
    if not recipe.visibility.max_pixels:
        return True
    return not isinstance(draw_edit(slot, row, clean, index), Rejection)
