"""As many questions of every task as planned, whatever an image can be asked about."""

from collections import Counter
from pathlib import Path

from dataset_samples import Gallery, rows_of, small_recipe
from hypothesis import given
from hypothesis import strategies as st

from distortlab.generation.generate import generate
from distortlab.generation.plan import make_plan
from distortlab.generation.task_balance import TaskBalance
from distortlab.recipe import DEFAULT_TASKS as TASKS

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
    """One reference in six has no names, another a single one, and weaker colors show on one of the names only."""
    recipe = small_recipe(n=60, images_per_shard=20, families={"saturate_weaken": 3, "noise": 1})
    source = Gallery(kinds=("good", "good", "alone", "nameless", "good", "good"))
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
