"""What a run logged, step by step, from the state that the trainer saved: for tables, CSV and W&B."""

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import TypeGuard

from distortlab.core.errors import UserError
from distortlab.core.extras import import_extra
from distortlab.storage.atomic import read_json
from refine_iqa_train.config.overrides import read_yaml
from refine_iqa_train.monitoring.held_out import Logs

__all__ = ["FORMATS", "export_to_wandb", "format_history", "merge_steps", "read_history"]

STATE = "trainer_state.json"
FORMATS = ("csv", "wandb")
PROJECT = "refine-iqa"


def read_history(out: str | Path, *, finished: bool = False) -> list[Logs]:
    """Read what a run logged.

    Parameters
    ----------
    out
        The folder of a run.
    finished
        Whether only a finished run will do; else the newest checkpoint of one that was stopped does as well.

    Returns
    -------
    list of dict
        Metric -> value, each with `step`, in the order in which they were logged.

    Raises
    ------
    UserError
        Where there is no state, or it cannot be read.
    """
    file = Path(out) / STATE
    if not file.is_file() and not finished:
        file = max(Path(out).glob(f"checkpoint-*/{STATE}"), key=_find_step, default=file)
    if not file.is_file():
        raise UserError(
            f"{out} holds no finished run: there is no {STATE}"
            if finished
            else f"{out} holds no run that logged anything: there is no {STATE}, here or in a checkpoint"
        )
    state = read_json(file)
    history = state.get("log_history") if isinstance(state, dict) else None
    if not isinstance(history, list) or not all(isinstance(entry, dict) for entry in history):
        raise UserError(f"{file} is damaged: it has no list of what was logged; train again, or copy it again")
    return history


def _find_step(path: Path) -> int:
    number = path.parent.name.rpartition("-")[2]
    return int(number) if number.isdecimal() else -1


def merge_steps(history: Sequence[Logs]) -> Iterator[dict[str, float | int]]:
    """Yield one entry for each step, in order: what was logged in it at all, without what is no finite number."""
    steps: dict[int, dict[str, float | int]] = {}
    for entry in history:
        own = steps.setdefault(int(entry.get("step") or 0), {})
        own.update({name: value for name, value in entry.items() if _is_number(value) and name != "step"})
    for step, values in sorted(steps.items()):
        yield {"step": step, **values}


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def format_history(runs: Mapping[str, Sequence[Logs]]) -> str:
    """Format what runs logged as CSV: a line for each run and step, a column for each metric that any of them has."""
    tables = {run: list(merge_steps(history)) for run, history in runs.items()}
    names = sorted({name for rows in tables.values() for row in rows for name in row} - {"step"})
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["run", "step", *names])
    for run, rows in tables.items():
        label = f"'{run}" if run[:1] in ("=", "+", "-", "@") else run  # else a spreadsheet takes it for a formula
        writer.writerows([label, row["step"], *(row.get(name, "") for name in names)] for row in rows)
    return out.getvalue()


def export_to_wandb(out: str | Path) -> str:
    """Send what a run logged to W&B as a run of its own, and return where it is.

    Project, entity and mode are those of W&B's own variables (WANDB_PROJECT, WANDB_MODE=offline); the project is
    `refine-iqa` unless given.

    Parameters
    ----------
    out
        The folder of the run, which gives its name and, with config.yaml, its configuration.

    Raises
    ------
    UserError
        Where there is no run, wandb is not installed, or refuses.
    """
    history, config = read_history(out), Path(out) / "config.yaml"
    values = read_yaml(config) if config.is_file() else {}
    wandb = import_extra("wandb", "", "export --format wandb")
    project, name = os.environ.get("WANDB_PROJECT") or PROJECT, Path(out).resolve().name
    try:
        run = wandb.init(project=project, name=name, config=values)
        for entry in merge_steps(history):
            step = entry.pop("step")
            run.log(entry, step=step)
        place = str(run.url or run.dir)
        run.finish()
    except wandb.Error as error:
        raise UserError(f"W&B did not take the run: {' '.join(str(error).split())}") from error
    return place
