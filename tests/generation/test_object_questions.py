"""Object questions: one right answer, wordings that are true, and as many questions of every task as planned."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from dataset_samples import Gallery, Painting, picture, rows_of, small_recipe
from hypothesis import given
from hypothesis import strategies as st
from reference_samples import encoded

from distortlab.core.region import Box, Region
from distortlab.generation.candidates import compatible_names, conflicting_pairs, count_instances, names_inside
from distortlab.generation.composition import TaskBalance
from distortlab.generation.generate import generate
from distortlab.generation.plan import make_plan
from distortlab.generation.questions import Subject, ask
from distortlab.generation.reference_pool import LoadedReference
from distortlab.recipe import TASKS, ReferenceRules, RegionRules, default_recipe, read_stored_recipe
from distortlab.references.base import NamedRegion, Reference
from distortlab.references.regions.rules import find_region_fault
from distortlab.tasks import grounding
from distortlab.tasks import object as object_task
from distortlab.verification.verify import verify

SHAPE = (264, 330)
Places = tuple[tuple[str, tuple[int, int, int, int]], ...]


def reference(places: Places, annotated: Places = (), name: str = "r") -> Reference:
    def drawn(named: Places) -> tuple[NamedRegion, ...]:
        return tuple(NamedRegion(Region.from_box(Box(*box), SHAPE), own) for own, box in named)

    image = picture(sum(map(ord, name)))
    return Reference(
        name, image, encoded(image, "PNG"), "png", "made", "none", drawn(places), annotated=drawn((*places, *annotated))
    )


# --- what lies inside -----------------------------------------------------------------------------------------------

boxes = st.tuples(st.integers(0, 160), st.integers(0, 130), st.integers(1, 160), st.integers(1, 130)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)
scenes_of_boxes = st.lists(st.tuples(st.sampled_from("abcde"), boxes), min_size=1, max_size=7).map(tuple)


def pixels(reference: Reference, name: str) -> np.ndarray:
    """The pixels of a name, by hand."""
    mask = np.zeros(SHAPE, bool)
    for place in reference.annotated:
        if place.object == name:
            mask[place.region.bbox.slices] |= place.region.mask != 0
    return mask


@given(scenes_of_boxes)
def test_names_inside_are_those_with_most_of_their_pixels_there(places: Places) -> None:
    made = reference(places)
    for place in made.regions:
        own = np.zeros(SHAPE, bool)
        own[place.region.bbox.slices] = place.region.mask != 0
        expected = {name for name, _ in places if (pixels(made, name) & own).sum() * 2 > pixels(made, name).sum()}
        assert names_inside(place.region, made) == expected


@given(scenes_of_boxes, st.randoms(use_true_random=False))
def test_names_that_stand_together_never_lie_inside_each_other(places: Places, source: "np.random.Random") -> None:
    made = reference(places)
    names = sorted({name for name, _ in places})
    source.shuffle(names)
    kept = compatible_names(names, conflicting_pairs(made))
    assert names[0] in kept
    for place in made.regions:
        if place.object in kept:
            assert names_inside(place.region, made) & kept <= {place.object}


TABLE: Places = (("table", (10, 10, 200, 200)), ("bowl", (60, 60, 120, 120)), ("lamp", (220, 40, 310, 140)))


@dataclass(frozen=True, slots=True)
class Kitchen:
    """A bowl on a table, and a lamp; or nothing but a table with a bowl that is too small to be distorted."""

    number: int
    name_count: int = 3

    @property
    def id(self) -> str:
        return f"kitchen-{self.number:03d}"

    def load(self, references: ReferenceRules, regions: RegionRules) -> Reference:
        if self.number % 3 == 0:
            return reference(TABLE[:1], (("bowl", (60, 60, 75, 75)),), self.id)
        if self.number % 3 == 1:
            return reference(TABLE, (("lamp", (0, 230, 20, 250)),), self.id)
        return reference(TABLE, (), self.id)


class Kitchens(Gallery):
    def entries(self, count: int) -> Sequence[Kitchen]:
        return [Kitchen(number) for number in range(count)]


@pytest.fixture(scope="module")
def kitchens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("kitchens") / "data"
    vocabulary = {"table": 0.4, "bowl": 0.3, "lamp": 0.3, "cup": 0.3}
    recipe = small_recipe(n=90, images_per_shard=30, splits={"train": 1.0})
    generate(recipe, Kitchens(vocabulary=vocabulary), out, workers=1)
    return out


def test_nothing_that_lies_inside_is_offered(kitchens: Path) -> None:
    asked = Counter[str]()
    for row in rows_of(kitchens, "samples"):
        if row["task"] == "object":
            offered = set(object_task.read_candidates(row["prompt"][0]["content"]))
            assert not {"table", "bowl"} <= offered
            asked[row["solution"]] += 1
    assert {"table", "bowl", "lamp"} <= set(asked)
    assert not verify(kitchens, workers=1).problems


def test_an_instance_of_a_kind_is_told_and_tells_nothing(kitchens: Path) -> None:
    """Where a name stands for several things, or may, the wording says so, whichever name is the answer."""
    shown = {row["image_id"]: row["reference_id"] for row in rows_of(kitchens, "images")}
    told = Counter[tuple[bool, bool]]()
    for row in rows_of(kitchens, "samples"):
        if row["task"] == "object":
            prompt = row["prompt"][0]["content"]
            kitchen = Kitchen(int(shown[row["image_id"]][-3:]))
            counts = count_instances(kitchen.load(ReferenceRules(), RegionRules()))
            alone = kitchen.number % 3 == 0
            expected = alone or any(counts.get(name, 0) > 1 for name in object_task.read_candidates(prompt))
            assert ("instance of" in prompt) == expected
            told[expected, counts[row["solution"]] > 1] += 1
    assert told[True, False]
    assert told[True, True]
    assert told[False, False]


@pytest.mark.parametrize("wording", range(object_task.WORDINGS))
def test_every_wording_of_kinds_says_an_instance_of(wording: int) -> None:
    prompt = object_task.question(["person", "dog"], wording, of_kinds=True)
    assert "n instance of" in prompt
    assert object_task.read_candidates(prompt) == ["person", "dog"]
    assert "instance" not in object_task.question(["person", "dog"], wording)


# --- regions in parts -----------------------------------------------------------------------------------------------


def in_parts(*sides: int) -> Region:
    """Squares side by side that do not touch."""
    mask, x = np.zeros((300, 400), np.uint8), 5
    for side in sides:
        mask[20 : 20 + side, x : x + side] = 1
        x += side + 2
    return Region.from_mask(mask)


@given(st.lists(st.integers(1, 90), min_size=1, max_size=4))
def test_the_largest_part_is_the_largest_square(sides: list[int]) -> None:
    squares = [side * side for side in sides]
    assert in_parts(*sides).largest_part == max(squares) / sum(squares)


def test_corners_connect() -> None:
    assert Region.from_mask(np.eye(40, dtype=np.uint8)).largest_part == 1.0


@pytest.mark.parametrize(("sides", "reason"), [((100,), None), ((100, 50), None), ((100, 80), "in pieces")])
def test_the_largest_part_holds_most_of_a_region(sides: tuple[int, ...], reason: str | None) -> None:
    assert find_region_fault(in_parts(*sides), RegionRules()) == reason
    assert find_region_fault(in_parts(*sides), RegionRules(min_largest_part=0)) is None


@pytest.mark.parametrize("coordinates", ["thousandths", "pixels"])
@pytest.mark.parametrize("wording", range(grounding.WORDINGS))
def test_every_grounding_question_says_that_one_box_encloses_all_parts(
    coordinates: grounding.Coordinates, wording: int
) -> None:
    size = (640, 480)
    prompt = grounding.question(coordinates, size, wording)
    assert "one box encloses all of them" in prompt
    assert grounding.find_form(prompt, size) == (coordinates, wording, True)
    older = grounding.question(coordinates, size, wording, parts=False)
    assert "encloses all" not in older
    assert grounding.find_form(older, size) == (coordinates, wording, False)


def test_a_stored_recipe_from_before_a_rule_does_not_have_it() -> None:
    values = default_recipe().as_dict()
    assert read_stored_recipe(values, "the plan") == default_recipe()
    del values["regions"]["min_largest_part"]
    assert read_stored_recipe(values, "the plan").regions.min_largest_part == 0


# --- as many as planned ---------------------------------------------------------------------------------------------

planned_images = st.lists(
    st.tuples(st.sets(st.sampled_from(TASKS), min_size=1, max_size=3), st.integers(0, 4)), min_size=1, max_size=120
)


def test_no_family_is_asked_about_more_often_than_planned() -> None:
    """One of four families never shows on two things: its object questions do not become questions about the type."""
    asked, planned = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    balance = TaskBalance(TASKS, 1200)
    for image in range(1200):
        family = ("grey", "a", "b", "c")[image * 7 // 3 % 4]
        own = (TASKS * 2)[image % 4 :][: 2 + image % 3 % 2]
        planned.update((task, family) for task in own)
        chosen = balance.settle(own, 0 if family == "grey" else 4, family)
        asked.update((task, family) for task in chosen)
    for family in ("grey", "a", "b", "c"):
        for task in ("recognition", "recognition_reference"):
            assert abs(asked[task, family] - planned[task, family]) <= 4


@given(planned_images)
def test_every_image_keeps_its_number_of_questions(images: list[tuple[set[str], int]]) -> None:
    balance = TaskBalance(TASKS, len(images))
    for planned, candidates in images:
        chosen = balance.settle(tuple(sorted(planned)), candidates)
        assert len(chosen) == len(set(chosen)) == len(planned)
        assert "object" not in chosen or candidates >= 2
    assert sum(balance.owed.values()) == 0
    assert not balance.left_out


def test_where_all_tasks_are_asked_nothing_can_take_the_place_and_two_candidates_will_do() -> None:
    balance = TaskBalance(TASKS, 2)
    assert balance.settle(TASKS, 2) == TASKS
    assert "object" not in balance.settle(TASKS, 0)
    assert balance.left_out.total() == 1


def test_images_further_on_make_up_for_a_question_that_could_not_be_asked() -> None:
    """One in five cannot be asked; one in three has no object question planned: the totals are as planned."""
    tasks: Counter[str] = Counter()
    planned: Counter[str] = Counter()
    balance, number = TaskBalance(TASKS, 900), 900
    for image in range(number):
        own = TASKS[image % 4 :] + TASKS[: image % 4]
        planned.update(own[:3])
        tasks.update(balance.settle(own[:3], 0 if image % 5 == 0 else 2 + image % 3))
    assert tasks.total() == planned.total()
    assert all(abs(tasks[task] - planned[task]) <= 3 for task in TASKS)
    assert balance.replaced.total() >= number * 3 // 4 // 5


def test_a_data_set_has_as_many_questions_as_planned(tmp_path: Path) -> None:
    """One reference in six has no names, and some distortions show on one of the names only."""
    recipe = small_recipe(n=60, images_per_shard=20)
    source = Gallery(kinds=("good", "good", "good", "nameless", "good", "good"))
    account = generate(recipe, source, tmp_path / "data", workers=1)
    planned = Counter(task for shard in make_plan(recipe, source).shards for slot in shard.slots for task in slot.tasks)
    assert account.samples == planned.total() == round(2.64 * 60 + 0.49)
    assert account.counts["replaced"]
    assert not account.counts["left_out"]
    assert all(abs(account.counts["tasks"][task] - planned[task]) <= 6 for task in TASKS)


def test_questions_do_not_depend_on_workers(tmp_path: Path) -> None:
    recipe, source = small_recipe(n=24), Gallery(kinds=("good", "nameless", "alone"))
    for name, workers in (("one", 1), ("two", 2)):
        generate(recipe, source, tmp_path / name, workers=workers)
    assert rows_of(tmp_path / "one", "samples") == rows_of(tmp_path / "two", "samples")


# --- references that give more to choose from -----------------------------------------------------------------------


@dataclass(frozen=True)
class Mixed(Gallery):
    """Every third painting has three names, the others one."""

    kinds: Sequence[str] = ("alone", "alone", "good")
    limit: int | None = 600
    vocabulary: Mapping[str, float] = field(default_factory=lambda: {"cat": 0.5, "dog": 0.5})


def test_object_questions_go_to_references_with_a_choice_of_names() -> None:
    recipe = small_recipe(n=200, images_per_shard=50)
    plan = make_plan(recipe, Mixed())
    slots = [(slot, shard.entries[slot.entry]) for shard in plan.shards for slot in shard.slots]
    assert sum(entry.name_count for _, entry in slots) / len(slots) > 2.4
    assert len({entry.id for _, entry in slots}) == 100
    chosen = [entry.name_count for slot, entry in slots if "object" in slot.tasks]
    assert min(chosen) == 3
    total = Counter(task for slot, _ in slots for task in slot.tasks)
    assert max(total.values()) - min(total.values()) <= 2


def test_references_come_as_they_are_where_no_object_is_asked_for() -> None:
    recipe = small_recipe(n=200, images_per_shard=50, tasks={"grounding": 1.0, "recognition": 1.0}, samples_per_image=2)
    plan = make_plan(recipe, Mixed())
    entries = [shard.entries[slot.entry] for shard in plan.shards for slot in shard.slots]
    assert 0.2 < sum(entry.name_count == 3 for entry in entries) / len(entries) < 0.5


def test_a_question_is_not_asked_without_a_choice() -> None:
    subject = Subject("i", "blur", 3, Box(0, 0, 2, 2), (4, 4), "cat", (), False)
    assert ask("object", subject, small_recipe(), {"cat": 1.0, "dog": 1.0}) is None
    assert Painting(0).name_count == 3


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_every_image_of_a_reference_begins_with_another_name(counts: list[int]) -> None:
    """However many regions a name has, it comes first as often as the others; and all its regions get their turn."""
    named = tuple((chr(97 + i), (0, 0, 40, 40)) for i, count in enumerate(counts) for _ in range(count))
    loaded = LoadedReference(reference(named), small_recipe())
    turns = len(counts) * 9
    places = loaded.reference.regions
    first = Counter(places[loaded.order_regions("image", turn)[0]].object for turn in range(turns))
    compatible = loaded.candidate_names("image")
    assert set(first) == set(compatible)
    firsts = [loaded.first_regions(turn) for turn in range(turns)]
    assert set(Counter(next(iter(order)) for order in firsts).values()) == {9}
    assert {index for order in firsts for index in order.values()} == set(range(len(named)))
