"""Scores of sets of regions, their floors, and the answers of models that do not look."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from bench_scores import answer_items
from in_process import Cli

from distortlab.tasks import diagnosis
from distortlab.tasks.diagnosis import DistortedRegion
from distortlab.tasks.region_lists import format_regions, parse_regions
from refine_bench.scoring.diagnosis import score_diagnosis
from refine_bench.scoring.local import score_tasks
from refine_bench.scoring.region_sets import METRICS, RegionSet, measure_regions, name_kind
from refine_bench.scoring.task_answers import TaskAnswer

FRAME = DistortedRegion((0, 0, 1000, 1000), "blur", 1)


def _describe(truth: Any) -> str:
    regions = [DistortedRegion(tuple(r["box"]), r["family"], r["severity"]) for r in truth["regions"]]
    return f"<answer>{format_regions(regions)}</answer>"


def _say(*regions: DistortedRegion) -> str:
    return f"<answer>{format_regions(regions)}</answer>"


@pytest.mark.parametrize("data", ["made", "made_sets"])
def test_a_perfect_diagnosis(data: str, request: pytest.FixtureRequest) -> None:
    found = score_diagnosis(answer_items(request.getfixturevalue(data), "diagnosis", _describe))
    assert (found["precision"], found["recall"], found["f1"]) == (1.0, 1.0, 1.0)
    assert (found["mean_iou"], found["type_accuracy"], found["severity_accuracy"]) == (1.0, 1.0, 1.0)
    assert found["false_alarms"] == 0.0
    assert found["pristine"] > 0
    assert all(bounds is not None and bounds[1] >= bounds[0] for bounds in found["intervals"].values())


def test_false_alarms_and_silence(made: Path) -> None:
    loud = score_diagnosis(answer_items(made, "diagnosis", lambda t: _say(FRAME)))
    assert loud["false_alarms"] == 1.0
    quiet = score_diagnosis(answer_items(made, "diagnosis", lambda t: _say()))
    assert (quiet["precision"], quiet["recall"], quiet["f1"], quiet["false_alarms"]) == (None, 0.0, 0.0, 0.0)
    assert quiet["type_accuracy"] is None
    assert quiet["intervals"]["type_accuracy"] is None
    unread = score_diagnosis(answer_items(made, "diagnosis", lambda t: "hm"))
    assert unread["failures"] == {"no_tag": unread["n"]}
    assert unread["false_alarms"] is None


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ("<answer>[1, 2]</answer>", "no_tag"),
        ('<answer>{"box": 1}</answer>', "no_tag"),
        (f"<answer>{'[' * 2000}</answer>", "no_tag"),
        ("<answer></answer>", "empty"),
        ("<answer>[]", "truncated"),
        ("<answer>[]</answer><answer>[]</answer>", "multiple"),
    ],
)
def test_why_a_diagnosis_cannot_be_read(made: Path, answer: str, status: str) -> None:
    found = score_diagnosis(answer_items(made, "diagnosis", lambda t: answer))
    assert found["failures"] == {status: found["n"]}


def test_metrics_are_sums_over_all_regions() -> None:
    one, other = DistortedRegion((0, 0, 100, 100), "noise", 4), DistortedRegion((500, 500, 900, 900), "blur", 1)
    near = DistortedRegion((0, 0, 100, 80), "noise", 2)
    wrong = DistortedRegion((500, 500, 900, 900), "pixelate", 1)
    items = [
        RegionSet([near, wrong, FRAME], [one, other], "a"),
        RegionSet([], [one], "b"),
        RegionSet(None, [one], "c"),
        RegionSet([], [], "d"),
        RegionSet([FRAME], [], "e"),
        RegionSet(None, [], "f"),
    ]
    found = measure_regions(items)
    assert (found["precision"], found["recall"], found["f1"]) == (2 / 4, 2 / 4, 4 / 8)
    assert found["mean_iou"] == pytest.approx((0.8 + 1.0) / 2)
    assert (found["type_accuracy"], found["severity_accuracy"]) == (0.5, 0.5)
    assert (found["pristine"], found["false_alarms"]) == (2, 0.5)
    assert found["by_family"]["noise"] == {"n": 3, "recall": 1 / 3, "type_accuracy": 1.0, "severity_accuracy": 0.0}
    assert found["floors"]["constant"]["recall"] == found["floors"]["constant"]["false_alarms"] == 0.0
    assert found["floors"]["whole"]["false_alarms"] == 1.0
    assert set(found["intervals"]) == set(METRICS)
    low, high = found["intervals"]["f1"] or (1.0, 0.0)
    assert 0.0 <= low < 0.5 < high <= 1.0


def test_equal_boxes_that_overlap_are_found_by_what_they_are() -> None:
    box = (0, 0, 100, 100)
    right = [DistortedRegion(box, "noise", 4), DistortedRegion(box, "blur", 1)]
    found = measure_regions([RegionSet(right[::-1], right, "a"), RegionSet(right, right, "b")])
    assert (found["f1"], found["type_accuracy"], found["severity_accuracy"]) == (1.0, 1.0, 1.0)


def test_the_kinds_of_images() -> None:
    part = DistortedRegion((0, 0, 10, 10), "noise", 4)
    named = [name_kind(regions, (1000, 1000)) for regions in ((), (FRAME,), (part,), (part, FRAME))]
    assert named == ["pristine", "whole image", "1 region", "2 regions"]


# --- as questions of a data set -------------------------------------------------------------------------------------


def _solve(truth: Any) -> str:
    return f"<answer>{truth['solution']}</answer>"


def test_questions_about_sets_and_pairs_are_scored(made_sets: Path) -> None:
    tasks = score_tasks(answer_items(made_sets, "tasks", _solve))["tasks"]
    assert set(tasks) == {"diagnosis", "comparison", "comparison_regions", "recognition", "grounding"}
    assert [table["score"] for table in tasks.values()] == [1.0] * 5
    table: Any = tasks["diagnosis"]
    assert [table[name] for name in METRICS] == [1.0] * 6 + [0.0]
    assert set(table["by"]["kind"]) == {"pristine", "whole image", "1 region", "2 regions", "3 regions"}
    assert tasks["comparison"]["accuracy"] == 1.0  # type: ignore[typeddict-item]
    first = tasks["comparison"]["first"]  # type: ignore[typeddict-item]
    assert tasks["comparison"]["floor"]["accuracy"] == max(first, 1 - first)


def test_a_model_that_says_nothing_and_one_that_says_the_whole_image(made_sets: Path) -> None:
    """What they earn is what the table calls their floors."""
    items = answer_items(made_sets, "tasks", _solve)
    of_sets = [item for item in items if item.truth["task"] == "diagnosis"]
    truths = [parse_regions(str(item.truth["solution"])).regions for item in of_sets]  # type: ignore[union-attr]
    kinds = Counter((region.family, region.severity) for regions in truths for region in regions)
    family, severity = max(kinds, key=lambda kind: (kinds[kind], str(kind)))
    answers = {"constant": _say(), "whole": _say(DistortedRegion((0, 0, 1000, 1000), family, severity))}
    for name, text in answers.items():
        answered = [TaskAnswer(item.name, text, item.truth, item.prompt) for item in of_sets]
        table: Any = score_tasks(answered)["tasks"]["diagnosis"]
        assert {metric: table[metric] for metric in METRICS} == table["floors"][name]
        assert table["floor"]["false_alarms"] == 0.0
        assert table["floor"]["f1"] == table["floors"]["whole"]["f1"] > 0
    shares = Counter(table["by"]["kind"]["pristine"]["score"] for table in [table])
    assert shares == {0.1: 1}


def test_boxes_in_pixels_are_held_against_the_frame_in_pixels() -> None:
    solution = '[{"box": [0, 0, 640, 480], "type": "Noise", "severity": "Severe"}]'
    truth: Any = {"task": "diagnosis", "solution": solution, "size": [640, 480], "reference_id": "a", "regions": []}
    items = [
        TaskAnswer(str(number), f"<answer>{solution}</answer>", truth, diagnosis.question("pixels", (640, 480)))
        for number in range(2)
    ]
    table: Any = score_tasks(items)["tasks"]["diagnosis"]
    assert table["f1"] == table["floors"]["whole"]["f1"] == 1.0
    assert set(table["by"]["kind"]) == {"whole image"}


def test_floors_of_diagnosis_and_their_report(made_sets: Path, tmp_path: Path, cli: Cli) -> None:
    found: dict[str, Any] = {}
    for name in ("constant", "random", "whole"):
        words = ("--on", f"local:{made_sets}", "--protocol", "diagnosis", "--out", tmp_path / name, "--json")
        (found[name],) = json.loads(cli("run", "--model", name, *words).out)["sets"]
        page = (tmp_path / name / "report.html").read_text()
        assert "false alarms" in page
        assert "on Diag-Bench, another data set" in page
    assert [found[name]["false_alarms"] for name in found] == [0.0, 1.0, 1.0]
    assert all(score["failures"] == {} for score in found.values())
    assert found["constant"]["recall"] == 0.0
    assert found["whole"]["recall"] == found["whole"]["floors"]["whole"]["recall"] > 0


def test_floors_of_questions_about_sets_and_their_report(made_sets: Path, tmp_path: Path, cli: Cli) -> None:
    for name in ("constant", "whole"):
        done = cli("run", "--model", name, "--on", f"local:{made_sets}", "--out", tmp_path / name)
        assert done.code == 0, done.err
        assert "severity of matched regions (SevAcc)" in done.out
        assert "answers that name the first one" in done.out
        page = (tmp_path / name / "report.html").read_text()
        assert "diagnosis: mean score by kind of image" in page
        assert "on Diag-Bench, another data set" in page
