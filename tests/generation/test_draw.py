"""Drawing an image: what is kept is what its record says, what is not has a reason, and no reference is changed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pytest
from dataset_samples import Painting, small_recipe
from hypothesis import given
from hypothesis import strategies as st

from distortlab.core.image import pixels_sha256
from distortlab.core.region import Region
from distortlab.dataset.patches import restore_image
from distortlab.distortions.base import TARGETS, Distortion
from distortlab.distortions.catalog import find, list_variants
from distortlab.distortions.edit import render
from distortlab.generation import working_image
from distortlab.generation.controls import VISIBLE
from distortlab.generation.draw import _list_aims, draw_image, draw_on_reference
from distortlab.generation.loaded_reference import LoadedReference
from distortlab.generation.plan import EditRequest, Slot
from distortlab.generation.reference_pool import ReferencePool
from distortlab.generation.working_image import Candidate, Rejection, WorkingImage, draw_edit, predict_fault
from distortlab.imaging.decode import decode_image
from distortlab.recipe import Recipe, ReferenceRules, RegionRules
from distortlab.references.base import NamedRegion, Reference
from distortlab.severity.scene import Scene
from distortlab.severity.visibility import measure_visibility
from distortlab.severity.visibility_curve import VisibilityCurve

FAMILIES = ("blur", "noise", "darken", "pixelate", "saturate_weaken", "compression")


def slot(number: int = 0, family: str = "noise", severity: int = 3, entry: int = 0, turn: int = 0) -> Slot:
    return Slot(f"train-{number:06d}", (EditRequest(family, severity),), ("object",), entry, turn)


def paint(*kinds: str) -> "list[ReadOnly]":
    return [ReadOnly(Painting(number, kind)) for number, kind in enumerate(kinds)]


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """A painting whose pixels nobody can write to."""

    painting: Painting

    @property
    def id(self) -> str:
        return self.painting.id

    @property
    def name_count(self) -> int:
        return self.painting.name_count

    @property
    def region_count(self) -> int:
        return self.painting.region_count

    def load(self, references: ReferenceRules, regions: RegionRules) -> Reference:
        reference = self.painting.load(references, regions)
        reference.image.setflags(write=False)
        return reference


def load(kind: str = "good", recipe: Recipe | None = None, patches: bool = False) -> LoadedReference:
    reference = ReadOnly(Painting(1, kind)).load(ReferenceRules(), RegionRules())
    return LoadedReference(reference, recipe or small_recipe(), patches)


# --- images that are kept -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("severity", ["equalized", "ladder"])
@pytest.mark.parametrize("codec", ["png", "webp"])
def test_an_image_is_what_its_edits_give_and_its_reference_stays_as_it_is(severity: str, codec: str) -> None:
    recipe = small_recipe(severity=severity, codec=codec)
    pool, known = ReferencePool(paint("good", "good"), recipe), set[str]()
    for number, family in enumerate(FAMILIES):
        made = draw_image(slot(number, family, 4, number % 2, number), pool, known)
        assert made is not None
        assert [edit.address for edit in made.edits] == [(0, made.slot.image_id, 0, made.edits[0].distortion)]
        assert [place.region for place in made.places] == [edit.region for edit in made.edits]
        image = render(made.reference.image, made.edits)
        assert pixels_sha256(image) == made.pixels_sha256
        assert np.array_equal(decode_image(made.encode()).image, image)
    assert len(known) == len(FAMILIES)


def test_a_patch_restores_the_image() -> None:
    made = draw_image(slot(), ReferencePool(paint("good"), small_recipe(), patches=True), set())
    assert made is not None
    image, box = restore_image(made.reference.image, made.encode(), [made.edits[0].region], made.pixels_sha256)
    assert box == made.edits[0].bbox
    assert np.array_equal(image, render(made.reference.image, made.edits))


def test_names_that_are_offered_are_of_other_regions() -> None:
    pool = ReferencePool(paint("good"), small_recipe())
    counts = set[int]()
    for number in range(6):
        made = draw_image(slot(number), pool, set())
        assert made is not None
        assert set(made.distractors) <= {place.object for place in made.reference.regions} - {made.places[0].object}
        counts.add(len(made.distractors))
    assert counts & {1, 2}
    silent = draw_image(slot(), pool, set(), with_distractors=False)
    assert silent is not None
    assert silent.distractors == ()


# --- draws that are rejected ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("control", [None, "seam"])
def test_a_region_that_turns_out_to_be_in_pieces_is_never_changed(control: Literal["seam"] | None) -> None:
    good = load().reference
    torn = np.zeros(good.regions[0].region.size, bool)
    torn[20:100, 20:90] = torn[20:100, 150:220] = True
    places = (NamedRegion(Region.from_mask(torn), "cup"),)
    loaded = LoadedReference(replace(good, regions=places, annotated=places), small_recipe())
    pool = ReferencePool(paint("good"), small_recipe())
    asked = slot() if control is None else replace(slot(), edits=(), control=control)
    assert draw_on_reference(asked, loaded, 0, pool, set()) is None
    assert pool.counts.rejected == ({"a region in pieces": 1} if control is None else {VISIBLE: 1})


def test_the_same_picture_is_not_made_twice() -> None:
    pool, known = ReferencePool(paint("alone"), small_recipe()), set[str]()
    first = draw_image(slot(), pool, known)
    assert first is not None
    assert known == {first.pixels_sha256}
    assert not pool.counts.rejected["the same picture again"]
    again = draw_image(slot(), pool, known)
    assert again is None or again.pixels_sha256 != first.pixels_sha256
    assert pool.counts.rejected["the same picture again"] == 1


@pytest.mark.parametrize(("severity", "least", "most"), [("equalized", 12, 40), ("ladder", 1, 1)])
def test_one_region_gives_several_pictures_of_a_variant_without_randomness(
    severity: str, least: int, most: int
) -> None:
    recipe = small_recipe(severity=severity, visibility={"tolerance": 1.2 if severity == "equalized" else 9.0})
    pool, known, made = ReferencePool(paint("alone"), recipe), set[str](), []
    for number in range(40):
        image = draw_image(slot(number, "oversharpen"), pool, known)
        made += [image] if image else []
    assert least * (regions := len({image.places[0].region.bbox for image in made})) <= len(made) <= most * regions
    assert len({image.pixels_sha256 for image in made}) == len(made)
    for image in made:
        visibility = image.edits[0].visibility
        assert visibility is not None
        assert 1 / recipe.tolerance <= visibility.v / TARGETS[2] <= recipe.tolerance


@given(st.floats(1.05, 2.0))
def test_factors_to_aim_at_are_far_apart_at_first_and_within_the_tolerance(tolerance: float) -> None:
    aims = _list_aims(tolerance)
    assert aims[0] == 1
    assert len(set(aims)) == len(aims)
    assert 1 / tolerance < min(aims) < max(aims) < tolerance
    for count in (3, 7, 15, 31, 63):
        steps = np.diff(np.log([1 / tolerance, *sorted(aims[:count]), tolerance]))
        assert steps == pytest.approx(2 * np.log(tolerance) / (count + 1), abs=2e-4)


def test_every_rejection_is_counted_with_its_reason() -> None:
    pool = ReferencePool(paint("grey", "broken"), small_recipe(references={"min_chroma": 0}))
    assert draw_image(slot(family="saturate_weaken"), pool, set()) is None
    loaded = pool.load(0)
    assert loaded is not None
    draws = len(loaded.reference.regions) * len(list_variants("saturate_weaken", "matched"))
    assert pool.counts.rejected == {"saturate_weaken: grey region": draws}
    assert [failure["reference"] for failure in pool.counts.failures] == ["painting-000001"]


def test_a_rejected_edit_says_why() -> None:
    grey = WorkingImage.start(load("grey"))
    assert draw_edit(slot(family="saturate_weaken"), find("saturate_weaken.hsv"), grey, 0) == Rejection(
        "saturate_weaken: grey region"
    )
    strict = WorkingImage.start(load(recipe=small_recipe(severity="ladder", visibility={"tolerance": 1.01})))
    outcome = draw_edit(slot(), find("noise.gaussian_rgb"), strict, 0)
    assert isinstance(outcome, Rejection)
    assert outcome.reason.startswith("noise.gaussian_rgb 3: ")
    assert outcome.reason.endswith("visible than its severity")


def test_what_is_predicted_to_be_out_of_reach_is_not_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("rendered")

    monkeypatch.setattr(working_image, "render_edit", refuse)
    flat = VisibilityCurve(np.array([0.0, 1.0]), np.log([0.1, 0.2]), basis="clamped")
    monkeypatch.setattr(working_image, "predict_curve", lambda row, scene, scale: flat)
    start = WorkingImage.start(load())
    reason = "noise.gaussian_rgb 3: predicted to be out of reach"
    assert draw_edit(slot(), find("noise.gaussian_rgb"), start, 0) == Rejection(reason, 0, "clamped")
    assert (
        predict_fault(slot(), find("noise.gaussian_rgb"), start, start.measure_scene(0))
        == "predicted to be out of reach"
    )
    pool = ReferencePool(paint("alone"), small_recipe())
    assert draw_image(slot(), pool, set()) is None
    assert pool.counts.rejected[reason] == 1
    assert pool.counts.settings["rendered"] == pool.counts.settings["draws rendered"] == 0
    assert pool.counts.settings["drawn with statistics moved to the edge of those fitted"] == 6


def test_settings_are_counted() -> None:
    pool, known = ReferencePool(paint("good", "good"), small_recipe()), set[str]()
    made = [
        draw_image(slot(number, family, 3, number % 2, number), pool, known) for number, family in enumerate(FAMILIES)
    ]
    settings = pool.counts.settings
    accepted = {key: count for key, count in settings.items() if key.startswith("accepted at try")}
    assert sum(accepted.values()) == sum(image is not None for image in made) == len(FAMILIES)
    assert accepted["accepted at try 1"] >= 1
    assert settings["rendered"] >= settings["draws rendered"] >= len(FAMILIES)
    assert sum(int(key[-1]) * count for key, count in accepted.items()) <= settings["rendered"]


@pytest.mark.parametrize("changes", [{}, {"severity": "ladder"}, {"profile": "dq"}])
def test_rivals_are_found_without_rendering(changes: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[int] = []
    original = working_image.render_edit

    def count(*arguments: Any) -> Any:
        rendered.append(1)
        return original(*arguments)

    monkeypatch.setattr(working_image, "render_edit", count)
    pool = ReferencePool(paint("good"), small_recipe(**changes))
    found = 0
    for number in range(4):
        made = draw_image(slot(number), pool, set())
        assert made is not None
        found += len(made.distractors)
    assert found
    assert len(rendered) == pool.counts.settings["rendered"]


@pytest.mark.parametrize("family", ["saturate_weaken", "saturate_strengthen"])
def test_what_a_distortion_cannot_show_on_is_no_rival(family: str) -> None:
    grey = WorkingImage.start(load("grey"))
    for row in list_variants(family, "matched"):
        assert predict_fault(slot(family=family), row, grey, grey.measure_scene(0)) == "grey region"


# --- several edits of one image -------------------------------------------------------------------------------------


def draw_two(loaded: LoadedReference, indices: Sequence[int], rows: Sequence[Distortion]) -> WorkingImage:
    working, request = WorkingImage.start(loaded), EditRequest("noise", 4)
    both = Slot("train-000000", (request, request), (), 0, 0)
    for index, row in zip(indices, rows, strict=True):
        candidate = draw_edit(both, row, working, index)
        assert isinstance(candidate, Candidate)
        working = working.add(candidate, index)
    return working


@pytest.mark.parametrize("patches", [False, True])
@pytest.mark.parametrize("indices", [(0, 2), (2, 0), (1, 1)])
def test_edits_are_done_in_order_each_measured_on_what_it_changes(indices: tuple[int, int], patches: bool) -> None:
    loaded = load(recipe=small_recipe(visibility={"tolerance": 20}), patches=patches)
    clean = loaded.reference.image
    working = draw_two(loaded, indices, (find("noise.gaussian_rgb"), find("blur.gaussian")))
    assert [edit.address[2] for edit in working.edits] == [0, 1]
    assert np.array_equal(working.image, render(clean, working.edits))
    states = (clean, render(clean, working.edits[:1]), working.image)
    for edit, before, after in zip(working.edits, states[:-1], states[1:], strict=True):
        cut = edit.bbox.slices
        scene = Scene(np.ascontiguousarray(before[cut]), edit.region.mask)
        assert edit.visibility == measure_visibility(scene, np.ascontiguousarray(after[cut]), edit.distortion)
    regions, data = [edit.region for edit in working.edits], working.encode()
    made = restore_image(clean, data, regions, pixels_sha256(working.image))[0] if patches else decode_image(data).image
    assert np.array_equal(made, working.image)


def test_a_working_image_does_not_change() -> None:
    start = WorkingImage.start(load())
    candidate = draw_edit(slot(), find("noise.gaussian_rgb"), start, 0)
    assert isinstance(candidate, Candidate)
    one, other = start.add(candidate, 0), start.add(candidate, 0)
    assert not np.shares_memory(one.image, other.image)
    assert start.edits == ()
    assert start.image is start.loaded.reference.image
