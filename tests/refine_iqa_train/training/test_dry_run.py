"""A dry run says what would happen; the stage is told from a name or the data."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from distortlab.core.errors import UserError
from refine_iqa_train.config.loading import load_config
from refine_iqa_train.training.dry_run import dry_run, format_findings, resolve_stage


@pytest.fixture
def file(run_file: Callable[..., Path]) -> Path:
    trainer = {"max_steps": 2, "per_device_train_batch_size": 8, "save_steps": 2, "learning_rate": 1e-4}
    return run_file({**trainer, "disable_tqdm": True}, watch={"samples_every": 1, "samples": 2})


def test_the_dry_run_tells_what_would_happen(file: Path, rated_keys: dict[str, Any]) -> None:
    found = dry_run(load_config(file), "stage1", gpu_gib=80)
    assert set(found["rewards_of_the_truth"].values()) == {1.0}
    assert found["prompt_tokens"]["least"] > 100
    assert found["fits"]
    assert found["memory_gib_computed"]["total"] > 1.5
    assert any("images are resized" in note for note in found["notes"])
    assert "true answers are paid: format 1" in format_findings(found)
    json.dumps(found)
    assert dry_run(load_config(file, rated_keys), "stage2")["rewards_of_the_truth"]["quality"] == 1.0
    aligned = dry_run(load_config(file, {"images.align": 32, "images.max_pixels": 65536}), "stage1")
    assert not any("images are resized" in note for note in aligned["notes"])


def test_the_stage_is_told_from_the_name_or_the_data(file: Path) -> None:
    assert resolve_stage("", "recipes/stage2-x.yaml", load_config(file)) == "stage2"
    assert resolve_stage("", "my.yaml", load_config(file)) == "stage1"
    assert resolve_stage("sft", "stage2.yaml", load_config(file)) == "sft"
    with pytest.raises(UserError, match="did you mean 'stage1'"):
        resolve_stage("stage", "x", load_config(file))
