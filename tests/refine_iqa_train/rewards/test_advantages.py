"""Advantages and the ranking reward on examples that can be worked out by hand, and against loops."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from refine_iqa_train.rewards.advantages import plain_advantages, published_advantages

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
