"""Every check of a run that can be made before the model is loaded: keys, model, data, images, batches."""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from distortlab.core.errors import UserError
from refine_iqa_train.config.loading import select_reward_weights
from refine_iqa_train.config.schema import PERCEPTION, Config, find_stream_recipe
from refine_iqa_train.data.checks import sample_image_sizes
from refine_iqa_train.data.image_sizes import ImagePolicy, make_image_policy, measure_resampling, save_image_policy
from refine_iqa_train.data.items import Generations
from refine_iqa_train.data.mixture import TrainingData, check_sources, load_training_data
from refine_iqa_train.models.adapters import Adapter
from refine_iqa_train.models.chat import format_true_completion
from refine_iqa_train.models.families import ModelFamily
from refine_iqa_train.models.identity import is_on_hub
from refine_iqa_train.models.processors import load_processor
from refine_iqa_train.models.protocols import Processor
from refine_iqa_train.training.exploration import check_target
from refine_iqa_train.training.reward_sampler import RewardSampler, count_lag
from refine_iqa_train.training.weight_checks import count_trained_weights
from refine_iqa_train.training.weights import check_adapter, find_base_model, is_continuing_adapter

if TYPE_CHECKING:
    from trl import GRPOConfig, SFTConfig

__all__ = ["PreparedRun", "prepare"]


@dataclass(frozen=True, slots=True)
class PreparedRun:
    """A run that has passed every check that can be made before the model is loaded.

    Parameters
    ----------
    config, stage
        As they were given; the stage is "sft", "stage1" or "stage2".
    arguments
        TRL's.
    processor, family, policy
        Of the model: its processor, its family, and the size at which it sees images.
    data
        What is trained on and what is held out.
    weights
        Of the rewards, by name; empty for the cold start.
    notes
        What will work, and perhaps not as it is meant.
    adapter
        The adapters that `model` holds, or None.
    sampler
        What chooses the families of images made fresh by their rewards (`data.sampler: reward`).
    trained
        How many weights are trained, where `frozen` names some that are not; else None.
    """

    config: Config
    stage: str
    arguments: "GRPOConfig | SFTConfig"
    processor: Processor
    family: ModelFamily
    policy: ImagePolicy
    data: TrainingData
    weights: Mapping[str, float]
    notes: Sequence[str] = ()
    adapter: Adapter | None = None
    sampler: RewardSampler | None = None
    trained: int | None = None

    @property
    def base_model(self) -> str:
        """The model whose weights are trained, or stay as they are under adapters."""
        return find_base_model(self.config, self.adapter)


def prepare(config: Config, stage: str) -> PreparedRun:
    """Check a run: configuration, model family, processor, data, images, batches.

    Parameters
    ----------
    config
        The run's.
    stage
        "sft", "stage1" or "stage2".

    Raises
    ------
    UserError
        With one sentence about the first thing that cannot work.
    """
    from accelerate import PartialState

    from refine_iqa_train.monitoring.console import quiet_libraries
    from refine_iqa_train.rewards.teacher_forcing import find_digit_ids, has_digit_tokens
    from refine_iqa_train.training.trl_arguments import make_grpo_arguments, make_sft_arguments

    quiet_libraries()
    _check_places(config)
    check_sources(config.data, stage)  # here, before the Hub is asked for the model
    weights = select_reward_weights(config, stage) if stage != "sft" else {}
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    arguments = make_sft_arguments(config) if stage == "sft" else make_grpo_arguments(config, weights, processes)
    _check_keys(config, stage, arguments)
    processor, family = load_processor(config.model, config.revision)
    adapter = check_adapter(config, family)
    _check_push(config, adapter)
    check_target(config.exploration, stage, math.log(len(processor.tokenizer)))
    trained = count_trained_weights(config, family)
    policy = make_image_policy(config.images, processor)
    _check_vllm(config, arguments, policy, adapter)
    save_image_policy(policy, processor)
    if weights.get("probability_difference"):
        find_digit_ids(processor.tokenizer)
    with PartialState().main_process_first():
        data = load_training_data(config, stage, policy, family.coordinates, _plan_generations(config, arguments))
    sampler = _make_sampler(config, data, arguments)
    notes = []
    if stage != "sft":
        _check_rewards(config, data, weights)
        notes = _check_batches(data, arguments) + _note_length(data, processor, arguments)
    notes += _note_resampling(data, policy) + _note_share(config, data)
    if stage == "stage2" and config.validation.direct and not has_digit_tokens(processor.tokenizer):
        notes.append("scores without thinking are not measured: the tokenizer does not spell numbers digit by digit")
    return PreparedRun(
        config, stage, arguments, processor, family, policy, data, weights, tuple(notes), adapter, sampler, trained
    )


def _check_places(config: Config) -> None:
    if Path(config.out).exists() and not Path(config.out).is_dir():
        raise UserError(f"out: {config.out} is a file; give a folder")
    if config.revision is not None and Path(config.model).is_dir():
        raise UserError(f"revision: {config.revision} is for models on the Hub, and {config.model} is a folder")


def _check_keys(config: Config, stage: str, arguments: "GRPOConfig | SFTConfig") -> None:
    if stage != "sft" and not select_reward_weights(config, stage):
        raise UserError("all rewards have the weight 0; there is nothing to train for (rewards.weights)")
    if stage == "sft" and config.rewards.shuffle != "none":
        raise UserError(
            "rewards.shuffle is for stages: a cold start has no rewards to permute; leave it out, or permute solutions "
            "(data.shuffle_solutions)"
        )
    fresh = find_stream_recipe(config.data) is not None
    if (config.data.streaming or fresh) and arguments.max_steps <= 0:
        raise UserError("a stream has no length: give trainer.max_steps")
    if config.data.sampler == "reward" and not set(select_reward_weights(config, stage)) & set(PERCEPTION):
        raise UserError(
            "data.sampler: reward has no rewards to go by: all those of perception have the weight 0; give one of them "
            "a weight (rewards.weights), or data.sampler: uniform"
        )
    published = stage == "stage2" and config.rewards.advantages == "published"
    if published and (
        arguments.scale_rewards != "group" or arguments.multi_objective_aggregation != "sum_then_normalize"
    ):
        raise UserError(
            "rewards.advantages: published has a scaling of its own; leave trainer.scale_rewards and "
            "trainer.multi_objective_aggregation out, or use rewards.advantages: plain"
        )


def _plan_generations(config: Config, arguments: "GRPOConfig | SFTConfig") -> Generations | None:
    """How many prompts are trained on where images are made fresh, and one generation more; else None."""
    if find_stream_recipe(config.data) is None:
        return None
    batches = arguments.max_steps * arguments.gradient_accumulation_steps
    return Generations(
        -(-batches // _count_uses(arguments)) + 1, arguments.generation_batch_size // arguments.num_generations
    )


def _count_uses(arguments: "GRPOConfig | SFTConfig") -> int:
    """The batches in which one generation of answers is used."""
    return int(arguments.steps_per_generation * arguments.num_iterations)


def _make_sampler(config: Config, data: TrainingData, arguments: "GRPOConfig | SFTConfig") -> RewardSampler | None:
    rules = config.data
    if data.fresh is None or rules.sampler == "uniform":
        return None
    severities = data.fresh.severities if rules.reward_sampler.severities else ()
    lag = count_lag(arguments.gradient_accumulation_steps, _count_uses(arguments))
    data.fresh.sampler = RewardSampler(data.fresh.families, severities, rules.reward_sampler, lag)
    return data.fresh.sampler


def _check_vllm(
    config: Config, arguments: "GRPOConfig | SFTConfig", policy: ImagePolicy, adapter: Adapter | None
) -> None:
    """VLLM reads the limits of the model's own folder: it must not resize what was brought to its final size here."""
    if not getattr(arguments, "use_vllm", False) or policy.factor is None:
        return
    source = (config.model, config.revision)
    if adapter is not None and is_continuing_adapter(config, adapter):
        source = (adapter.base, adapter.base_revision)
    own = load_processor(*source)[0].image_processor.size
    if policy.min_pixels < own["shortest_edge"] or policy.max_pixels > own["longest_edge"]:
        raise UserError(
            f"vLLM would resize images again: {source[0]} has the limits {own['shortest_edge']:,} to "
            f"{own['longest_edge']:,} pixels, narrower than images.min_pixels and images.max_pixels. Save a copy of "
            "the model with the wider limits in its processor, and train that"
        )


def _check_push(config: Config, adapter: Adapter | None) -> None:
    """Adapters can be used by others where their model is on the Hub."""
    if config.hub.id is None or config.lora is None:
        return
    base_model = find_base_model(config, adapter)
    if not is_on_hub(base_model):
        raise UserError(
            f"hub.id: adapters for {base_model}, a folder of this machine, would be of no use to others; leave "
            f"hub.id out, then merge them (python -m refine_iqa_train merge {config.out} --out MODEL) and push that: "
            f"hf upload {config.hub.id} MODEL"
        )


def _check_batches(data: TrainingData, arguments: "GRPOConfig | SFTConfig") -> list[str]:
    """Enough questions for a step, and about different images."""
    if data.files is None:
        return []
    prompts = arguments.generation_batch_size // arguments.num_generations
    if len(data.files) < prompts:
        raise UserError(
            f"a step takes {prompts:,} questions and there are {len(data.files):,}: use more data, or a smaller "
            "trainer.per_device_train_batch_size or trainer.gradient_accumulation_steps"
        )
    images = len(set(data.files["image_id"]))
    if images < 2 * prompts:
        return [
            f"a step takes {prompts:,} questions, and they are about {images:,} images in all: batches will be alike"
        ]
    return []


def _check_rewards(config: Config, data: TrainingData, weights: Mapping[str, float]) -> None:
    """Every kind of question has a reward, or the weight 0 because somebody wants it so."""
    for task, count in sorted(data.counts.items()):
        if task not in weights and config.rewards.weights.get(task) != 0:
            raise UserError(
                f"there are {count:,} questions of {task}, and no reward for them: give rewards.weights.{task}, or "
                "leave them out by data.tasks"
            )


def _note_length(data: TrainingData, processor: Processor, arguments: "GRPOConfig | SFTConfig") -> list[str]:
    """Where the longest true answer leaves little room for the thinking: lists of regions are long."""
    if data.files is None:
        return []
    task, solution = max(zip(data.files["task"], data.files["solution"], strict=True), key=lambda row: len(row[1]))
    answer, most = format_true_completion(task, solution, None), arguments.max_completion_length
    tokens = len(processor.tokenizer.encode(answer, add_special_tokens=False))
    if 2 * tokens <= most:
        return []
    return [
        f"trainer.max_completion_length = {most:,}, and the longest true answer, to a question of {task}, has "
        f"{tokens:,} tokens without its thinking: answers will be cut off"
    ]


def _note_share(config: Config, data: TrainingData) -> list[str]:
    """Where both kinds are mixed, and perception has too few questions for its share."""
    rules, total = config.data, sum(data.counts.values())
    if not total or rules.perception is None or rules.rated is None:
        return []
    share = 1 - data.counts.get("quality", 0) / total
    if share > rules.perception_share - 0.02:
        return []
    return [f"data.perception_share = {rules.perception_share:g}, and there are questions for {share:.2f} only"]


def _note_resampling(data: TrainingData, policy: ImagePolicy) -> list[str]:
    if data.files is None:
        return []
    share, change = measure_resampling(policy, sample_image_sizes(data.files))
    if not share:
        return []
    return [
        f"{share:.0%} of the images are resized before the model sees them (sides change by up to "
        f"{100 * (change - 1):.0f} %), and what is judged with them; images.align: 224 pads instead, images.max_pixels "
        "allows larger ones"
    ]
