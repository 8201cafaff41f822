"""A part of a set is never ranked as the whole: console, JSON, every kind of report, comparisons."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from bench_runs import report_per_set, run_on_labels
from in_process import Cli


@pytest.mark.parametrize("words", [("--limit", 5), ("--shard", "1/3")])
def test_a_part_of_a_set_has_no_rank_anywhere(words: tuple[object, ...], labels: Path, cli: Cli) -> None:
    whole, other = run_on_labels(cli, labels, "sharpness", "whole"), run_on_labels(cli, labels, "noise", "other")
    part = run_on_labels(cli, labels, "bits", "part", *words)
    rows = 5 if "--limit" in words else 4
    (score,) = json.loads((part / "scores.json").read_text())["sets"]
    assert score["coverage"] == {"rows": rows, "of": 12, "complete": False}
    assert not score["ranked"]
    assert f"{rows} of 12 rows of the set: no rank, and no published numbers beside it" in score["warnings"]
    assert f"{rows} of 12 rows" in cli("score", part).out
    runs = [part, whole, other]
    table = {row["run"]: row for row in csv.DictReader(io.StringIO(report_per_set(cli, runs, ".csv")))}
    assert (table["part"]["rank"], table["part"]["n"], table["part"]["of"]) == ("", str(rows), "12")
    assert (table["part"]["complete"], table["whole"]["complete"]) == ("False", "True")
    assert {table["whole"]["rank"], table["other"]["rank"]} == {"1", "2"}
    (line,) = [line for line in report_per_set(cli, runs, ".md").splitlines() if "bits" in line]
    assert line.startswith("| – |")
    assert f"{rows} of 12" in line
    (line,) = [line for line in report_per_set(cli, runs, ".tex").splitlines() if line.startswith("bits")]
    assert "textbf" not in line
    assert f"({rows} of 12)" in line
    (row,) = re.findall(r'<tr class="none">.*?</tr>', report_per_set(cli, runs, ".html"), re.S)
    assert f"{rows} of 12" in row
    assert '<td class="rank">–</td>' in row


def test_a_run_that_was_stopped_is_a_part_until_it_goes_on(labels: Path, cli: Cli) -> None:
    run = run_on_labels(cli, labels, "sharpness", "run")
    (file,) = (run / "answers").iterdir()
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:7]))
    (score,) = json.loads(cli("score", run, "--json").out)["sets"]
    assert score["coverage"] == {"rows": 7, "of": 12, "complete": False}
    assert not score["ranked"]
    run_on_labels(cli, labels, "sharpness", "run")
    (score,) = json.loads(cli("score", run, "--json").out)["sets"]
    assert score["coverage"] == {"rows": 12, "of": 12, "complete": True}
    assert score["ranked"]


def test_an_image_that_is_not_on_the_disk_leaves_a_part(labels: Path, cli: Cli) -> None:
    (labels.parent / "pictures" / "3.png").unlink()
    run = run_on_labels(cli, labels, "sharpness", "run")
    (score,) = json.loads((run / "scores.json").read_text())["sets"]
    assert score["coverage"] == {"rows": 11, "of": 12, "complete": False}


def test_runs_in_folders_of_one_name_are_told_apart(labels: Path, cli: Cli) -> None:
    one, two = run_on_labels(cli, labels, "sharpness", "one/run"), run_on_labels(cli, labels, "noise", "two/run")
    found = json.loads(cli("compare", one, two, "--json").out)
    assert found["runs"] == ["one/run", "two/run"]
    assert {(test["first"], test["second"]) for test in found["tests"]} == {("one/run", "two/run")}
    done = cli("compare", one, one)
    assert done.code == 2
    assert "one/run is named twice" in done.err
