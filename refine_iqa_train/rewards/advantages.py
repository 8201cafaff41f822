"""Advantages as Refine-IQA's second stage has them. Pure tensor functions."""

import torch
from torch import Tensor

__all__ = ["EPSILON", "SHIFT", "plain_advantages", "published_advantages"]

EPSILON = 1.0e-4
SHIFT = 0.2e-4
"""Taken from a group without a fully right rollout. It matters where all rewards are equal: -0.2 for all of them."""


def plain_advantages(rewards: Tensor, group: int) -> Tensor:
    """(r - mean) / (std + 1e-4) within each group; `rewards` (B,), groups stand together."""
    grouped = rewards.view(-1, group)  # (B / G, G)
    mean, std = grouped.mean(1, keepdim=True), grouped.std(1, keepdim=True)
    return ((grouped - mean) / (std + EPSILON)).view(-1)


def published_advantages(rewards: Tensor, right: Tensor, group: int) -> Tensor:
    """The same, but a group with a fully right rollout keeps only what is positive, and any other is shifted down.

    `rewards` (B,) float, `right` (B,) bool.
    """
    grouped = rewards.view(-1, group)
    mean, std = grouped.mean(1, keepdim=True), grouped.std(1, keepdim=True)
    some_right = right.view(-1, group).any(1, keepdim=True)  # (B / G, 1)
    shift = torch.where(some_right, 0.0, SHIFT)
    advantages = (grouped - mean - shift) / (std + EPSILON)
    return torch.where(some_right, advantages.clamp(min=0), advantages).view(-1)
