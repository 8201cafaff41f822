"""What a run is: its stage, configuration, model and data, as they are kept with every checkpoint and compared.

`MAY_CHANGE` lists the keys that do not decide what is learnt; all others must be the same where a run goes on.
"""

import enum
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from distortlab.storage.atomic import read_json, write_json
from refine_iqa_train.config.controls import list_controls
from refine_iqa_train.config.schema import Config, to_plain_values
from refine_iqa_train.models.identity import identify_files, identify_model
from refine_iqa_train.models.vision_weights import find_weight_files
from refine_iqa_train.training.prepare import PreparedRun
from refine_iqa_train.training.trl_arguments import REPLACED_KEYS

__all__ = [
    "MAY_CHANGE",
    "RunRecord",
    "format_markdown_table",
    "list_differences",
    "make_record",
    "read_record",
    "write_record",
]

FILE = "run.json"
FORMAT = 1

MAY_CHANGE: tuple[tuple[str, str], ...] = (
    ("trainer.max_steps, trainer.num_train_epochs", "more, or fewer; the learning rate follows the new schedule"),
    ("out, resume", "where a run lies"),
    ("model, revision, vision", "a folder may be moved: what is in it is compared"),
    ("data.perception, data.perception_revision, data.rated, data.rated_root", "the same: the questions are compared"),
    ("data.perception_files, data.references", "the same, with the recipe of a stream"),
    ("data.validation_split, data.rated_validation, data.check_images, validation.*", "nothing is learnt from it"),
    (
        "watch.*, hub.*, trainer.log_*, trainer.logging_*, trainer.disable_tqdm, trainer.run_name, trainer.project",
        "logs",
    ),
    ("trainer.trackio_*, trainer.num_completions_to_print, trainer.hub_*, trainer.include_*", "logs"),
    ("trainer.save_*", "checkpoints"),
    (
        "attention, vision_attention, rewards.micro_batch, trainer.gradient_checkpointing*",
        "cost alone",
    ),
    ("trainer.activation_checkpointing*", "cost alone"),
    (
        "trainer.use_vllm, trainer.vllm_[!i]*, trainer.torch_*, trainer.use_liger_kernel, trainer.use_cache",
        "cost alone",
    ),
    ("trainer.dataloader_[!d]*, trainer.ddp_*, trainer.skip_memory_metrics, trainer.tf32, trainer.ds3_*", "cost alone"),
)
"""Keys, or patterns of keys, and why they may change where a run goes on."""

VOLATILE = ("local_rank", "model_init_kwargs", "hub_token", "do_*", "eval_*", "*_full_eval", "batch_eval_metrics")
"""Keys of TRL that differ between machines or are told elsewhere."""


WHOLE_FIELDS = {
    "stage": "the stage",
    "model": "what is in the model's folder",
    "data": "what is in the data",
    "processes": "the number of processes",
}


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What a run is, as it is kept with every checkpoint.

    Parameters
    ----------
    stage
        "sft", "stage1" or "stage2".
    config
        Plain values, with every key of TRL below `trainer`.
    model, data
        Hashes of what they stand for; `data` is None for a stream.
    processes
        How many train together.
    steps
        How long a finished run was, else None.
    controls
        What makes the run a control, a sentence each.
    """

    stage: str
    config: Mapping[str, Any]
    model: str
    data: str | None
    processes: int
    steps: int | None = None
    controls: Sequence[str] = ()


def make_record(run: PreparedRun) -> RunRecord:
    """Make the record of a run that is prepared."""
    config = run.config.as_dict()
    config["rewards"]["weights"] = dict(run.weights)
    config["trainer"] = _resolve_trainer_values(run)
    model = identify_model(run.config.model, run.config.revision)
    if run.adapter is not None:
        model += f" on {identify_model(run.adapter.base, run.adapter.base_revision)}"
    if run.config.vision is not None:
        model += f" seeing by {identify_files(find_weight_files(run.config.vision))}"
    plain = json.loads(json.dumps(config))  # as they come back from a file
    controls = list_controls(run.config)
    return RunRecord(run.stage, plain, model, run.data.identity, _count_processes(run), controls=controls)


def _count_processes(run: PreparedRun) -> int:
    return int(run.arguments.world_size)


def _resolve_trainer_values(run: PreparedRun) -> dict[str, Any]:
    """All keys of TRL as they are resolved, so that a default that is written out is no difference."""
    values = {"model_init_kwargs": run.config.trainer.get("model_init_kwargs")}
    for field in fields(run.arguments):
        if not field.init or field.name in REPLACED_KEYS or any(fnmatch(field.name, name) for name in VOLATILE):
            continue
        value = getattr(run.arguments, field.name, None)
        value = value.value if isinstance(value, enum.Enum) else to_plain_values(value)
        if isinstance(value, bool | int | float | str | list | dict | None):
            values[field.name] = value
    return values


# --- comparing ------------------------------------------------------------------------------------------------------


def list_differences(old: RunRecord, new: RunRecord) -> list[str]:
    """List what a run that goes on may not change and does, e.g. "trainer.learning_rate was 1e-06 and is 1e-05"."""
    changes = [
        f"{key} was {_format_value(getattr(old, name))} and is {_format_value(getattr(new, name))}"
        for name, key in WHOLE_FIELDS.items()
        if getattr(old, name) != getattr(new, name)
    ]
    after = dict(_flatten(new.config))
    before = {**_list_defaults(after), **dict(_flatten(old.config))}
    changed = [key for key in sorted({*before, *after}) if before.get(key) != after.get(key)]
    changes += [
        f"{key} was {_format_value(before.get(key))} and is {_format_value(after.get(key))}"
        for key in changed
        if not _may_change(key, new.data is None) and _is_known(key, before, after)
    ]
    return changes


def _list_defaults(keys: Iterable[str]) -> dict[str, Any]:
    """Of keys that are not TRL's: those that an earlier version had not were what they are by default."""
    defaults = dict(_flatten(json.loads(json.dumps(Config("", "").as_dict()))))
    return {key: defaults[key] for key in keys if key in defaults}


def _is_known(key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Keys that only one version of TRL has are not compared."""
    return not key.startswith("trainer.") or (key in before and key in after)


def _may_change(key: str, streamed: bool) -> bool:
    if streamed and key in ("data.perception", "data.perception_revision", "data.rated", "data.rated_root"):
        return False
    return any(fnmatch(key, pattern) for keys, _ in MAY_CHANGE for pattern in keys.split(", "))


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys. What TRL takes as a mapping is one value."""
    for key, value in values.items():
        if isinstance(value, Mapping) and prefix in ("", "data.", "rewards."):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _format_value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def format_markdown_table() -> str:
    """Format the list of what may change, for docs/training.md."""
    rows = [f"| {', '.join(f'`{key}`' for key in keys.split(', '))} | {why} |" for keys, why in MAY_CHANGE]
    return "\n".join(["| key | why |", "|---|---|", *rows])


# --- files ----------------------------------------------------------------------------------------------------------


def write_record(folder: Path, record: RunRecord) -> None:
    """Write `run.json` in the folder of a checkpoint or of a run."""
    values = {name: getattr(record, name) for name in ("stage", "config", "model", "data", "processes", "steps")}
    controls = {"controls": list(record.controls)} if record.controls else {}
    write_json(folder / FILE, {"format": FORMAT, **values, **controls})


def read_record(folder: Path) -> RunRecord | None:
    """Read the record in a folder; None where there is none that can be read."""
    values = read_json(folder / FILE)
    if not isinstance(values, dict) or values.pop("format", None) != FORMAT:
        return None
    try:
        return RunRecord(**values)
    except TypeError:
        return None
