"""What answers say of families: the input of reward-conditioned sampling."""

import json
import math
from typing import Any

import pytest

from refine_iqa_train.config.schema import RewardRules
from refine_iqa_train.rewards.grades import Grade, list_grades

NOISE = {"box": [0, 0, 100, 100], "type": "Noise", "severity": "Severe"}
BLUR = {"box": [500, 500, 900, 900], "type": "Blur", "severity": "Slight"}


def row(task: str, solution: str, family: str | None = None, severity: int | None = None) -> Any:
    return {"task": task, "solution": solution, "family": family, "severity": severity}


def test_a_question_about_a_region_has_its_reward() -> None:
    about_region, rules = row("recognition", "Noise, Severe", "noise", 4), RewardRules()
    assert list_grades(about_region, "?", {"recognition": 0.5, "format": 1.0}, rules) == [Grade("noise", 0.5, 4)]
    assert list_grades(about_region, "?", {"recognition": math.nan, "format": 1.0}, rules) == []
    assert list_grades(row("comparison", "First"), "?", {"comparison": 1.0}, rules) == []


@pytest.mark.parametrize(
    ("entries", "noise", "blur"),
    [
        ([NOISE, BLUR], 1.0, 1.0),
        ([{**NOISE, "severity": "Obvious"}, BLUR], 0.6, 1.0),
        ([NOISE], 1.0, 0.0),
        ([{**NOISE, "type": "Blur"}, {**BLUR, "box": [0, 500, 100, 900]}], 0.0, 0.0),
        ([], 0.0, 0.0),
    ],
)
def test_a_diagnosis_has_the_severity_of_every_true_region(entries: list[Any], noise: float, blur: float) -> None:
    about_set = row("diagnosis", json.dumps([NOISE, BLUR]))
    text = f"<answer>{json.dumps(entries)}</answer>"
    found = list_grades(about_set, text, {"diagnosis": 0.3}, RewardRules())
    assert found == [Grade("noise", noise, 4), Grade("blur", blur, 1)]


def test_what_says_nothing_of_a_family() -> None:
    assert list_grades(row("diagnosis", "[]"), "<answer>[]</answer>", {"diagnosis": 1.0}, RewardRules()) == []
    about_set = row("diagnosis", json.dumps([NOISE]))
    assert list_grades(about_set, "no answer", {"diagnosis": 0.0}, RewardRules()) == [Grade("noise", 0.0, 4)]
    assert list_grades(about_set, "no answer", {"format": 0.0}, RewardRules()) == []
