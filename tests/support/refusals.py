"""The sentence that a run of the trainer is refused with."""

from pathlib import Path
from unittest.mock import patch

import pytest

from distortlab.core.errors import UserError
from refine_iqa_train.config.schema import Config
from refine_iqa_train.training import train as train_module

__all__ = ["read_refusal"]


def read_refusal(config: Config, stage: str = "stage1") -> str:
    """One line. A run that comes as far as the model has failed, and so has one that leaves anything behind."""
    loaded = AssertionError("the model was loaded")
    with (
        patch.object(train_module, "_make_grpo_trainer", side_effect=loaded),
        patch.object(train_module, "_make_sft_trainer", side_effect=loaded),
        pytest.raises(UserError) as caught,
    ):
        train_module.train(config, stage)
    assert "\n" not in str(caught.value)
    assert not Path(config.out).exists()
    return str(caught.value)
