"""A part of a set is never ranked as the whole: console, JSON, every kind of report, comparisons."""

import csv
import io
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from bench_samples import write_kadid, write_koniq, write_llvisionqa, write_meta, write_picture
from bench_servers import serving
from in_process import Cli

from refine_bench.report.board import make_boards, separate_labels
from refine_bench.scoring.coverage import add_coverage
from refine_bench.scoring.score_predictions import score_predictions


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Twelve rated pictures: a set of which a run can have all rows."""
    for k in range(12):
        write_picture(tmp_path / "pictures" / f"{k}.png", k)
    items = [{"image": f"pictures/{k}.png", "gt_score": 1 + k / 3} for k in range(12)]
    (tmp_path / "labels.json").write_text(json.dumps(items))
    return tmp_path / "labels.json"


def _run(cli: Cli, labels: Path, model: str, name: str, *words: object) -> Path:
    out = labels.parent / name
    usual = ("--on", f"meta:{labels}", "--data", labels.parent, "--out", out, "--no-report", "--json")
    done = cli("run", "--model", model, *usual, *words)
    assert done.code == 0, done.err
    return out


def _report(cli: Cli, runs: list[Path], ending: str) -> str:
    out = runs[0].parent / f"report{ending}"
    assert cli("report", *runs, "-o", out, "--per-set").code == 0
    return out.read_text()


# --- rank, and what is marked as best -------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("--limit", 5), ("--shard", "1/3")])
def test_a_part_of_a_set_has_no_rank_anywhere(words: tuple[object, ...], labels: Path, cli: Cli) -> None:
    whole, other = _run(cli, labels, "sharpness", "whole"), _run(cli, labels, "noise", "other")
    part = _run(cli, labels, "bits", "part", *words)
    rows = 5 if "--limit" in words else 4
    (score,) = json.loads((part / "scores.json").read_text())["sets"]
    assert score["coverage"] == {"rows": rows, "of": 12, "complete": False}
    assert not score["ranked"]
    assert f"{rows} of 12 rows of the set: no rank, and no published numbers beside it" in score["warnings"]
    assert f"{rows} of 12 rows" in cli("score", part).out
    runs = [part, whole, other]
    table = {row["run"]: row for row in csv.DictReader(io.StringIO(_report(cli, runs, ".csv")))}
    assert (table["part"]["rank"], table["part"]["n"], table["part"]["of"]) == ("", str(rows), "12")
    assert (table["part"]["complete"], table["whole"]["complete"]) == ("False", "True")
    assert {table["whole"]["rank"], table["other"]["rank"]} == {"1", "2"}
    (line,) = [line for line in _report(cli, runs, ".md").splitlines() if "bits" in line]
    assert line.startswith("| – |")
    assert f"{rows} of 12" in line
    (line,) = [line for line in _report(cli, runs, ".tex").splitlines() if line.startswith("bits")]
    assert "textbf" not in line
    assert f"({rows} of 12)" in line
    (row,) = re.findall(r'<tr class="none">.*?</tr>', _report(cli, runs, ".html"), re.S)
    assert f"{rows} of 12" in row
    assert '<td class="rank">–</td>' in row


def test_a_run_that_was_stopped_is_a_part_until_it_goes_on(labels: Path, cli: Cli) -> None:
    run = _run(cli, labels, "sharpness", "run")
    (file,) = (run / "answers").iterdir()
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:7]))
    (score,) = json.loads(cli("score", run, "--json").out)["sets"]
    assert score["coverage"] == {"rows": 7, "of": 12, "complete": False}
    assert not score["ranked"]
    _run(cli, labels, "sharpness", "run")
    (score,) = json.loads(cli("score", run, "--json").out)["sets"]
    assert score["coverage"] == {"rows": 12, "of": 12, "complete": True}
    assert score["ranked"]


def test_an_image_that_is_not_on_the_disk_leaves_a_part(labels: Path, cli: Cli) -> None:
    (labels.parent / "pictures" / "3.png").unlink()
    run = _run(cli, labels, "sharpness", "run")
    (score,) = json.loads((run / "scores.json").read_text())["sets"]
    assert score["coverage"] == {"rows": 11, "of": 12, "complete": False}


def test_nothing_is_marked_as_best_where_nothing_is_compared(labels: Path, cli: Cli) -> None:
    whole, part = _run(cli, labels, "sharpness", "whole"), _run(cli, labels, "noise", "part", "--limit", 5)
    assert "textbf" not in _report(cli, [whole, part], ".tex")
    page = _report(cli, [whole, part], ".html")
    assert '<tr class="best">' not in page
    other = _run(cli, labels, "bits", "other")
    assert "textbf" in _report(cli, [whole, part, other], ".tex")
    assert '<tr class="best">' in _report(cli, [whole, part, other], ".html")


def _score(**changes: Any) -> dict[str, Any]:
    values = {"plcc": 0.8, "srcc": 0.8, "krcc": 0.6, "rmse": 0.5, "mean": 0.8}
    mapped = {kind: {"plcc": 0.8} for kind in ("4", "5")}
    score = {"set": "x", "kind": "rated", "model": "m", "protocol": "p", "reader": "text", "facts": {}, "sha256": "0"}
    score |= {"failure_rate": 0.0, "ranked": True, "intervals": {}, "mapped": mapped, **values, **changes}
    return add_coverage(score, changes.get("rows", 9), 9)


def test_the_best_error_is_the_smallest() -> None:
    scores = [{"run": f"r{k}", "sets": [_score(rmse=rmse, srcc=0.5 + rmse)]} for k, rmse in enumerate((0.4, 0.2, 0.3))]
    scores.append({"run": "part", "sets": [_score(rmse=0.1, srcc=0.99, rows=4)]})
    (board,) = make_boards(scores)
    place = {name: k for k, name in enumerate(board.columns)}
    best = {name: [e.run for e in board.entries if board.is_best(e, k)] for name, k in place.items()}
    assert best["RMSE"] == ["r1"]
    assert best["SRCC"] == ["r0"]
    assert [entry.rank for entry in board.entries if entry.run == "part"] == [None]


# --- published numbers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "compared"), [(1169, True), (40, False), (1168, False), (1170, False)])
def test_published_numbers_stand_beside_whole_sets_only(n: int, compared: bool, tmp_path: Path) -> None:
    source = random.Random(0)
    items = [{"img_path": f"{k}.bmp", "gt_score": k % 97, "score": source.random()} for k in range(n)]
    (tmp_path / "p.json").write_text(json.dumps(items))
    found = score_predictions(tmp_path / "p.json", "clive:1169", None)
    assert found["coverage"] == {"rows": n, "of": 1169, "complete": compared}
    assert bool(found["published"]) == found["ranked"] == compared
    assert any(f"{n:,} of 1,169" in text for text in found["warnings"]) != compared


def test_predictions_that_lack_one_image_of_a_set_are_a_part(tmp_path: Path) -> None:
    root = write_kadid(tmp_path / "kadid")
    names = [path.name for path in sorted((root / "images").glob("I*_01_*.png"))]
    meta = [{"image": name, "gt_score": 1 + k / 2} for k, name in enumerate(names)]
    (tmp_path / "meta.json").write_text(json.dumps(meta))
    for left in (0, 1):
        (tmp_path / "p.json").write_text(json.dumps([{"image": n, "score": k} for k, n in enumerate(names[left:])]))
        found = score_predictions(tmp_path / "p.json", f"meta:{tmp_path / 'meta.json'}", root / "images")
        assert found["coverage"] == {"rows": 6 - left, "of": 6, "complete": not left}
        assert found["ranked"] == (not left)


# --- comparisons ----------------------------------------------------------------------------------------------------


def test_a_comparison_of_parts_says_how_much_is_shared(labels: Path, cli: Cli) -> None:
    whole, part = _run(cli, labels, "sharpness", "whole"), _run(cli, labels, "noise", "part", "--limit", 5)
    found = json.loads(cli("compare", whole, part, "--json").out)
    assert {(test["n"], test["of"]) for test in found["tests"]} == {(5, 12)}
    assert all("noise: 5 of 12 rows" in test["notes"] for test in found["tests"])
    assert "5 of 12" in cli("compare", whole, part).out


def test_a_comparison_of_disjoint_parts_says_that_nothing_is_shared(labels: Path, cli: Cli) -> None:
    one = _run(cli, labels, "sharpness", "one", "--shard", "1/2")
    two = _run(cli, labels, "noise", "two", "--shard", "2/2")
    done = cli("compare", one, two)
    assert done.code == 2
    assert "no item is in both; one read 6 of 6, two read 6 of 6, both 0, and 4 are needed" in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_a_comparison_of_what_nobody_read_says_so(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=6)
    for name in ("a", "b"):
        with serving(lambda body: "I cannot rate this.") as server:
            words = ("--on", "koniq:all", "--data", tmp_path, "--out", tmp_path / name, "--no-report", "--json")
            cli("run", "--model", f"openai:{server.url}#my-model", "--protocol", "visualquality-r1", *words)
    done = cli("compare", tmp_path / "a", tmp_path / "b")
    assert done.code == 2
    assert "6 items are in both; a read 0 of 6, b read 0 of 6, both 0, and 4 are needed" in done.err


def test_a_comparison_says_for_what_there_is_no_test(made: Path, cli: Cli, tmp_path: Path) -> None:
    for name in ("ssim", "psnr"):
        words = ("--on", f"local:{made}", "--out", tmp_path / name, "--no-report", "--json")
        assert cli("run", "--model", name, *words).code == 0
    done = cli("compare", tmp_path / "ssim", tmp_path / "psnr")
    assert done.code == 2
    assert "no paired test for what is scored by severity" in done.err


def test_a_comparison_names_the_sets_that_are_not_shared(labels: Path, cli: Cli) -> None:
    root = labels.parent
    write_llvisionqa(root / "questions", n=6)
    whole = _run(cli, labels, "constant", "whole")
    questions = ("--data", root, "--no-report", "--json", "--model", "random")
    cli("run", "--on", "qbench-a1", "--out", root / "asked", *questions)
    cli("run", "--on", f"qbench-a1,meta:{labels}", "--out", root / "both", *questions)
    done = cli("compare", whole, root / "asked")
    assert done.code == 2
    sets = "whole has meta:labels.json+score+up; asked has qbench-a1:dev"
    assert f"no set is in both: {sets}" in done.err
    found = json.loads(cli("compare", root / "asked", root / "both", "--json").out)
    assert found["lacking"] == ["meta:labels.json+score+up: only both has it"]
    assert (
        "not compared: meta:labels.json+score+up: only both has it" in cli("compare", root / "asked", root / "both").out
    )


# --- names that several runs or sets have ---------------------------------------------------------------------------


def test_runs_in_folders_of_one_name_are_told_apart(labels: Path, cli: Cli) -> None:
    one, two = _run(cli, labels, "sharpness", "one/run"), _run(cli, labels, "noise", "two/run")
    found = json.loads(cli("compare", one, two, "--json").out)
    assert found["runs"] == ["one/run", "two/run"]
    assert {(test["first"], test["second"]) for test in found["tests"]} == {("one/run", "two/run")}
    done = cli("compare", one, one)
    assert done.code == 2
    assert "one/run is named twice" in done.err


def test_images_of_one_name_are_apart_in_runs_and_comparisons(cli: Cli, tmp_path: Path) -> None:
    labels = write_meta(tmp_path)
    runs = [_run(cli, labels, name, name) for name in ("sharpness", "noise")]
    (score,) = json.loads((runs[0] / "scores.json").read_text())["sets"]
    assert len({name for name, *_ in score["points"]}) == score["n"] == score["coverage"]["of"] == 6
    found = json.loads(cli("compare", *runs, "--json").out)
    assert {test["n"] for test in found["tests"]} == {6}


def test_sets_of_one_name_with_other_labels_have_boards_of_their_own(labels: Path, cli: Cli) -> None:
    runs = [_run(cli, labels, "sharpness", "first"), _run(cli, labels, "noise", "second")]
    items = json.loads(labels.read_text())
    labels.write_text(json.dumps([{**item, "gt_score": 5 - item["gt_score"]} for item in items]))
    runs += [_run(cli, labels, "sharpness", "other"), _run(cli, labels, "noise", "part", "--limit", 5)]
    scores = [json.loads((run / "scores.json").read_text()) for run in runs]
    found = [[(entry.run, entry.rank) for entry in board.entries] for board in make_boards(separate_labels(scores))]
    assert [sorted(run for run, _ in board) for board in found] == [["first", "second"], ["other", "part"]]
    assert ("other", 1) in found[1]
    page = _report(cli, runs, ".html")
    assert len(set(re.findall(r"meta:labels\.json\+score\+up, labels [0-9a-f]{8}", page))) == 2
    assert _count_sections(page) == 4


def _count_sections(page: str) -> int:
    """How many sections the page has, each with a name of its own to which a row of a board leads."""
    names = re.findall(r'<section id="([^"]+)"', page)
    assert len(set(names)) == len(names)
    assert sorted(re.findall(r'<td class="left"><a href="#([^"]+)"', page)) == sorted(names)
    return len(names)


def test_a_set_that_one_run_asked_in_two_ways_has_two_sections(labels: Path, cli: Cli) -> None:
    run = _run(cli, labels, "constant", "run")
    _run(cli, labels, "constant", "run", "--protocol", "visualquality-r1")
    assert _count_sections(_report(cli, [run], ".html")) == 2


def test_a_part_stands_beside_whole_runs_whatever_its_labels() -> None:
    rows = {"whole": _score(), "part": _score(rows=4, sha256="1"), "other": _score(sha256="2")}
    found = make_boards(separate_labels([{"run": run, "sets": [score]} for run, score in rows.items()]))
    assert [[entry.run for entry in board.entries] for board in found] == [["whole", "part"], ["other"]]
    (alone,) = make_boards(separate_labels([{"run": "part", "sets": [rows["part"]]}]))
    assert [entry.run for entry in alone.entries] == ["part"]
