"""Reports over runs: which kinds there are, and text of others that stays text in each."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from bench_samples import WRITERS, write_llvisionqa
from in_process import Cli

from refine_bench.report import FORMATS, format_report
from refine_bench.runs.store import Run


@pytest.mark.parametrize("ending", [".md", ".csv", ".tex"])
def test_tables_keep_text_text(ending: str, model_runs: tuple[Path, Path]) -> None:
    for folder in model_runs:
        run = json.loads((folder / "run.json").read_text())
        run["model"]["name"] = "=HYPERLINK(1) a_b & 50% | <b>"
        (folder / "run.json").write_text(json.dumps(run))
    text = format_report(model_runs, FORMATS[ending], per_set=True)
    if ending == ".md":
        rows = [line for line in text.splitlines() if "HYPERLINK" in line]
        assert all(len(re.findall(r"(?<!\\)\|", row)) == 13 for row in rows)
        assert "\\<b\\>" in text
    elif ending == ".tex":
        assert r"a\_b \& 50\%" in text
    else:
        rows = list(csv.DictReader(io.StringIO(text)))
        assert {row["model"][:2] for row in rows} == {"'="}
        assert {row["metric"] for row in rows} >= {"PLCC", "SRCC"}


def test_a_report_on_questions(cli: Cli, tmp_path: Path) -> None:
    write_llvisionqa(tmp_path, n=6)
    for name in ("constant", "random"):
        done = cli("run", "--model", name, "--on", "qbench-a1", "--data", tmp_path, "--out", tmp_path / name, "--json")
        assert json.loads(done.out)["sets"][0]["chance"] == pytest.approx(1 / 3)
    assert "Q-Bench A1" in (tmp_path / "random" / "report.html").read_text()
    hidden = cli(
        "run", "--model", "random", "--on", "qbench-a1:test", "--data", tmp_path, "--out", tmp_path / "x", "--json"
    )
    (score,) = json.loads(hidden.out)["sets"]
    assert score["accuracy"] is None
    assert "not public" in score["undefined"]


def test_descriptions_are_saved_and_not_scored(cli: Cli, tmp_path: Path) -> None:
    WRITERS["qbench-a2"](tmp_path / "set")
    words = ("--on", "qbench-a2", "--data", tmp_path, "--out", tmp_path / "run")
    done = cli("run", "--model", "constant", *words)
    assert done.code == 0, done.err
    assert "not public" in done.out
    assert "LLDescribe" in (tmp_path / "run" / "report.html").read_text()


def test_an_unknown_kind_of_report(model_runs: tuple[Path, Path], cli: Cli) -> None:
    done = cli("report", *model_runs, "-o", model_runs[0].parent / "report.pdf")
    assert done.code == 2
    assert "no kind of report" in done.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--format", "latx"), "did you mean 'latex'"),
        (("--format", "latex", "-o", "x.md"), "x.md is markdown by its ending"),
        (("-o", "x.pdf"), "no kind of report called '.pdf'"),
        (("--name", "nowhere=X"), "is not RUN=NAME; the runs are"),
        (("--name", "sharpness= "), "is not RUN=NAME"),
        (("--name", "X"), "is not RUN=NAME"),
    ],
)
def test_what_a_report_cannot_be(
    words: tuple[str, ...], sentence: str, measure_runs: tuple[Path, ...], cli: Cli
) -> None:
    done = cli("report", *measure_runs, *words)
    assert done.code == 2
    assert sentence in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_a_model_has_the_name_it_was_given(measure_runs: tuple[Path, ...], cli: Cli, tmp_path: Path) -> None:
    one = measure_runs[0]
    words = ("--on", "agiqa", "--data", tmp_path, "--out", tmp_path / "named", "--no-report", "--json")
    done = cli("run", "--model", "noise", *words, "--name", "My  Model")
    assert json.loads(done.out)["sets"][0]["model"] == "My Model"
    assert cli("score", one, "--name", "Sharp = best").code == 0
    assert Run(one).model == "Sharp = best"
    assert json.loads((one / "scores.json").read_text())["sets"][0]["model"] == "Sharp = best"
    names = (f"{measure_runs[1]}=A=B", f"{measure_runs[2].name}=C")
    text = cli("report", *measure_runs, "--format", "csv", "--name", names[0], "--name", names[1]).out
    assert [line.split(",")[0] for line in text.splitlines()[1:]] == ["Sharp = best", "A=B", "C"]
    assert Run(measure_runs[1]).model == "noise"
    assert "Alone" in cli("report", one, "--format", "latex", "--name", "Alone").out
    for command in (("score", one), ("run", "--model", "noise", *words)):
        assert "--name is empty" in cli(*command, "--name", " ").err


def test_formats_and_endings_agree() -> None:
    assert set(FORMATS.values()) == {"html", "markdown", "csv", "latex"}
