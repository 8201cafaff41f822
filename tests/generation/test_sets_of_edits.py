"""Images with no edit, with one of the whole frame, and with several: every label holds in the finished image."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from dataset_samples import Painting, small_recipe
from set_samples import Nested

from distortlab.core.image import Image, pixels_sha256
from distortlab.core.region import Box, Region
from distortlab.distortions.base import TARGETS
from distortlab.distortions.catalog import find
from distortlab.distortions.edit import Edit, Visibility, render
from distortlab.generation.composition import are_apart
from distortlab.generation.draw import DistortedImage, draw_image
from distortlab.generation.loaded_reference import WHOLE, LoadedReference
from distortlab.generation.plan import EditRequest, Slot
from distortlab.generation.reference_pool import ReferencePool
from distortlab.generation.working_image import Candidate, Rejection, WorkingImage, add_edit, draw_edit
from distortlab.imaging.decode import decode_image
from distortlab.recipe import Recipe, ReferenceRules, RegionRules
from distortlab.severity.scene import Scene
from distortlab.severity.visibility import find_label_fault, measure_visibility

LOCAL = (EditRequest("noise", 3), EditRequest("darken", 4), EditRequest("compression", 2))
OVERLAP = {"regions": {"2": 1}, "overlap": True}


def slot(edits: Sequence[EditRequest], number: int = 0, entry: int = 0) -> Slot:
    return Slot(f"train-{number:06d}", tuple(edits), (), entry, number)


def draw(edits: Sequence[EditRequest], pool: ReferencePool, number: int = 0) -> DistortedImage:
    made = draw_image(slot(edits, number), pool, set())
    assert made is not None
    return made


def open_pool(*entries: Any, **changes: Any) -> ReferencePool:
    return ReferencePool(entries or (Painting(1), Painting(3)), small_recipe(**changes))


def render_without(made: DistortedImage, number: int) -> Image:
    return render(made.reference.image, [edit for other, edit in enumerate(made.edits) if other != number])


def measure_finished(made: DistortedImage, number: int) -> Visibility:
    """What an edit does to the finished image."""
    edit = made.edits[number]
    scene = Scene.of_region(render_without(made, number), edit.region)
    after = np.ascontiguousarray(made.working.image[edit.bbox.slices])
    return measure_visibility(scene, after, edit.distortion)


def check_labels(made: DistortedImage, recipe: Recipe) -> None:
    assert [(find(edit.distortion).family, edit.severity) for edit in made.edits] == [
        (request.family, request.severity) for request in made.slot.edits
    ]
    for number, edit in enumerate(made.edits):
        stored = edit.visibility
        assert stored == measure_finished(made, number)
        assert find_label_fault(stored, edit.distortion, recipe.visibility.minimum) is None
        assert 1 / recipe.tolerance <= stored.v / TARGETS[edit.severity - 1] <= recipe.tolerance
        assert edit.address == (recipe.seed, made.slot.image_id, number, edit.distortion)


# --- several regions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 3])
def test_every_label_holds_in_the_finished_image(count: int) -> None:
    pool = open_pool()
    for number in range(4):
        made = draw(LOCAL[:count], pool, number)
        check_labels(made, pool.recipe)
        image = made.working.image
        assert np.array_equal(image, render(made.reference.image, made.edits))
        assert np.array_equal(image, decode_image(made.encode()).image)
        assert pixels_sha256(image) == made.pixels_sha256
        for other, edit in enumerate(made.edits):
            differs = (render_without(made, other) != image).any(axis=2)
            assert differs[edit.bbox.slices][edit.region.mask != 0].any()


def test_regions_of_an_image_are_disjoint() -> None:
    pool = open_pool()
    for number in range(6):
        regions = [edit.region for edit in draw(LOCAL, pool, number).edits]
        assert all(are_apart(a, b, 2) for a in regions for b in regions if a is not b)


def test_an_image_with_too_few_regions_is_passed_over() -> None:
    pool = open_pool(Painting(0, "alone"), Painting(1))
    made = draw(LOCAL[:2], pool)
    assert made.reference.id == Painting(1).id
    assert pool.counts.rejected["too few disjoint regions"] == 1
    alone = open_pool(Painting(0, "alone"), Nested(1))
    assert draw_image(slot(LOCAL[:2]), alone, set()) is None
    assert alone.counts.rejected == {"too few disjoint regions": 2}


def test_the_order_of_images_makes_no_difference() -> None:
    alone = draw(LOCAL, open_pool(), 5)
    pool = open_pool()
    later = [draw(LOCAL, pool, number) for number in range(6)][5]
    assert later.pixels_sha256 == alone.pixels_sha256
    assert later.edits == alone.edits


# --- regions that overlap -------------------------------------------------------------------------------------------


def test_labels_hold_where_regions_overlap() -> None:
    pool = open_pool(*map(Nested, range(12)), composition=OVERLAP)
    made = [draw((EditRequest("noise", 3), EditRequest("brighten", 2)), pool, number) for number in range(8)]
    assert len({image.working.indices for image in made}) == 2
    for image in made:
        assert image.edits[0].region.count_common(image.edits[1].region)
        check_labels(image, pool.recipe)
        order = render(image.reference.image, image.edits[::-1])
        assert not np.array_equal(order, image.working.image)


def test_a_later_edit_that_hides_an_earlier_one_is_rejected() -> None:
    loaded = LoadedReference(Nested(1).load(ReferenceRules(), RegionRules()), small_recipe(composition=OVERLAP))
    working = WorkingImage.start(loaded)
    both = slot((EditRequest("noise", 2), EditRequest("blur", 5)))
    noise = draw_edit(both, find("noise.gaussian_rgb"), working, 1)
    assert isinstance(noise, Candidate)
    working = working.add(noise, 1)
    blur = draw_edit(both, find("blur.gaussian"), working, 0)
    assert isinstance(blur, Candidate)
    outcome = add_edit(working, blur, 0)
    assert isinstance(outcome, Rejection)
    assert outcome.reason == "blur.gaussian 5: an earlier label would not hold beside it"
    apart = replace(blur.edit, region=Region.from_box(Box(200, 150, 280, 200), blur.edit.region.size))
    assert isinstance(add_edit(working, Candidate(apart, blur.pixels[:50, :80]), 0), WorkingImage)


def test_the_visibility_of_an_earlier_edit_is_that_in_the_finished_image() -> None:
    pool = open_pool(*map(Nested, range(12)), composition=OVERLAP, visibility={"tolerance": 50.0})
    made = draw((EditRequest("noise", 4), EditRequest("contrast_weaken", 4)), pool)
    (noise, _) = made.edits
    box = noise.bbox.slices
    first = render(made.reference.image, [noise])
    when_made = measure_visibility(
        Scene.of_region(made.reference.image, noise.region), np.ascontiguousarray(first[box]), noise.distortion
    )
    assert noise.visibility == measure_finished(made, 0) != when_made


# --- the whole frame, and nothing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["noise", "compression", "darken", "blur"])
def test_an_edit_of_the_whole_frame_covers_it(family: str) -> None:
    pool = open_pool()
    made = draw([EditRequest(family, 3, "whole")], pool)
    rows, columns = made.reference.image.shape[:2]
    (edit,) = made.edits
    assert edit.bbox == (0, 0, columns, rows)
    assert edit.region.area == rows * columns
    assert made.places[0].object is None
    assert made.working.indices == (WHOLE,)
    check_labels(made, pool.recipe)
    assert np.array_equal(decode_image(made.encode()).image, render(made.reference.image, made.edits))
    full = find(edit.distortion)
    assert edit.region.feather_mask(edit.feather).min() == 255
    assert full.family == family


def test_a_pristine_image_is_its_reference_once() -> None:
    pool, known = open_pool(), set[str]()
    made = [draw_image(slot([], number), pool, known) for number in range(3)]
    assert made[0] is not None
    assert made[1] is not None
    assert made[2] is None
    assert {made[0].reference.id, made[1].reference.id} == {Painting(1).id, Painting(3).id}
    for image in made[:2]:
        assert image is not None
        assert image.edits == image.places == ()
        assert np.array_equal(decode_image(image.encode()).image, image.reference.image)
    assert pool.counts.rejected == {"the same picture again": 3}


def test_references_are_left_as_they_are() -> None:
    pool = open_pool()
    for number, edits in enumerate([LOCAL, [EditRequest("blur", 4, "whole")], []]):
        made = draw(edits, pool, number)
        clean = Painting(int(made.reference.id[-6:])).load(pool.recipe.references, pool.recipe.regions)
        assert np.array_equal(made.reference.image, clean.image)


def test_one_edit_is_what_it_was_before_there_were_several() -> None:
    """The variant, the setting and the pixels of an image with one edit do not depend on how many others have."""
    made = draw([EditRequest("noise", 3)], open_pool())
    sets = draw([EditRequest("noise", 3)], open_pool(composition={"pristine": 1, "regions": {"1": 1, "3": 2}}))
    assert made.pixels_sha256 == sets.pixels_sha256
    edit: Edit = made.edits[0]
    assert edit == sets.edits[0]
