"""Comparisons of runs: paired tests, by reference where images share one, and why there is none."""

import json
from pathlib import Path

import pytest
from bench_runs import run_on_labels
from bench_samples import write_kadid, write_koniq, write_llvisionqa, write_meta
from bench_servers import serving
from in_process import Cli


def test_paired_tests_over_what_both_have_read(model_runs: tuple[Path, Path], cli: Cli) -> None:
    done = cli("compare", *model_runs, "--json")
    found = json.loads(done.out)
    assert {test["metric"] for test in found["tests"]} == {"plcc", "srcc"}
    for test in found["tests"]:
        assert test["p_holm"] >= test["p"]
        assert test["n"] <= 60
        low, high = test["interval"]
        assert low <= test["difference"] <= high
    assert "Holm" in cli("compare", *model_runs).out


def test_images_that_share_references_are_compared_by_reference(cli: Cli, tmp_path: Path) -> None:
    write_kadid(tmp_path / "kadid")
    for name in ("sharpness", "noise"):
        cli("run", "--model", name, "--on", "kadid", "--data", tmp_path, "--out", tmp_path / name, "--no-report")
    found = json.loads(cli("compare", tmp_path / "sharpness", tmp_path / "noise", "--json").out)
    assert {test["test"] for test in found["tests"]} == {"paired jackknife by reference"}
    assert all(test["few_clusters"] for test in found["tests"])


@pytest.mark.parametrize("names", [("a",), ("a", "nowhere")])
def test_what_cannot_be_compared(names: tuple[str, ...], model_runs: tuple[Path, Path], cli: Cli) -> None:
    done = cli("compare", *(model_runs[0].parent / name for name in names))
    assert done.code == 2
    assert len(done.err.strip().splitlines()) == 1


def test_a_comparison_of_parts_says_how_much_is_shared(labels: Path, cli: Cli) -> None:
    whole, part = (
        run_on_labels(cli, labels, "sharpness", "whole"),
        run_on_labels(cli, labels, "noise", "part", "--limit", 5),
    )
    found = json.loads(cli("compare", whole, part, "--json").out)
    assert {(test["n"], test["of"]) for test in found["tests"]} == {(5, 12)}
    assert all("noise: 5 of 12 rows" in test["notes"] for test in found["tests"])
    assert "5 of 12" in cli("compare", whole, part).out


def test_a_comparison_of_disjoint_parts_says_that_nothing_is_shared(labels: Path, cli: Cli) -> None:
    one = run_on_labels(cli, labels, "sharpness", "one", "--shard", "1/2")
    two = run_on_labels(cli, labels, "noise", "two", "--shard", "2/2")
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
    whole = run_on_labels(cli, labels, "constant", "whole")
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


def test_images_of_one_name_are_apart_in_runs_and_comparisons(cli: Cli, tmp_path: Path) -> None:
    labels = write_meta(tmp_path)
    runs = [run_on_labels(cli, labels, name, name) for name in ("sharpness", "noise")]
    (score,) = json.loads((runs[0] / "scores.json").read_text())["sets"]
    assert len({name for name, *_ in score["points"]}) == score["n"] == score["coverage"]["of"] == 6
    found = json.loads(cli("compare", *runs, "--json").out)
    assert {test["n"] for test in found["tests"]} == {6}
