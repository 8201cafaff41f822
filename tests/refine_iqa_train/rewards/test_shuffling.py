"""Rewards permuted for controls: each is kept, in its group or among answers that the same functions reward."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from refine_iqa_train.rewards.shuffling import draw_reward_order

NAN = float("nan")


@given(groups=st.integers(1, 6), size=st.integers(2, 8), step=st.integers(0, 1000))
def test_a_group_keeps_its_rewards(groups: int, size: int, step: int) -> None:
    rewards = torch.arange(groups * size).float()[:, None]
    order = draw_reward_order(rewards, size, "group", (0, step))
    grouped = rewards[order].view(groups, size).sort(1).values
    assert torch.equal(grouped, rewards.view(groups, size))


@given(tasks=st.lists(st.integers(0, 2), min_size=1, max_size=12), step=st.integers(0, 1000))
def test_a_batch_keeps_the_rewards_of_a_task(tasks: list[int], step: int) -> None:
    rewards = torch.full((len(tasks), 3), NAN)
    rewards[torch.arange(len(tasks)), tasks] = torch.arange(len(tasks)).float()
    order = draw_reward_order(rewards, 1, "batch", (0, step))
    assert sorted(order.tolist()) == list(range(len(tasks)))
    assert [tasks[place] for place in order] == tasks


@pytest.mark.parametrize(("within", "crosses"), [("group", False), ("batch", True)])
def test_rewards_do_not_stay_with_their_answers(within: str, crosses: bool) -> None:
    rewards = torch.arange(64.0)[:, None]
    order = draw_reward_order(rewards, 8, within, (0, 3))
    places = torch.arange(64)
    assert (order == places).float().mean() < 0.4
    assert (order // 8 != places // 8).any() == crosses
    assert torch.equal(order, draw_reward_order(rewards, 8, within, (0, 3)))
    assert not torch.equal(order, draw_reward_order(rewards, 8, within, (0, 4)))
    assert not torch.equal(order, draw_reward_order(rewards, 8, within, (1, 3)))
    assert not torch.equal(order[:8] % 8, order[8:16] % 8), "groups are permuted alike"
