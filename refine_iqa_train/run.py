"""A run from its configuration: everything is checked before the model is loaded, then trained, saved, pushed."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from distortlab.errors import UserError
from distortlab.files import write_text
from distortlab.seeds import stream
from refine_iqa_train.config import Config, weights_of
from refine_iqa_train.data import Material, load_material, sizes_of
from refine_iqa_train.families import ModelFamily
from refine_iqa_train.processors import load_processor
from refine_iqa_train.sizes import Policy, policy_of, resampling, save_policy

__all__ = ["Ready", "prepare", "train"]


@dataclass(frozen=True, slots=True)
class Ready:
    """A run that has passed every check that can be made before the model is loaded."""

    config: Config
    stage: str
    arguments: Any
    processor: Any
    family: ModelFamily
    policy: Policy
    material: Material
    weights: Mapping[str, float]
    notes: Sequence[str] = ()


def prepare(config: Config, stage: str) -> Ready:
    """Check a run: configuration, model family, processor, data, images, batches. Raises `UserError`."""
    from accelerate import PartialState

    from refine_iqa_train.console import hush
    from refine_iqa_train.settings import grpo_arguments, sft_arguments
    from refine_iqa_train.teacher_forcing import digit_ids, spells_digits

    hush()
    weights = weights_of(config, stage) if stage != "sft" else {}
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    arguments = sft_arguments(config) if stage == "sft" else grpo_arguments(config, weights, processes)
    _check_keys(config, stage, arguments)
    processor, family = load_processor(config.model, config.revision)
    policy = policy_of(config.images, processor)
    _check_vllm(config, arguments, policy, processor)
    save_policy(policy, processor)
    if weights.get("probability_difference"):
        digit_ids(processor.tokenizer)
    with PartialState().main_process_first():
        material = load_material(config, stage, policy, family.coordinates)
    notes = [] if stage == "sft" else _check_batches(material, arguments)
    notes += _resampled(material, policy)
    if stage == "stage2" and config.validation.direct and not spells_digits(processor.tokenizer):
        notes.append("scores without thinking are not measured: the tokenizer does not spell numbers digit by digit")
    return Ready(config, stage, arguments, processor, family, policy, material, weights, tuple(notes))


def _check_keys(config: Config, stage: str, arguments: Any) -> None:
    if stage != "sft" and not weights_of(config, stage):
        raise UserError("all rewards have the weight 0; there is nothing to train for (rewards.weights)")
    if config.data.streaming and arguments.max_steps <= 0:
        raise UserError("a stream has no length: give trainer.max_steps")
    published = stage == "stage2" and config.rewards.advantages == "published"
    if published and (
        arguments.scale_rewards != "group" or arguments.multi_objective_aggregation != "sum_then_normalize"
    ):
        raise UserError(
            "rewards.advantages: published has a scaling of its own; leave trainer.scale_rewards and "
            "trainer.multi_objective_aggregation out, or use rewards.advantages: plain"
        )


def _check_vllm(config: Config, arguments: Any, policy: Policy, processor: Any) -> None:
    """VLLM reads the limits of the model's own folder: it must not resize what was brought to its final size here."""
    if not getattr(arguments, "use_vllm", False) or policy.factor is None:
        return
    own = processor.image_processor.size
    if policy.min_pixels < own["shortest_edge"] or policy.max_pixels > own["longest_edge"]:
        raise UserError(
            f"vLLM would resize images again: {config.model} has the limits {own['shortest_edge']:,} to "
            f"{own['longest_edge']:,} pixels, narrower than images.min_pixels and images.max_pixels. Save a copy of "
            "the model with the wider limits in its processor, and train that"
        )


def _check_batches(material: Material, arguments: Any) -> list[str]:
    """Enough questions for a step, and about different images."""
    if material.files is None:
        return []
    prompts = arguments.generation_batch_size // arguments.num_generations
    if len(material.files) < prompts:
        raise UserError(
            f"a step takes {prompts:,} questions and there are {len(material.files):,}: use more data, or a smaller "
            "trainer.per_device_train_batch_size or trainer.gradient_accumulation_steps"
        )
    images = len(set(material.files["image_id"]))
    if images < 2 * prompts:
        return [
            f"a step takes {prompts:,} questions, and they are about {images:,} images in all: batches will be alike"
        ]
    return []


def _resampled(material: Material, policy: Policy) -> list[str]:
    if material.files is None:
        return []
    share, change = resampling(policy, sizes_of(material.files))
    if not share:
        return []
    return [
        f"{share:.0%} of the images are resized before the model sees them (sides change by up to "
        f"{100 * (change - 1):.0f} %), and what is judged with them; images.align: 224 pads instead, images.max_pixels "
        "allows larger ones"
    ]


# --- training -------------------------------------------------------------------------------------------------------


def train(config: Config, stage: str) -> dict[str, float]:
    """Train, save the model with its processor and card in `out`, and push it where `hub.id` says. Returns the last
    metrics.
    """
    from refine_iqa_train.card import write_card
    from refine_iqa_train.console import attach
    from refine_iqa_train.hub import push

    ready = prepare(config, stage)
    _check_installed(config, ready.arguments)
    checkpoint = _checkpoint(config)
    trainer = _sft_trainer(ready) if stage == "sft" else _grpo_trainer(ready)
    if config.frozen_vision:
        _freeze(trainer.model, ready.family)
    attach(trainer, quiet=ready.arguments.disable_tqdm)
    main = trainer.is_world_process_zero()
    if main:
        _begin(ready)
        for note in ready.notes:
            sys.stderr.write(f"note: {note}\n")
    trainer.train(resume_from_checkpoint=checkpoint)
    trainer.save_model(config.out)
    trainer.save_state()
    scores = _last(trainer.state.log_history)
    if main:
        ready.processor.save_pretrained(config.out)
        write_card(ready, scores, trainer.state.global_step)
        push(config)
        sys.stderr.write(
            f"{config.out}: the model after {trainer.state.global_step:,} steps, its processor, card and log\n"
        )
    trainer.accelerator.end_training()
    return scores


def _check_installed(config: Config, arguments: Any) -> None:
    """What is asked for and comes as a package of its own."""
    tracker = config.watch.report_to
    wanted: dict[str, str] = {} if tracker == "none" else {tracker: "watch.report_to"}
    if getattr(arguments, "use_vllm", False):
        wanted["vllm"] = "trainer.use_vllm"
    for package, key in wanted.items():
        if find_spec(package) is None:
            raise UserError(f"{key} needs {package}, which is not installed: pip install {package}")


def _grpo_trainer(ready: Ready) -> Any:
    from refine_iqa_train.settings import lora_of, quantization_of
    from refine_iqa_train.trainer import RefineTrainer

    return RefineTrainer(
        config=ready.config,
        model=ready.config.model,
        reward_funcs=rewards_of(ready.config, ready.weights),
        args=ready.arguments,
        train_dataset=ready.material.train,
        eval_dataset=ready.material.validation,
        processing_class=ready.processor,
        peft_config=lora_of(ready.config.lora, ready.family),
        quantization_config=quantization_of(ready.config.lora),
    )


def rewards_of(config: Config, weights: Mapping[str, float]) -> list[Any]:
    """The reward functions, in the order of their weights."""
    from refine_iqa_train.probability_difference import ProbabilityDifference
    from refine_iqa_train.ranking import RankingReward
    from refine_iqa_train.rewards import TaskReward, format_reward, judges

    rules, tasks = config.rewards, judges(config.rewards)

    def made(name: str) -> Any:
        if name == "format":
            return format_reward
        if name == "probability_difference":
            return ProbabilityDifference(rules.digits, rules.quality.threshold, rules.micro_batch)
        return (
            RankingReward()
            if name == "quality" and rules.quality.answer == "ranking"
            else TaskReward(name, tasks[name])
        )

    return [made(name) for name in weights]


def _sft_trainer(ready: Ready) -> Any:
    from trl import SFTTrainer

    from refine_iqa_train.settings import lora_of, quantization_of

    config, material = ready.config, ready.material
    if material.files is None:
        raise UserError("the cold start does not read streams; set data.streaming: false, and data.limit for a part")
    return SFTTrainer(
        model=config.model,
        args=ready.arguments,
        train_dataset=_answered(ready),
        processing_class=ready.processor,
        peft_config=lora_of(config.lora, ready.family),
        quantization_config=quantization_of(config.lora),
    )


def _answered(ready: Ready) -> Any:
    from refine_iqa_train.cold_start import answered
    from refine_iqa_train.data import mapped
    from refine_iqa_train.questions import question_of

    config = ready.config

    def prepared(row: Mapping[str, Any]) -> dict[str, Any]:
        direct = stream(config.seed, "direct", row["sample_id"]).uniform() < config.cold_start.direct_share
        return answered(question_of(row, ready.policy, ready.family.coordinates), row, direct)

    return mapped(ready.material.files, prepared)


def _freeze(model: Any, family: ModelFamily) -> None:
    for name, weight in model.named_parameters():
        if set(name.split(".")) & set(family.vision):
            weight.requires_grad = False


def _checkpoint(config: Config) -> str | None:
    from transformers.trainer_utils import get_last_checkpoint

    out = Path(config.out)
    last = get_last_checkpoint(config.out) if out.is_dir() else None
    if config.resume == "auto":
        return last
    if config.resume == "no":
        if last is not None:
            raise UserError(f"{config.out} holds checkpoints of another run; choose another out, or resume: auto")
        return None
    if not Path(config.resume).is_dir():
        raise UserError(f"there is no checkpoint in {config.resume} (resume: auto | no | FOLDER)")
    return config.resume


def _begin(ready: Ready) -> None:
    """The configuration as it was used, beside what comes of it."""
    import yaml

    text = yaml.safe_dump(ready.config.as_dict(), sort_keys=False, allow_unicode=True)
    write_text(Path(ready.config.out) / "config.yaml", f"# python -m refine_iqa_train {ready.stage}\n{text}")


def _last(history: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The latest value of every metric; those of a validation are all of the last one, or none."""
    found: dict[str, float] = {}
    for entry in history:
        if "eval_held_out/n" in entry:
            found = {name: value for name, value in found.items() if not name.startswith("eval_")}
        found |= {name: value for name, value in entry.items() if isinstance(value, int | float)}
    return found
