"""A run from its configuration: checked by `prepare`, then trained, saved, pushed."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from distortlab.core.errors import UserError
from distortlab.core.seeds import stream
from distortlab.storage.atomic import read_json, write_text
from refine_iqa_train.config.controls import list_controls
from refine_iqa_train.config.schema import Config
from refine_iqa_train.models.adapters import BASE
from refine_iqa_train.models.freezing import freeze
from refine_iqa_train.models.rows import ColdStartRow, StoredRow
from refine_iqa_train.models.vision_attention import use_batched_attention
from refine_iqa_train.monitoring.held_out import Logs
from refine_iqa_train.training.exploration import EntropyTargetCallback, read_first_entropy
from refine_iqa_train.training.packages import check_packages
from refine_iqa_train.training.prepare import PreparedRun, prepare
from refine_iqa_train.training.resume import (
    RecordCallback,
    SamplerCallback,
    Start,
    copy_model,
    find_start,
    mark_finished,
)
from refine_iqa_train.training.run_record import read_record, write_record
from refine_iqa_train.training.trl_arguments import make_quantization_config
from refine_iqa_train.training.weights import make_model_arguments, restore_weights

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import TrainerState
    from trl import GRPOTrainer, SFTTrainer

    from refine_iqa_train.rewards.task_rewards import RewardFunction

__all__ = ["make_trainer", "train"]


def train(config: Config, stage: str, prepared: PreparedRun | None = None) -> dict[str, float]:
    """Train, save the model with its processor and card in `out`, and push it where `hub.id` says.

    Parameters
    ----------
    config
        The run's.
    stage
        "sft", "stage1" or "stage2".
    prepared
        What `prepare` made of both, perhaps with other questions put in its place; left out, it is made here.

    Returns
    -------
    dict
        The latest value of every metric.

    Raises
    ------
    UserError
        With one sentence about what cannot work.
    """
    from refine_iqa_train.monitoring.console import attach_console

    check_packages(config)
    make_quantization_config(config.lora)  # what it needs is looked for before data and images are
    run = prepare(config, stage) if prepared is None else prepared
    start = find_start(run)
    if start.finished is not None:
        return _report_finished(run, start.finished)
    if start.is_trained:
        return _save_trained(run, start)
    if run.sampler is not None and start.sampler_state is not None:
        run.sampler.load_state_dict(start.sampler_state)
    first_entropy = _read_first_entropy(config, start)
    trainer = make_trainer(run)
    attach_console(trainer, quiet=run.arguments.disable_tqdm, is_control=bool(list_controls(config)))
    _add_callbacks(trainer, run, start, first_entropy)
    main = trainer.is_world_process_zero()
    if main:
        _write_config(run, start)
    if start.checkpoint is not None:
        restore_weights(trainer, start.checkpoint)
    trainer.train(resume_from_checkpoint=start.checkpoint and str(start.checkpoint))
    if main:  # not finished until all is saved again
        write_record(Path(config.out), start.record)
    trainer.save_model(config.out)
    if main:
        _remove_intermediates(config)
    trainer.save_state()
    if main:
        _finish(run, start, trainer.state)
    trainer.accelerator.end_training()
    return _find_last_metrics(trainer.state.log_history)


def _read_first_entropy(config: Config, start: Start) -> float | None:
    """The entropy that a target is a share of, where a run with such a target goes on: before the model is loaded."""
    rules = config.exploration
    if rules is None or rules.unit != "start" or start.checkpoint is None:
        return None
    return read_first_entropy(start.checkpoint)


def _add_callbacks(
    trainer: "GRPOTrainer | SFTTrainer", run: PreparedRun, start: Start, first_entropy: float | None
) -> None:
    """What is written into checkpoints; the record, which says that all is there, last."""
    if run.sampler is not None:
        trainer.add_callback(SamplerCallback(run.sampler))
    rules = run.config.exploration
    if rules is not None and rules.unit == "start":
        trainer.add_callback(EntropyTargetCallback(trainer, rules, first_entropy))
    trainer.add_callback(RecordCallback(start.record))


def _save_trained(run: PreparedRun, start: Start) -> dict[str, float]:
    """A run that was stopped between its last checkpoint and the end: nothing is left to train."""
    from accelerate import PartialState
    from transformers import TrainerState

    assert start.checkpoint is not None
    state = TrainerState.load_from_json(str(start.checkpoint / "trainer_state.json"))
    if PartialState().is_main_process:
        _write_config(run, start)
        copy_model(start.checkpoint, Path(run.config.out))
        _finish(run, start, state)
    return _find_last_metrics(state.log_history)


def _finish(run: PreparedRun, start: Start, state: "TrainerState") -> None:
    """What stands beside the model, and then the mark that all is there. Pushing can be tried again."""
    from refine_iqa_train.training.model_card import write_card
    from refine_iqa_train.training.push import push

    out, steps = Path(run.config.out), state.global_step
    run.processor.save_pretrained(out)
    write_card(run, _find_last_metrics(state.log_history), steps)
    mark_finished(out, start.record, steps)
    control = "a CONTROL, " if list_controls(run.config) else ""
    sys.stderr.write(f"{out}: {control}the model after {steps:,} steps, its processor, card and log\n")
    for reason, count in run.data.fresh.replaced.items() if run.data.fresh else ():
        sys.stderr.write(
            f"data.perception: {count:,} images of the stream could not be made and were replaced: {reason}\n"
        )
    push(run.config)


def _report_finished(run: PreparedRun, steps: int) -> dict[str, float]:
    from accelerate import PartialState

    if PartialState().is_main_process:
        sys.stderr.write(
            f"{run.config.out}: already finished after {steps:,} steps; more: raise trainer.max_steps (or "
            "trainer.num_train_epochs)\n"
        )
    state = read_json(Path(run.config.out) / "trainer_state.json")
    return _find_last_metrics(state.get("log_history", ()) if isinstance(state, dict) else ())


def make_trainer(run: PreparedRun) -> "GRPOTrainer | SFTTrainer":
    """Make TRL's trainer, with the weights that are frozen and the attention of what sees.

    Raises
    ------
    UserError
        For what TRL does not take only when it has the model.
    """
    try:
        trainer = _make_sft_trainer(run) if run.stage == "sft" else _make_grpo_trainer(run)
    except (ValueError, NotImplementedError, ImportError) as error:
        raise UserError(f"TRL does not take this run: {' '.join(str(error).split())}") from error
    config = run.config
    freeze(trainer.model, run.family, config.frozen, vision=config.frozen_vision)
    if config.vision_attention == "batched":
        for model in (trainer.model, getattr(trainer, "ref_model", None)):
            if model is not None:  # DeepSpeed has wrapped the reference already
                use_batched_attention(trainer.accelerator.unwrap_model(model))
    return trainer


def _make_grpo_trainer(run: PreparedRun) -> "GRPOTrainer":
    from refine_iqa_train.training.trainer import RefineTrainer

    return RefineTrainer(
        config=run.config,
        sampler=run.sampler,
        reward_funcs=make_rewards(run.config, run.weights),
        args=run.arguments,
        train_dataset=run.data.train,
        eval_dataset=run.data.validation,
        processing_class=run.processor,
        **make_model_arguments(run.config, run.adapter, run.family, run.arguments),
    )


def make_rewards(config: Config, weights: Mapping[str, float]) -> "list[RewardFunction]":
    """The reward functions, in the order of their weights."""
    from refine_iqa_train.rewards.diagnosis import DiagnosisReward
    from refine_iqa_train.rewards.probability_difference import ProbabilityDifference
    from refine_iqa_train.rewards.ranking import RankingReward
    from refine_iqa_train.rewards.task_rewards import TaskReward, format_reward, make_scorers

    rules, tasks = config.rewards, make_scorers(config.rewards)

    def make_reward(name: str) -> "RewardFunction":
        if name == "format":
            return format_reward
        if name == "probability_difference":
            return ProbabilityDifference(rules.digits, rules.quality.threshold, rules.micro_batch)
        if name == "diagnosis":
            return DiagnosisReward(rules)
        if name == "quality" and rules.quality.answer == "ranking":
            return RankingReward()
        return TaskReward(name, tasks[name])

    return [make_reward(name) for name in weights]


def _make_sft_trainer(run: PreparedRun) -> "SFTTrainer":
    from trl import SFTTrainer

    data = run.data
    if data.files is None:
        raise UserError("the cold start does not read streams; set data.streaming: false, and data.limit for a part")
    return SFTTrainer(
        args=run.arguments,
        train_dataset=_make_cold_start_rows(run),
        processing_class=run.processor,
        **make_model_arguments(run.config, run.adapter, run.family, run.arguments),
    )


def _make_cold_start_rows(run: PreparedRun) -> "Dataset | None":
    from refine_iqa_train.data.cold_start import make_cold_start_row
    from refine_iqa_train.data.mixture import prepare_rows_lazily
    from refine_iqa_train.data.prompts import prepare_question

    config = run.config

    shuffled = run.data.shuffled

    def prepare_row(row: StoredRow) -> ColdStartRow:
        direct = stream(config.seed, "direct", row["sample_id"]).uniform() < config.cold_start.direct_share
        row = row if shuffled is None else shuffled(row)
        return make_cold_start_row(prepare_question(row, run.policy, run.family.coordinates), direct)

    return prepare_rows_lazily(run.data.files, prepare_row)


def _write_config(run: PreparedRun, start: Start) -> None:
    """The configuration as it was used, beside what comes of it; and notes."""
    import yaml

    for control in list_controls(run.config):
        sys.stderr.write(f"CONTROL: {control}; nothing true can be learnt from it, and the model is not pushed\n")
    for note in (*run.notes, *start.notes):
        sys.stderr.write(f"note: {note}\n")
    out = Path(run.config.out)
    if (known := read_record(out)) is None or known.steps is None:
        write_record(out, start.record)
    text = yaml.safe_dump(run.config.as_dict(), sort_keys=False, allow_unicode=True)
    write_text(Path(run.config.out) / "config.yaml", f"# python -m refine_iqa_train {run.stage}\n{text}")


def _remove_intermediates(config: Config) -> None:
    """TRL's copy of the adapters that training began with, and merged weights that were trained in full since."""
    for name in ("ref", *(() if config.lora else (BASE,))):
        shutil.rmtree(Path(config.out) / name, ignore_errors=True)


def _find_last_metrics(history: Sequence[Logs]) -> dict[str, float]:
    """The latest value of every metric; those of a validation are all of the last one, or none."""
    metrics: dict[str, float] = {}
    for entry in history:
        if "eval_held_out/n" in entry:
            metrics = {name: value for name, value in metrics.items() if not name.startswith("eval_")}
        metrics |= {name: value for name, value in entry.items() if isinstance(value, int | float)}
    return metrics
