"""Every option of the table in docs/training.md trains, as the table has it; the docs hold the table."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from trl import GRPOConfig

from distortlab.core.errors import UserError
from refine_iqa_train.config.loading import load_config
from refine_iqa_train.config.overrides import read_yaml
from refine_iqa_train.training.prepare import prepare
from refine_iqa_train.training.train import train
from refine_iqa_train.training.trl_options import OPTIONS, Option, _format_yaml, format_markdown_table

RunFile = Callable[..., Path]
TRAINER = {"max_steps": 2, "per_device_train_batch_size": 4, "save_strategy": "no", "disable_tqdm": True}
QUIET = {"validation": {"every": 0}, "watch": {"samples_every": 0}}
TRIED = [option for option in OPTIONS if not option.gpu]


def named(option: Option) -> str:
    return option.name


@pytest.mark.slow
@pytest.mark.parametrize("option", TRIED, ids=named)
def test_two_steps_with_every_option(run_file: RunFile, perception: Path, option: Option) -> None:
    data = {"perception": str(perception), "check_images": False, "tasks": ["recognition"]}
    soon = {"ref_model_sync_steps": 1} if "ref_model_sync_steps" in option.keys else {}  # within the two steps
    config = load_config(run_file({**TRAINER, "learning_rate": 1e-3, **option.keys, **soon}, data=data, **QUIET))
    train(config, "stage1")
    logs = json.loads((Path(config.out) / "trainer_state.json").read_text())["log_history"]
    steps = [entry for entry in logs if "loss" in entry]
    assert [entry["step"] for entry in steps] == [1, 2]
    assert all(math.isfinite(entry["loss"]) and math.isfinite(entry["grad_norm"]) for entry in steps)
    assert not option.metric or all(entry[option.metric] is not None for entry in steps)


@pytest.mark.parametrize("option", OPTIONS, ids=named)
def test_the_keys_reach_trl_as_yaml(option: Option, tmp_path: Path) -> None:
    lines = [f"{key}: {_format_yaml(value)}" for key, value in option.keys.items()]
    (tmp_path / "keys.yaml").write_text("\n".join(lines))
    assert read_yaml(tmp_path / "keys.yaml") == yaml.safe_load("\n".join(lines)) == dict(option.keys)
    assert set(option.keys) <= set(GRPOConfig.__dataclass_fields__)


@pytest.mark.parametrize("option", TRIED, ids=named)
def test_what_goes_with_the_published_advantages(run_file: RunFile, rated: Path, option: Option) -> None:
    data = {"rated": f"meta:{rated / 'train.json'}+norm", "rated_root": str(rated), "check_images": False}
    config = load_config(run_file({**TRAINER, **option.keys}, data=data, **QUIET))
    if option.published:
        given: Any = prepare(config, "stage2").arguments
        assert {key: getattr(given, key) for key in option.keys} == dict(option.keys)
    else:
        with pytest.raises(UserError, match="has a scaling of its own"):
            prepare(config, "stage2")


def test_the_docs_hold_the_table() -> None:
    assert format_markdown_table() in (Path(__file__).parents[3] / "docs" / "training.md").read_text(encoding="utf-8")
