"""Laws of the reward-conditioned sampler: probabilities, means, the lag, and what comes back from a checkpoint."""

import json
import math
from collections.abc import Sequence
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refine_iqa_train.config.schema import RewardSamplerRules
from refine_iqa_train.rewards.grades import Grade
from refine_iqa_train.training.reward_sampler import (
    RewardMean,
    RewardSampler,
    compute_probabilities,
    count_lag,
    update_means,
)

FAMILIES = ("blur", "noise", "compression", "brighten", "pixelate")
SEVERITIES = ("1", "3", "5")
rewards = st.floats(0, 1)
means = st.dictionaries(st.sampled_from(FAMILIES), st.builds(RewardMean, rewards, st.integers(1, 100)))
grades = st.lists(st.builds(Grade, st.sampled_from((*FAMILIES, "haze")), rewards, st.sampled_from((None, 1, 2, 3, 5))))
taus, floors = st.floats(0.001, 1000), st.floats(0, 1)


# --- probabilities --------------------------------------------------------------------------------------------------


@given(means=means, tau=taus, floor=floors)
def test_probabilities_sum_to_one_and_none_falls_below_its_part_of_the_floor(
    means: Any, tau: float, floor: float
) -> None:
    found = compute_probabilities(means, FAMILIES, tau, floor)
    assert tuple(found) == FAMILIES
    assert math.fsum(found.values()) == pytest.approx(1, abs=1e-12)
    assert all(value >= floor / len(FAMILIES) for value in found.values())


@given(reward=rewards, tau=taus, floor=floors, seen=st.sets(st.sampled_from(FAMILIES)))
def test_equal_rewards_are_drawn_alike(reward: float, tau: float, floor: float, seen: set[str]) -> None:
    """Also where some were never seen, or none."""
    found = compute_probabilities(dict.fromkeys(seen, RewardMean(reward, 1)), FAMILIES, tau, floor)
    assert list(found.values()) == pytest.approx([1 / len(FAMILIES)] * len(FAMILIES), abs=1e-9)


@given(means=means, tau=taus, floor=st.floats(0, 0.99))
def test_what_goes_worse_is_drawn_more_often(means: Any, tau: float, floor: float) -> None:
    found = compute_probabilities(means, FAMILIES, tau, floor)
    for one in means:
        for other in means:
            if means[one].value < means[other].value:
                assert found[one] >= found[other]
            if (means[other].value - means[one].value) / tau > 1e-6 and found[other] > floor / len(FAMILIES) + 1e-6:
                assert found[one] > found[other]


@given(means=means.filter(bool), tau=taus)
def test_a_family_that_was_never_seen_counts_as_the_mean_of_the_others(means: Any, tau: float) -> None:
    mean = math.fsum(each.value for each in means.values()) / len(means)
    filled = {name: means.get(name, RewardMean(mean, 1)) for name in FAMILIES}
    expected = compute_probabilities(filled, FAMILIES, tau, 0.05)
    assert compute_probabilities(means, FAMILIES, tau, 0.05) == pytest.approx(expected, rel=1e-6)


def test_the_published_formula() -> None:
    """softmax(-R / tau) with five per cent spread evenly."""
    values = {"blur": 0.1, "noise": 0.5, "compression": 1.0}
    weights = {name: math.exp(-value / 0.5) for name, value in values.items()}
    expected = {name: 0.95 * weight / sum(weights.values()) + 0.05 / 3 for name, weight in weights.items()}
    found = compute_probabilities({name: RewardMean(v, 3) for name, v in values.items()}, tuple(values), 0.5, 0.05)
    assert found == pytest.approx(expected, rel=1e-12)


# --- means ----------------------------------------------------------------------------------------------------------


@given(series=st.lists(rewards, min_size=1, max_size=60), alpha=st.floats(0.001, 1))
def test_a_mean_weighs_every_generation_by_its_age(series: Sequence[float], alpha: float) -> None:
    found: Any = {}
    for reward in series:
        found = update_means(found, [("blur", reward)], alpha)
    weights = [(1 - alpha) ** age for age in reversed(range(len(series)))]
    expected = math.fsum(w * r for w, r in zip(weights, series, strict=True)) / math.fsum(weights)
    assert found["blur"].generations == len(series)
    assert found["blur"].value == pytest.approx(expected, abs=1e-9)


@given(before=means, grades=grades, data=st.data())
def test_the_order_of_rewards_in_a_generation_does_not_matter(before: Any, grades: Any, data: Any) -> None:
    """Not in the last bit: processes that differ there would drift apart."""
    pairs = [(grade.family, grade.reward) for grade in grades]
    copy = dict(before)
    found = update_means(before, pairs, 0.1)
    assert before == copy
    assert update_means(before, data.draw(st.permutations(pairs)), 0.1) == found
    named = {name for name, _ in pairs}
    assert {name: value for name, value in found.items() if name not in named} == {
        name: value for name, value in before.items() if name not in named
    }


# --- the lag --------------------------------------------------------------------------------------------------------


@given(accumulation=st.integers(1, 12), uses=st.integers(1, 12))
def test_no_item_is_drawn_by_rewards_that_may_not_be_there_yet(accumulation: int, uses: int) -> None:
    """Played through: a step fetches its batches and one more, then answers where a generation begins."""
    lag = count_lag(accumulation, uses)
    rewarded, fetched, waits = -1, -1, []
    for step in range(40):
        for batch in range(fetched + 1, (step + 1) * accumulation + 1):
            waits.append(batch // uses - rewarded)
            fetched = batch
        for batch in range(step * accumulation, (step + 1) * accumulation):
            if batch % uses == 0:
                rewarded = batch // uses
    assert lag >= 2
    assert max(waits) <= lag
    assert lag == 2 or max(waits) == lag


@given(generations=st.lists(grades, min_size=1, max_size=12), lag=st.integers(2, 5), late=st.data())
def test_what_a_generation_is_drawn_by_does_not_change_once_it_can_be_asked_for(
    generations: list[Any], lag: int, late: Any
) -> None:
    """Asked for as early as can be, or as late as the generation itself is answered: the same."""
    sampler = RewardSampler(FAMILIES, SEVERITIES, RewardSamplerRules(), lag)
    early: dict[int, Any] = {0: sampler.weigh_families(0)}
    for generation, given_ in enumerate(generations):
        for ahead in range(generation, generation + lag):
            first = early.setdefault(ahead, sampler.weigh_families(ahead))
            assert sampler.weigh_families(ahead) == first
        sampler.update(generation, given_)
        assert sampler.weigh_families(generation) == early[generation]


def test_rewards_come_to_bear_after_the_lag() -> None:
    sampler = RewardSampler(("blur", "noise"), (), RewardSamplerRules(tau=0.1))
    sampler.update(0, [Grade("blur", 0.0), Grade("noise", 1.0)])
    assert sampler.weigh_families(1) == {"blur": 0.5, "noise": 0.5}
    assert sampler.weigh_families(2)["blur"] > 0.9
    assert sampler.weigh_severities(2) is None


def test_a_generation_counts_once() -> None:
    one, two = (RewardSampler(("blur", "noise"), ("1", "5"), RewardSamplerRules()) for _ in range(2))
    for sampler in (one, two):
        sampler.update(0, [Grade("blur", 0.0, 1), Grade("noise", 1.0, 5), Grade("haze", 1.0, 1)])
    two.update(0, [Grade("blur", 1.0, 5)])
    assert one.state_dict() == two.state_dict()
    found = two.weigh_severities(2)
    assert found is not None
    assert found["1"] > found["5"]


# --- a checkpoint ---------------------------------------------------------------------------------------------------


@given(generations=st.lists(grades, min_size=1, max_size=10), stop=st.integers(0, 10), lag=st.integers(2, 5))
def test_it_goes_on_from_a_file_as_if_it_had_not_been_stopped(generations: list[Any], stop: int, lag: int) -> None:
    whole = RewardSampler(FAMILIES, SEVERITIES, RewardSamplerRules(), lag)
    part = RewardSampler(FAMILIES, SEVERITIES, RewardSamplerRules(), lag)
    for generation, given_ in zip(count(), generations, strict=False):
        whole.update(generation, given_)
        if generation == stop:
            stored = json.loads(json.dumps(part.state_dict()))
            part = RewardSampler(FAMILIES[::-1], SEVERITIES, RewardSamplerRules(), lag)
            part.load_state_dict(stored)
        part.update(generation, given_)
        for ahead in range(generation, generation + lag + 1):
            assert part.weigh_families(ahead) == whole.weigh_families(ahead)
            assert part.weigh_severities(ahead) == whole.weigh_severities(ahead)
        assert len(part.state_dict()["tables"]) <= lag + 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"families": ["blur", "haze"]}, "families were blur, haze and are blur, noise"),
        ({"severities": ["1", "2"]}, "severities were 1, 2 and are none"),
        ({"families": None}, "families were none and are blur, noise"),
        ({"tables": None}, "no means"),
        ({"tables": [[0, {"blur": [math.nan, 1]}, {}]]}, "no means"),
        ({"tables": [[0, {"blur": 1}, {}]]}, "no means"),
        ({"tables": [[1, {}, {}], [0, {}, {}]]}, "another version"),
        ({"format": 2}, "another version"),
    ],
)
def test_a_state_of_something_else_is_refused(change: dict[str, Any], sentence: str) -> None:
    sampler = RewardSampler(("blur", "noise"), (), RewardSamplerRules())
    sampler.update(0, [Grade("blur", 0.5)])
    before = sampler.state_dict()
    with pytest.raises(ValueError, match=sentence):
        sampler.load_state_dict({**before, **change})
    with pytest.raises(ValueError, match=sentence):
        sampler.check_state_dict({**before, **change})
    assert sampler.state_dict() == before
