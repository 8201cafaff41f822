"""What cannot work is one sentence before the model is loaded; what will hardly work is a note."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from refusals import read_refusal

from distortlab.core.errors import UserError
from refine_iqa_train.config.loading import load_config
from refine_iqa_train.training.prepare import prepare
from refine_iqa_train.training.train import train


@pytest.fixture
def file(run_file: Callable[..., Path]) -> Path:
    return run_file({"max_steps": 2, "per_device_train_batch_size": 8})


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"trainer.max_steps": 0}, "trainer.max_steps = 0: it is 1 or more, or -1"),
        ({"trainer.use_transformers_continuous_batching": True}, "not for models that see images"),
        ({"trainer.optim": "foo"}, "foo is not a valid OptimizerNames"),
        ({"trainer.lr_scheduler_type": "foo"}, "foo is not a valid SchedulerType"),
        ({"revision": "main"}, "revision: main is for models on the Hub"),
    ],
)
def test_other_keys_that_cannot_work(file: Path, keys: dict[str, Any], sentence: str) -> None:
    assert sentence in read_refusal(load_config(file, keys))


def test_data_are_looked_for_before_the_hub_is_asked_for_a_model(file: Path) -> None:
    """Which takes a minute of tries where there is no network."""
    keys = {"model": "somebody/something", "data.perception": "./nowhere"}
    assert "there is no data set in ./nowhere" in read_refusal(load_config(file, keys))


def test_out_is_a_file(file: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="is a file; give a folder"):
        train(load_config(file, {"out": str(tmp_path / "file")}), "stage1")


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


def test_published_advantages_have_their_own_scaling(file: Path, rated_keys: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"leave trainer\.scale_rewards"):
        prepare(load_config(file, {**rated_keys, "trainer.scale_rewards": "none"}), "stage2")


def test_a_share_that_the_questions_do_not_reach_is_noted(file: Path, rated_keys: dict[str, Any]) -> None:
    def notes(share: float) -> list[str]:
        config = load_config(file, {**rated_keys, "data.perception_share": share})
        return [note for note in prepare(config, "stage2").notes if "share" in note]

    assert notes(0.5) == []
    (note,) = notes(0.9)
    assert note.startswith("data.perception_share = 0.9, and there are questions for 0.7")


def test_batches_about_few_images_are_noted(file: Path) -> None:
    run = prepare(load_config(file, {"trainer.per_device_train_batch_size": 64}), "stage1")
    assert any("batches will be alike" in note for note in run.notes)


def test_questions_without_a_reward(file: Path, sets: Path) -> None:
    """The four tasks that are rewarded where none is named, and a data set that has others."""
    keys: dict[str, Any] = {"data.perception": str(sets), "data.check_images": False}
    refused = read_refusal(load_config(file, keys))
    assert "questions of comparison, and no reward for them: give rewards.weights.comparison" in refused
    weights = {"comparison": 0, "comparison_regions": 0, "diagnosis": 2}
    run = prepare(load_config(file, {**keys, "rewards.weights": weights}), "stage1")
    assert run.weights["diagnosis"] == 2
    assert "comparison" not in run.weights
    named = prepare(load_config(file, {**keys, "data.tasks": ["diagnosis"]}), "stage1")
    assert set(named.weights) == {"format", "diagnosis"}
    prepare(load_config(file, {**keys, "trainer": {"max_steps": 1}}), "sft")


@pytest.mark.parametrize("length", [8, 1024])
def test_answers_that_do_not_fit(file: Path, sets: Path, length: int) -> None:
    keys = {"data.perception": str(sets), "data.tasks": ["diagnosis"], "trainer.max_completion_length": length}
    run = prepare(load_config(file, keys), "stage1")
    told = f"trainer.max_completion_length = {length}, and the longest true answer, to a question of diagnosis, has "
    assert any(note.startswith(told) for note in run.notes) == (length == 8)
