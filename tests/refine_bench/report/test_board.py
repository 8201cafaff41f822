"""Boards: what is best, and sets of one name that are not one set."""

import json
import re
from pathlib import Path
from typing import Any

from bench_runs import report_per_set, run_on_labels
from in_process import Cli

from refine_bench.report.board import make_boards, separate_labels
from refine_bench.scoring.coverage import describe_coverage


def test_nothing_is_marked_as_best_where_nothing_is_compared(labels: Path, cli: Cli) -> None:
    whole, part = (
        run_on_labels(cli, labels, "sharpness", "whole"),
        run_on_labels(cli, labels, "noise", "part", "--limit", 5),
    )
    assert "textbf" not in report_per_set(cli, [whole, part], ".tex")
    page = report_per_set(cli, [whole, part], ".html")
    assert '<tr class="best">' not in page
    other = run_on_labels(cli, labels, "bits", "other")
    assert "textbf" in report_per_set(cli, [whole, part, other], ".tex")
    assert '<tr class="best">' in report_per_set(cli, [whole, part, other], ".html")


def _score(**changes: Any) -> dict[str, Any]:
    values = {"plcc": 0.8, "srcc": 0.8, "krcc": 0.6, "rmse": 0.5, "mean": 0.8}
    mapped = {kind: {"plcc": 0.8} for kind in ("4", "5")}
    score = {"set": "x", "kind": "rated", "model": "m", "protocol": "p", "reader": "text", "facts": {}, "sha256": "0"}
    score |= {"failure_rate": 0.0, "ranked": True, "intervals": {}, "mapped": mapped, **values, **changes}
    coverage = describe_coverage(changes.get("rows", 9), 9)
    return {**score, "ranked": score["ranked"] and coverage["complete"], "coverage": coverage}


def test_the_best_error_is_the_smallest() -> None:
    scores = [{"run": f"r{k}", "sets": [_score(rmse=rmse, srcc=0.5 + rmse)]} for k, rmse in enumerate((0.4, 0.2, 0.3))]
    scores.append({"run": "part", "sets": [_score(rmse=0.1, srcc=0.99, rows=4)]})
    (board,) = make_boards(scores)
    place = {name: k for k, name in enumerate(board.columns)}
    best = {name: [e.run for e in board.entries if board.is_best(e, k)] for name, k in place.items()}
    assert best["RMSE"] == ["r1"]
    assert best["SRCC"] == ["r0"]
    assert [entry.rank for entry in board.entries if entry.run == "part"] == [None]


def test_sets_of_one_name_with_other_labels_have_boards_of_their_own(labels: Path, cli: Cli) -> None:
    runs = [run_on_labels(cli, labels, "sharpness", "first"), run_on_labels(cli, labels, "noise", "second")]
    items = json.loads(labels.read_text())
    labels.write_text(json.dumps([{**item, "gt_score": 5 - item["gt_score"]} for item in items]))
    runs += [
        run_on_labels(cli, labels, "sharpness", "other"),
        run_on_labels(cli, labels, "noise", "part", "--limit", 5),
    ]
    scores = [json.loads((run / "scores.json").read_text()) for run in runs]
    found = [[(entry.run, entry.rank) for entry in board.entries] for board in make_boards(separate_labels(scores))]
    assert [sorted(run for run, _ in board) for board in found] == [["first", "second"], ["other", "part"]]
    assert ("other", 1) in found[1]
    page = report_per_set(cli, runs, ".html")
    assert len(set(re.findall(r"meta:labels\.json\+score\+up, labels [0-9a-f]{8}", page))) == 2
    assert _count_sections(page) == 4


def _count_sections(page: str) -> int:
    """How many sections the page has, each with a name of its own to which a row of a board leads."""
    names = re.findall(r'<section id="([^"]+)"', page)
    assert len(set(names)) == len(names)
    assert sorted(re.findall(r'<td class="left"><a href="#([^"]+)"', page)) == sorted(names)
    return len(names)


def test_a_set_that_one_run_asked_in_two_ways_has_two_sections(labels: Path, cli: Cli) -> None:
    run = run_on_labels(cli, labels, "constant", "run")
    run_on_labels(cli, labels, "constant", "run", "--protocol", "visualquality-r1")
    assert _count_sections(report_per_set(cli, [run], ".html")) == 2


def test_a_part_stands_beside_whole_runs_whatever_its_labels() -> None:
    rows = {"whole": _score(), "part": _score(rows=4, sha256="1"), "other": _score(sha256="2")}
    found = make_boards(separate_labels([{"run": run, "sets": [score]} for run, score in rows.items()]))
    assert [[entry.run for entry in board.entries] for board in found] == [["whole", "part"], ["other"]]
    (alone,) = make_boards(separate_labels([{"run": "part", "sets": [rows["part"]]}]))
    assert [entry.run for entry in alone.entries] == ["part"]
