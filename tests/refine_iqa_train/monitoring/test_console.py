"""What a run prints: short lines, and nothing that says None."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import transformers
from transformers import TrainerCallback

from distortlab.tasks.answer import format_completion
from refine_iqa_train.config.loading import load_config
from refine_iqa_train.monitoring.console import (
    _BarCallback,
    _HealthCallback,
    _LineCallback,
    attach_console,
    format_line,
)
from refine_iqa_train.monitoring.held_out import HeldOutScores, score_answer


def test_a_line_about_a_step() -> None:
    logs = {"loss": 1e-9, "reward": 1.25, "rewards/format/mean": 0.5, "rewards/object/mean": 0.75, "grad_norm": 3.0}
    assert format_line(logs, 5, 1000, 12.0) == (
        "5/1,000  reward 1.250  format 0.500  object 0.750  12.0 s/step, 3 h 19 min left"
    )
    assert format_line({"loss": 0.5, "mean_token_accuracy": 0.9}, 50, 60, 1.0) == (
        "50/60  loss 0.500  token accuracy 0.900  1.0 s/step, 10 s left"
    )


def test_the_family_that_is_drawn_most() -> None:
    logs = {"reward": 1.0, "sampler/blur": 0.25, "sampler/noise": 0.5, "sampler/severity_5": 0.75}
    assert format_line(logs, 5, 10, 0.0) == "5/10  reward 1.000  drawn most noise 0.500"


def test_a_line_about_a_validation() -> None:
    logs = {"eval_loss": 0.0, "eval_recognition/type": 0.25, "eval_recognition/n": 12.0, "eval_object/unread": 1.0}
    scored = {"eval_quality/srcc": 0.5, "eval_quality/plcc": 0.25, "eval_quality/mae": 0.5}
    scored |= {"eval_quality/n": 8.0, "eval_quality/read": 7.0}
    assert format_line({**logs, **scored}, 5, 10, 2.0) == (
        "held out  recognition/type 0.250 (n 12)  quality/srcc 0.500 (n 7)  quality/plcc 0.250 (n 7)  "
        "quality/mae 0.500 (n 7)"
    )


def test_a_correlation_that_cannot_be_has_a_reason() -> None:
    held = HeldOutScores()
    held.add([score_answer(str(n), "quality", format_completion("Score:3.00", "."), f"{n}.00") for n in (1, 2, 3, 4)])
    logs = {
        f"eval_{name}": value for name, value in held.compute_metrics().items() if value == value
    }  # TRL leaves NaN out
    assert "quality/srcc - (all answers equal)  " in format_line(logs, 5, 10, 2.0)
    few = HeldOutScores()
    few.add(
        [
            score_answer(str(n), "quality", format_completion(f"Score:{n}.00", ".") if n < 3 else "?", f"{n}.00")
            for n in (1, 2, 3, 4)
        ]
    )
    assert "quality/srcc - (2 read of 4)" in format_line(
        {f"eval_{k}": v for k, v in few.compute_metrics().items()}, 5, 10, 2.0
    )


def test_rollouts_stand_beside_the_reward_of_a_task() -> None:
    logs = {"reward": 1.25, "rewards/object/mean": 0.75, "rewards/object/n": 12.0, "frac_reward_zero_std": 0.5}
    told = format_line({**logs, "rewards/format/mean": 1.0, "rewards/format/n": 32.0, "entropy": 0.25}, 1, 2, 0.0)
    assert told == "1/2  reward 1.250  format 1.000  object 0.750 (n 12)  zero std 0.500  entropy 0.250"


# --- notes ----------------------------------------------------------------------------------------------------------


def test_a_run_that_goes_on_remembers_its_start(capsys: pytest.CaptureFixture[str]) -> None:
    logged = [{"reward": 1.0, "entropy": value, "step": step} for step, value in ((1, 0.9), (2, 0.8))]
    state = SimpleNamespace(log_history=logged, global_step=2)
    callback = _HealthCallback()
    callback.on_train_begin(None, state, None)
    state.global_step = 3
    callback.on_log(None, state, None, logs={"reward": 1.0, "entropy": 0.29})
    assert capsys.readouterr().err.startswith("note: entropy is 0.290, less than a third of its 0.900 at the start")
    callback.on_train_begin(
        None, SimpleNamespace(log_history=[*logged, {"reward": 1, "entropy": 0.2, "step": 3}]), None
    )
    callback.on_log(None, state, None, logs={"reward": 1.0, "entropy": 0.2})
    assert capsys.readouterr().err == ""


def test_nothing_to_say() -> None:
    assert format_line({"train_runtime": 63.3, "epoch": 0.3}, 10, 10, 2.0) == ""


class LogRecorder(TrainerCallback):  # type: ignore[misc]
    """Remembers what loggers are given."""

    def __init__(self) -> None:
        self.logs: list[dict[str, Any]] = []

    def on_log(self, *_: Any, logs: dict[str, Any], **__: Any) -> None:
        self.logs.append(dict(logs))


@pytest.mark.slow
@pytest.mark.parametrize("terminal", [False, True])
def test_a_run_is_readable(
    run_file: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    terminal: bool,
) -> None:
    from refine_iqa_train.training import train as run

    recorder = LogRecorder()

    def attach_recorder(trainer: Any, quiet: bool, is_control: bool) -> None:
        trainer.add_callback(recorder)
        monkeypatch.setattr("sys.stderr.isatty", lambda: terminal, raising=False)
        attach_console(trainer, quiet, is_control)

    monkeypatch.setattr("refine_iqa_train.monitoring.console.attach_console", attach_recorder)
    assert transformers.utils.logging.get_verbosity() == transformers.logging.ERROR  # of others; ours are printed
    trainer = {"max_steps": 2, "per_device_train_batch_size": 4, "save_strategy": "no"}
    run.train(load_config(run_file(trainer)), "stage1")
    printed = capsys.readouterr()
    lines = printed.err.replace("\r", "\n").replace("\x1b[A", "\n").splitlines()
    assert printed.out == ""
    assert sum(text.startswith(("1/2  reward", "2/2  reward")) for text in lines) == 2
    assert sum(text.startswith("held out  ") for text in lines) == 2
    assert ("| 2/2 [" in printed.err) == terminal
    assert "{" not in printed.err
    assert "None" not in printed.err
    assert lines[-1] == f"{tmp_path / 'run'}: the model after 2 steps, its processor, card and log"
    assert recorder.logs
    assert None not in [value for logs in recorder.logs for value in logs.values()]


@pytest.mark.parametrize("kind", [_LineCallback, _BarCallback])
@pytest.mark.parametrize("mark", ["CONTROL  ", ""])
def test_every_line_of_a_control_says_so(kind: Any, mark: str, capsys: pytest.CaptureFixture[str]) -> None:
    callback, state = kind(mark), SimpleNamespace(global_step=1, max_steps=2)
    callback.began, callback.first = 0.0, 0
    callback.handle_logs({"reward": 1.0}, state)
    assert capsys.readouterr().err.startswith(f"{mark}1/2  reward 1.000")
