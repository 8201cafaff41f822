"""Values that TRL or transformers would refuse only when the model is loaded, or never."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from refusals import read_refusal

from refine_iqa_train.config.loading import load_config
from refine_iqa_train.config.trl_limits import ABOVE_ZERO, CHOICES, CONDITIONS, RANGES


@pytest.fixture
def file(run_file: Callable[..., Path]) -> Path:
    return run_file({"max_steps": 2, "per_device_train_batch_size": 8})


INFINITE = float("inf")
OUTSIDE = [(name, value) for name in RANGES for value in (-1, float("nan"), True, "-1")]
OUTSIDE += [(name, INFINITE) for name, (_, high) in RANGES.items() if high < INFINITE]


@pytest.mark.parametrize(("name", "outside"), OUTSIDE)
def test_numbers_of_trl_outside_their_range(file: Path, name: str, outside: Any) -> None:
    stage = "sft" if name == "max_length" else "stage1"
    keys = {"trainer": {name: outside}} if stage == "sft" else {f"trainer.{name}": outside}
    assert f"trainer.{name} = " in read_refusal(load_config(file, keys), stage)


@pytest.mark.parametrize("name", ABOVE_ZERO)
@pytest.mark.parametrize("outside", [0, -1, float("nan")])
def test_numbers_of_trl_that_are_above_zero(file: Path, name: str, outside: float) -> None:
    assert f"trainer.{name} = " in read_refusal(load_config(file, {f"trainer.{name}": outside}))


@pytest.mark.parametrize("name", CHOICES)
def test_names_that_trl_does_not_know(file: Path, name: str) -> None:
    assert f"no trainer.{name} called 'foo'; known: " in read_refusal(load_config(file, {f"trainer.{name}": "foo"}))


def test_the_losses_are_those_of_trl() -> None:
    from trl import GRPOTrainer

    source = inspect.getsource(GRPOTrainer._compute_loss)
    found = set(re.findall(r'self\.loss_type == "(\w+)"', source))
    for several in re.findall(r"self\.loss_type in \[([^\]]*)\]", source):
        found |= set(re.findall(r'"(\w+)"', several))
    assert found == set(CHOICES["loss_type"])


def test_every_limit_is_of_a_key_of_trl() -> None:
    from trl import GRPOConfig, SFTConfig

    known = {**GRPOConfig.__dataclass_fields__, **SFTConfig.__dataclass_fields__}
    assert {*RANGES, *ABOVE_ZERO, *CHOICES, *CONDITIONS} <= set(known)
