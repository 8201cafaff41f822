"""`study`: what it prints, what it writes, and what it refuses."""

import json
from pathlib import Path

import pytest
from cli_outcomes import assert_refused
from dataset_samples import Gallery, small_recipe
from in_process import Cli
from study_samples import Person, write_answers
from view_samples import read_page

from distortlab.analysis.study.stimuli import read_stimuli
from distortlab.dataset.reader import open_data
from distortlab.generation.generate import generate


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("study") / "data"
    generate(small_recipe(n=6), Gallery(), out, workers=1)
    return out


def test_from_a_page_to_scores(cli: Cli, data: Path, tmp_path: Path) -> None:
    page = tmp_path / "study.html"
    told = cli("study", data, "-o", page, "--trials", 10, "--people", 3, "--tasks", "detection, recognition")
    assert (told.code, told.err) == (0, "")
    assert "questions to one person (" in told.out
    assert "6 of 6 images with one distortion, 3 references, without loss" in told.out
    stimuli = read_stimuli(open_data(data))
    answers = write_answers(
        tmp_path / "answers", [Person(str(k), stimuli, threshold=0.1).fill(read_page(page).data, k) for k in range(3)]
    )
    (tmp_path / "answers" / "bad.json").write_text("{")
    told = cli("study", data, "--score", *answers, tmp_path / "answers" / "bad.json", "-o", tmp_path / "people.json")
    assert (told.code, told.err) == (0, "")
    assert "people, n = 3" in told.out
    assert "left out: " in told.out
    assert "bad.json: no JSON" in told.out
    found = json.loads((tmp_path / "people.json").read_text())
    assert found["tasks"]["recognition"]["right"]["value"] > 0.8
    assert json.loads(cli("study", data, "--score", tmp_path / "answers", "--json").out) == found


def test_study_refuses(cli: Cli, data: Path, tmp_path: Path) -> None:
    page = tmp_path / "study.html"
    (tmp_path / "a.json").write_text("{}")
    assert_refused(cli("study", data, tmp_path / "a.json", "-o", page), "one argument too many", "--score")
    assert_refused(cli("study", data, "-o", page, "--tasks", "tasting"), "no task of a study called 'tasting'")
    assert_refused(cli("study", data, "--score", tmp_path / "a.json"), "a.json: no answers to a study")
    assert_refused(cli("study", data, "--score", tmp_path / "b.json"), "b.json has no answers")
    assert_refused(cli("study", tmp_path, "-o", page), "is no data set")
    assert not page.exists()
