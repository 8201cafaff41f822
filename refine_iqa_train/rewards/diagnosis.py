"""The reward of diagnosis: what an answer about all distortions of an image is worth, in all, by part and by family.

In the logs: `diagnosis/form`, `iou`, `f1`, `type`, `severity` (the parts of the score), `diagnosis/empty` (the share of
answers that name no region), `families/blur/diagnosis` (what regions of this family earned) and
`families/blur/diagnosis_severity` (their severity alone).
"""

import math
from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

from distortlab.tasks import Unread, diagnosis
from distortlab.tasks.matching import Match
from distortlab.tasks.region_lists import parse_regions
from refine_iqa_train.config.schema import RewardRules
from refine_iqa_train.rewards.task_rewards import LogMetric, ScoredRow, TaskReward, log_families, make_scorers

__all__ = ["DiagnosisReward", "RegionGrade", "grade_regions"]


class RegionGrade(NamedTuple):
    """What an answer earned for one true region.

    Parameters
    ----------
    family, severity
        Of the true region, the severity 1 to 5.
    reward
        0 to 1: its IoU, whether that counts, its type and its severity by the weights of the parts.
    severity_reward
        0 to 1: its severity alone, 0 where box or type are wrong.
    """

    family: str
    severity: int
    reward: float
    severity_reward: float


def grade_regions(completion: str, solution: str, grading: diagnosis.Grading = diagnosis.GRADING) -> list[RegionGrade]:
    """Grade an answer region by region; regions that it made up cost nothing here.

    Parameters
    ----------
    completion
        Whatever a model wrote. Where it cannot be read, every region earned 0.
    solution
        Of the question. A pristine image has no region to grade.
    grading
        What the parts are worth.

    Examples
    --------
    >>> from refine_iqa_train.rewards.diagnosis import grade_regions
    >>> solution = '[{"box": [0, 0, 100, 100], "type": "Noise", "severity": "Severe"}]'
    >>> grade_regions(f"<answer>{solution.replace('Severe', 'Obvious')}</answer>", solution)[0].severity_reward
    0.6
    >>> grade_regions("<answer>[]</answer>", solution)
    [RegionGrade(family='noise', severity=4, reward=0.0, severity_reward=0.0)]
    """
    marks = diagnosis.compare(completion, solution)
    if not isinstance(marks, Unread):
        return [_grade_match(match, grading) for match in marks.matches]
    right = parse_regions(solution)
    assert not isinstance(right, Unread), "compare raises for what is no solution"
    return [RegionGrade(str(region.family), int(region.severity or 0), 0.0, 0.0) for region in right.regions]


def _grade_match(match: Match, grading: diagnosis.Grading) -> RegionGrade:
    severity = grading.grade_severity(match)
    parts = match.iou, float(match.is_hit), float(match.is_type_right), severity
    weights = grading.weights[1:]  # the form is of the list
    total = math.fsum(weights)
    value = math.fsum(weight * part for weight, part in zip(weights, parts, strict=True)) / total if total else 0.0
    return RegionGrade(str(match.right.family), int(match.right.severity or 0), min(1.0, value), severity)


class DiagnosisReward(TaskReward):
    """The reward of diagnosis, as TRL calls it; `rules` say what the parts are worth."""

    def __init__(self, rules: RewardRules) -> None:
        super().__init__("diagnosis", make_scorers(rules)["diagnosis"])
        self._grading = rules.diagnosis

    def _log_metrics(self, rows: Sequence[ScoredRow], log: LogMetric) -> None:
        super()._log_metrics(rows, log)
        found = [diagnosis.compare(row.text, row.solution) for row in rows]
        read = [marks for marks in found if not isinstance(marks, Unread)]
        parts = [self._grading.grade(marks) for marks in read]
        for place, name in enumerate(diagnosis.Parts._fields):
            log(f"diagnosis/{name}", math.fsum(part[place] for part in parts) / len(rows))
        log("diagnosis/empty", fmean(not isinstance(marks, Unread) and not marks.given for marks in found))
        grades = [grade for row in rows for grade in grade_regions(row.text, row.solution, self._grading)]
        log_families([(grade.family, grade.reward) for grade in grades], "diagnosis", log)
        log_families([(grade.family, grade.severity_reward) for grade in grades], "diagnosis_severity", log)
