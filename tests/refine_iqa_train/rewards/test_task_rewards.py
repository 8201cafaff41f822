"""Reward functions: distortlab.tasks scores, these have TRL's signature; other tasks' rows are None."""

from typing import Any

import pytest

from distortlab.tasks import TASKS, quality, score
from distortlab.tasks.answer import format_completion
from distortlab.tasks.recognition import Grading
from refine_iqa_train.config.schema import Config, QualityRules, RewardRules
from refine_iqa_train.rewards.task_rewards import TaskReward, format_reward, get_text, is_fully_correct, make_scorers
from refine_iqa_train.training.train import make_rewards

SOLUTIONS = {
    "recognition": "Noise, Severe",
    "recognition_reference": "Blur, Slight",
    "object": "hot dog",
    "grounding": "[10, 10, 20, 20]",
    "diagnosis": '[{"box": [10, 10, 20, 20], "type": "Noise", "severity": "Severe"}]',
    "comparison": "First",
    "comparison_regions": "Second",
    "quality": "3.44",
}


def said(answer: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": format_completion(answer, thinking="Let me see.")}]


def columns(*rows: tuple[str, str]) -> dict[str, Any]:
    """Rows of (task, answer), as TRL gives them."""
    return {
        "completions": [said(answer) for _, answer in rows],
        "task": [task for task, _ in rows],
        "solution": [SOLUTIONS[task] for task, _ in rows],
        "family": ["noise" if TASKS[task].subject == "region" else None for task, _ in rows],
        "prompts": [None] * len(rows),
        "trainer_state": None,
    }


@pytest.mark.parametrize("task", TASKS)
def test_the_truth_is_paid_in_full_and_other_tasks_are_not_asked(task: str) -> None:
    reward = TaskReward(task, make_scorers(RewardRules())[task])
    rows = columns(*((name, f"Score:{s}" if name == "quality" else s) for name, s in SOLUTIONS.items()))
    assert reward.__name__ == task
    assert reward(**rows) == [1.0 if name == task else None for name in SOLUTIONS]
    assert format_reward(**rows) == [1.0] * len(TASKS)


@pytest.mark.parametrize(
    ("task", "answer"), [("recognition", "Noise, Slight"), ("grounding", "[10, 10, 20, 15]"), ("object", "dog")]
)
def test_the_value_is_that_of_the_task(task: str, answer: str) -> None:
    reward = TaskReward(task, make_scorers(RewardRules())[task])
    value = score(task, get_text(said(answer)), SOLUTIONS[task]).reward
    assert reward(**columns((task, answer))) == [value]


def test_recognition_is_graded_as_configured() -> None:
    answers = [("recognition", a) for a in ("Noise, Severe", "Noise, Obvious", "Blur, Severe", "nonsense")]

    def paid(grading: Grading) -> list[float | None]:
        judge = make_scorers(RewardRules(recognition=grading))["recognition"]
        return TaskReward("recognition", judge)(**columns(*answers))

    assert paid(Grading()) == [1.0, 0.8, 0.0, 0.0]
    assert paid(Grading(gated=False)) == [1.0, 0.8, 0.5, 0.0]
    assert paid(Grading(type_weight=0.0, severity_grades=(1, 0, 0, 0, 0))) == [1.0, 0.0, 0.0, 0.0]
    assert paid(Grading(type_weight=1.0)) == [1.0, 1.0, 0.0, 0.0]


def test_the_answer_about_quality_is_a_hit_or_graded() -> None:
    answers = [("quality", f"Score:{value}") for value in ("3.44", "3.94", "3.95", "1.00")]

    def paid(rules: QualityRules) -> list[float | None]:
        return TaskReward("quality", make_scorers(RewardRules(quality=rules))["quality"])(**columns(*answers))

    assert paid(QualityRules()) == [1.0, 1.0, 0.0, 0.0]
    assert paid(QualityRules(threshold=0.35)) == [1.0, 0.0, 0.0, 0.0]
    assert paid(QualityRules(answer="graded")) == pytest.approx([1.0, 1 - 0.5 / 4, 1 - 0.51 / 4, 1 - 2.44 / 4])


def test_the_gate_wants_both_form_and_score() -> None:
    right = "<think>a</think><answer>Score:3.90</answer>"
    assert is_fully_correct(right, "3.44", 0.5)
    assert not is_fully_correct(right, "3.39", 0.5)
    assert not is_fully_correct("<answer>Score:3.44</answer>", "3.44", 0.5)
    assert not is_fully_correct("<think>a</think><answer>3.44</answer>", "3.44", 0.5)


def test_names_in_the_logs_are_per_task_and_per_family() -> None:
    found: dict[str, float] = {}
    rows = columns(("recognition", "Noise, Severe"), ("recognition", "Noise, Slight"), ("object", "hot dog"))
    rows["family"] = ["noise", "blur", "noise"]
    TaskReward("recognition", make_scorers(RewardRules())["recognition"])(**rows, log_metric=found.__setitem__)
    assert found == {
        "recognition/unread": 0.0,
        "families/noise/recognition": 1.0,
        "families/blur/recognition": 0.5,
        "recognition/type": 1.0,
        "recognition/severity": 0.5,
    }


@pytest.mark.parametrize("task", ["comparison", "comparison_regions"])
def test_answers_that_always_name_the_first_one_are_seen(task: str) -> None:
    found: dict[str, float] = {}
    rows = columns((task, "First"), (task, "first"), (task, "Second"), (task, "nonsense"))
    TaskReward(task, make_scorers(RewardRules())[task])(**rows, log_metric=found.__setitem__)
    assert found == {f"{task}/unread": 0.25, f"{task}/first": 0.5}


def test_the_rewards_of_a_run_are_in_the_order_of_their_weights() -> None:
    weights = {"format": 1.0, "quality": 2.0, "probability_difference": 0.5}
    ranked = Config("m", "out", rewards=RewardRules(quality=QualityRules(answer="ranking")))
    for config in (Config("m", "out"), ranked):
        assert [reward.__name__ for reward in make_rewards(config, weights)] == list(weights)


@pytest.mark.parametrize("text", ["", "<answer>", "<think>" * 1000, "\0", "<answer>Score:\udcff</answer>"])
def test_no_completion_breaks_a_reward(text: str) -> None:
    for task in TASKS:
        rows = {**columns((task, "x")), "completions": [[{"role": "assistant", "content": text}]]}
        assert TaskReward(task, make_scorers(RewardRules())[task])(**rows) == [0.0]
        assert format_reward(**rows) == [0.0]
    assert not is_fully_correct(text, quality.truth(3), 0.5)
