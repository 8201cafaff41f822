"""Which questions a plan asks: none that an image cannot be asked, and of every task as many as its share."""

from collections import Counter

import pytest
from dataset_samples import Gallery, small_recipe

from distortlab.core.errors import BadRecipe
from distortlab.generation.composition import EditRequest
from distortlab.generation.plan import Plan, Slot, make_plan
from distortlab.generation.possible_tasks import list_possible_tasks
from distortlab.recipe import Recipe

SETS = {"pristine": 1, "whole": 2, "local": 2, "regions": {"1": 1, "2": 1, "3": 1}}
WHOLE, OTHER = EditRequest("blur", 1, "whole"), EditRequest("noise", 1, "whole")
FAR, FAR_WHOLE = EditRequest("noise", 5), EditRequest("noise", 5, "whole")
REGION = EditRequest("blur", 1)


def recipe_of(tasks: dict[str, float], n: int = 300, **changes: object) -> Recipe:
    usual = {"composition": SETS, "splits": {"train": 1.0}, "samples_per_image": 1, "images_per_shard": 100}
    return small_recipe(**{"n": n, "tasks": tasks, **usual, **changes})


def list_slots(plan: Plan) -> list[tuple[Slot, Slot | None]]:
    """Every slot with the one before it, where that is of the same reference."""
    out: list[tuple[Slot, Slot | None]] = []
    for shard in plan.shards:
        for before, slot in zip((None, *shard.slots), shard.slots, strict=False):
            out.append((slot, before if before and before.entry == slot.entry else None))
    return out


@pytest.mark.parametrize(
    ("edits", "tasks"),
    [
        ([], set()),
        ([WHOLE], {"recognition", "recognition_reference"}),
        ([REGION], {"recognition", "recognition_reference", "object", "grounding"}),
        ([REGION, EditRequest("noise", 2)], set()),
        ([REGION, FAR], {"comparison_regions"}),
        ([REGION, EditRequest("noise", 2), FAR], {"comparison_regions"}),
        ([REGION, EditRequest("blur", 3)], {"comparison_regions"}),
    ],
)
def test_what_an_image_can_be_asked_follows_from_its_edits(edits: list[EditRequest], tasks: set[str]) -> None:
    assert list_possible_tasks(edits) == tasks | {"diagnosis"}


@pytest.mark.parametrize(
    ("before", "edits", "possible"),
    [
        ([], [], False),
        ([], [WHOLE], True),
        ([WHOLE], [], True),
        ([], [REGION, FAR], True),
        ([WHOLE], [WHOLE], False),
        ([WHOLE], [OTHER], False),
        ([WHOLE], [FAR_WHOLE], True),
        ([WHOLE], [EditRequest("blur", 3, "whole")], True),
        ([WHOLE], [EditRequest("noise", 3, "whole")], False),
        ([WHOLE], [FAR], False),
        ([REGION], [FAR], False),
    ],
)
def test_two_images_are_compared_where_both_are_distorted_as_a_whole_or_one_is_pristine(
    before: list[EditRequest], edits: list[EditRequest], possible: bool
) -> None:
    assert ("comparison" in list_possible_tasks(edits, before)) == possible


def test_no_image_is_asked_what_it_cannot_be() -> None:
    recipe = recipe_of({"diagnosis": 3, "recognition": 1, "object": 1, "comparison": 1, "comparison_regions": 1})
    slots = list_slots(make_plan(recipe, Gallery()))
    for slot, before in slots:
        assert set(slot.tasks) <= list_possible_tasks(slot.edits, before.edits if before else None)
        assert slot.tasks


def test_shares_are_met_where_images_allow() -> None:
    tasks = {"diagnosis": 10.0, "recognition": 1.0, "object": 1.0, "comparison": 0.5, "comparison_regions": 0.5}
    recipe = recipe_of(tasks, samples_per_image=1.3)
    counts = Counter(task for slot, _ in list_slots(make_plan(recipe, Gallery())) for task in slot.tasks)
    assert counts == {"diagnosis": 300, "recognition": 30, "object": 30, "comparison": 15, "comparison_regions": 15}


def test_what_images_do_not_allow_goes_to_other_tasks() -> None:
    recipe = recipe_of({"diagnosis": 1, "object": 1}, samples_per_image=1.2)
    counts = Counter(task for slot, _ in list_slots(make_plan(recipe, Gallery())) for task in slot.tasks)
    assert counts == {"object": 40, "diagnosis": 300}


def test_two_distorted_images_are_rather_compared_than_one_with_a_pristine_one() -> None:
    recipe = recipe_of({"diagnosis": 20, "comparison": 1}, n=600, samples_per_image=1.05)
    slots = list_slots(make_plan(recipe, Gallery()))
    possible = [
        slot for slot, before in slots if before and "comparison" in list_possible_tasks(slot.edits, before.edits)
    ]
    asked = [bool(slot.edits and before and before.edits) for slot, before in slots if "comparison" in slot.tasks]
    assert len(asked) == 30
    assert sum(asked) > 20
    assert len(possible) > 100


@pytest.mark.parametrize(
    ("composition", "tasks", "message"),
    [
        (SETS, {"recognition": 1}, "makes images without distortion, about which none of the tasks can be asked"),
        ({"regions": {"2": 1}}, {"object": 1, "diagnosis": 1}, "tasks asks for object, and composition makes no image"),
        ({"whole": 1, "local": 0}, {"grounding": 1, "diagnosis": 1}, "it needs images with one distorted region"),
        ({"whole": 1}, {"object": 1}, "makes images that are distorted as a whole, about which none"),
        ({"regions": {"1": 1}}, {"comparison_regions": 1, "diagnosis": 1}, "it needs images with two regions or more"),
        ({"regions": {"2": 1}}, {"comparison": 1, "diagnosis": 1}, "distorted as a whole, or pristine ones"),
        (
            {"whole": 1, "local": 0},
            {"comparison": 1},
            "images that are distorted as a whole, about which none of the tasks can always be asked: give diagnosis",
        ),
        (
            {"regions": {"2": 1}},
            {"comparison_regions": 1},
            "images with 2 regions, about which none of the tasks can always be asked: give diagnosis a share",
        ),
        ({"regions": {"1": 1, "3": 1}}, {"comparison_regions": 1, "recognition": 1}, "with 3 regions, about which"),
        (
            {"pristine": 1, "whole": 1, "local": 0},
            {"comparison": 1},
            "images without distortion, about which none of the tasks can always be asked",
        ),
        ({"regions": {"2": 1}}, {"recognition": 1, "diagnosis": 0}, "tasks asks for recognition"),
    ],
)
def test_tasks_that_no_image_can_be_asked_about_are_refused(
    composition: dict[str, object], tasks: dict[str, float], message: str
) -> None:
    with pytest.raises(BadRecipe) as error:
        make_plan(recipe_of(tasks, composition=composition), Gallery())
    assert message in str(error.value)


def test_pristine_images_are_asked_about_a_region_where_the_recipe_says_so() -> None:
    assert list_possible_tasks([], negatives=["grounding"]) == {"diagnosis", "grounding"}
    assert "grounding" not in list_possible_tasks([WHOLE], negatives=["grounding"])
    tasks, rules = {"recognition": 1, "grounding": 1, "diagnosis": 4}, {"pristine": 1, "local": 4}
    for negatives in ([], ["recognition"], ["recognition", "grounding"]):
        plan = make_plan(recipe_of(tasks, composition={**rules, "negatives": negatives}), Gallery())
        asked = Counter(task for slot, _ in list_slots(plan) for task in slot.tasks if not slot.edits)
        assert set(asked) == {"diagnosis", *negatives}
        total = Counter(task for slot, _ in list_slots(plan) for task in slot.tasks)
        assert total == {"recognition": 50, "grounding": 50, "diagnosis": 200}
        assert [asked[task] for task in negatives] == [10] * len(negatives)  # a fifth of the images are pristine


@pytest.mark.parametrize(
    ("negatives", "message"),
    [
        (["object"], "composition.negatives: no task about one region called 'object'"),
        (["diagnosis"], "composition.negatives: no task about one region called 'diagnosis'"),
        (["grounding"], "composition.negatives asks grounding of pristine images: give tasks.grounding"),
    ],
)
def test_negatives_that_cannot_be_are_refused(negatives: list[str], message: str) -> None:
    with pytest.raises(BadRecipe) as error:
        recipe_of({"diagnosis": 1}, composition={**SETS, "negatives": negatives})
    assert message in str(error.value)


def test_diagnosis_can_be_asked_beside_the_four_tasks() -> None:
    tasks = {"recognition": 1, "object": 1, "grounding": 1, "diagnosis": 1}
    plan = make_plan(recipe_of(tasks, composition={}, samples_per_image=2), Gallery())
    counts = Counter(task for slot, _ in list_slots(plan) for task in slot.tasks)
    assert counts == dict.fromkeys(tasks, 150)


def test_types_are_asked_of_frames_and_of_regions_in_the_shares_of_images() -> None:
    """So the wording, which says which of them it is, says nothing of how often the answer is None."""
    rules = {"pristine": 1, "whole": 2, "local": 2, "regions": {"1": 1, "2": 1}, "negatives": ["recognition"]}
    tasks = {"diagnosis": 5, "recognition": 1, "grounding": 1}
    slots = list_slots(make_plan(recipe_of(tasks, composition=rules, samples_per_image=1.4), Gallery()))
    asked = Counter(tuple(e.place for e in slot.edits) for slot, _ in slots if "recognition" in slot.tasks)
    assert asked == {(): 15, ("whole",): 30, ("region",): 15}
