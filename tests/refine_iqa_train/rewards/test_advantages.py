"""Advantages and the ranking reward on examples that can be worked out by hand, and against loops."""

import math
from statistics import NormalDist
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from hypothesis import given
from hypothesis import strategies as st

from refine_iqa_train.rewards.advantages import plain_advantages, published_advantages
from refine_iqa_train.rewards.ranking import EPSILON, RankingReward, fidelity

values = st.lists(st.floats(0, 3, width=32), min_size=8, max_size=8)


def test_a_group_with_a_right_rollout_keeps_what_is_positive() -> None:
    rewards = torch.tensor([2.0, 1.0, 1.0, 0.0])
    right = torch.tensor([True, False, False, False])
    std = math.sqrt(2 / 3) + 1e-4
    assert published_advantages(rewards, right, 4).tolist() == pytest.approx([1 / std, 0.0, 0.0, 0.0])


def test_a_group_without_one_is_shifted_down() -> None:
    rewards = torch.tensor([1.0, 0.0, 1.0, 0.0])
    right = torch.zeros(4, dtype=torch.bool)
    std = math.sqrt(1 / 3) + 1e-4
    expected = [(value - 0.5 - 0.2e-4) / std for value in rewards.tolist()]
    assert published_advantages(rewards, right, 4).tolist() == pytest.approx(expected)


def test_all_wrong_alike_is_minus_a_fifth() -> None:
    assert published_advantages(torch.ones(4), torch.zeros(4, dtype=torch.bool), 4).tolist() == pytest.approx(
        [-0.2] * 4
    )


@given(values, st.lists(st.booleans(), min_size=8, max_size=8))
def test_groups_do_not_touch_each_other(rewards: list[float], right: list[bool]) -> None:
    r, ok = torch.tensor(rewards, dtype=torch.float64), torch.tensor(right)
    whole = published_advantages(r, ok, 4)
    parts = torch.cat([published_advantages(r[:4], ok[:4], 4), published_advantages(r[4:], ok[4:], 4)])
    assert torch.allclose(whole, parts, rtol=0, atol=1e-9)
    for group in range(2):
        rows = slice(4 * group, 4 * group + 4)
        if ok[rows].any():
            assert (whole[rows] >= 0).all()
        else:
            assert whole[rows].tolist() == pytest.approx(
                (plain_advantages(r[rows], 4) - 0.2e-4 / (r[rows].std() + 1e-4)).tolist(), abs=1e-4
            )


# --- ranking --------------------------------------------------------------------------------------------------------


def by_loops(scores: list[list[float]], mos: list[float]) -> list[list[float]]:
    """VisualQuality-R1's formula, one pair at a time."""
    out = []
    for i, own in enumerate(scores):
        row = []
        for given_score in own:
            if math.isnan(given_score):
                row.append(0.0)
                continue
            total, count = 0.0, 0
            for j, other in enumerate(scores):
                read = [score for score in other if not math.isnan(score)]
                if i == j or not read:
                    continue
                mean = sum(read) / len(read)
                scale = math.sqrt(spread(own) + spread(other) + EPSILON)
                p = NormalDist().cdf((given_score - mean) / scale)
                truth = 1.0 if mos[i] > mos[j] else 0.5 if mos[i] == mos[j] else 0.0
                total += math.sqrt(p * truth) + math.sqrt((1 - p) * (1 - truth))
                count += 1
            row.append(total / count if count else 0.0)
        out.append(row)
    return out


def spread(scores: list[float]) -> float:
    read = [score for score in scores if not math.isnan(score)]
    if len(read) < 2:
        return 0.0
    mean = sum(read) / len(read)
    return sum((score - mean) ** 2 for score in read) / (len(read) - 1)


score = st.one_of(st.integers(100, 500).map(lambda n: n / 100), st.just(math.nan))


@given(st.lists(st.lists(score, min_size=3, max_size=3), min_size=2, max_size=4), st.data())
def test_the_ranking_reward_is_the_formula(scores: list[list[float]], data: st.DataObject) -> None:
    mos = data.draw(st.lists(st.sampled_from([1.0, 2.5, 4.0]), min_size=len(scores), max_size=len(scores)))
    found = fidelity(torch.tensor(scores, dtype=torch.float64), torch.tensor(mos, dtype=torch.float64))
    assert found.tolist() == [pytest.approx(row, abs=1e-6) for row in by_loops(scores, mos)]


def test_the_right_order_pays_and_the_wrong_one_does_not() -> None:
    mos = torch.tensor([1.0, 3.0, 5.0])
    ordered = torch.tensor([[1.0, 1.1], [3.0, 3.1], [4.9, 5.0]])
    assert fidelity(ordered, mos).min() > 0.99
    assert fidelity(ordered.flip(0), mos)[[0, 2]].max() < 0.01


def test_groups_of_other_tasks_are_left_out_of_the_ranking() -> None:
    reward = RankingReward()
    model = SimpleNamespace(training=True)
    reward.bind(SimpleNamespace(accelerator=Accelerator(cpu=True), num_generations=2, model=model))
    texts = [f"<think>a</think><answer>Score:{score}</answer>" for score in ("1.00", "1.10", "x", "x", "4.90", "5.00")]
    found = reward(
        texts, ["quality", "quality", "object", "object", "quality", "quality"], [1.0, 1.0, None, None, 5.0, 5.0]
    )
    assert found[2:4] == [None, None]
    assert min(found[0], found[1], found[4], found[5]) > 0.99
