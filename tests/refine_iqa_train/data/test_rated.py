"""Rated images: what cannot be mapped to 1 to 5."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from refusals import read_refusal

from refine_iqa_train.config.loading import load_config


@pytest.fixture
def file(run_file: Callable[..., Path]) -> Path:
    return run_file({"max_steps": 2, "per_device_train_batch_size": 8})


def test_scores_that_are_all_equal_have_no_range(file: Path, tmp_path: Path) -> None:
    for number in range(3):
        Image.new("RGB", (64, 64)).save(tmp_path / f"{number}.png")
    listed = [{"image": f"{number}.png", "gt_score": 42.0} for number in range(3)]
    (tmp_path / "a.json").write_text(json.dumps(listed))
    keys = {
        "data.rated": f"meta:{tmp_path / 'a.json'}+score",
        "data.rated_root": str(tmp_path),
        "data.perception": None,
    }
    config = load_config(file, {**keys, "data.mos_range": "observed", "validation.every": 0})
    assert "all 3 scores are equal, and data.mos_range: observed has no range" in read_refusal(config, "stage2")
