"""Controls and exploration: marked, never pushed, and refused where they could not do what they say."""

from pathlib import Path
from typing import Any

import pytest

from distortlab.core.errors import UserError
from refine_iqa_train.config.controls import list_controls
from refine_iqa_train.config.exploration import ENTROPY_KEYS
from refine_iqa_train.config.loading import load_config
from refine_iqa_train.config.schema import Config, HubRules
from refine_iqa_train.training.push import push
from refine_iqa_train.training.trl_arguments import make_grpo_arguments

CONTROLS: list[dict[str, Any]] = [
    {"data.shuffle_solutions": True},
    {"rewards.shuffle": "group"},
    {"rewards.shuffle": "batch"},
]
STREAM = {"data.perception": "stream:smoke", "data.references": "scenes", "validation.every": 0}


def refusal(**keys: Any) -> str:
    with pytest.raises(UserError) as caught:
        load_config("stage1-qwen3-vl-4b", keys)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("keys", CONTROLS)
def test_a_control_is_marked_and_not_pushed(keys: dict[str, Any]) -> None:
    control = load_config("stage1-qwen3-vl-4b", keys)
    (key,) = keys
    assert [key in sentence for sentence in list_controls(control)] == [True]
    sentence = refusal(**keys, **{"hub.id": "me/model"})
    assert sentence.startswith("hub.id: this run is a control, ")
    assert key in sentence
    pushed = Config("m", "out", hub=HubRules(id="me/model"), data=control.data, rewards=control.rewards)
    with pytest.raises(UserError, match="its model is not pushed"):
        push(pushed)


def test_an_ordinary_run_is_none() -> None:
    assert list_controls(load_config("stage1-qwen3-vl-4b")) == ()


def test_controls_that_cannot_be() -> None:
    for more in ({"data.streaming": True}, STREAM):
        assert "permutes the questions of files" in refusal(**{"data.shuffle_solutions": True}, **more)
    by_reward = {**STREAM, "data.sampler": "reward"}
    assert "leaves nothing true for data.sampler: reward" in refusal(**{"rewards.shuffle": "group"}, **by_reward)
    assert "rewards.shuffle" in refusal(**{"rewards.shuffle": "all"})


# --- frozen, exploration --------------------------------------------------------------------------------------------


def test_patterns_are_names() -> None:
    assert load_config("stage1-qwen3-vl-4b", {"frozen": ["visual.*"]}).frozen == ("visual.*",)
    assert "frozen has an empty pattern" in refusal(frozen=["visual.*", ""])
    assert "frozen" in refusal(frozen="visual.*")


def test_a_target_of_the_entropy_is_that_of_trl() -> None:
    rules = {"entropy_target": 0.4, "coef": 0.01, "coef_step": 0.002, "coef_max": 0.1}
    arguments = make_grpo_arguments(load_config("smoke-stage1", {"exploration": rules}), {"format": 1.0})
    found = {key: getattr(arguments, key) for key in ENTROPY_KEYS}
    assert found == {
        "use_adaptive_entropy": True,
        "entropy_coef": 0.01,
        "entropy_coef_min": 0.0,
        "entropy_coef_max": 0.1,
        "entropy_coef_delta": 0.002,
        "entropy_target": 0.4,
    }
    assert not make_grpo_arguments(load_config("smoke-stage1"), {"format": 1.0}).use_adaptive_entropy


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ({"entropy_target": 0}, "exploration.entropy_target = 0.0; it is above 0"),
        ({"entropy_target": float("nan")}, "exploration.entropy_target = nan; it is above 0"),
        ({"entropy_target": float("inf")}, "exploration.entropy_target = inf; it is above 0"),
        ({"entropy_target": 1.5, "unit": "start"}, "is above the entropy that the run begins with"),
        ({"entropy_target": 1, "coef": 2}, "exploration.coef = 2.0 is above exploration.coef_max = 1.0"),
        ({"entropy_target": 1, "coef_step": -1}, "exploration.coef_step = -1.0 is outside"),
        ({"entropy_target": 1, "unit": "bits"}, "exploration.unit"),
        ({"coef": 1}, "exploration.entropy_target is missing"),
    ],
)
def test_targets_that_cannot_be(rules: dict[str, Any], sentence: str) -> None:
    assert sentence in refusal(exploration=rules)


@pytest.mark.parametrize("key", ENTROPY_KEYS)
def test_one_bonus_at_a_time(key: str, tmp_path: Path) -> None:
    sentence = refusal(exploration={"entropy_target": 1}, **{f"trainer.{key}": 0.1})
    assert f"trainer.{key} and exploration set the same bonus" in sentence
