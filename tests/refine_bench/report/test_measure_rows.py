"""The numbers of runs in long form: as pandas sees them, and as CSV has them."""

import csv
import io
import json
import sys
from pathlib import Path

import pandas as pd
import pytest

import refine_bench
from distortlab.core.errors import UserError
from refine_bench.report import format_report
from refine_bench.report.measure_rows import MeasureRow, find_runs


def test_a_row_for_each_model_set_and_measure(runs: tuple[Path, ...]) -> None:
    written = {folder: (folder / "scores.json").read_bytes() for folder in runs}
    frame = refine_bench.load_runs(f"{runs[0].parent}/*")
    assert list(frame.columns) == list(MeasureRow.__annotations__)
    assert not frame.duplicated(["set", "run", "metric"]).any()
    assert set(frame.model) == {"noise", "bits"}
    assert {name.partition(":")[0] for name in frame.set} == {"koniq", "agiqa"}
    both = frame[frame.low.notna()]
    assert set(both.metric) >= {"SRCC", "PLCC"}
    assert ((both.low <= both.value) & (both.value <= both.high)).all()
    partial = frame[(frame.model == "bits") & frame.set.str.startswith("koniq")]
    assert (set(partial.complete), set(partial.n), set(partial.of)) == ({False}, {24}, {25})
    assert partial["rank"].isna().all()
    assert {folder: (folder / "scores.json").read_bytes() for folder in runs} == written


def test_it_is_the_table_of_the_report(runs: tuple[Path, ...]) -> None:
    frame = refine_bench.load_runs(list(runs))
    table = list(csv.DictReader(io.StringIO(format_report(runs, "csv", per_set=True))))
    assert [row["metric"] for row in table] == list(frame.metric)
    assert [row["value"] for row in table] == ["" if pd.isna(value) else str(value) for value in frame.value]


def test_of_a_pattern_only_runs_are_taken(own_run: Path) -> None:
    strange = own_run.parent / "run [1]"
    own_run.rename(strange)
    (own_run.parent / "notes").mkdir()
    assert find_runs(strange) == find_runs([strange, f"{own_run.parent}/*"]) == [strange]


@pytest.mark.parametrize(
    ("pattern", "says"), [("none-*", "nothing matches"), ("*", r"1 names match, and none is a folder with run\.json")]
)
def test_a_pattern_without_runs(tmp_path: Path, pattern: str, says: str) -> None:
    (tmp_path / "notes").mkdir()
    with pytest.raises(UserError, match=rf"there is no run at .*: {says}"):
        refine_bench.load_runs(f"{tmp_path}/{pattern}")


@pytest.mark.parametrize(
    ("head", "says"),
    [
        ("{", "is no run: it has no readable run.json"),
        ('{"format": 99, "model": {}, "sets": {}}', "has format 99; this version reads up to 1"),
    ],
)
def test_runs_that_are_broken_or_newer(tmp_path: Path, head: str, says: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text(head)
    for place in (tmp_path / "run", f"{tmp_path}/*"):
        with pytest.raises(UserError, match=says):
            refine_bench.load_runs(place)


def test_broken_answers_are_one_sentence(own_run: Path) -> None:
    (answers, *_) = sorted((own_run / "answers").glob("*.jsonl"))
    answers.write_text("{\n" + answers.read_text())
    with pytest.raises(UserError, match="row 1: no JSON"):
        refine_bench.load_runs(own_run)


def test_without_pandas(monkeypatch: pytest.MonkeyPatch, runs: tuple[Path, ...]) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UserError, match=r"^load_runs needs pandas: pip install 'refine-iqa\[pandas\]'$"):
        refine_bench.load_runs(runs[0])


def test_a_run_without_answers_has_no_numbers(own_run: Path) -> None:
    head = json.loads((own_run / "run.json").read_text())
    (own_run / "run.json").write_text(json.dumps({**head, "sets": {}}))
    frame = refine_bench.load_runs(own_run)
    assert (len(frame), list(frame.columns)) == (0, list(MeasureRow.__annotations__))
