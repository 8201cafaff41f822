"""Laws of who is shown what: balance within a person, over people, of sides and of the order of parts."""

from collections import Counter
from itertools import pairwise

import pytest
from study_samples import make_stimuli

from distortlab.analysis.study.answers import find_worse
from distortlab.analysis.study.stimuli import REFERENCE, TASKS, Stimuli
from distortlab.visualization.study.assignment import (
    Order,
    Pool,
    list_offered,
    plan_orders,
    plan_training,
    share_trials,
)

PEOPLE = 24
TRIALS = {"detection": 40, "recognition": 20, "comparison": 20, "grounding": 20}


@pytest.fixture(scope="module")
def stimuli() -> Stimuli:
    return make_stimuli()


@pytest.fixture(scope="module")
def pool(stimuli: Stimuli) -> Pool:
    found = tuple(stimuli.distorted.values())
    return Pool(found, frozenset(one.reference_id for one in found))


@pytest.fixture(scope="module")
def orders(pool: Pool) -> list[Order]:
    return plan_orders(pool, TRIALS, 0, PEOPLE)


def spread(counts: Counter[str] | Counter[int]) -> int:
    return max(counts.values()) - min(counts.values())


def test_trials_are_shared_out() -> None:
    assert share_trials(TASKS, 100) == TRIALS
    for trials in range(4, 60):
        assert sum(share_trials(TASKS, trials).values()) == trials


def test_everybody_sees_families_and_severities_equally_often(orders: list[Order], stimuli: Stimuli) -> None:
    for order in orders:
        for task, trials in order:
            assert len({trial.images for trial in trials}) == len(trials) == TRIALS[task]
            shown = [stimuli.distorted[t.images[0]] for t in trials if t.images[0] in stimuli.distorted]
            if task != "comparison":
                assert spread(Counter(one.family for one in shown)) <= 1
                assert spread(Counter(one.severity for one in shown)) <= 1


def test_a_quarter_of_detection_is_untouched(orders: list[Order]) -> None:
    for order in orders:
        names = [trial.images[0] for trial in dict(order)["detection"]]
        assert sum(name.startswith(REFERENCE) for name in names) == 10
        single = [trial.images[0] for task in ("recognition", "grounding") for trial in dict(order)[task]]
        assert not any(name.startswith(REFERENCE) for name in single)


@pytest.mark.parametrize("task", ["detection", "recognition", "grounding"])
def test_over_people_every_cell_and_every_image_comes_equally_often(
    orders: list[Order], stimuli: Stimuli, task: str
) -> None:
    names = [trial.images[0] for order in orders for trial in dict(order)[task]]
    shown = [stimuli.distorted[name] for name in names if name in stimuli.distorted]
    assert spread(Counter(f"{one.family} {one.severity}" for one in shown)) <= 1
    assert len({one.image_id for one in shown}) > 0.9 * len(stimuli.distorted)
    untouched = Counter(name for name in names if name.startswith(REFERENCE))
    assert not untouched or (len(untouched), spread(untouched)) == (40, 0)


def count_repeats(order: Order) -> int:
    names = [name for _, trials in order for trial in trials for name in trial.images if not name.startswith(REFERENCE)]
    return len(names) - len(set(names))


def test_hardly_an_image_is_seen_in_two_parts(orders: list[Order]) -> None:
    assert max(map(count_repeats, orders)) <= 12, "of 160 images 106 are shown, and cells have two or three"
    many = tuple(make_stimuli(120).distorted.values())
    large = Pool(many, frozenset(one.reference_id for one in many))
    assert [count_repeats(order) for order in plan_orders(large, TRIALS, 0, 2)] == [0, 0]


def test_pairs_are_of_one_scene_and_the_worse_one_is_on_either_side(orders: list[Order], stimuli: Stimuli) -> None:
    for order in orders:
        worse = [find_worse(trial.images, stimuli) for trial in dict(order)["comparison"]]
        sides = [trial.images.index(str(name)) for trial, name in zip(dict(order)["comparison"], worse, strict=True)]
        assert None not in worse
        assert sides.count(0) == sides.count(1) == 10


def test_parts_come_first_equally_often_and_scenes_are_apart(orders: list[Order], stimuli: Stimuli) -> None:
    assert Counter(order[0][0] for order in orders) == dict.fromkeys(TASKS, PEOPLE // 4)
    scenes = {name: f"{REFERENCE}{one.reference_id}" for name, one in stimuli.distorted.items()}
    for order in orders:
        for _, trials in order:
            shown = [scenes.get(trial.images[0], trial.images[0]) for trial in trials]
            assert sum(a == b for a, b in pairwise(shown)) <= 1


def test_orders_follow_from_the_seed(pool: Pool, orders: list[Order]) -> None:
    assert plan_orders(pool, TRIALS, 0, 2) == orders[:2]
    assert plan_orders(pool, TRIALS, 1, 1) != orders[:1]
    assert len({str(sorted(map(str, dict(order)["detection"]))) for order in orders}) == PEOPLE


def test_a_small_pool_is_shown_once_and_no_more(pool: Pool) -> None:
    small = Pool(pool.stimuli[:8], pool.references)
    (order,) = plan_orders(small, TRIALS, 0, 1)
    counts = {task: len(trials) for task, trials in order}
    assert counts["recognition"] == counts["grounding"] == 8
    assert counts["detection"] == 8 + 10
    assert counts["comparison"] == len(small.list_pairs())


def test_training_is_of_every_kind_and_begins_with_what_is_plain(pool: Pool, stimuli: Stimuli) -> None:
    shown = plan_training(pool, TASKS, 0)
    kinds = [trial.images[0].startswith(REFERENCE) for trial in shown["detection"]]
    assert kinds == [False, True, False, True]
    assert len({stimuli.distorted[trial.images[0]].family for trial in shown["recognition"]}) == 4
    assert all(stimuli.distorted[trial.images[0]].severity == 5 for trial in shown["recognition"])
    worse = [trial.images.index(str(find_worse(trial.images, stimuli))) for trial in shown["comparison"]]
    assert worse == [1, 0]


def test_what_a_pool_cannot_be_asked(pool: Pool) -> None:
    assert list_offered(pool) == {}
    assert set(list_offered(Pool(pool.stimuli[:1], frozenset()))) == {"detection", "comparison"}
