"""The ranking reward of VisualQuality-R1 (arXiv 2505.14460): does a score put its image in the right order?

Thurstone's model turns two scores into a probability that one image is the better one, the fidelity measure compares
it with what people said. The batch is that of all processes together.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from distortlab.tasks import Unread, quality
from refine_iqa_train.models.protocols import PolicyTrainer
from refine_iqa_train.models.rows import Completion
from refine_iqa_train.rewards.task_rewards import get_text

__all__ = ["RankingReward", "fidelity"]

EPSILON = 1.0e-6


def fidelity(scores: Tensor, mos: Tensor) -> Tensor:
    """Reward of each rollout: the mean fidelity of its image's rank over all other images.

    Parameters
    ----------
    scores
        (N, K) float: K scores for each of N images, NaN where none was read.
    mos
        (N,) float: the true scores.

    Returns
    -------
    Tensor
        (N, K) float, 0 to 1. A rollout without a score, and an image without another to compare with, gets 0.

    Examples
    --------
    >>> import torch
    >>> from refine_iqa_train.rewards.ranking import fidelity
    >>> scores, mos = torch.tensor([[1.0, 1.2], [4.0, 4.2]]), torch.tensor([1.5, 4.5])
    >>> fidelity(scores, mos).round(decimals=3).tolist(), fidelity(scores, mos.flip(0)).round(decimals=3).tolist()
    ([[1.0, 1.0], [1.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]])
    """
    read = ~scores.isnan()
    counts = read.sum(1)  # (N,)
    filled = scores.nan_to_num(0.0)
    mean = filled.sum(1) / counts.clamp(min=1)
    spread = (filled - mean[:, None]).where(read, torch.zeros(())).square().sum(1) / (counts - 1).clamp(min=1)
    # (N, K, N): rollout k of image i against the mean score of image j
    scale = (spread[:, None] + spread[None, :] + EPSILON).sqrt()[:, None, :]
    better = torch.special.ndtr((filled[:, :, None] - mean[None, None, :]) / scale)
    truth = ((mos[:, None] > mos[None, :]).to(scores.dtype) + 0.5 * (mos[:, None] == mos[None, :]))[:, None, :]
    agreement = (truth * better).sqrt() + ((1 - truth) * (1 - better)).sqrt()
    others = (~torch.eye(len(mos), dtype=torch.bool, device=mos.device)) & (counts > 0)[None, :]  # (N, N)
    compared = others.sum(1).clamp(min=1)[:, None]
    return ((agreement * others[:, None, :]).sum(2) / compared).where(read, torch.zeros(()))


class RankingReward:
    """The answer reward of stage 2 that compares images with each other. TRL reward; `bind` it to its trainer."""

    __name__ = "quality"

    trainer: PolicyTrainer

    def bind(self, trainer: PolicyTrainer) -> None:
        """The trainer knows the other processes and how many rollouts a group has."""
        self.trainer = trainer

    def __call__(
        self, completions: Sequence[Completion], task: Sequence[str], mos: Sequence[float | None], **_: object
    ) -> list[float | None]:
        """A value for each row, None for other tasks. Called by all processes at once."""
        accelerator = self.trainer.accelerator
        scores = [_read_score(get_text(completion)) for completion in completions]
        true_scores = [
            float("nan") if name != "quality" or true_score is None else true_score
            for name, true_score in zip(task, mos, strict=True)
        ]
        local = torch.tensor([scores, true_scores], dtype=torch.float64, device=accelerator.device)
        local = local.T.contiguous()  # (B, 2)
        everywhere = accelerator.gather(local)
        group = self.trainer.num_generations if self.trainer.model.training else self.trainer.num_generations_eval
        values = _compute_group_fidelity(everywhere, group)
        start = accelerator.process_index * len(scores)
        local_values = values[start : start + len(scores)].tolist()
        return [value if name == "quality" else None for value, name in zip(local_values, task, strict=True)]


def _compute_group_fidelity(rows: Tensor, group: int) -> Tensor:
    """Fidelity of each row of (scores, mos), groups standing together; a mos of NaN is another task's."""
    scores, mos = rows[:, 0].view(-1, group), rows[:, 1].view(-1, group)[:, 0]
    rated = ~mos.isnan()
    values = torch.zeros_like(scores)
    if rated.any():
        values[rated] = fidelity(scores[rated], mos[rated])
    return values.view(-1)


def _read_score(text: str) -> float:
    score = quality.read(text)
    return float("nan") if isinstance(score, Unread) else score
