"""Data sets of the generator: tasks, severity, sets of regions, floors; from the folder to the table."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dataset_samples import flip_byte
from hypothesis import given
from hypothesis import strategies as st
from in_process import Cli

from distortlab.core.errors import UserError
from distortlab.tasks import recognition
from refine_bench.datasets import local
from refine_bench.prompts.answers import Reading
from refine_bench.prompts.diagnosis import QUESTION, Region, format_regions, match_regions, read_regions
from refine_bench.scoring.diagnosis import score_diagnosis
from refine_bench.scoring.local import TaskAnswer, quadratic_kappa, score_tasks
from refine_bench.scoring.severity import SeverityReading, score_severity


def _told(folder: Path, view: str, answer: Any) -> list[TaskAnswer]:
    found = local.list_items(folder, "validation", view)
    return [TaskAnswer(item.id, answer(item.truth), item.truth, item.question) for item in found]


def _right(truth: Any) -> str:
    return f"<think>seen</think><answer>{truth['solution']}</answer>"


# --- tasks ----------------------------------------------------------------------------------------------------------


def test_the_truth_scores_one_everywhere(made: Path) -> None:
    found = score_tasks(_told(made, "tasks", _right))
    assert set(found["tasks"]) == {"recognition", "recognition_reference", "object", "grounding"}
    for task, entry in found["tasks"].items():
        assert entry["score"] == 1.0, task
        assert entry["failures"] == {}
    recognition = found["tasks"]["recognition"]
    assert (recognition["type_accuracy"], recognition["severity_accuracy"]) == (1.0, 1.0)
    assert (recognition["severity_mae"], recognition["severity_kappa"]) == (0.0, 1.0)
    grounding = found["tasks"]["grounding"]
    assert (grounding["mean_iou"], grounding["iou_50"]) == (1.0, 1.0)
    assert found["ranked"]


def test_every_number_has_its_floor_and_is_above_it_for_the_truth(made: Path) -> None:
    for entry in score_tasks(_told(made, "tasks", _right))["tasks"].values():
        for name, floor in entry["floor"].items():
            better = entry[name] < floor if name == "severity_mae" else entry[name] > floor
            assert better, name


def test_tables_hold_every_item_once(made: Path) -> None:
    for entry in score_tasks(_told(made, "tasks", _right))["tasks"].values():
        for name in ("family", "severity", "area", "family x severity", "family x severity x area"):
            assert sum(cell["n"] for cell in entry["by"][name].values()) == entry["n"]


def test_what_is_not_read_is_counted_and_scores_nothing(made: Path) -> None:
    found = score_tasks(_told(made, "tasks", lambda truth: "no idea"))
    assert found["failures"] == {"no_tag": found["n"]}
    assert not found["ranked"]
    assert all(entry["score"] == 0 for entry in found["tasks"].values())


def test_type_and_severity_are_scored_apart(made: Path) -> None:
    def other_type(truth: Any) -> str:
        region = truth["regions"][0]
        family = "noise" if region["family"] != "noise" else "blur"
        return f"<answer>{recognition.truth(family, region['severity'])}</answer>"

    def one_up(truth: Any) -> str:
        region = truth["regions"][0]
        severity = region["severity"] + (1 if region["severity"] < 5 else -1)
        return f"<answer>{recognition.truth(region['family'], severity)}</answer>"

    asked = [item for item in _told(made, "tasks", other_type) if item.truth["task"] == "recognition"]
    wrong_type = score_tasks(asked)["tasks"]["recognition"]
    assert (wrong_type["type_accuracy"], wrong_type["severity_accuracy"]) == (0.0, 1.0)
    assert all(
        row.get("noise", 0) + row.get("blur", 0) == sum(row.values()) for row in wrong_type["confusion"].values()
    )
    near = score_tasks([i for i in _told(made, "tasks", one_up) if i.truth["task"] == "recognition"])
    entry = near["tasks"]["recognition"]
    assert (entry["type_accuracy"], entry["severity_accuracy"], entry["severity_mae"]) == (1.0, 0.0, 1.0)
    assert 0 < entry["score"] < 1


def test_quadratic_kappa_by_hand() -> None:
    assert quadratic_kappa([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]) == 1.0
    assert quadratic_kappa([1, 1, 5, 5], [5, 5, 1, 1]) == -1.0
    assert quadratic_kappa([3, 3], [3, 3]) is None
    # 1 - sum(w o) / sum(w e) with w = (i - j)^2: o has 1 + 0 + 1, e 4 / 3 + 2 / 3 + ...
    right, given = [1, 2, 3], [2, 2, 2]
    assert quadratic_kappa(right, given) == pytest.approx(0.0)


# --- measures -------------------------------------------------------------------------------------------------------


def test_a_measure_that_falls_with_severity_has_srcc_one(made: Path) -> None:
    items = local.list_items(made, "validation", "severity")
    rows = [SeverityReading(Reading(-float(i.truth["regions"][0]["severity"])), i.truth) for i in items]
    found = score_severity(rows, 1.0)
    assert found["srcc"] == pytest.approx(1.0)
    assert score_severity(rows, -1.0)["srcc"] == pytest.approx(-1.0)


def test_measures_run_on_a_fresh_data_set(made: Path, tmp_path: Path, cli: Cli) -> None:
    for name in ("ssim", "gmsd"):
        done = cli("run", "--model", name, "--on", f"local:{made}", "--out", tmp_path / name, "--json")
        assert done.code == 0, done.err
        (score,) = json.loads(done.out)["sets"]
        assert score["n_read"] == 24
        assert score["srcc"] > 0.2
        assert (tmp_path / name / "report.html").is_file()
    assert cli("run", "--model", "ssim", "--on", f"local:{made}", "--out", tmp_path / "ssim", "--json").out


def test_floors_answer_every_task(made: Path, tmp_path: Path, cli: Cli) -> None:
    for name in ("constant", "random"):
        words = ("--on", f"local:{made}", "--out", tmp_path / name, "--json", "--no-report")
        done = cli("run", "--model", name, *words)
        (score,) = json.loads(done.out)["sets"]
        assert score["failures"] == {}
        for entry in score["tasks"].values():
            assert entry["score"] < 0.75


# --- sets of regions ------------------------------------------------------------------------------------------------


def _described(truth: Any) -> str:
    return format_regions([Region.from_truth(region) for region in truth["regions"]])


def test_a_perfect_diagnosis(made: Path) -> None:
    found = score_diagnosis(_told(made, "diagnosis", _described))
    assert (found["precision"], found["recall"], found["f1"]) == (1.0, 1.0, 1.0)
    assert (found["mean_iou"], found["type_accuracy"], found["severity_accuracy"]) == (1.0, 1.0, 1.0)
    assert found["false_alarms"] == 0.0
    assert found["pristine"] > 0


def test_false_alarms_and_silence(made: Path) -> None:
    loud = score_diagnosis(_told(made, "diagnosis", lambda t: format_regions([Region((0, 0, 1000, 1000), "blur", 1)])))
    assert loud["false_alarms"] == 1.0
    quiet = score_diagnosis(_told(made, "diagnosis", lambda t: format_regions([])))
    assert (quiet["precision"], quiet["recall"], quiet["f1"], quiet["false_alarms"]) == (None, 0.0, 0.0, 0.0)
    assert quiet["type_accuracy"] is None
    unread = score_diagnosis(_told(made, "diagnosis", lambda t: "hm"))
    assert unread["failures"] == {"no_tag": unread["n"]}
    assert unread["false_alarms"] is None


def test_regions_are_matched_one_to_one_for_the_largest_sum() -> None:
    right = [Region((0, 0, 100, 100), "blur", 1), Region((50, 0, 150, 100), "noise", 2)]
    given = [Region((40, 0, 140, 100), "noise", 2), Region((0, 0, 100, 90), "blur", 3)]
    found = match_regions(given, right)
    assert {(a.family, b.family) for a, b, _ in found} == {("noise", "noise"), ("blur", "blur")}
    # One box cannot count twice.
    assert len(match_regions([Region((20, 0, 120, 100), "blur", 1)], right)) == 1
    assert match_regions([], right) == []


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ("[1, 2]", "no_number"),
        ('[{"box": [0, 0, 2000, 5], "type": "Blur", "severity": "Slight"}]', "no_number"),
        ('{"box": 1}', "no_tag"),
        ("[" * 2000, "no_tag"),
        ("nothing", "no_tag"),
        ("", "empty"),
    ],
)
def test_a_diagnosis_that_cannot_be_read(answer: str, status: str) -> None:
    assert read_regions(f"<answer>{answer}</answer>") == status


@given(st.text(max_size=200))
def test_reading_regions_never_raises(text: str) -> None:
    found = read_regions(f"<answer>{text}</answer>")
    assert isinstance(found, list | str)


def test_a_diagnosis_in_a_fence_and_with_other_words() -> None:
    text = '<answer>```json\n[{"bbox_2d": [1, 2, 30, 40], "type": "contrast-weakening", "severity": 4}]\n```</answer>'
    assert read_regions(text) == [Region((1, 2, 30, 40), "contrast_weaken", 4)]
    assert "[]" in QUESTION


def test_floors_of_diagnosis_and_their_report(made: Path, tmp_path: Path, cli: Cli) -> None:
    found = {}
    for name in ("constant", "random"):
        words = ("--on", f"local:{made}", "--protocol", "diagnosis", "--out", tmp_path / name, "--json")
        (found[name],) = json.loads(cli("run", "--model", name, *words).out)["sets"]
        assert "false alarms" in (tmp_path / name / "report.html").read_text()
    assert (found["constant"]["false_alarms"], found["random"]["false_alarms"]) == (0.0, 1.0)
    assert found["constant"]["failures"] == found["random"]["failures"] == {}


# --- what is wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--model", "ssim", "--on", "local:nowhere"), ("no", "folder", "nowhere")),
        (("--model", "ssim", "--on", "local:"), ("local needs a folder",)),
        (("--model", "ssim", "--on", "local:{made}+tset"), ("no split", "validation")),
        (("--model", "constant", "--on", "local:{made}", "--protocol", "q-align"), ("q-align is for rated",)),
        (("--model", "constant", "--on", "local:{made}", "--shard", "3/2"), ("k/N",)),
        (("--model", "constant", "--on", "local:{made}", "--protocol", "diagnosys"), ("did you mean 'diagnosis'",)),
    ],
)
def test_a_wrong_word_is_one_sentence(
    words: tuple[str, ...], said: tuple[str, ...], made: Path, tmp_path: Path, cli: Cli
) -> None:
    filled = [word.replace("{made}", str(made)) for word in words]
    done = cli("run", *filled, "--out", tmp_path / "run")
    assert done.code == 2
    assert len(done.err.strip().splitlines()) == 1, done.err
    assert all(text in done.err for text in said), done.err
    assert not (tmp_path / "run").exists()


def test_a_folder_that_is_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"MANIFEST\.json"):
        local.list_splits(tmp_path)


def test_pixels_come_with_their_items(made: Path) -> None:
    for view in local.VIEWS:
        names = {item.id for item in local.list_items(made, "validation", view)}
        assert {name for name, _, _ in local.load_images(made, "validation", view)} == names
    assert np.isfinite([len(r or b"") for _, _, r in local.load_images(made, "validation", "severity")]).all()


def test_a_damaged_table_is_named(made: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(made, tmp_path / "damaged"))
    table = next((copy / "rft").glob("*.parquet"))
    flip_byte(table)
    with pytest.raises(UserError, match=f"{table.name} is damaged"):
        list(local.load_images(copy, "all", "tasks"))
