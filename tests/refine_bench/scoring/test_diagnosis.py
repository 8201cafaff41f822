"""Scores of sets of regions, and their floors."""

import json
from pathlib import Path
from typing import Any

from bench_scores import answer_items
from in_process import Cli

from refine_bench.prompts.diagnosis import Region, format_regions
from refine_bench.scoring.diagnosis import score_diagnosis


def _described(truth: Any) -> str:
    return format_regions([Region.from_truth(region) for region in truth["regions"]])


def test_a_perfect_diagnosis(made: Path) -> None:
    found = score_diagnosis(answer_items(made, "diagnosis", _described))
    assert (found["precision"], found["recall"], found["f1"]) == (1.0, 1.0, 1.0)
    assert (found["mean_iou"], found["type_accuracy"], found["severity_accuracy"]) == (1.0, 1.0, 1.0)
    assert found["false_alarms"] == 0.0
    assert found["pristine"] > 0


def test_false_alarms_and_silence(made: Path) -> None:
    loud = score_diagnosis(
        answer_items(made, "diagnosis", lambda t: format_regions([Region((0, 0, 1000, 1000), "blur", 1)]))
    )
    assert loud["false_alarms"] == 1.0
    quiet = score_diagnosis(answer_items(made, "diagnosis", lambda t: format_regions([])))
    assert (quiet["precision"], quiet["recall"], quiet["f1"], quiet["false_alarms"]) == (None, 0.0, 0.0, 0.0)
    assert quiet["type_accuracy"] is None
    unread = score_diagnosis(answer_items(made, "diagnosis", lambda t: "hm"))
    assert unread["failures"] == {"no_tag": unread["n"]}
    assert unread["false_alarms"] is None


def test_floors_of_diagnosis_and_their_report(made: Path, tmp_path: Path, cli: Cli) -> None:
    found = {}
    for name in ("constant", "random"):
        words = ("--on", f"local:{made}", "--protocol", "diagnosis", "--out", tmp_path / name, "--json")
        (found[name],) = json.loads(cli("run", "--model", name, *words).out)["sets"]
        assert "false alarms" in (tmp_path / name / "report.html").read_text()
    assert (found["constant"]["false_alarms"], found["random"]["false_alarms"]) == (0.0, 1.0)
    assert found["constant"]["failures"] == found["random"]["failures"] == {}
