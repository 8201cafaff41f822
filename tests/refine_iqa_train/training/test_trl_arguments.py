"""TRL's keys below `trainer`: which are taken, and what TRL would refuse later."""

from collections.abc import Callable
from pathlib import Path

import pytest

from distortlab.core.errors import UserError
from refine_iqa_train.config.loading import load_config
from refine_iqa_train.config.overrides import parse_overrides
from refine_iqa_train.config.schema import Config
from refine_iqa_train.training.trl_arguments import REPLACED_KEYS, make_grpo_arguments


@pytest.fixture
def file(run_file: Callable[..., Path]) -> Path:
    return run_file({"max_steps": 2, "per_device_train_batch_size": 8})


@pytest.mark.parametrize(
    ("words", "key", "value"),
    [("no", "save_strategy", "no"), ("no", "gradient_checkpointing", False), ("on", "gradient_checkpointing", True)],
)
def test_no_is_a_word_where_words_are_allowed_and_a_switch_elsewhere(
    file: Path, words: str, key: str, value: object
) -> None:
    """YAML 1.1 reads it as false, of which TRL's save_strategy knows nothing."""
    config = load_config(file, parse_overrides([f"--trainer.{key}", words, "--resume", "no"]))
    assert getattr(make_grpo_arguments(config, {"format": 1.0}), key) == value
    assert config.resume == "no"


def make_config(**keys: object) -> Config:
    base = {"per_device_train_batch_size": 8, "num_generations": 4}
    return Config(model="m", out="runs/x", trainer={**base, **keys})


@pytest.mark.parametrize("key", REPLACED_KEYS)
def test_keys_that_others_stand_for_are_refused(key: str) -> None:
    with pytest.raises(UserError, match=rf"trainer\.{key} is set by the key"):
        make_grpo_arguments(make_config(**{key: 1}), {"format": 1.0})


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"lerning_rate": 1}, "did you mean 'trainer.learning_rate'"),
        ({"learning_rate": "fast"}, "trainer.learning_rate = 'fast'"),
        ({"num_generations": 3}, "no whole number of groups of 3"),
        ({"num_generations": 1}, "at least 2 rollouts"),
        ({"loss_type": "dapo", "auto_find_batch_size": True}, "do not go together"),
    ],
)
def test_what_trl_would_refuse_later(keys: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        make_grpo_arguments(make_config(**keys), {"format": 1.0})
    assert sentence in str(caught.value)


def test_groups_may_straddle_processes() -> None:
    config = make_config(per_device_train_batch_size=2, num_generations=4)
    with pytest.raises(UserError, match=r"e\.g\. 4 rollouts each"):
        make_grpo_arguments(config, {"format": 1.0})
    from refine_iqa_train.training.trl_arguments import _check_groups

    _check_groups(config, config.trainer, processes=2)


def test_numbers_may_be_written_as_text() -> None:
    assert make_grpo_arguments(make_config(learning_rate="3e-6"), {"format": 1.0}).learning_rate == 3e-6
