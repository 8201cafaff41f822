"""Shortcut controls: false alarms by kind, and answers that a seam changes beside the untouched reference."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
from dataset_samples import Gallery, Painting, small_recipe
from in_process import Cli

from distortlab.generation.generate import generate
from refine_bench.datasets import local
from refine_bench.datasets.local import LocalTruth
from refine_bench.report import write_report
from refine_bench.scoring.controls import UNTOUCHED, measure_controls, read_claim
from refine_bench.scoring.task_answers import TaskAnswer

REGION = '[{"box": [1, 2, 300, 400], "type": "Blur", "severity": "Moderate"}]'


def make_answer(name: str, text: str, reference: str, task: str = "diagnosis", **truth: Any) -> TaskAnswer:
    known = {"image_id": name, "reference_id": reference, "regions": [], "size": [500, 500], "task": task, **truth}
    return TaskAnswer(name, f"<answer>{text}</answer>", cast(LocalTruth, known), "")


@pytest.mark.parametrize(
    ("task", "text", "claim"),
    [
        ("diagnosis", "[]", True),
        ("diagnosis", REGION, False),
        ("recognition", "None", True),
        ("recognition_reference", "Blur, Moderate", False),
        ("grounding", "None", True),
        ("grounding", "[1, 2, 300, 400]", False),
    ],
)
def test_what_an_answer_claims(task: str, text: str, claim: bool) -> None:
    found = read_claim(make_answer("a", text, "r", task))
    assert found is not None
    assert (found == ()) == claim


def test_what_cannot_be_read_claims_nothing() -> None:
    assert read_claim(make_answer("a", "perhaps", "r")) is None
    assert read_claim(TaskAnswer("a", "", make_answer("a", "", "r").truth, "", error="missing")) is None


def test_a_model_that_sees_seams_is_found_out() -> None:
    """It names a region in every second image with a seam, never in an untouched one, and once where there is bokeh."""
    seams = [
        make_answer(f"s{at}", REGION if at % 2 else "[]", f"r{at}", control=f"seam.{'level' if at < 20 else 'recode'}")
        for at in range(40)
    ]
    twins = {
        item.name: make_answer(f"{item.name}@", "[]", f"r{at}", untouched=item.name) for at, item in enumerate(seams)
    }
    others = [make_answer(f"b{at}", REGION if at < 1 else "[]", f"x{at}", control="bokeh") for at in range(4)]
    plain = [make_answer(f"p{at}", "[]", f"y{at}") for at in range(5)]
    distorted = [make_answer(f"d{at}", REGION, f"z{at}", regions=[{}]) for at in range(5)]
    found = measure_controls([*seams, *others, *plain, *distorted], twins)
    assert found is not None
    shares = {name: (cell["n"], cell["false_alarms"]) for name, cell in found["alarms"].items()}
    assert shares == {
        "bokeh": (4, 0.25),
        "pristine": (5, 0.0),
        "seam": (40, 0.5),
        "seam.level": (20, 0.5),
        "seam.recode": (20, 0.5),
        UNTOUCHED: (40, 0.0),
    }
    seam = found["seam"]
    assert seam is not None
    assert (seam["n_read"], seam["changed"], seam["alarms_more"]) == (40, 0.5, 0.5)
    assert seam["alarms_more_interval"] is not None
    assert 0.3 < seam["alarms_more_interval"][0] < 0.5 < seam["alarms_more_interval"][1] < 0.7
    assert seam["p"] is not None
    assert seam["p"] < 0.01


def test_an_answer_may_change_without_an_alarm_more() -> None:
    """Another box in the same picture: a change, and no reaction to the seam on average."""
    other = REGION.replace("300", "310")
    seams = [make_answer(f"s{at}", REGION, f"r{at}", control="seam.level") for at in range(10)]
    twins = {item.name: make_answer("t", other, item.truth["reference_id"], untouched=item.name) for item in seams}
    found = measure_controls(seams, twins)
    assert found is not None
    assert found["seam"] is not None
    assert (found["seam"]["changed"], found["seam"]["alarms_more"], found["seam"]["p"]) == (1.0, 0.0, None)


def test_without_controls_there_is_nothing_to_say() -> None:
    assert measure_controls([make_answer("p", "[]", "r")], {}) is None


# --- a data set -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made_controls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made_controls") / "data"
    recipe = small_recipe(
        n=10,
        images_per_reference=1,
        images_per_shard=10,
        splits={"test": 1},
        composition={"pristine": 4, "local": 1, "negatives": ["recognition_reference"]},
        controls={"natural": 0.25, "seam": 0.5, "references": {"motion": [Painting(n).id for n in range(0, 20, 2)]}},
        tasks={"diagnosis": 1, "recognition_reference": 1},
        samples_per_image=2,
    )
    generate(recipe, Gallery(limit=20), out, workers=1)
    return out


def test_the_untouched_reference_is_asked_about_in_the_same_words(made_controls: Path) -> None:
    items = {item.id: item for item in local.list_items(made_controls, "test", "tasks")}
    twins = [item for item in items.values() if "untouched" in item.truth]
    assert len(twins) == 8
    pictures = {key: images for key, images, _ in local.load_images(made_controls, "test", "tasks")}
    assert set(pictures) == set(items)
    for twin in twins:
        seam = items[twin.truth["untouched"]]
        assert seam.truth["control"].startswith("seam.")
        assert twin.question == seam.question
        assert len(pictures[twin.id]) == len(pictures[seam.id])
        assert len(set(pictures[twin.id])) == 1
        assert pictures[twin.id][-1] != pictures[seam.id][-1]


@pytest.mark.parametrize("protocol", ["distortlab", "diagnosis"])
def test_a_run_reports_its_controls(made_controls: Path, tmp_path: Path, cli: Cli, protocol: str) -> None:
    out = tmp_path / "run"
    words = ("--on", f"local:{made_controls}", "--out", out, "--protocol", protocol)
    done = cli("run", "--model", "whole", *words, "--no-report")
    assert done.code == 0, done.err
    assert "false alarms: seam.level" in done.out
    score = json.loads((out / "scores.json").read_text())["sets"][0]
    controls = score["controls"]
    assert controls["seam"]["changed"] == 0.0
    assert controls["alarms"]["seam"]["n"] == controls["alarms"][UNTOUCHED]["n"] == controls["seam"]["n"]
    assert controls["alarms"]["motion"]["n"] >= 2
    if protocol == "distortlab":
        assert score["n"] == 20  # without the eight that were asked for comparison
        assert score["coverage"]["complete"]
    write_report([out], out / "report.html")
    assert "Shortcut controls: nothing is distorted in any of them" in (out / "report.html").read_text()
