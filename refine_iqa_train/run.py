"""A run from its configuration: checked by `prepare`, then trained, saved, pushed."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from distortlab.errors import UserError
from distortlab.files import write_text
from distortlab.seeds import stream
from refine_iqa_train.adapters import BASE
from refine_iqa_train.config import Config
from refine_iqa_train.families import ModelFamily
from refine_iqa_train.prepare import Ready, prepare
from refine_iqa_train.weights import model_arguments

__all__ = ["train"]


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
    if main:
        _remove_aids(config)
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
    from refine_iqa_train.trainer import RefineTrainer

    return RefineTrainer(
        config=ready.config,
        reward_funcs=rewards_of(ready.config, ready.weights),
        args=ready.arguments,
        train_dataset=ready.material.train,
        eval_dataset=ready.material.validation,
        processing_class=ready.processor,
        **model_arguments(ready.config, ready.adapter, ready.family, ready.arguments),
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

    material = ready.material
    if material.files is None:
        raise UserError("the cold start does not read streams; set data.streaming: false, and data.limit for a part")
    return SFTTrainer(
        args=ready.arguments,
        train_dataset=_answered(ready),
        processing_class=ready.processor,
        **model_arguments(ready.config, ready.adapter, ready.family, ready.arguments),
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


def _remove_aids(config: Config) -> None:
    """TRL's copy of the adapters that training began with, and merged weights that were trained in full since."""
    for name in ("ref", *(() if config.lora else (BASE,))):
        shutil.rmtree(Path(config.out) / name, ignore_errors=True)


def _last(history: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The latest value of every metric; those of a validation are all of the last one, or none."""
    found: dict[str, float] = {}
    for entry in history:
        if "eval_held_out/n" in entry:
            found = {name: value for name, value in found.items() if not name.startswith("eval_")}
        found |= {name: value for name, value in entry.items() if isinstance(value, int | float)}
    return found
