"""Rewards permuted on purpose, for controls: what a model learns from rewards that are about other answers."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from distortlab.core.seeds import stream

__all__ = ["draw_reward_order"]


def draw_reward_order(
    rewards: Tensor, group: int, within: Literal["group", "batch"], address: Sequence[str | int]
) -> Tensor:
    """Draw for each answer the answer whose rewards it gets.

    Parameters
    ----------
    rewards
        (B, functions) float, of all processes, NaN where a function does not reward the row; the rollouts of a group
        stand together.
    group
        Rollouts in a group; divides B.
    within
        "group": each group keeps its rewards, among its answers. "batch": rewards go to any answer that the same
        functions reward.
    address
        Of the random numbers: the same on every process.

    Returns
    -------
    Tensor
        (B,) int on the CPU, each place once: the rewards of row i are those of row `order[i]`.

    Examples
    --------
    >>> import torch
    >>> from refine_iqa_train.rewards.shuffling import draw_reward_order
    >>> rewards = torch.tensor([[0.0], [1.0], [2.0], [3.0]])
    >>> draw_reward_order(rewards, 2, "group", (0, "step", 4))
    tensor([1, 0, 2, 3])
    """
    if within == "group":
        kinds: list[object] = [place // group for place in range(len(rewards))]
    else:
        kinds = [tuple(row) for row in rewards.isnan().tolist()]
    places: dict[object, list[int]] = {}
    for place, kind in enumerate(kinds):
        places.setdefault(kind, []).append(place)
    order = torch.arange(len(rewards))
    for number, members in enumerate(places.values()):
        order[members] = torch.tensor(stream(*address, number).permute(members))
    return order
