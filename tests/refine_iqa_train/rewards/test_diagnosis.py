"""The reward of diagnosis: parts and families in the logs, and answers that were written to break it."""

import json
import time
from typing import Any

import pytest

from distortlab.tasks import diagnosis
from distortlab.tasks.answer import format_completion
from distortlab.tasks.diagnosis import Grading
from refine_iqa_train.config.schema import Config, RewardRules
from refine_iqa_train.rewards.diagnosis import DiagnosisReward, RegionGrade, grade_regions
from refine_iqa_train.training.train import make_rewards

NOISE = {"box": [0, 0, 100, 100], "type": "Noise", "severity": "Severe"}
BLUR = {"box": [500, 500, 900, 900], "type": "Blur", "severity": "Slight"}
TRUTH = json.dumps([NOISE, BLUR])


def answer(*entries: object) -> str:
    return f"<think>Let me see.</think><answer>{json.dumps(list(entries))}</answer>"


def reward(
    *rows: tuple[str, str], rules: RewardRules | None = None, log: dict[str, float] | None = None
) -> list[float | None]:
    """What rows of (completion, solution) are paid."""
    return DiagnosisReward(rules or RewardRules())(
        completions=[[{"role": "assistant", "content": text}] for text, _ in rows],
        task=["diagnosis"] * len(rows),
        solution=[solution for _, solution in rows],
        family=[None] * len(rows),
        log_metric=None if log is None else log.__setitem__,
    )


def test_each_part_is_logged_and_each_family() -> None:
    found: dict[str, float] = {}
    off_by_one = {**BLUR, "severity": "Moderate"}
    rows = ((answer(NOISE, off_by_one), TRUTH), ("nothing to read", TRUTH), (answer(), "[]"), (answer(NOISE), "[]"))
    values = reward(*rows, log=found)
    assert values == pytest.approx([0.96, 0.0, 1.0, 0.1])
    assert found == pytest.approx(
        {
            "diagnosis/unread": 0.25,
            "diagnosis/form": 0.75,
            "diagnosis/iou": (1 + 0 + 1 + 0) / 4,
            "diagnosis/f1": (1 + 0 + 1 + 0) / 4,
            "diagnosis/type": (1 + 0 + 1 + 0) / 4,
            "diagnosis/severity": (0.8 + 0 + 1 + 0) / 4,
            "diagnosis/empty": 0.25,
            "families/blur/diagnosis": (0.2 + 0.3 + 0.2 + 0.2 * 0.6) / 0.9 / 2,
            "families/noise/diagnosis": 0.5,
            "families/blur/diagnosis_severity": 0.3,
            "families/noise/diagnosis_severity": 0.5,
        }
    )


def test_the_value_is_the_weighted_sum_of_what_is_logged() -> None:
    grading = Grading(form=1.0, iou=2.0, f1=3.0, type=4.0, severity=5.0, severity_grades=(1.0, 0.5, 0.0, 0.0, 0.0))
    text = answer({**NOISE, "box": [0, 0, 100, 60]}, {**BLUR, "severity": "Moderate"}, {**BLUR, "box": [1, 1, 2, 2]})
    found: dict[str, float] = {}
    (value,) = reward((text, TRUTH), rules=RewardRules(diagnosis=grading), log=found)
    parts = [found[f"diagnosis/{name}"] for name in diagnosis.Parts._fields]
    assert value == pytest.approx(sum(w * part for w, part in zip(grading.weights, parts, strict=True)) / 15)
    assert found["diagnosis/severity"] == pytest.approx((1.0 + 0.5) / 3)


def test_a_region_is_graded_whatever_stands_beside_it() -> None:
    alone, beside = (grade_regions(text, TRUTH) for text in (answer(NOISE), answer(*[NOISE] * 9, BLUR)))
    assert alone == [RegionGrade("noise", 4, 1.0, 1.0), RegionGrade("blur", 1, 0.0, 0.0)]
    assert beside == [RegionGrade("noise", 4, 1.0, 1.0), RegionGrade("blur", 1, 1.0, 1.0)]
    assert grade_regions(answer(), "[]") == []


def test_the_reward_of_a_run_is_graded_as_configured() -> None:
    config = Config("m", "out", rewards=RewardRules(diagnosis=Grading(0, 0, 0, 1, 0)))
    (made,) = make_rewards(config, {"diagnosis": 1.0})
    assert made.__name__ == "diagnosis"
    text = answer({**NOISE, "severity": "Slight"}, {**BLUR, "type": "Noise"})
    assert made(completions=[text], task=["diagnosis"], solution=[TRUTH], family=[None]) == [0.5]
    assert made(completions=[text], task=["object"], solution=["dog"], family=["blur"]) == [None]


# --- answers that were written to break it --------------------------------------------------------------------------

HOSTILE: dict[str, str] = {
    "10,000 boxes": format_completion(json.dumps([NOISE] * 10_000), ".", 10**9),
    "65 boxes": answer(*[NOISE] * 65),
    "nested lists": f"<answer>{'[' * 5_000}</answer>",
    "nested lists that end": f"<answer>{'[' * 4_000}{']' * 4_000}</answer>",
    "nested objects": "<answer>" + '{"a":' * 900 + "1" + "}" * 900 + "</answer>",
    "NaN": '<answer>[{"box": [NaN, 0, 100, 100], "type": "Noise", "severity": "Severe"}]</answer>',
    "infinity": '<answer>[{"box": [0, 0, Infinity, 1e999], "type": "Noise", "severity": "Severe"}]</answer>',
    "negative corners": answer({**NOISE, "box": [-100, -100, 100, 100]}),
    "swapped corners": answer({**NOISE, "box": [100, 100, 0, 0]}),
    "no area": answer({**NOISE, "box": [0, 0, 0, 100]}),
    "three numbers": answer({**NOISE, "box": [0, 0, 100]}),
    "words for numbers": answer({**NOISE, "box": ["0", "0", "100", "100"]}),
    "a number of 5,000 digits": f'<answer>[{{"box": [0, 0, {"9" * 5_000}, 100]}}]</answer>',
    "surrogates": '<answer>[{"box": [0, 0, 100, 100], "type": "\udcff", "severity": "\\ud800"}]</answer>',
    "types that nobody knows": answer({**NOISE, "type": "Rain"}, {**BLUR, "type": None, "severity": 3}),
    "types that are no words": answer({**NOISE, "type": {"a": [1]}, "severity": [4]}),
    "levels beyond": answer({**NOISE, "severity": 6}, {**BLUR, "severity": -1}),
    "two lists": f"<answer>{TRUTH} or {TRUTH}</answer>",
    "not closed": f"<answer>{TRUTH}",
    "an answer in the thinking": f"<think><answer>{TRUTH}</answer></think>",
    "nothing": "",
}


WORTH = {
    "types that nobody knows": 0.5,
    "types that are no words": 0.2 * 0.5 + 0.3 * 2 / 3,
    "surrogates": 0.2 * 0.5 + 0.3 * 2 / 3,
    "levels beyond": 0.7,
}
"""Boxes count, types and levels that are none are wrong."""


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("solution", [TRUTH, "[]"])
def test_no_answer_breaks_it_or_is_paid_for_nothing(name: str, solution: str) -> None:
    found: dict[str, float] = {}
    start = time.process_time()
    (value,) = reward((HOSTILE[name], solution), log=found)
    assert time.process_time() - start < 2
    assert value is not None
    assert value == pytest.approx(WORTH.get(name, 0.0) if solution == TRUTH else 0.0)
    assert all(0.0 <= number <= 1.0 for number in found.values())


@pytest.mark.parametrize(
    "name", ["10,000 boxes", "65 boxes", "NaN", "swapped corners", "negative corners", "two lists"]
)
def test_what_cannot_be_read_is_paid_nothing_at_all(name: str) -> None:
    found: dict[str, float] = {}
    assert reward((HOSTILE[name], TRUTH), log=found) == [0.0]
    assert found["diagnosis/unread"] == 1.0
    assert found["diagnosis/form"] == 0.0
    assert found["diagnosis/empty"] == 0.0


def test_equal_boxes_are_matched_by_what_they_say() -> None:
    """Two distortions of one place: the order of an answer is worth nothing, and one of them is half of it."""
    one, two = NOISE, {**BLUR, "box": NOISE["box"]}
    solution = diagnosis.truth(
        [diagnosis.DistortedRegion((0, 0, 100, 100), family, level) for family, level in (("noise", 4), ("blur", 1))],
        (1000, 1000),
        "pixels",
    )
    values = reward((answer(one, two), solution), (answer(two, one), solution), (answer(one), solution))
    assert values[:2] == [1.0, 1.0]
    assert values[2] == pytest.approx(0.1 + 0.2 * 0.5 + 0.3 * 2 / 3 + 0.2 * 0.5 + 0.2 * 0.5)
    twice: Any = [RegionGrade("blur", 1, 1.0, 1.0), RegionGrade("noise", 4, 1.0, 1.0)]
    assert grade_regions(answer(one, two), solution) == twice
    same = json.dumps([NOISE, NOISE])
    assert reward((answer(NOISE, NOISE), same), (answer(NOISE), same))[0] == 1.0
