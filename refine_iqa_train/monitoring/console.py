"""What a run says while it trains: a short line for each logged step, a bar on a terminal, all numbers elsewhere.

`report_to` gets every number; the console those that tell whether a run goes well.
"""

import sys
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm.auto import tqdm
from transformers import PrinterCallback, ProgressCallback, TrainerCallback

from distortlab.tasks import TASKS
from distortlab.tasks.terms import FAMILIES
from refine_iqa_train.monitoring.curves import write_curves
from refine_iqa_train.monitoring.health import HealthMonitor, is_supervised
from refine_iqa_train.monitoring.held_out import Logs, list_measures

if TYPE_CHECKING:
    from transformers import Trainer, TrainerControl, TrainerState, TrainingArguments

__all__ = ["attach_console", "format_line", "quiet_libraries", "write_line"]

STEP_METRICS: Mapping[str, str] = {
    "loss": "loss",
    "mean_token_accuracy": "token accuracy",
    "reward": "reward",
    "rewards/format/mean": "format",
    **{f"rewards/{task}/mean": task for task in TASKS},
    "pd/mean": "pd",
    "frac_reward_zero_std": "zero std",
    "completions/clipped_ratio": "clipped",
    "entropy": "entropy",
    "entropy_target": "its target",
    "entropy_coef": "its weight",
    "kl": "kl",
}
"""Of a training step, in this order. `zero std`: the share of groups whose rewards are all equal and teach nothing."""
HIDDEN_MEASURES = ("unread", "iou50", "unread_direct")
"""Measures of a validation that only loggers and tables get."""


def format_line(logs: Logs, step: int, steps: int, seconds: float) -> str:
    """Write a line about a step or a validation; "" where there is nothing to say.

    The loss of GRPO is left out: it is about 0 whatever happens.

    Parameters
    ----------
    logs
        What was logged.
    step, steps
        The step, and how many there are.
    seconds
        Of a step, on average, what lies between steps included; 0: nothing about time.

    Examples
    --------
    >>> from refine_iqa_train.monitoring.console import format_line
    >>> format_line({"reward": 1.25, "rewards/format/mean": 0.5}, step=5, steps=1000, seconds=12.0)
    '5/1,000  reward 1.250  format 0.500  12.0 s/step, 3 h 19 min left'
    """
    if any(name.startswith("eval_") for name in logs):
        return _format_validation({name.removeprefix("eval_"): value for name, value in logs.items()})
    values = [
        _format_metric(short, value, logs.get(f"{name.removesuffix('/mean')}/n"))
        for name, short in STEP_METRICS.items()
        if (value := logs.get(name)) is not None and (name != "loss" or is_supervised(logs))
    ]
    if not values:
        return ""
    values += _format_sampler(logs)
    time_left = [f"{seconds:.1f} s/step, {_format_time((steps - step) * seconds)} left"] if seconds else []
    return "  ".join([f"{step:,}/{steps:,}", *values, *time_left])


def _format_sampler(logs: Logs) -> list[str]:
    """The family that is drawn most, where families are chosen by their rewards."""
    shares = {family: share for family in FAMILIES if (share := logs.get(f"sampler/{family}")) is not None}
    if not shares:
        return []
    family = max(shares, key=shares.__getitem__)
    return [f"drawn most {family} {shares[family]:.3f}"]


def _format_metric(short: str, value: float, n: float | None) -> str:
    """A value, and for a task the rollouts behind it."""
    return f"{short} {value:.3f}" + (f" (n {n:.0f})" if n is not None and short in TASKS else "")


def _format_validation(metrics: Logs) -> str:
    """The measures, those of a task side by side."""
    measures = [measure for measure in list_measures(metrics) if measure.name not in HIDDEN_MEASURES]
    values = [f"{measure.task}/{measure.name} {measure}" for measure in measures]
    return "  ".join(["held out", *values]) if values else ""


def _format_time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def quiet_libraries() -> None:
    """Turn off bars of `datasets`, those of weights but on a terminal, and warnings about names that TRL uses."""
    import datasets
    from transformers.utils import logging

    datasets.disable_progress_bars()
    if not sys.stderr.isatty():
        logging.disable_progress_bar()
    warnings.filterwarnings("ignore", message="`(is_)?gradient_checkpointing", category=FutureWarning)


def attach_console(trainer: "Trainer", quiet: bool = False, is_control: bool = False) -> None:
    """Put lines, notes and curves in place of the dictionaries that transformers prints.

    Parameters
    ----------
    trainer
        The one that is watched.
    quiet
        Print only notes.
    is_control
        Begin every line of a step with "CONTROL".
    """
    mark = "CONTROL  " if is_control else ""
    for other in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(other)
    if trainer.is_world_process_zero():
        if not quiet:
            trainer.add_callback(_BarCallback(mark) if sys.stderr.isatty() else _LineCallback(mark))
        trainer.add_callback(_HealthCallback())
        trainer.add_callback(_CurvesCallback())
    # First in line: TRL logs None for a task that was not in the batch, and TensorBoard complains of each.
    trainer.callback_handler.callbacks.insert(0, _MissingValuesCallback())


def write_line(text: str) -> None:
    """Write to standard error, above the bars where there are any."""
    tqdm.write(text, file=sys.stderr)
    sys.stderr.flush()


class _MissingValuesCallback(TrainerCallback):  # type: ignore[misc]
    def on_log(self, *_: object, logs: dict[str, float | None] | None = None, **__: object) -> None:
        logs = {} if logs is None else logs
        for name in [name for name, value in logs.items() if value is None]:
            del logs[name]


class _LogHandler(ABC):
    """Hands on what transformers logs at a step; beside `TrainerCallback`."""

    def on_log(
        self,
        args: "TrainingArguments",
        state: "TrainerState",
        control: "TrainerControl",
        logs: Logs | None = None,
        **_: object,
    ) -> None:
        self.handle_logs(logs or {}, state)

    @abstractmethod
    def handle_logs(self, logs: Logs, state: "TrainerState") -> None: ...


class _LineCallback(_LogHandler, TrainerCallback):  # type: ignore[misc]
    def __init__(self, mark: str = "") -> None:
        self.mark = mark

    def on_train_begin(self, args: "TrainingArguments", state: "TrainerState", *_: object, **__: object) -> None:
        self.began, self.first = time.monotonic(), state.global_step  # not 0 where a run goes on

    def handle_logs(self, logs: Logs, state: "TrainerState") -> None:
        seconds = (time.monotonic() - self.began) / max(1, state.global_step - self.first)
        if text := format_line(logs, state.global_step, state.max_steps, seconds):
            write_line(self.mark + text)


class _BarCallback(_LogHandler, ProgressCallback):  # type: ignore[misc]
    """The bar of transformers, which tells the time, with these lines above it."""

    def __init__(self, mark: str = "") -> None:
        super().__init__()
        self.mark = mark

    def handle_logs(self, logs: Logs, state: "TrainerState") -> None:
        if text := format_line(logs, state.global_step, state.max_steps, 0.0):
            write_line(self.mark + text)


class _HealthCallback(_LogHandler, TrainerCallback):  # type: ignore[misc]
    """What `HealthMonitor` finds, each thing once in the life of a run."""

    def __init__(self) -> None:
        self.health = HealthMonitor()

    def on_train_begin(self, args: "TrainingArguments", state: "TrainerState", *_: object, **__: object) -> None:
        self.health = HealthMonitor()
        for entry in state.log_history:  # of a run that goes on
            self.health.check_step(entry, entry["step"])

    def handle_logs(self, logs: Logs, state: "TrainerState") -> None:
        for note in self.health.check_step(logs, state.global_step):
            write_line(f"note: {note}")


class _CurvesCallback(TrainerCallback):  # type: ignore[misc]
    """The page of curves, written again every few seconds while anything is logged."""

    pause, last_write = 10.0, -inf

    def on_train_begin(self, args: "TrainingArguments", state: "TrainerState", *_: object, **__: object) -> None:
        self._write(args, state)

    def on_log(self, args: "TrainingArguments", state: "TrainerState", *_: object, **__: object) -> None:
        if time.monotonic() - self.last_write >= self.pause:
            self._write(args, state)

    def on_train_end(self, args: "TrainingArguments", state: "TrainerState", *_: object, **__: object) -> None:
        self._write(args, state)

    def _write(self, args: "TrainingArguments", state: "TrainerState") -> None:
        write_curves(Path(args.output_dir), state.log_history)
        self.last_write = time.monotonic()
