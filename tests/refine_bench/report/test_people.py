"""People as a line beside models: on the board of their data set, without a rank, and nowhere else."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from in_process import Cli

from distortlab.analysis.study.scores import FORMAT
from distortlab.storage.atomic import hash_file
from refine_bench.cli.run_all import Options, run_all


def make_share(value: float) -> dict[str, Any]:
    return {"right": {"n": 60, "people": 12, "value": value, "interval": [value - 0.1, value + 0.1]}}


@pytest.fixture
def people(made_sets: Path, tmp_path: Path) -> dict[str, Any]:
    tasks = {"recognition": make_share(0.71), "comparison": make_share(0.83), "detection": make_share(0.6)}
    data = {"name": "data", "manifest_sha256": hash_file(made_sets / "MANIFEST.json")}
    return {"format": FORMAT, "version": 1, "n": 12, "data": data, "tasks": tasks}


@pytest.fixture(scope="module")
def run(made_sets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("people") / "run"
    run_all("constant", [f"local:{made_sets}"], None, out, Options(report=False, quiet=True))
    return out


def test_people_stand_beside_models(cli: Cli, run: Path, people: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "people.json"
    file.write_text(json.dumps(people))
    told = cli("report", run, "--people", file, "--per-set", "--format", "csv")
    assert told.code == 0, told.err
    rows = [line for line in told.out.splitlines() if "people, n = 12" in line]
    assert any(',"recognition, type alone",0.71,' in line for line in rows)
    assert any(",comparison,0.83," in line for line in rows)
    assert any(",diagnosis,,," in line for line in rows)
    assert any("constant" in line and ',"recognition, type alone",0.' in line for line in told.out.splitlines())
    ranks = {row["model"]: row["rank"] for row in csv.DictReader(io.StringIO(told.out))}
    assert ranks == {"constant": "1", "people, n = 12": ""}
    page = tmp_path / "report.html"
    assert cli("report", run, "--people", file, "-o", page).code == 0
    text = page.read_text()
    assert "people, n = 12" in text
    assert "no rank: people, on a part of the images" in text
    assert "type alone" not in _report(cli, run, tmp_path)


def _report(cli: Cli, run: Path, folder: Path) -> str:
    assert cli("report", run, "-o", folder / "models.html").code == 0
    return (folder / "models.html").read_text()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": "x"}, "holds no scores of a study: distortlab study DATA --score"),
        ({"data": {"manifest_sha256": "f" * 64}}, "is about another data set (manifest ffffffffffff)"),
        ({"n": 0}, "does not say how many people answered what"),
        ({"tasks": {}}, "people were asked neither for types nor to compare"),
        (
            {"tasks": {"comparison": {"right": {"n": 3, "value": 7, "interval": [0, 1]}}}},
            "the share of comparison is no",
        ),
        (
            {"tasks": {"recognition": {"right": {"n": 3, "value": None, "interval": None}}}},
            "the share of recognition is",
        ),
    ],
)
def test_what_is_no_study_is_a_sentence(
    cli: Cli, run: Path, people: dict[str, Any], tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    file = tmp_path / "people.json"
    file.write_text(json.dumps(people | change))
    told = cli("report", run, "--people", file, "--per-set", "--format", "markdown")
    assert told.code == 2
    assert sentence in told.err
    assert told.err.count("\n") == 1


def test_the_one_table_has_no_people(cli: Cli, run: Path, people: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "people.json"
    file.write_text(json.dumps(people))
    told = cli("report", run, "--people", file, "--format", "latex")
    assert (told.code, "add --per-set" in told.err) == (2, True)
    assert cli("report", run, "--people", tmp_path / "none.json", "-o", tmp_path / "x.html").code == 2
