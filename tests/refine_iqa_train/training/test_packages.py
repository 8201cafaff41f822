"""Packages that a configuration asks for and that are not installed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from refusals import read_refusal

from distortlab.core.errors import UserError
from refine_iqa_train.config.loading import load_config
from refine_iqa_train.config.overrides import parse_overrides
from refine_iqa_train.training.packages import OPTIMIZERS, check_packages


@pytest.fixture
def file(run_file: Callable[..., Path]) -> Path:
    return run_file({"max_steps": 2, "per_device_train_batch_size": 8})


@pytest.mark.usefixtures("_nothing_installed")
def test_a_switch_that_is_off_needs_no_package(file: Path) -> None:
    check_packages(load_config(file, parse_overrides(["--trainer.use_vllm", "no"])))
    with pytest.raises(UserError, match="vllm"):
        check_packages(load_config(file, parse_overrides(["--trainer.use_vllm", "yes"])))


@pytest.fixture
def _nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("refine_iqa_train.training.packages.find_spec", lambda name: None)


@pytest.mark.usefixtures("_nothing_installed")
@pytest.mark.parametrize(
    ("keys", "package"),
    [
        ({"attention": "flash_attention_2"}, "flash-attn"),
        ({"trainer.use_liger_kernel": True}, "liger-kernel"),
        ({"trainer.deepspeed": "ds.json"}, "deepspeed"),
        ({"trainer.use_vllm": True}, "vllm"),
        ({"watch.report_to": "trackio"}, "trackio"),
        ({"trainer.model_init_kwargs": {"use_kernels": True}}, "kernels"),
        ({"trainer.optim": "paged_adamw_8bit"}, "bitsandbytes"),
        ({"trainer.optim": "galore_adamw"}, "galore-torch"),
    ],
)
def test_packages_that_are_missing(file: Path, keys: dict[str, Any], package: str) -> None:
    assert read_refusal(load_config(file, keys)).endswith(f"which is not installed: pip install {package}")


@pytest.mark.usefixtures("_nothing_installed")
def test_accelerate_asks_for_deepspeed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    assert "needs deepspeed, which is not installed" in read_refusal(load_config(file))


def test_every_optimizer_that_needs_a_package_is_one_of_transformers() -> None:
    from transformers.training_args import OptimizerNames

    names = [kind.value for kind in OptimizerNames]
    for part, _, _ in OPTIMIZERS:
        assert [name for name in names if part in name], part
