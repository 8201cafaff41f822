"""What a run says while it trains: a short line for each logged step, a bar on a terminal, all numbers elsewhere.

`report_to` gets every number; the console those that tell whether a run goes well.
"""

import sys
import time
import warnings
from collections.abc import Mapping
from typing import Any

from transformers import PrinterCallback, ProgressCallback, TrainerCallback

from distortlab.tasks import TASKS

__all__ = ["attach", "hush", "line"]

SHOWN: Mapping[str, str] = {
    "loss": "loss",
    "mean_token_accuracy": "token accuracy",
    "reward": "reward",
    "rewards/format/mean": "format",
    **{f"rewards/{task}/mean": task for task in TASKS},
    "pd/mean": "pd",
    "completions/clipped_ratio": "clipped",
    "entropy": "entropy",
}
"""Of a training step, in this order."""
MEASURED = {(task, name) for task in TASKS for name in ("type", "severity", "accuracy", "iou", "srcc", "plcc", "mae")}
"""Of a validation."""


def line(logs: Mapping[str, Any], step: int, steps: int, seconds: float) -> str:
    """A line about a step or a validation, or nothing where there is nothing to say.

    `seconds` are those of a step, on average, what lies between steps included; 0: nothing about time. The loss of
    GRPO is left out: it is about 0 whatever happens.
    """
    if any(name.startswith("eval_") for name in logs):
        held = {name.removeprefix("eval_"): value for name, value in logs.items()}
        return _told("held out", {name: held[name] for name in held if name.rpartition("/")[::2] in MEASURED})
    shown = {short: logs[name] for name, short in SHOWN.items() if name in logs}
    if "reward" in logs:
        shown.pop("loss", None)
    told = _told(f"{step:,}/{steps:,}", shown)
    if not told or not seconds:
        return told
    return f"{told}  {seconds:.1f} s/step, {_time((steps - step) * seconds)} left"


def _told(head: str, shown: Mapping[str, Any]) -> str:
    return "  ".join([head, *(f"{name} {float(value):.3f}" for name, value in shown.items())]) if shown else ""


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def hush() -> None:
    """No bars of reading and casting (what takes long has its own), none of weights but on a terminal, no word about
    names that TRL uses.
    """
    import datasets
    from transformers.utils import logging

    datasets.disable_progress_bars()
    if not sys.stderr.isatty():
        logging.disable_progress_bar()
    warnings.filterwarnings("ignore", message="`(is_)?gradient_checkpointing`", category=FutureWarning)


def attach(trainer: Any, quiet: bool = False) -> None:
    """Put these lines in place of the dictionaries that transformers prints."""
    for other in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(other)
    if trainer.is_world_process_zero() and not quiet:
        trainer.add_callback(_Bar() if sys.stderr.isatty() else _Lines())
    # First in line: TRL logs None for a task that was not in the batch, and TensorBoard complains of each.
    trainer.callback_handler.callbacks.insert(0, _WithoutNothing())


class _WithoutNothing(TrainerCallback):  # type: ignore[misc]
    def on_log(self, *_: Any, logs: dict[str, Any] | None = None, **__: Any) -> None:
        for name in [name for name, value in (logs or {}).items() if value is None]:
            del logs[name]  # type: ignore[union-attr]


class _Lines(TrainerCallback):  # type: ignore[misc]
    def on_train_begin(self, args: Any, state: Any, *_: Any, **__: Any) -> None:
        self.began, self.first = time.monotonic(), state.global_step  # not 0 where a run goes on

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        seconds = (time.monotonic() - self.began) / max(1, state.global_step - self.first)
        told = line(logs or {}, state.global_step, state.max_steps, seconds)
        if told:
            sys.stderr.write(told + "\n")
            sys.stderr.flush()


class _Bar(ProgressCallback):  # type: ignore[misc]
    """The bar of transformers, which tells the time, with these lines above it."""

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        told = line(logs or {}, state.global_step, state.max_steps, 0.0)
        if told and self.training_bar is not None:
            self.training_bar.write(told, file=sys.stderr)
