"""What the images of a split consist of: shares are met exactly, and what cannot be is one sentence."""

from collections import Counter
from dataclasses import replace
from itertools import groupby, pairwise

import numpy as np
import pytest
from dataset_samples import Gallery, Painting, small_recipe

from distortlab.core.errors import BadRecipe
from distortlab.core.region import Box, Region
from distortlab.core.seeds import stream
from distortlab.generation.composition import are_apart, arrange_comparisons, assign_places, separate_families
from distortlab.generation.plan import Plan, Slot, make_plan
from distortlab.recipe import CompositionRules, Recipe, default_recipe, read_stored_recipe

SETS = {"pristine": 1, "whole": 2, "local": 2, "regions": {"1": 1, "2": 1, "3": 1}}
TASKS = {"diagnosis": 1.0}


def sets_recipe(n: int = 150, **changes: object) -> Recipe:
    usual = {"composition": SETS, "tasks": TASKS, "samples_per_image": 1, "images_per_shard": 50}
    return small_recipe(**{"n": n, "splits": {"train": 1.0}, **usual, **changes})


def list_slots(plan: Plan) -> list[Slot]:
    return [slot for shard in plan.shards for slot in shard.slots]


# --- shares ---------------------------------------------------------------------------------------------------------


def test_shares_are_met_exactly() -> None:
    slots = list_slots(make_plan(sets_recipe(), Gallery()))
    kinds = Counter(tuple(edit.place for edit in slot.edits) for slot in slots)
    region = ("region",)
    assert kinds == {(): 30, ("whole",): 60, region: 20, region * 2: 20, region * 3: 20}


def test_families_and_severities_are_shares_of_edits() -> None:
    edits = [edit for slot in list_slots(make_plan(sets_recipe(), Gallery())) for edit in slot.edits]
    assert len(edits) == 180
    assert set(Counter(edit.family for edit in edits).values()) == {15}
    assert set(Counter((edit.family, edit.severity) for edit in edits).values()) == {3}


@pytest.mark.parametrize("repeat", [False, True])
def test_a_family_comes_once_in_an_image_unless_repeats_are_allowed(repeat: bool) -> None:
    families = {"blur": 2.0, "noise": 1.0, "darken": 1.0}
    recipe = sets_recipe(composition={**SETS, "repeat_families": repeat}, families=families)
    slots = list_slots(make_plan(recipe, Gallery()))
    twins = [slot for slot in slots if len({edit.family for edit in slot.edits}) < len(slot.edits)]
    assert bool(twins) == repeat
    blurred = sum(edit.family == "blur" for slot in slots for edit in slot.edits)
    assert blurred == 90


def test_each_reference_has_one_pristine_image_at_most() -> None:
    recipe = sets_recipe(composition={"pristine": 2, "whole": 3, "local": 0}, images_per_reference=2.5)
    plan = make_plan(recipe, Gallery())
    pristine = [(shard.index, slot.entry) for shard in plan.shards for slot in shard.slots if not slot.edits]
    assert len(pristine) == 60 == len(set(pristine))


def test_images_of_many_regions_go_to_references_that_can_hold_them() -> None:
    owners = [image // 3 for image in range(300)]
    room = {owner: 1 + owner % 4 for owner in range(100)}
    places = assign_places(sets_recipe(300), "train", owners, room)
    assert Counter(map(len, places)) == {0: 60, 1: 160, 2: 40, 3: 40}
    for of_image, owner in zip(places, owners, strict=True):
        if "region" in of_image:
            assert len(of_image) <= room[owner]


def test_images_with_nothing_to_find_are_of_all_references_alike() -> None:
    """Whether a photograph has one object or many says nothing about whether it is pristine."""
    owners = [image // 3 for image in range(3000)]
    room = {owner: 1 + owner % 3 for owner in range(1000)}
    places = assign_places(sets_recipe(3000), "train", owners, room)
    rooms = Counter(room[owner] for of_image, owner in zip(places, owners, strict=True) if not of_image)
    assert all(160 < count < 240 for count in rooms.values())


# --- earlier recipes ------------------------------------------------------------------------------------------------


def test_one_region_in_every_image_is_the_default_and_says_nothing_new() -> None:
    recipe = default_recipe()
    assert recipe.composition == CompositionRules()
    assert "composition" not in recipe.as_dict()
    assert read_stored_recipe(recipe.as_dict(), "the recipe") == recipe
    sets = sets_recipe()
    assert read_stored_recipe(sets.as_dict(), "the recipe") == sets
    assert (
        make_plan(sets, Gallery()).sha256 != make_plan(replace(sets, composition=recipe.composition), Gallery()).sha256
    )


# --- what cannot be -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"composition": {"local": 0}}, "pristine, whole and local are all 0; give one of them a share above 0"),
        ({"composition": {"regions": {"1": 0}}}, "no number of regions has a share above 0"),
        ({"composition": {"regions": {}}}, "no number of regions has a share above 0"),
        ({"composition": {"regions": {"0": 1}}}, "composition.regions: an image has 1 to 12 regions, not '0'"),
        ({"composition": {"regions": {"2.5": 1}}}, "composition.regions: an image has 1 to 12 regions, not '2.5'"),
        ({"composition": {"regions": {"99": 1}}}, "composition.regions: an image has 1 to 12 regions, not '99'"),
        ({"composition": {"whole": -1}}, "composition.whole = -1.0 is outside"),
        ({"composition": {"local": float("nan")}}, "composition.local = nan is outside"),
        ({"composition": {"pristin": 1}}, "did you mean 'composition.pristine'?"),
        (
            {"composition": SETS, "families": {"blur": 1, "noise": 1}},
            "an image of 3 regions with a family each needs 3 families, and the recipe has 2",
        ),
        (
            {"composition": {"regions": {"3": 1}}, "families": {"blur": 3, "noise": 1, "darken": 1}},
            "family 'blur' has so large a share that it would come twice in an image",
        ),
        (
            {"composition": {"pristine": 1, "local": 0}},
            "asks for 150 pristine images of 75 references, which give one each: ask for a smaller share, "
            "or for a smaller images_per_reference, or take more references",
        ),
    ],
)
def test_what_cannot_be_is_one_sentence(changes: dict[str, object], message: str) -> None:
    with pytest.raises(BadRecipe) as error:
        make_plan(sets_recipe(**changes), Gallery())
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_more_regions_than_any_reference_has_are_refused() -> None:
    recipe = sets_recipe(20, composition={"regions": {"4": 1}})
    with pytest.raises(BadRecipe, match="none of these references has more than 3 that could be distorted"):
        make_plan(recipe, Gallery())
    make_plan(recipe, Gallery(kinds=("nameless",), vocabulary={}))  # how many regions these have is not known
    overlapping = sets_recipe(20, composition={"regions": {"3": 1}})
    with pytest.raises(BadRecipe, match="more than 1 "):
        make_plan(overlapping, Gallery(kinds=("alone",)))


# --- families -------------------------------------------------------------------------------------------------------


def test_families_are_separated_by_swaps_alone() -> None:
    cells = [(family, severity) for family in "aabbcc" for severity in range(1, 6)]
    images = [edit // 3 for edit in range(30)]
    apart = separate_families(cells, images)
    assert sorted(apart) == sorted(cells)
    for _, group in groupby(zip(images, apart, strict=True), key=lambda pair: pair[0]):
        assert len({cell[0] for _, cell in group}) == 3


@pytest.mark.parametrize("n", range(19, 27))
def test_as_many_families_as_regions_suffice_whatever_the_number_of_images(n: int) -> None:
    """Where cells are whole numbers a family may have a few more edits than there are images."""
    families = {"blur": 1.0, "noise": 1.0, "darken": 1.0}
    plan = make_plan(sets_recipe(n, composition={"regions": {"3": 1}}, families=families), Gallery())
    for slot in list_slots(plan):
        assert {edit.family for edit in slot.edits} == set(families)


# --- regions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("gap", "apart"), [(0, False), (3, False), (4, True), (50, True)])
def test_disjoint_regions_have_a_gap_between_them(gap: int, apart: bool) -> None:
    size = (100, 200)
    one = Region.from_box(Box(10, 10, 50, 60), size)
    other = Region.from_box(Box(50 + gap, 20, 120, 80), size)
    assert are_apart(one, other, feather=2) == are_apart(other, one, feather=2) == apart


def test_regions_with_nearly_the_same_box_are_not_disjoint() -> None:
    mask = np.zeros((100, 100), np.uint8)
    mask[10:90, 10:90] = 1
    mask[20:80, 20:80] = 0
    ring, inside = Region.from_mask(mask), Region.from_box(Box(26, 26, 74, 74), (100, 100))
    nearly = Region.from_box(Box(25, 25, 75, 75), (100, 100))
    assert are_apart(ring, inside, 2)
    assert not are_apart(ring, replace(ring), 2)
    grown = np.zeros((100, 100), np.uint8)
    grown[26:74, 26:74] = 1
    grown[0, 0] = grown[99, 99] = 1  # its box is the frame
    assert not are_apart(ring, Region.from_mask(grown), 2)
    assert are_apart(ring, nearly, 0)


def test_a_painting_has_three_disjoint_regions() -> None:
    """What the tests of draws rest on."""
    regions = [place.region for place in Painting(1).load(*small_recipe_rules()).regions]
    assert all(are_apart(one, other, 2) for one in regions for other in regions if one is not other)


def small_recipe_rules() -> tuple[object, object]:
    recipe = small_recipe()
    return recipe.references, recipe.regions


# --- images that are compared ---------------------------------------------------------------------------------------


def test_pairs_are_arranged_by_swaps_so_that_they_can_be_compared() -> None:
    cells = [(family, severity) for family in ("blur", "noise", "darken", "pixelate") for severity in range(1, 6)] * 3
    cells = stream("cells").permute(cells)
    images = [*range(40), *(40 + edit // 2 for edit in range(20))]
    cells = separate_families(cells, images)
    pairs = [(0, 1), (2, 3), (4, 5), (6, 7), (8, 9), (10, 11)]
    arranged = arrange_comparisons(cells, images, pairs, stream("pairs"))
    assert sorted(arranged) == sorted(cells) != arranged
    for number, (first, second) in enumerate(pairs):
        (family, severity), (other, level) = arranged[first], arranged[second]
        assert {severity, level} == {1, 5} if number % 2 == 0 else family == other and abs(severity - level) >= 2
        assert (severity > level) == (number // 2 % 2 == 0)
    for image in range(40, 50):
        assert len({cell[0] for cell, at in zip(arranged, images, strict=True) if at == image}) == 2


def test_shares_stay_where_images_are_compared() -> None:
    tasks = {"diagnosis": 10.0, "comparison": 2.0}
    plan = make_plan(sets_recipe(300, tasks=tasks, samples_per_image=1.2, images_per_reference=3), Gallery())
    edits = [edit for slot in list_slots(plan) for edit in slot.edits]
    assert set(Counter((edit.family, edit.severity) for edit in edits).values()) == {6}
    assert all(len({e.family for e in slot.edits}) == len(slot.edits) for slot in list_slots(plan))
    pairs = [
        (before.edits[0], slot.edits[0])
        for shard in plan.shards
        for before, slot in pairwise(shard.slots)
        if "comparison" in slot.tasks and before.edits and len(slot.edits) == 1
    ]
    assert len(pairs) > 15
    same = sum(one.family == other.family for one, other in pairs)
    assert len(pairs) / 4 < same < 3 * len(pairs) / 4
