"""Scores without thinking, as the paper reports them: the expectation over the digit that follows "Score:".

One teacher-forced pass for each image, nothing is generated. The rule is `compute_expected_digit` of
`distortlab.tasks.quality`, by which the harness reads a generated answer too (protocol `refine-iqa-no-think`, reader
`digits`).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from distortlab.tasks import quality
from refine_iqa_train.models.chat import direct_prompt
from refine_iqa_train.models.protocols import PolicyTrainer
from refine_iqa_train.models.rows import Chat, TrainingRow
from refine_iqa_train.rewards.teacher_forcing import TeacherForcing, TeacherForcingJob, find_digit_ids

__all__ = ["DirectScorer"]


class DirectScorer:
    """Scores held-out images with the model of a trainer, `micro_batch` images in a pass."""

    def __init__(self, trainer: PolicyTrainer, micro_batch: int = 8) -> None:
        self.forcing = TeacherForcing(trainer, micro_batch)
        ids = find_digit_ids(self.forcing.tokenizer)
        self.levels = [ids[str(level)] for level in quality.LEVELS]
        self.stem = tuple(self.forcing.tokenizer.encode(quality.STEM, add_special_tokens=False))

    def score(self, rows: Sequence[TrainingRow], prompts: Sequence[Chat]) -> dict[str, float | None]:
        """The score of every image that is asked about, by `sample_id`.

        Parameters
        ----------
        rows
            Rows of this process, with `sample_id` and `task`; several rows may be one question.
        prompts
            Their chats, with images.

        Returns
        -------
        dict
            Scores from 1 to 5 of the rows about quality; None where the digits are improbable.
        """
        row_by_sample = {row["sample_id"]: n for n, row in enumerate(rows) if row["task"] == "quality"}
        jobs = [TeacherForcingJob(direct_prompt(prompts[n]), self.stem) for n in row_by_sample.values()]
        passes = self.forcing.run(jobs, prompts[0], 1, self._read_level_probabilities)
        found = torch.cat(passes).tolist() if passes else []
        return {name: _expect_score(levels) for name, levels in zip(row_by_sample, found, strict=True)}

    def _read_level_probabilities(self, logits: Tensor, _: Tensor) -> Tensor:
        """(B, 1, V) to the probabilities of the levels, (B, 5)."""
        return logits[:, -1].float().softmax(-1)[:, self.levels]


def _expect_score(levels: Sequence[float]) -> float | None:
    found = quality.compute_expected_digit(dict(zip(quality.LEVELS, levels, strict=True)))
    return None if found is None else found[0]
