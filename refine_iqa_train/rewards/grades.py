"""What an answer says of how well the model does on a family of distortions: what `data.sampler: reward` goes by."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from refine_iqa_train.config.schema import RewardRules
from refine_iqa_train.models.rows import TrainingRow
from refine_iqa_train.rewards.diagnosis import grade_regions

__all__ = ["Grade", "list_grades"]


class Grade(NamedTuple):
    """What an answer earned for a family: a reward, 0 to 1; the severity, 1 to 5, where it is about one."""

    family: str
    reward: float
    severity: int | None = None


def list_grades(row: TrainingRow, text: str, rewards: Mapping[str, float], rules: RewardRules) -> list[Grade]:
    """List what an answer earned, for each family that its question is about.

    Of a diagnosis that is the severity of every true region, as in GS-IQA: 0 where its box or its type is wrong.

    Parameters
    ----------
    row
        The question.
    text
        The answer.
    rewards
        By the names of the reward functions, NaN where one does not reward the row. The one of the row's own task
        counts; the form of an answer says nothing of a family.
    rules
        What the parts of a diagnosis are worth.

    Returns
    -------
    list of Grade
        Empty for a question about no family, and where its task is not rewarded.
    """
    family, reward = row["family"], rewards.get(row["task"], math.nan)
    if math.isnan(reward):
        return []
    if row["task"] == "diagnosis":
        regions = grade_regions(text, row["solution"], rules.diagnosis)
        return [Grade(region.family, region.severity_reward, region.severity) for region in regions]
    return [] if family is None else [Grade(family, reward, row["severity"])]
