"""A run from its configuration: checked by `prepare`, then trained, saved, pushed."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from distortlab.core.errors import UserError
from distortlab.core.seeds import stream
from distortlab.storage.atomic import read_json, write_text
from refine_iqa_train.config.schema import Config
from refine_iqa_train.models.adapters import BASE
from refine_iqa_train.models.families import ModelFamily
from refine_iqa_train.training.packages import check_packages
from refine_iqa_train.training.prepare import Ready, prepare
from refine_iqa_train.training.resume import KeepRecord, Start, copy_model, find_start, mark_finished
from refine_iqa_train.training.run_record import read_record, write_record
from refine_iqa_train.training.trl_arguments import quantization_of
from refine_iqa_train.training.weights import model_arguments

__all__ = ["train"]


def train(config: Config, stage: str) -> dict[str, float]:
    """Train, save the model with its processor and card in `out`, and push it where `hub.id` says. Returns the last
    metrics.
    """
    from refine_iqa_train.monitoring.console import attach_console

    check_packages(config)
    quantization_of(config.lora)  # what it needs is looked for before data and images are
    ready = prepare(config, stage)
    start = find_start(ready)
    if start.finished is not None:
        return _tell_finished(ready, start.finished)
    if start.is_trained:
        return _save_trained(ready, start)
    trainer = _make_trainer(ready)
    if config.frozen_vision:
        _freeze(trainer.model, ready.family)
    attach_console(trainer, quiet=ready.arguments.disable_tqdm)
    trainer.add_callback(KeepRecord(start.record))
    main = trainer.is_world_process_zero()
    if main:
        _begin(ready, start)
    trainer.train(resume_from_checkpoint=start.checkpoint and str(start.checkpoint))
    if main:  # not finished until all is saved again
        write_record(Path(config.out), start.record)
    trainer.save_model(config.out)
    if main:
        _remove_aids(config)
    trainer.save_state()
    if main:
        _finish(ready, start, trainer.state)
    trainer.accelerator.end_training()
    return _last(trainer.state.log_history)


def _save_trained(ready: Ready, start: Start) -> dict[str, float]:
    """A run that was stopped between its last checkpoint and the end: nothing is left to train."""
    from accelerate import PartialState
    from transformers import TrainerState

    assert start.checkpoint is not None
    state = TrainerState.load_from_json(str(start.checkpoint / "trainer_state.json"))
    if PartialState().is_main_process:
        _begin(ready, start)
        copy_model(start.checkpoint, Path(ready.config.out))
        _finish(ready, start, state)
    return _last(state.log_history)


def _finish(ready: Ready, start: Start, state: Any) -> None:
    """What stands beside the model, and then the mark that all is there. Pushing can be tried again."""
    from refine_iqa_train.training.model_card import write_card
    from refine_iqa_train.training.push import push

    out, steps = Path(ready.config.out), state.global_step
    ready.processor.save_pretrained(out)
    write_card(ready, _last(state.log_history), steps)
    mark_finished(out, start.record, steps)
    sys.stderr.write(f"{out}: the model after {steps:,} steps, its processor, card and log\n")
    push(ready.config)


def _tell_finished(ready: Ready, steps: int) -> dict[str, float]:
    from accelerate import PartialState

    if PartialState().is_main_process:
        sys.stderr.write(
            f"{ready.config.out}: already finished after {steps:,} steps; more: raise trainer.max_steps (or "
            "trainer.num_train_epochs)\n"
        )
    state = read_json(Path(ready.config.out) / "trainer_state.json") or {}
    return _last(state.get("log_history", ()))


def _make_trainer(ready: Ready) -> Any:
    """TRL's trainer. What it does not take only when it has the model is a sentence too."""
    try:
        return _sft_trainer(ready) if ready.stage == "sft" else _grpo_trainer(ready)
    except (ValueError, NotImplementedError, ImportError) as error:
        raise UserError(f"TRL does not take this run: {' '.join(str(error).split())}") from error


def _grpo_trainer(ready: Ready) -> Any:
    from refine_iqa_train.training.trainer import RefineTrainer

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
    from refine_iqa_train.rewards.probability_difference import ProbabilityDifference
    from refine_iqa_train.rewards.ranking import RankingReward
    from refine_iqa_train.rewards.task_rewards import TaskReward, format_reward, make_scorers

    rules, tasks = config.rewards, make_scorers(config.rewards)

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
    from refine_iqa_train.data.cold_start import make_cold_start_row
    from refine_iqa_train.data.mixture import prepare_rows_lazily
    from refine_iqa_train.data.prompts import prepare_question

    config = ready.config

    def prepared(row: Mapping[str, Any]) -> dict[str, Any]:
        direct = stream(config.seed, "direct", row["sample_id"]).uniform() < config.cold_start.direct_share
        return make_cold_start_row(prepare_question(row, ready.policy, ready.family.coordinates), row, direct)

    return prepare_rows_lazily(ready.material.files, prepared)


def _freeze(model: Any, family: ModelFamily) -> None:
    for name, weight in model.named_parameters():
        if set(name.split(".")) & set(family.vision):
            weight.requires_grad = False


def _begin(ready: Ready, start: Start) -> None:
    """The configuration as it was used, beside what comes of it; and notes."""
    import yaml

    for note in (*ready.notes, *start.notes):
        sys.stderr.write(f"note: {note}\n")
    out = Path(ready.config.out)
    if (known := read_record(out)) is None or known.steps is None:
        write_record(out, start.record)
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
