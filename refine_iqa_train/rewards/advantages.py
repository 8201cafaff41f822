"""Advantages as Refine-IQA's second stage has them. Pure tensor functions."""

import torch
from torch import Tensor

__all__ = ["EPSILON", "SHIFT", "plain_advantages", "published_advantages"]

EPSILON = 1.0e-4
SHIFT = 0.2e-4
"""Taken from a group without a fully correct rollout. It matters where all rewards are equal: -0.2 for all of them."""


def plain_advantages(rewards: Tensor, group: int) -> Tensor:
    """Advantages of GRPO: (r - mean) / (std + 1e-4) within each group.

    Parameters
    ----------
    rewards
        (B,) float; the rollouts of a group stand together.
    group
        Rollouts in a group, 2 or more; divides B.

    Returns
    -------
    Tensor
        (B,) float.

    Examples
    --------
    >>> import torch
    >>> from refine_iqa_train.rewards.advantages import plain_advantages
    >>> plain_advantages(torch.tensor([0.0, 1.0, 2.0, 2.0]), group=2)
    tensor([-0.7070,  0.7070,  0.0000,  0.0000])
    """
    grouped = rewards.view(-1, group)  # (B / G, G)
    mean, std = grouped.mean(1, keepdim=True), grouped.std(1, keepdim=True)
    return ((grouped - mean) / (std + EPSILON)).view(-1)


def published_advantages(rewards: Tensor, is_correct: Tensor, group: int) -> Tensor:
    """Advantages of Refine-IQA's second stage: groups with a fully correct rollout keep only what is positive.

    Any other group is shifted down by `SHIFT` before it is divided: where all of its rewards are equal, all get -0.2.

    Parameters
    ----------
    rewards
        (B,) float; the rollouts of a group stand together.
    is_correct
        (B,) bool: the rollout is fully correct.
    group
        Rollouts in a group, 2 or more; divides B.

    Returns
    -------
    Tensor
        (B,) float.

    Examples
    --------
    >>> import torch
    >>> from refine_iqa_train.rewards.advantages import published_advantages
    >>> is_correct = torch.tensor([False, True, False, False])
    >>> published_advantages(torch.tensor([0.0, 1.0, 2.0, 2.0]), is_correct, group=2)
    tensor([ 0.0000,  0.7070, -0.2000, -0.2000])
    """
    grouped = rewards.view(-1, group)
    mean, std = grouped.mean(1, keepdim=True), grouped.std(1, keepdim=True)
    has_correct = is_correct.view(-1, group).any(1, keepdim=True)  # (B / G, 1)
    shift = torch.where(has_correct, 0.0, SHIFT)
    advantages = (grouped - mean - shift) / (std + EPSILON)
    return torch.where(has_correct, advantages.clamp(min=0), advantages).view(-1)
