"""Scores of the tasks of data sets made by `distortlab`, and their floors."""

import json
from pathlib import Path
from typing import Any

import pytest
from bench_scores import answer_items
from in_process import Cli

from distortlab.tasks import recognition
from distortlab.tasks.terms import DIFFICULTIES
from refine_bench.scoring.local import quadratic_kappa, score_tasks
from refine_bench.scoring.task_answers import TaskAnswer


def _right(truth: Any) -> str:
    return f"<think>seen</think><answer>{truth['solution']}</answer>"


def test_the_truth_scores_one_everywhere(made: Path) -> None:
    found = score_tasks(answer_items(made, "tasks", _right))
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
    for entry in score_tasks(answer_items(made, "tasks", _right))["tasks"].values():
        for name, floor in entry["floor"].items():
            better = entry[name] < floor if name == "severity_mae" else entry[name] > floor
            assert better, name


def test_tables_hold_every_item_once(made: Path) -> None:
    for entry in score_tasks(answer_items(made, "tasks", _right))["tasks"].values():
        for name in ("family", "severity", "difficulty", "area", "family x severity", "family x severity x area"):
            assert sum(cell["n"] for cell in entry["by"][name].values()) == entry["n"]


def test_scores_by_difficulty_are_those_of_its_questions(made: Path) -> None:
    def right_if_easy(truth: Any) -> str:
        return _right(truth) if truth["regions"][0]["difficulty"] == "easy" else ""

    for entry in score_tasks(answer_items(made, "tasks", right_if_easy))["tasks"].values():
        by = entry["by"]["difficulty"]
        assert set(by) <= set(DIFFICULTIES)
        assert all(cell["score"] == (name == "easy") for name, cell in by.items())


def test_what_is_not_read_is_counted_and_scores_nothing(made: Path) -> None:
    found = score_tasks(answer_items(made, "tasks", lambda truth: "no idea"))
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

    asked = [item for item in answer_items(made, "tasks", other_type) if item.truth["task"] == "recognition"]
    wrong_type = score_tasks(asked)["tasks"]["recognition"]
    assert (wrong_type["type_accuracy"], wrong_type["severity_accuracy"]) == (0.0, 1.0)
    assert all(
        row.get("noise", 0) + row.get("blur", 0) == sum(row.values()) for row in wrong_type["confusion"].values()
    )
    near = score_tasks([i for i in answer_items(made, "tasks", one_up) if i.truth["task"] == "recognition"])
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


def test_floors_answer_every_task(made: Path, tmp_path: Path, cli: Cli) -> None:
    for name in ("constant", "random"):
        words = ("--on", f"local:{made}", "--out", tmp_path / name, "--json", "--no-report")
        done = cli("run", "--model", name, *words)
        (score,) = json.loads(done.out)["sets"]
        assert score["failures"] == {}
        for entry in score["tasks"].values():
            assert entry["score"] < 0.75


def test_pristine_images_that_are_asked_about_a_region() -> None:
    """Their answer is "None"; they have no severity, and a group of their own."""
    region = {"box": [0, 0, 500, 500], "family": "noise", "severity": 4, "area": 0.25, "difficulty": None}
    found: Any = {}
    prompt = recognition.question(["noise", "blur", "darken"], False, may_be_none=True)
    for answer in ("None", "Noise, Severe"):
        items = []
        for name, regions, solution in (("a", [], "None"), ("b", [region], "Noise, Severe")):
            truth: Any = {"task": "recognition", "solution": solution, "regions": regions, "reference_id": name}
            items.append(TaskAnswer(name, f"<answer>{answer}</answer>", truth, prompt))
        (found[answer],) = score_tasks(items)["tasks"].values()
    assert {answer: table["score"] for answer, table in found.items()} == {"None": 0.5, "Noise, Severe": 0.5}
    assert found["None"]["by"]["family"] == {"noise": {"n": 1, "score": 0.0}, "pristine": {"n": 1, "score": 1.0}}
    assert found["None"]["confusion"] == {"noise": {"pristine": 1}, "pristine": {"pristine": 1}}
    assert found["Noise, Severe"]["confusion"] == {"noise": {"noise": 1}, "pristine": {"noise": 1}}
    assert found["None"]["severity_kappa"] is None
    floor = {"type_accuracy": 0.5, "severity_accuracy": 0.5, "severity_mae": 2.0, "severity_kappa": 0.0}
    assert found["None"]["floor"] == floor, "what None always earns"
    assert {name: found["None"][name] for name in floor} == {**floor, "severity_kappa": None}
    distorted = [TaskAnswer("b", "", truth, prompt)]
    (alone,) = score_tasks(distorted)["tasks"].values()
    assert alone["floor"]["type_accuracy"] == 1 / 4  # type: ignore[typeddict-item]
    nothing: Any = {"task": "grounding", "solution": "None", "regions": [], "reference_id": "a"}
    (grounding,) = score_tasks([TaskAnswer("a", "<answer>None</answer>", nothing, "Where?")])["tasks"].values()
    assert grounding["score"] == 1.0
    assert grounding["floor"]["mean_iou"] == 1.0  # type: ignore[typeddict-item]
