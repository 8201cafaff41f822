"""`study`: what it prints, what it writes, and what it refuses."""

import json
from pathlib import Path

import pytest
from cli_outcomes import assert_refused
from in_process import Cli, in_process
from study_samples import Person, write_answers
from view_samples import read_page

from distortlab.analysis.study.stimuli import Stimuli
from distortlab.cli import main


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return in_process("distortlab", main, capsys, monkeypatch)


def test_from_a_page_to_scores(cli: Cli, study_data: Path, stimuli: Stimuli, tmp_path: Path) -> None:
    page = tmp_path / "study.html"
    told = cli(
        "study",
        study_data,
        "-o",
        page,
        "--trials",
        20,
        "--people",
        3,
        "--images",
        10,
        "--tasks",
        "detection, recognition",
    )
    assert (told.code, told.err) == (0, "")
    assert "questions to one person (" in told.out
    assert "10 of 60 images with one distortion, " in told.out
    answers = write_answers(
        tmp_path / "answers", [Person(str(k), stimuli, threshold=0.1).fill(read_page(page).data, k) for k in range(3)]
    )
    (tmp_path / "answers" / "bad.json").write_text("{")
    told = cli(
        "study", study_data, "--score", *answers, tmp_path / "answers" / "bad.json", "-o", tmp_path / "people.json"
    )
    assert (told.code, told.err) == (0, "")
    assert "people, n = 3" in told.out
    assert "left out: " in told.out
    assert "bad.json: no JSON" in told.out
    found = json.loads((tmp_path / "people.json").read_text())
    assert found["tasks"]["recognition"]["right"]["value"] > 0.8
    assert json.loads(cli("study", study_data, "--score", tmp_path / "answers", "--json").out) == found


def test_study_refuses(cli: Cli, study_data: Path, tmp_path: Path) -> None:
    page = tmp_path / "study.html"
    (tmp_path / "a.json").write_text("{}")
    assert_refused(cli("study", study_data, tmp_path / "a.json", "-o", page), "one argument too many", "--score")
    assert_refused(cli("study", study_data, "-o", page, "--tasks", "tasting"), "no task of a study called 'tasting'")
    assert_refused(cli("study", study_data, "--score", tmp_path / "a.json"), "a.json: no answers to a study")
    assert_refused(cli("study", study_data, "--score", tmp_path / "b.json"), "b.json has no answers")
    assert_refused(cli("study", tmp_path, "-o", page), "is no data set")
    assert not page.exists()
