"""Whole runs on a CPU: cold start, both stages, adapters, streams, going on after a stop; what is refused at once."""

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from distortlab.core.errors import UserError
from refine_iqa_train.config.schema import load_config
from refine_iqa_train.training.dry_run import dry_run, format_findings, resolve_stage
from refine_iqa_train.training.prepare import prepare
from refine_iqa_train.training.train import train


@pytest.fixture
def file(run_file: Callable[..., Path]) -> Path:
    trainer = {"max_steps": 2, "per_device_train_batch_size": 8, "save_steps": 2, "learning_rate": 1e-4}
    return run_file({**trainer, "disable_tqdm": True}, watch={"samples_every": 1, "samples": 2})


def scoring(rated: Path) -> dict[str, Any]:
    return {
        "data.rated": f"meta:{rated / 'train.json'}+norm",
        "data.rated_validation": f"meta:{rated / 'validation.json'}+norm",
        "data.rated_root": str(rated),
    }


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
def test_stage_2_with_perception_mixed_in(file: Path, rated: Path) -> None:
    config = load_config(file, {**scoring(rated), "data.perception_share": 0.5, "trainer.beta": 0.01})
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
def test_a_cold_start_teaches_the_form(file: Path) -> None:
    config = load_config(file)
    keys = {"max_steps": 8, "per_device_train_batch_size": 4, "learning_rate": 3e-3, "logging_steps": 1}
    config = load_config(file, {"trainer": {**keys, "save_strategy": "no", "disable_tqdm": True}})
    train(config, "sft")
    losses = [entry["loss"] for entry in history(Path(config.out)) if "loss" in entry]
    assert losses[-1] < losses[0] - 1


@pytest.mark.slow
def test_a_run_goes_on_where_it_was_stopped(file: Path, tmp_path: Path) -> None:
    """Order and rewards after the checkpoint are those of a run that was not stopped."""
    whole = {
        "trainer.max_steps": 3,
        "trainer.save_steps": 2,
        "validation.every": 0,
        "trainer.lr_scheduler_type": "constant",
    }
    train(load_config(file, {**whole, "out": str(tmp_path / "whole")}), "stage1")
    stopped = {**whole, "out": str(tmp_path / "stopped")}
    train(load_config(file, {**stopped, "trainer.max_steps": 2}), "stage1")
    train(load_config(file, stopped), "stage1")
    one, two = history(tmp_path / "whole"), history(tmp_path / "stopped")
    assert [entry["step"] for entry in two if "reward" in entry] == [1, 2, 3]
    for name in ("reward", "completions/mean_length", "entropy"):
        assert one[2][name] == pytest.approx(next(e[name] for e in two if e.get("step") == 3 and name in e), rel=1e-5)
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


# --- before the model is loaded -------------------------------------------------------------------------------------


def test_the_dry_run_tells_what_would_happen(file: Path, rated: Path) -> None:
    found = dry_run(load_config(file), "stage1", gpu_gib=80)
    assert set(found["rewards_of_the_truth"].values()) == {1.0}
    assert found["prompt_tokens"]["least"] > 100
    assert found["fits"]
    assert found["memory_gib_computed"]["total"] > 1.5
    assert any("images are resized" in note for note in found["notes"])
    assert "true answers are paid: format 1" in format_findings(found)
    json.dumps(found)
    assert dry_run(load_config(file, scoring(rated)), "stage2")["rewards_of_the_truth"]["quality"] == 1.0
    aligned = dry_run(load_config(file, {"images.align": 32, "images.max_pixels": 65536}), "stage1")
    assert not any("images are resized" in note for note in aligned["notes"])


def test_the_stage_is_told_from_the_name_or_the_data(file: Path) -> None:
    assert resolve_stage("", "recipes/stage2-x.yaml", load_config(file)) == "stage2"
    assert resolve_stage("", "my.yaml", load_config(file)) == "stage1"
    assert resolve_stage("sft", "stage2.yaml", load_config(file)) == "sft"
    with pytest.raises(UserError, match="did you mean 'stage1'"):
        resolve_stage("stage", "x", load_config(file))


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"trainer.per_device_train_batch_size": 6}, "no whole number of groups of 4"),
        ({"trainer.per_device_train_batch_size": 4000, "trainer.num_generations": 4}, "a step takes 1,000 questions"),
        (
            {"validation.batch": 3, "validation.generations": 2, "validation.temperature": 1},
            "no multiple of validation.generations",
        ),
        ({"data.streaming": True, "trainer.max_steps": -1}, "give trainer.max_steps"),
        ({"images.align": 100}, "no multiple of 16"),
        (
            {
                "rewards.weights": dict.fromkeys(
                    ("format", "recognition", "recognition_reference", "object", "grounding"), 0
                )
            },
            "all rewards",
        ),
        ({"lora.four_bit": True}, "needs a GPU"),
        pytest.param(
            {"trainer.use_vllm": True},
            "trainer.use_vllm needs vllm, which is not installed: pip install vllm",
            marks=pytest.mark.skipif(find_spec("vllm") is not None, reason="vllm is installed"),
        ),
    ],
)
def test_what_cannot_work_is_refused_before_training(file: Path, keys: dict[str, Any], sentence: str) -> None:
    config = load_config(file, keys)
    with pytest.raises(UserError) as caught:
        train(config, "stage1")
    assert sentence in str(caught.value)
    assert not Path(config.out).exists()


def test_vllm_would_resize_images_again(file: Path) -> None:
    with pytest.raises(UserError, match="vLLM would resize images again"):
        prepare(load_config(file, {"trainer.use_vllm": True, "images.min_pixels": 64}), "stage1")


def test_published_advantages_have_their_own_scaling(file: Path, rated: Path) -> None:
    with pytest.raises(UserError, match=r"leave trainer\.scale_rewards"):
        prepare(load_config(file, {**scoring(rated), "trainer.scale_rewards": "none"}), "stage2")


def test_a_share_that_the_questions_do_not_reach_is_noted(file: Path, rated: Path) -> None:
    def notes(share: float) -> list[str]:
        config = load_config(file, {**scoring(rated), "data.perception_share": share})
        return [note for note in prepare(config, "stage2").notes if "share" in note]

    assert notes(0.5) == []
    (note,) = notes(0.9)
    assert note.startswith("data.perception_share = 0.9, and there are questions for 0.7")


def test_batches_about_few_images_are_noted(file: Path) -> None:
    run = prepare(load_config(file, {"trainer.per_device_train_batch_size": 64}), "stage1")
    assert any("batches will be alike" in note for note in run.notes)
