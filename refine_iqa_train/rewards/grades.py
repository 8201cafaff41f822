"""What an answer says of how well the model does on a family of distortions: what `data.sampler: reward` goes by."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from refine_iqa_train.models.rows import TrainingRow

__all__ = ["Grade", "list_grades"]


class Grade(NamedTuple):
    """What an answer earned for a family: a reward, 0 to 1; the severity, 1 to 5, where it is about one."""

    family: str
    reward: float
    severity: int | None = None


def list_grades(row: TrainingRow, rewards: Mapping[str, float]) -> list[Grade]:
    """List what an answer earned, for each family that its question is about.

    Parameters
    ----------
    row
        The question.
    rewards
        By the names of the reward functions, NaN where one does not reward the row. The one of the row's own task
        counts; the form of an answer says nothing of a family.

    Returns
    -------
    list of Grade
        Empty for a question about no family, and where its task is not rewarded.
    """
    family, reward = row["family"], rewards.get(row["task"], math.nan)
    if family is None or math.isnan(reward):
        return []
    return [Grade(family, reward, row["severity"])]
