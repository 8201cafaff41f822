"""Where a run begins: anew, from a checkpoint of its own, or not at all, because it is finished."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback

from distortlab.core.errors import UserError
from distortlab.storage.atomic import read_json, write_json
from refine_iqa_train.training.prepare import PreparedRun
from refine_iqa_train.training.reward_sampler import RewardSampler
from refine_iqa_train.training.run_record import RunRecord, list_differences, make_record, read_record, write_record

if TYPE_CHECKING:
    from transformers import TrainerControl, TrainerState, TrainingArguments

__all__ = ["RecordCallback", "SamplerCallback", "Start", "copy_model", "find_start", "mark_finished"]

STATE = "trainer_state.json"
SAMPLER_STATE = "sampler.json"
TRAINING_STATE_FILES = (
    "optimizer*",
    "scheduler*",
    "rng_state*",
    "scaler*",
    "global_step*",
    "latest",
    "zero_to_*",
    "run.json",
    "sampler.json",
    "exploration.json",
    "entropy_ctrl_state.json",
    "ref",
)
"""What a checkpoint holds beside the model."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where a run begins.

    Parameters
    ----------
    record
        The run's own.
    checkpoint
        What training goes on from, or None.
    is_trained
        All steps of the checkpoint are done, and the model was not saved yet.
    finished
        The steps of a run that is finished already, or None.
    notes
        What changes where training goes on.
    sampler_state
        Of the checkpoint, where images are made fresh by their rewards; else None.
    """

    record: RunRecord
    checkpoint: Path | None = None
    is_trained: bool = False
    finished: int | None = None
    notes: tuple[str, ...] = ()
    sampler_state: Mapping[str, Any] | None = None


def find_start(run: PreparedRun) -> Start:
    """Find where a run begins: anew, from a checkpoint of its own, or not at all, because it is finished.

    Raises
    ------
    UserError
        Where a checkpoint, or what lies in `out`, is of another run or configuration.
    """
    record, config = make_record(run), run.config
    out = Path(config.out)
    mark, checkpoints = read_record(out), _list_checkpoints(out)
    finished = mark if mark is not None and mark.steps is not None else None
    if config.resume == "no" and (checkpoints or finished):
        raise UserError(f"{out} holds checkpoints of another run; choose another out, or resume: auto")
    if finished is not None:
        _check_same(finished, record, out)
        if _is_done(finished, record, finished.steps or 0, finished.steps or 0):
            return Start(record, finished=finished.steps)
    checkpoint = _find_latest(checkpoints) if config.resume in ("auto", "no") else _find_named(Path(config.resume))
    if checkpoint is not None:
        return _start_from(checkpoint, record, run.sampler)
    _check_nothing_is_lost(out, mark, finished)
    return Start(record)


def _start_from(checkpoint: Path, record: RunRecord, sampler: RewardSampler | None) -> Start:
    old, state = read_record(checkpoint), read_json(checkpoint / STATE)
    if old is None or not isinstance(state, dict):
        raise UserError(
            f"{checkpoint} has no record of the run that it belongs to (run.json): it was made by an older version or "
            f"cut off while it was written. Begin a new run from its weights (model: {checkpoint}) with another out"
        )
    sampler_state: Any = None if sampler is None else read_json(checkpoint / SAMPLER_STATE)
    if sampler is not None and sampler_state is not None:  # first: it names the families that differ
        _check_sampler(sampler, sampler_state, checkpoint)
    _check_same(old, record, checkpoint)
    if sampler is not None and sampler_state is None:
        _check_sampler(sampler, {}, checkpoint)
    steps, total = int(state["global_step"]), int(state["max_steps"])
    is_trained = _is_done(old, record, steps, total)
    if not is_trained and old.config["trainer"].get("save_only_model"):
        raise UserError(
            f"{checkpoint} holds the model alone (trainer.save_only_model): training cannot go on from it; begin a new "
            f"run from its weights (model: {checkpoint}) with another out"
        )
    notes = () if _read_length(old) == _read_length(record) or _is_constant(record) else (_SCHEDULE,)
    return Start(record, checkpoint, is_trained, notes=notes, sampler_state=sampler_state)


_SCHEDULE = (
    "trainer.max_steps or trainer.num_train_epochs has changed: from here on the learning rate follows the schedule "
    "of the new length"
)


def _check_same(old: RunRecord, new: RunRecord, where: Path) -> None:
    changes = list_differences(old, new)
    if not changes:
        return
    more = f"; and {len(changes) - 3} more" if len(changes) > 3 else ""
    raise UserError(
        f"{where} is of another run: {'; '.join(changes[:3])}{more}. Change it back, or choose another out; a new run "
        f"can begin from its weights (model: {where})"
    )


def _check_sampler(sampler: RewardSampler, state: object, checkpoint: Path) -> None:
    """Raise where a checkpoint holds means of other families, or none."""
    if not isinstance(state, dict) or not state:
        raise UserError(
            f"{checkpoint} holds no means of rewards ({SAMPLER_STATE}), by which data.sampler: reward goes on; begin a "
            f"new run from its weights (model: {checkpoint}) with another out"
        )
    try:
        sampler.check_state_dict(state)
    except ValueError as error:
        raise UserError(
            f"{checkpoint} cannot be gone on from with data.sampler: reward: {error} ({SAMPLER_STATE}). Change the "
            "recipe, data.families or data.reward_sampler back, or choose another out; a new run can begin from its "
            f"weights (model: {checkpoint})"
        ) from error


def _read_length(record: RunRecord) -> tuple[int, float]:
    trainer = record.config["trainer"]
    return trainer["max_steps"], trainer["num_train_epochs"]


def _is_constant(record: RunRecord) -> bool:
    return str(record.config["trainer"].get("lr_scheduler_type", "")).startswith("constant")


def _is_done(old: RunRecord, new: RunRecord, steps: int, total: int) -> bool:
    """Whether `steps` are all that the configuration asks for; `total` is what the old one came to."""
    (old_steps, old_epochs), (new_steps, new_epochs) = _read_length(old), _read_length(new)
    if (old_steps, old_epochs) == (new_steps, new_epochs):
        return steps >= total
    if new_steps > 0:
        return steps >= new_steps
    return old_steps <= 0 and new_epochs <= old_epochs and steps >= total


# --- folders --------------------------------------------------------------------------------------------------------


def _list_checkpoints(out: Path) -> list[Path]:
    """Whole ones: the state of the trainer is written last."""
    paths = [path for path in out.glob("checkpoint-*") if re.fullmatch(r"checkpoint-\d+", path.name)]
    whole = [path for path in paths if isinstance(read_json(path / STATE), dict)]
    return sorted(whole, key=lambda path: int(path.name.split("-")[1]))


def _find_latest(checkpoints: list[Path]) -> Path | None:
    """The last one; of several the last one with a record, where one was cut off before that."""
    with_record = [path for path in checkpoints if read_record(path) is not None]
    candidates = with_record or checkpoints
    return candidates[-1] if candidates else None


def _find_named(folder: Path) -> Path:
    if not folder.is_dir():
        raise UserError(f"there is no checkpoint in {folder} (resume: auto | no | FOLDER)")
    if (folder / STATE).exists() and re.fullmatch(r"checkpoint-\d+", folder.name):
        return folder
    inside = _find_latest(_list_checkpoints(folder))
    if inside is None:
        raise UserError(f"there is no checkpoint in {folder} (resume: auto | no | FOLDER)")
    return inside


def _check_nothing_is_lost(out: Path, mark: RunRecord | None, finished: RunRecord | None) -> None:
    if finished is not None:
        raise UserError(
            f"{out} is finished after {finished.steps:,} steps, and holds no checkpoint to go on from; begin a new run "
            f"from its weights (model: {out}) with another out"
        )
    model_files = [
        name for name in ("config.json", "adapter_config.json", "model.safetensors") if (out / name).exists()
    ]
    if model_files and mark is None:
        raise UserError(f"{out} holds a model ({', '.join(model_files)}) that is not of this run; choose another out")


def copy_model(checkpoint: Path, out: Path) -> None:
    """Copy the model of a checkpoint to the folder of the run, with the state of the trainer."""
    shutil.copytree(checkpoint, out, ignore=shutil.ignore_patterns(*TRAINING_STATE_FILES), dirs_exist_ok=True)


class RecordCallback(TrainerCallback):  # type: ignore[misc]
    """Writes the record into every checkpoint, when all else is there."""

    def __init__(self, record: RunRecord) -> None:
        self.record = record

    def on_save(self, args: "TrainingArguments", state: "TrainerState", control: "TrainerControl", **_: object) -> None:
        """After a checkpoint was saved."""
        if state.is_world_process_zero:
            write_record(Path(args.output_dir) / f"checkpoint-{state.global_step}", self.record)


class SamplerCallback(TrainerCallback):  # type: ignore[misc]
    """Writes the state of the sampler into every checkpoint; added before `RecordCallback`, which says all is there."""

    def __init__(self, sampler: RewardSampler) -> None:
        self.sampler = sampler

    def on_save(self, args: "TrainingArguments", state: "TrainerState", control: "TrainerControl", **_: object) -> None:
        """After a checkpoint was saved."""
        if state.is_world_process_zero:
            folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            write_json(folder / SAMPLER_STATE, self.sampler.state_dict())


def mark_finished(out: Path, record: RunRecord, steps: int) -> None:
    """Write into the record how many steps were trained: the last thing that a run writes."""
    write_record(out, replace(record, steps=steps))
