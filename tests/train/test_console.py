"""What a run prints: short lines, and nothing that says None."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import TrainerCallback

from refine_iqa_train.config import load_config
from refine_iqa_train.console import attach, line


def test_a_line_about_a_step() -> None:
    logs = {"loss": 1e-9, "reward": 1.25, "rewards/format/mean": 0.5, "rewards/object/mean": 0.75, "grad_norm": 3.0}
    assert line(logs, 5, 1000, 12.0) == (
        "5/1,000  reward 1.250  format 0.500  object 0.750  12.0 s/step, 3 h 19 min left"
    )
    assert line({"loss": 0.5, "mean_token_accuracy": 0.9}, 50, 60, 1.0) == (
        "50/60  loss 0.500  token accuracy 0.900  1.0 s/step, 10 s left"
    )


def test_a_line_about_a_validation() -> None:
    logs = {"eval_loss": 0.0, "eval_quality/srcc": 0.5, "eval_recognition/type": 0.25, "eval_object/unread": 1.0}
    assert line(logs, 5, 10, 2.0) == "held out  quality/srcc 0.500  recognition/type 0.250"


def test_nothing_to_say() -> None:
    assert line({"train_runtime": 63.3, "epoch": 0.3}, 10, 10, 2.0) == ""


class Heard(TrainerCallback):  # type: ignore[misc]
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
    from refine_iqa_train import run

    heard = Heard()

    def listening(trainer: Any, quiet: bool) -> None:
        trainer.add_callback(heard)
        monkeypatch.setattr("sys.stderr.isatty", lambda: terminal, raising=False)
        attach(trainer, quiet)

    monkeypatch.setattr("refine_iqa_train.console.attach", listening)
    trainer = {"max_steps": 2, "per_device_train_batch_size": 4, "disable_tqdm": False, "save_strategy": "no"}
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
    assert heard.logs
    assert None not in [value for logs in heard.logs for value in logs.values()]
