"""A target that is a share of the entropy at the start: set once, kept in checkpoints, refused where it is none."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from distortlab.core.errors import UserError
from refine_iqa_train.config.schema import ExplorationRules
from refine_iqa_train.training.exploration import STATE_FILE, EntropyTargetCallback, check_target, read_first_entropy

RULES = ExplorationRules(0.5, "start")


def make_trainer(entropy: float) -> Any:
    return SimpleNamespace(args=SimpleNamespace(entropy_target=0.0), _last_world_entropy=entropy)


def end_step(callback: EntropyTargetCallback) -> None:
    callback.on_step_end(SimpleNamespace(), SimpleNamespace(), SimpleNamespace())


def save(callback: EntropyTargetCallback, out: Path, main: bool = True) -> Path:
    state = SimpleNamespace(is_world_process_zero=main, global_step=2)
    callback.on_save(SimpleNamespace(output_dir=str(out)), state, SimpleNamespace())
    return out / "checkpoint-2"


def test_the_first_step_decides(tmp_path: Path) -> None:
    trainer = make_trainer(float("inf"))
    callback = EntropyTargetCallback(trainer, RULES)
    trainer._last_world_entropy = 3.0
    end_step(callback)
    assert trainer.args.entropy_target == 1.5
    trainer._last_world_entropy = 0.1
    end_step(callback)
    assert trainer.args.entropy_target == 1.5
    (tmp_path / "checkpoint-2").mkdir()
    save(callback, tmp_path, main=False)
    assert not (tmp_path / "checkpoint-2" / STATE_FILE).exists()
    again = make_trainer(0.1)
    EntropyTargetCallback(again, RULES, read_first_entropy(save(callback, tmp_path)))
    assert again.args.entropy_target == 1.5, "a run that goes on"


@pytest.mark.parametrize("entropy", [0.0, float("inf"), float("nan")])
def test_a_first_step_without_entropy(entropy: float) -> None:
    """No token counted, e.g. where all answers were cut off and left out."""
    with pytest.raises(UserError, match="cannot be computed"):
        end_step(EntropyTargetCallback(make_trainer(entropy), RULES))


@pytest.mark.parametrize("state", [None, {}, [], {"first_entropy": "1"}, {"first_entropy": 0}, {"first_entropy": None}])
def test_checkpoints_without_it(state: object, tmp_path: Path) -> None:
    if state is not None:
        (tmp_path / STATE_FILE).write_text(json.dumps(state))
    with pytest.raises(UserError, match=r"does not hold the entropy of the first step \(exploration\.json\)"):
        read_first_entropy(tmp_path)


def test_a_target_that_no_answer_reaches() -> None:
    check_target(None, "sft", 6.0)
    check_target(RULES, "stage1", 0.1)
    check_target(ExplorationRules(5.9), "stage2", 6.0)
    with pytest.raises(UserError, match=r"= 6 nats cannot be reached: where all tokens are alike the entropy is 6\.00"):
        check_target(ExplorationRules(6.0), "stage2", 6.0)
    with pytest.raises(UserError, match="is for stages"):
        check_target(RULES, "sft", 6.0)
