"""Runs on a CPU with a vision part from elsewhere, frozen weights, a target of the entropy, and controls."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from refusals import read_refusal
from safetensors.torch import load_file
from trainer_runs import make_varied_rewards

from distortlab.core.errors import UserError
from refine_iqa_train.config.loading import load_config
from refine_iqa_train.models.vision_attention import NAME
from refine_iqa_train.monitoring.results import format_table, read_controls, read_scores
from refine_iqa_train.training import train as train_module
from refine_iqa_train.training.dry_run import dry_run
from refine_iqa_train.training.prepare import prepare
from refine_iqa_train.training.run_record import list_differences, make_record, read_record
from refine_iqa_train.training.tiny_model import save_tiny_model
from refine_iqa_train.training.train import train

TRAINER = {
    "per_device_train_batch_size": 8,
    "save_steps": 2,
    "learning_rate": 1e-2,
    "lr_scheduler_type": "constant",
    "disable_tqdm": True,
}


@pytest.fixture
def file(run_file: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(train_module, "make_rewards", make_varied_rewards)
    return run_file({**TRAINER, "max_steps": 3}, watch={"samples_every": 0}, validation={"every": 0})


@pytest.fixture(scope="module")
def eye(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model with other weights."""
    folder = tmp_path_factory.mktemp("eye") / "model"
    save_tiny_model(folder, "qwen3_vl", seed=1)
    return folder


def history(out: Path, name: str) -> list[float]:
    entries = json.loads((out / "trainer_state.json").read_text())["log_history"]
    return [entry[name] for entry in entries if name in entry]


@pytest.mark.slow
def test_another_eye_frozen_a_target_and_a_control_also_where_the_run_goes_on(
    file: Path, eye: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    keys: dict[str, Any] = {
        "vision": str(eye),
        "frozen": ["visual.*", "lm_head.*", "embed_tokens.*"],
        "exploration": {"entropy_target": 0.5, "unit": "start", "coef": 0.1},
        "rewards.shuffle": "group",
        "data.shuffle_solutions": True,
        "trainer.beta": 0.01,
    }
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    train(load_config(file, {**keys, "out": str(whole)}), "stage1")
    _check_marks(whole, capfd.readouterr().err)
    weights, seeing = load_file(whole / "model.safetensors"), load_file(eye / "model.safetensors")
    frozen = [name for name in weights if "visual" in name]
    assert all(torch.equal(weights[name], seeing[name]) for name in frozen), "it does not see with the other eye"
    assert not (whole / "base").exists()
    others = [name for name in weights if "layers" in name and "norm" not in name]
    assert not any(torch.equal(weights[name], seeing[name]) for name in others)
    targets, entropy = history(whole, "entropy_target"), history(whole, "entropy")
    assert targets == pytest.approx([0.5 * entropy[0]] * 2, rel=1e-4)
    assert history(whole, "entropy_coef") == pytest.approx([0.095, 0.09, 0.085])
    assert history(whole, "kl")[0] == pytest.approx(0, abs=1e-6), "the reference has another eye"

    shutil.copytree(whole / "checkpoint-2", stopped / "checkpoint-2")
    train(load_config(file, {**keys, "out": str(stopped)}), "stage1")
    for name in ("reward", "entropy", "entropy_target", "entropy_coef"):
        assert history(stopped, name)[-1] == pytest.approx(history(whole, name)[-1], rel=1e-5)
    resumed = load_file(stopped / "model.safetensors")
    assert all(torch.allclose(weights[name], resumed[name], atol=1e-6) for name in weights), "rewards went elsewhere"
    shutil.copytree(whole / "checkpoint-2", tmp_path / "older" / "checkpoint-2")
    (tmp_path / "older" / "checkpoint-2" / "exploration.json").unlink()
    with pytest.raises(UserError, match="does not hold the entropy of the first step"):
        train(load_config(file, {**keys, "out": str(tmp_path / "older")}), "stage1")


def _check_marks(out: Path, console: str) -> None:
    """In the console, the record of the run, its card and its scores."""
    sentences = [
        "solutions are permuted among the questions of each task (data.shuffle_solutions)",
        "rewards are permuted among the answers to each question (rewards.shuffle: group)",
    ]
    for sentence in sentences:
        assert f"CONTROL: {sentence}; nothing true can be learnt" in console
        assert f"> **CONTROL, not a model to use**: {sentence}." in (out / "README.md").read_text()
    assert "- control\n" in (out / "README.md").read_text()
    assert f"{out}: a CONTROL, the model after 3 steps" in console
    assert json.loads((out / "run.json").read_text())["controls"] == sentences
    assert read_controls(out) == sentences
    record = read_record(out)
    assert record is not None
    assert list(record.controls) == sentences


@pytest.mark.slow
def test_adapters_with_another_eye_and_some_of_them_frozen(file: Path, eye: Path, tiny: Any) -> None:
    keys = {"vision": str(eye), "lora.r": 4, "lora.vision": True, "frozen": ["visual.*", "layers.0.*lora_A*"]}
    config = load_config(file, {**keys, "trainer.max_steps": 1})
    train(config, "stage1")
    out = Path(config.out)
    base, seeing = load_file(out / "base" / "model.safetensors"), load_file(eye / "model.safetensors")
    words = load_file(tiny("qwen3_vl") / "model.safetensors")
    assert all(torch.equal(base[name], (seeing if "visual" in name else words)[name]) for name in base)
    changed = {
        name: weight.any().item()
        for name, weight in load_file(out / "adapter_model.safetensors").items()
        if "lora_B" in name
    }
    assert [name for name, is_changed in changed.items() if is_changed == ("visual" in name)] == []
    assert json.loads((out / "adapter_config.json").read_text())["base_model_name_or_path"] == str(out / "base")


def test_what_a_dry_run_finds(file: Path, eye: Path, tmp_path: Path) -> None:
    """Weights that do not fit and patterns that freeze nothing are found before the model is loaded."""
    smaller = load_file(eye / "model.safetensors")
    smaller["model.visual.merger.linear_fc2.weight"] = torch.zeros(64, 256)
    from safetensors.torch import save_file

    save_file(smaller, tmp_path / "smaller.safetensors")
    assert "of another size" in read_refusal(load_config(file, {"vision": str(tmp_path / "smaller.safetensors")}))
    assert "there is no nowhere" in read_refusal(load_config(file, {"vision": "nowhere"}))
    assert "'visuals.*' freezes nothing" in read_refusal(load_config(file, {"frozen": ["visuals.*"]}))
    assert "frozen_vision and frozen: language_model.*: all" in read_refusal(
        load_config(file, {"frozen": ["language_model.*"], "frozen_vision": True})
    )
    sentence = read_refusal(load_config(file, {"frozen": ["visual.*"], "lora.r": 4}))
    assert "is not trained beside adapters (lora)" in sentence
    found = dry_run(load_config(file, {"frozen": ["layers.*"], "rewards.shuffle": "batch"}), "stage1")
    assert found["notes"][0].startswith("a CONTROL: rewards are permuted among all answers of a task")
    everything = dry_run(load_config(file), "stage1")["memory_gib_computed"]["gradients"]
    assert found["memory_gib_computed"]["gradients"] <= everything
    run = prepare(load_config(file, {"frozen": ["layers.*"]}), "stage1")
    assert run.trained is not None
    assert 0 < run.trained < sum(weight.numel() for weight in load_file(eye / "model.safetensors").values())


def test_adapters_are_not_put_over_another_eye(file: Path, eye: Path, tmp_path: Path) -> None:
    adapters = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "base_model_name_or_path": str(eye)}
    (tmp_path / "adapters").mkdir()
    (tmp_path / "adapters" / "adapter_config.json").write_text(json.dumps(adapters))
    sentence = read_refusal(load_config(file, {"model": str(tmp_path / "adapters"), "vision": str(eye), "lora.r": 4}))
    assert "would change the model under the adapters" in sentence


@pytest.mark.parametrize(
    ("stage", "keys", "sentence"),
    [
        ("sft", {"exploration": {"entropy_target": 0.1}}, "exploration is for stages: a cold start samples no answers"),
        ("sft", {"rewards.shuffle": "group"}, "a cold start has no rewards to permute"),
        ("stage1", {"exploration": {"entropy_target": 7}}, "= 7 nats cannot be reached: where all tokens are alike"),
    ],
)
def test_keys_that_a_stage_does_not_know(file: Path, stage: str, keys: dict[str, Any], sentence: str) -> None:
    config = load_config(file, keys)
    if stage == "sft":
        config = load_config(file, {**keys, "trainer": {"max_steps": 1}})
    assert sentence in read_refusal(config, stage)


def test_a_record_of_an_earlier_version_goes_on(file: Path) -> None:
    """Keys that it does not have were what they are by default."""
    new = make_record(prepare(load_config(file), "stage1"))
    config = json.loads(json.dumps(new.config))
    for key in ("vision", "vision_attention", "frozen", "exploration"):
        del config[key]
    del config["data"]["shuffle_solutions"], config["rewards"]["shuffle"]
    old = type(new)(new.stage, config, new.model, new.data, new.processes)
    assert list_differences(old, new) == []
    changed = make_record(prepare(load_config(file, {"frozen": ["visual.*"], "rewards.shuffle": "group"}), "stage1"))
    assert list_differences(old, changed) == [
        'frozen was [] and is ["visual.*"]',
        "rewards.shuffle was none and is group",
    ]


def test_the_other_eye_is_compared_where_a_run_goes_on(file: Path, eye: Path, tiny: Any, tmp_path: Path) -> None:
    def record(path: Path) -> Any:
        return make_record(prepare(load_config(file, {"vision": str(path)}), "stage1"))

    first, moved = tmp_path / "eye.safetensors", tmp_path / "moved" / "eye.safetensors"
    moved.parent.mkdir()
    first.write_bytes((eye / "model.safetensors").read_bytes())
    before = record(first)
    first.rename(moved)
    assert list_differences(before, record(moved)) == []
    moved.write_bytes((tiny("qwen3_vl") / "model.safetensors").read_bytes())
    (difference,) = list_differences(before, record(moved))
    assert difference.startswith("what is in the model's folder was ")


def test_the_scores_of_a_control_say_so(tmp_path: Path) -> None:
    entries = [{"eval_held_out/n": 8, "eval_object/accuracy": 0.25, "step": 0}]
    (tmp_path / "trainer_state.json").write_text(json.dumps({"log_history": entries}))
    assert read_controls(tmp_path) == []
    (tmp_path / "run.json").write_text(json.dumps({"controls": ["rewards are permuted"]}))
    found = {str(tmp_path): read_scores(tmp_path)}
    table = format_table(found, {str(tmp_path): read_controls(tmp_path)})
    assert f"{tmp_path.name} (CONTROL): before" in table
    assert table.splitlines()[-1] == f"CONTROL {tmp_path.name}: rewards are permuted"
    assert "CONTROL" not in format_table(found)


@pytest.mark.slow
def test_a_cold_start_on_permuted_solutions_attends_in_batches(
    file: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    keys = {"max_steps": 1, "per_device_train_batch_size": 4, "save_strategy": "no", "disable_tqdm": True}
    config = load_config(file, {"trainer": keys, "data.shuffle_solutions": True, "data.tasks": ["recognition"]})
    made: list[Any] = []
    make = train_module.make_trainer
    monkeypatch.setattr(train_module, "make_trainer", lambda run: made.append((run, make(run))) or made[-1][1])
    train(config, "sft")
    run, trainer = made[0]
    assert "CONTROL: solutions are permuted" in capfd.readouterr().err
    assert trainer.model.config.vision_config._attn_implementation == NAME
    rows = train_module._make_cold_start_rows(run)
    taught = [row["completion"][0]["content"] for row in rows]
    true = list(run.data.files["solution"])
    right = [solution in text for solution, text in zip(true, taught, strict=True)]
    assert not all(right)
    assert sorted(true) == sorted(text.split("<answer>")[1].split("</answer>")[0].strip() for text in taught)
