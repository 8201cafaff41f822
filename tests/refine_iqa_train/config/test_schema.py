"""The configuration: files that come with the package, overrides, unknown keys."""

from pathlib import Path
from typing import Any

import pytest

from distortlab.core.errors import UserError
from distortlab.tasks.diagnosis import Grading
from refine_iqa_train.config.loading import list_packaged_configs, load_config, select_reward_weights
from refine_iqa_train.config.overrides import parse_overrides
from refine_iqa_train.config.schema import DEFAULT_PERCEPTION, REWARDS, find_stream_recipe
from refine_iqa_train.training.trl_arguments import make_grpo_arguments, make_sft_arguments

CONFIGS = sorted(list_packaged_configs())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text("model: m\nout: runs/x\nlora: {r: 8}\ntrainer: {learning_rate: 1e-6}\n")
    return path


@pytest.mark.parametrize("name", CONFIGS)
def test_every_packaged_config_is_one_that_trl_takes(name: str) -> None:
    config = load_config(name)
    assert config == load_config(list_packaged_configs()[name])
    if "sft" in name:
        assert make_sft_arguments(config).output_dir == config.out
        return
    stage = "stage2" if "stage2" in name else "stage1"
    weights = select_reward_weights(config, stage)
    arguments = make_grpo_arguments(config, weights)
    assert arguments.num_generations == config.trainer["num_generations"]
    assert arguments.reward_weights == list(weights.values())


def test_the_configs_of_the_readme_are_there() -> None:
    assert {
        "stage1-qwen3-vl-4b",
        "stage2-qwen3-vl-4b",
        "stage2-qwen3-vl-4b-lora",
        "stage2-qwen3-vl-4b-qlora",
        "smoke-sft",
    } <= set(CONFIGS)


@pytest.mark.parametrize("name", [name for name in CONFIGS if name.startswith("stage2")])
def test_stage_2_begins_where_stage_1_ends(name: str) -> None:
    """The same model, adapters of the same shape, images at the same size."""
    one, two = load_config(name.replace("stage2", "stage1")), load_config(name)
    assert two.model == one.out
    assert two.lora == one.lora
    assert two.images == one.images
    assert two.trainer.get("use_vllm") == one.trainer.get("use_vllm")
    assert (two.adapter == "continue") == (one.lora is not None)


@pytest.mark.parametrize("path", sorted((list_packaged_configs()["smoke-sft"].parent / "accelerate").glob("*.yaml")))
def test_accelerate_takes_its_configurations(path: Path) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    assert load_config_from_file(str(path)).num_processes == 8


def test_a_run_can_be_repeated_from_what_it_wrote(file: Path, tmp_path: Path) -> None:
    import yaml

    config = load_config(file)
    (tmp_path / "again.yaml").write_text(yaml.safe_dump(config.as_dict()))
    assert load_config(tmp_path / "again.yaml") == config


def test_any_key_can_be_given_on_the_command_line(file: Path) -> None:
    words = ["--trainer.max_steps", "3", "--data.tasks=[object]", "--rewards.digits", "[0, 0.5, 0.5]", "--lora", "null"]
    config = load_config(file, parse_overrides(words))
    assert config.trainer == {"learning_rate": 1e-6, "max_steps": 3}
    assert config.data.tasks == ("object",)
    assert config.rewards.digits == (0, 0.5, 0.5)
    assert config.lora is None


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--trainr.max_steps", "3"], "no key called 'trainr'; did you mean 'trainer'"),
        (["--data.perceptoin", "x"], "did you mean 'data.perception'"),
        (["--lora.rank", "8"], "no key called 'lora.rank'"),
        (["--rewards.weights.formats", "1"], "no reward called 'formats'; did you mean 'format'"),
        (["--rewards.weights.format", "-1"], "weights are 0 or more"),
        (["--rewards.recognition.type_weight", "2"], "type_weight is a share"),
        (["--rewards.digits", "perToken"], "did you mean 'per-token'"),
        (["--data.tasks", "[objects]"], "did you mean 'object'"),
        (["--dtype", "bf16"], "did you mean 'bfloat16'"),
        (["--lora.r", "0"], "outside 1 .. 4096"),
        (["--data.limit", "many"], "data.limit = 'many'"),
        (["--model.x", "1"], "model holds no keys"),
        (["max_steps", "3"], "keys are given as --trainer.max_steps 50"),
        (["--seed"], "--seed has no value"),
        (["--images.min_pixels", "100", "--images.max_pixels", "50"], "above images.max_pixels"),
    ],
)
def test_what_cannot_be_is_one_sentence(file: Path, words: list[str], sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        load_config(file, parse_overrides(words))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("model: m", "out is missing"),
        ("model: m\nmodel: n\nout: x", "'model' stands there twice"),
        ("model: [", "is not YAML"),
        ("- model", "holds no keys"),
        ("model: !!python/object/apply:os.getcwd []\nout: x", "is not YAML"),
    ],
)
def test_files_that_are_no_configuration(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=sentence):
        load_config(path)


def test_no_such_file_and_no_such_config() -> None:
    with pytest.raises(UserError, match="cannot be read"):
        load_config("nowhere.yaml")
    with pytest.raises(UserError, match="did you mean 'stage1-qwen3-vl-4b"):
        load_config("stage1-qwen3-vl-4")


def test_weights_of_the_stages() -> None:
    config = load_config("stage2-qwen3-vl-4b")
    assert list(select_reward_weights(config, "stage2")) == ["format", "quality", "probability_difference"]
    mixed = load_config("stage2-qwen3-vl-4b", {"data.perception": "data/", "data.tasks": ["object"]})
    assert list(select_reward_weights(mixed, "stage2")) == ["format", "object", "quality", "probability_difference"]
    assert list(select_reward_weights(load_config("stage1-qwen3-vl-4b"), "stage1")) == ["format", *DEFAULT_PERCEPTION]
    assert {"format", *DEFAULT_PERCEPTION} < set(REWARDS)


@pytest.mark.parametrize("keys", [{"data.tasks": ["diagnosis"]}, {"rewards.weights": {"diagnosis": 2.0}}])
def test_diagnosis_is_rewarded_where_it_is_named(keys: dict[str, Any]) -> None:
    config = load_config("stage1-qwen3-vl-4b", keys)
    found = select_reward_weights(config, "stage1")
    assert found["diagnosis"] == config.rewards.weights.get("diagnosis", 1.0)
    assert ("grounding" in found) == ("data.tasks" not in keys)
    assert "comparison" not in found


def test_parts_of_a_diagnosis_are_weighted_as_configured(file: Path) -> None:
    keys = {"rewards.diagnosis": {"form": 0, "f1": 1, "severity_grades": [1, 0, 0, 0, 0]}}
    assert load_config(file, keys).rewards.diagnosis == Grading(0, 0.2, 1, severity_grades=(1, 0, 0, 0, 0))
    nothing = dict.fromkeys(("form", "iou", "f1", "type", "severity"), 0)
    for wrong in (nothing, {"iou": -1}, {"f1": "much"}, {"severity_grades": [1, 2]}, {"recall": 1}):
        with pytest.raises(UserError, match=r"rewards\.diagnosis"):
            load_config(file, {"rewards.diagnosis": wrong})


FRESH = {"data.perception": "stream:smoke", "data.references": "scenes"}


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"data.families": ["moire"]}, "no family called 'moire' (data.families); known: blur, noise, compression"),
        ({"data.perception_share": 1.0}, "data.perception_share = 1.0; it lies between 0 and 1 and is neither"),
        ({"data.perception_share": 0}, "it lies between 0 and 1"),
        ({"validation.every": True}, "validation.every = true: input should be a number"),
        ({"rewards.weights.format": True}, "rewards.weights.format = true: input should be a number"),
        ({"rewards.digits": [True, 0, 0]}, "rewards.digits[0] = true: input should be a number"),
        ({"data.limit": False}, "data.limit = false: input should be a number"),
        ({"lora.r": True}, "lora.r = true: input should be a number"),
        ({"seed": True}, "seed = true"),
        ({"seed": -1}, "seed = -1 is outside"),
        ({"data.reward_sampler.tau": 0}, "data.reward_sampler.tau = 0.0 is outside 0.001 .. 1000"),
        ({"data.reward_sampler.alpha": 2}, "data.reward_sampler.alpha = 2.0 is outside"),
        ({"data.reward_sampler.floor": -0.1}, "data.reward_sampler.floor = -0.1 is outside 0 .. 1"),
        ({"data.reward_sampler.temperature": 1}, "no key called 'data.reward_sampler.temperature'"),
        ({"data.sampler": "rewards"}, "did you mean 'reward'"),
        (
            {"data.sampler": "reward"},
            "data.sampler goes with images that are made fresh: give data.perception: stream:",
        ),
        (
            {"data.references": "scenes", "data.perception": "data/"},
            "data.references goes with images that are made fresh",
        ),
        ({"data.perception": "stream:smoke"}, "stream:smoke needs clean images; give data.references, e.g. scenes"),
        ({**FRESH, "data.perception": "stream:"}, "stream: names no recipe; give e.g. stream:refine-perception-20k"),
        (
            {**FRESH, "data.streaming": True},
            "data.streaming is for data sets in files; leave it out with data.perception",
        ),
        ({**FRESH, "data.limit": 5}, "data.limit is for data sets in files"),
        ({**FRESH, "data.questions_per_image": 0}, "data.questions_per_image = 0; it is 1 or more"),
        ({**FRESH, "data.stream_share": 0}, "data.stream_share = 0.0; it lies above 0 and is at most 1"),
        (
            {**FRESH, "data.stream_share": 0.5},
            "data.stream_share = 0.5 leaves a share to files; give data.perception_files",
        ),
    ],
)
def test_keys_that_were_taken_without_a_word(file: Path, keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        load_config(file, keys)
    assert sentence in str(caught.value)


def test_the_recipe_of_images_made_fresh(file: Path) -> None:
    assert find_stream_recipe(load_config(file, {"data.perception": "data/"}).data) is None
    config = load_config(
        file, {**FRESH, "data.sampler": "reward", "data.perception_files": "d", "data.stream_share": 0.5}
    )
    assert find_stream_recipe(config.data) == "smoke"


def test_the_tasks_of_a_recipe_are_rewarded(file: Path, tmp_path: Path) -> None:
    path = tmp_path / "sets.toml"
    path.write_text('name = "sets"\nsamples_per_image = 1\n[tasks]\ndiagnosis = 1\ngrounding = 1\n')
    keys = {**FRESH, "data.perception": f"stream:{path}", "validation.every": 0}
    assert list(select_reward_weights(load_config(file, keys), "stage1")) == ["format", "grounding", "diagnosis"]
    assert list(select_reward_weights(load_config(file, {**keys, "data.tasks": ["diagnosis"]}), "stage1")) == [
        "format",
        "diagnosis",
    ]


def test_switches_stay_switches(file: Path) -> None:
    config = load_config(file, {"data.streaming": True, "frozen_vision": False, "validation.every": 0})
    assert config.data.streaming
    assert not config.frozen_vision
