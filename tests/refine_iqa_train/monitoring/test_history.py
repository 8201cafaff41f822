"""What a run logged, as CSV and at W&B."""

import csv
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from in_process import Cli, in_process

from distortlab.core.errors import UserError
from refine_iqa_train.cli import main
from refine_iqa_train.monitoring.history import format_history, read_history

HISTORY = [
    {"eval_held_out/n": 8, "eval_object/accuracy": 0.25, "step": 0},
    {"reward": 0.5, "note": "text", "step": 1},
    {"reward": float("nan"), "grad_norm": 2.0, "step": 2},
    {"eval_object/accuracy": 0.5, "step": 2},
]


def write_state(folder: Path, history: object = HISTORY) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trainer_state.json").write_text(json.dumps({"log_history": history}))
    return folder


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return in_process("refine_iqa_train", main, capsys, monkeypatch)


def test_a_line_for_each_run_and_step(cli: Cli, tmp_path: Path) -> None:
    runs = [write_state(tmp_path / name) for name in ("a", "b")]
    done = cli("export", *runs, "-o", tmp_path / "curves.csv")
    assert (done.code, done.out) == (0, f"wrote {tmp_path / 'curves.csv'}\n")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "curves.csv").read_text())))
    assert list(rows[0]) == ["run", "step", "eval_held_out/n", "eval_object/accuracy", "grad_norm", "reward"]
    assert [(row["run"], row["step"]) for row in rows] == [(str(run), str(k)) for run in runs for k in range(3)]
    assert rows[2] | {"run": "", "eval_held_out/n": ""} == {
        **dict.fromkeys(rows[0], ""),
        **{"step": "2", "eval_object/accuracy": "0.5", "grad_norm": "2.0"},
    }
    assert cli("export", runs[0]).out == format_history({str(runs[0]): HISTORY})


def test_a_name_is_no_formula() -> None:
    assert format_history({"=HYPERLINK(1)": HISTORY}).splitlines()[1].startswith("'=HYPERLINK(1),0,")


def test_a_run_that_was_stopped_has_its_newest_checkpoint(tmp_path: Path) -> None:
    for step in (9, 10):
        write_state(tmp_path / f"checkpoint-{step}", [{"reward": step, "step": step}])
    assert read_history(tmp_path) == [{"reward": 10, "step": 10}]
    with pytest.raises(UserError, match="holds no finished run"):
        read_history(tmp_path, finished=True)


@pytest.mark.parametrize("text", ["{", "[]", '{"log_history": 3}', '{"log_history": [3]}'])
def test_a_broken_state_is_one_sentence(cli: Cli, tmp_path: Path, text: str) -> None:
    (tmp_path / "trainer_state.json").write_text(text)
    for words in (("export", tmp_path), ("scores", tmp_path)):
        done = cli(*words)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert "is damaged: it has no list of what was logged" in done.err


def test_no_run(cli: Cli, tmp_path: Path) -> None:
    done = cli("export", tmp_path)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "holds no run that logged anything" in done.err
    assert "did you mean 'csv'" in cli("export", tmp_path, "--format", "cvs").err


class StandIn:
    """wandb, as far as it is called."""

    Error = type("Error", (Exception,), {})

    def __init__(self) -> None:
        self.runs: list[dict[str, Any]] = []

    def init(self, **about: Any) -> Any:
        self.runs.append({**about, "logged": [], "finished": False})
        run = self.runs[-1]
        return SimpleNamespace(
            url=None,
            dir="wandb/offline-run-1",
            log=lambda values, step: run["logged"].append((step, values)),
            finish=lambda: run.update(finished=True),
        )


@pytest.fixture
def wandb(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    stand_in = StandIn()
    monkeypatch.setitem(sys.modules, "wandb", stand_in)
    monkeypatch.delenv("WANDB_PROJECT", raising=False)
    return stand_in


def test_every_step_goes_to_wandb(wandb: StandIn, cli: Cli, tmp_path: Path) -> None:
    folder = write_state(tmp_path / "my-run")
    (folder / "config.yaml").write_text("model: tiny\n")
    done = cli("export", folder, "--format", "wandb")
    assert (done.code, done.out) == (0, f"{folder}: wandb/offline-run-1\n")
    (run,) = wandb.runs
    assert (run["project"], run["name"], run["config"], run["finished"]) == (
        *("refine-iqa", "my-run"),
        *({"model": "tiny"}, True),
    )
    assert run["logged"] == [
        (0, {"eval_held_out/n": 8, "eval_object/accuracy": 0.25}),
        (1, {"reward": 0.5}),
        (2, {"grad_norm": 2.0, "eval_object/accuracy": 0.5}),
    ]


def refuse(**about: Any) -> Any:
    raise StandIn.Error("no\nkey")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda patch, wandb: patch.setitem(sys.modules, "wandb", None), "needs wandb: pip install wandb"),
        (lambda patch, wandb: patch.setattr(wandb, "init", refuse), "W&B did not take the run: no key"),
    ],
)
def test_without_wandb_and_where_it_refuses(
    cli: Cli, wandb: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, change: Callable[..., Any], says: str
) -> None:
    change(monkeypatch, wandb)
    done = cli("export", write_state(tmp_path), "--format", "wandb")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert says in done.err
