"""The ranking reward: against loops over all pairs; the right order pays."""

import math
from statistics import NormalDist
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from hypothesis import given
from hypothesis import strategies as st

from refine_iqa_train.rewards.ranking import EPSILON, RankingReward, fidelity


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
