"""Whole runs on a CPU: cold start, both stages, adapters, streams, going on after a stop."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from trainer_runs import make_varied_rewards

from distortlab.core.errors import UserError
from refine_iqa_train.config.loading import load_config
from refine_iqa_train.config.schema import PERCEPTION
from refine_iqa_train.training import train as train_module
from refine_iqa_train.training.train import train


@pytest.fixture
def file(run_file: Callable[..., Path]) -> Path:
    trainer = {"max_steps": 2, "per_device_train_batch_size": 8, "save_steps": 2, "learning_rate": 1e-4}
    return run_file({**trainer, "disable_tqdm": True}, watch={"samples_every": 1, "samples": 2})


def history(out: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((out / "trainer_state.json").read_text())["log_history"]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("family", ["qwen3_vl", "llava"])
def test_stage_1_from_a_data_set_to_a_model(file: Path, tiny: Any, family: str) -> None:
    from transformers import AutoModelForImageTextToText

    config = load_config(file, {"model": str(tiny(family)), "watch.report_to": "tensorboard"})
    train(config, "stage1")
    out = Path(config.out)
    AutoModelForImageTextToText.from_pretrained(out)
    logs = history(out)
    assert any("rewards/grounding/mean" in entry for entry in logs)
    assert [entry["step"] for entry in logs if "eval_held_out/n" in entry] == [0, 2]
    assert any(name.startswith("families/") for entry in logs for name in entry)
    assert {"completions/clipped_ratio", "entropy", "rewards/format/mean"} <= set(logs[1])
    assert {path.name for path in (out / "samples").iterdir()} == {"index.html", "step-000000.html", "step-000001.html"}
    card = (out / "README.md").read_text()
    assert config.data.perception in card
    assert "On held-out questions, answered greedily." in card
    assert yaml.safe_load(card.split("---")[1])["tags"][-1] == "refine-iqa"
    assert load_config(out / "config.yaml") == config
    assert list(out.rglob("events.out.tfevents*"))


@pytest.mark.slow
def test_pages_that_fall_due_between_two_generations(file: Path) -> None:
    """Answers are generated at steps 0, 2 and 4; pages fall due at 0, 3 and 6."""
    keys = {"trainer.max_steps": 5, "trainer.steps_per_generation": 2, "watch.samples_every": 3, "validation.every": 0}
    config = load_config(file, keys)
    train(config, "stage1")
    names = {path.stem for path in (Path(config.out) / "samples").glob("step-*.html")}
    assert names == {"step-000000", "step-000004"}


@pytest.mark.slow
def test_stage_2_with_perception_mixed_in(file: Path, rated_keys: dict[str, Any]) -> None:
    config = load_config(file, {**rated_keys, "data.perception_share": 0.5, "trainer.beta": 0.01})
    train(config, "stage2")
    logs = history(Path(config.out))
    names = {name for entry in logs for name in entry}
    assert {"rewards/probability_difference/mean", "rewards/quality/mean", "groups_with_right", "kl"} <= names
    assert "eval_quality/unread" in names
    held = [entry for entry in logs if "eval_held_out/n" in entry]
    assert [entry["eval_quality/n"] for entry in held] == [held[0]["eval_quality/n"]] * len(held)
    for entry in held:
        read = entry["eval_quality/n"] * (1 - entry["eval_quality/unread_direct"])
        assert entry["eval_quality/read_direct"] == pytest.approx(read)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["qwen3_vl", "qwen2_5_vl"])
def test_two_steps_on_questions_about_sets(file: Path, tiny: Any, sets: Path, family: str) -> None:
    """All tasks mixed: parts and families of diagnosis are logged, its held-out scores and pages are there."""
    keys = {
        "model": str(tiny(family)),
        "data.perception": str(sets),
        "data.tasks": list(PERCEPTION),
        "trainer.per_device_train_batch_size": 64,
        "validation.samples": 16,
        "watch.samples": 99,
    }
    config = load_config(file, keys)
    train(config, "stage1")
    logs = history(Path(config.out))
    names = {name for entry in logs for name in entry}
    assert {f"diagnosis/{part}" for part in ("form", "iou", "f1", "type", "severity", "unread", "empty")} <= names
    assert {"rewards/diagnosis/mean", "eval_diagnosis/f1", "eval_diagnosis/n"} <= names
    assert any(name.startswith("families/") and name.endswith("/diagnosis") for name in names)
    assert any(name.startswith("rewards/comparison") for name in names)
    page = (Path(config.out) / "samples" / "step-000000.html").read_text()
    assert "<b>diagnosis</b>" in page


@pytest.mark.slow
def test_a_cold_start_teaches_the_form(file: Path) -> None:
    config = load_config(file)
    keys = {"max_steps": 8, "per_device_train_batch_size": 4, "learning_rate": 3e-3, "logging_steps": 1}
    config = load_config(file, {"trainer": {**keys, "save_strategy": "no", "disable_tqdm": True}})
    train(config, "sft")
    losses = [entry["loss"] for entry in history(Path(config.out)) if "loss" in entry]
    assert losses[-1] < losses[0] - 1


@pytest.mark.slow
@pytest.mark.parametrize("family", ["qwen3_vl", "qwen2_5_vl", "llava"])
def test_a_run_goes_on_where_it_was_stopped(
    file: Path, tiny: Any, tmp_path: Path, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Order and rewards after the checkpoint are those of a run that was not stopped, and so are the weights, whatever
    names they have in files. What a model this small says is not rewarded otherwise, and nothing would be learnt.
    """
    monkeypatch.setattr(train_module, "make_rewards", make_varied_rewards)
    whole = {
        "model": str(tiny(family)),
        "trainer.learning_rate": 1e-2,
        "trainer.max_steps": 3,
        "trainer.save_steps": 2,
        "validation.every": 0,
        "trainer.lr_scheduler_type": "constant",
    }
    train(load_config(file, {**whole, "out": str(tmp_path / "whole")}), "stage1")
    stopped = {**whole, "out": str(tmp_path / "stopped")}
    train(load_config(file, {**stopped, "trainer.max_steps": 2}), "stage1")
    train(load_config(file, stopped), "stage1")
    import torch
    from safetensors.torch import load_file

    one, two = history(tmp_path / "whole"), history(tmp_path / "stopped")
    assert [entry["step"] for entry in two if "reward" in entry] == [1, 2, 3]
    for name in ("reward", "completions/mean_length", "entropy"):
        assert one[2][name] == pytest.approx(next(e[name] for e in two if e.get("step") == 3 and name in e), rel=1e-5)
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "stopped"))
    assert all(torch.allclose(one[name], two[name], atol=1e-6) for name in one)
    begin = load_file(tiny(family) / "model.safetensors")
    assert not all(torch.allclose(one[name], begin[name], atol=1e-3) for name in one), "nothing was learnt"
    with pytest.raises(UserError, match="holds checkpoints of another run"):
        train(load_config(file, {**stopped, "resume": "no"}), "stage1")


@pytest.mark.slow
def test_adapters_and_streams(file: Path) -> None:
    keys = {"lora.r": 4, "data.streaming": True, "validation.every": 0, "trainer.max_steps": 1, "trainer.save_steps": 1}
    config = load_config(file, keys)
    train(config, "stage1")
    out = Path(config.out)
    saved = json.loads((out / "adapter_config.json").read_text())
    assert saved["r"] == 4
    from safetensors.torch import load_file

    assert not [name for name in load_file(out / "adapter_model.safetensors") if "visual" in name]


@pytest.mark.slow
def test_the_part_that_sees_can_be_frozen(file: Path, tiny: Any) -> None:
    import torch
    from safetensors.torch import load_file

    keys = {"max_steps": 1, "per_device_train_batch_size": 4, "learning_rate": 1e-2, "disable_tqdm": True}
    config = load_config(file, {"trainer": keys, "frozen_vision": True})
    train(config, "sft")
    before, after = (load_file(Path(folder) / "model.safetensors") for folder in (config.model, config.out))
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved
    assert not [name for name in moved if "visual" in name]
