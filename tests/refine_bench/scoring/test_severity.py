"""How far measures fall with severity."""

import json
from pathlib import Path

import pytest
from in_process import Cli

from refine_bench.datasets import local
from refine_bench.prompts.answers import Reading
from refine_bench.scoring.severity import SeverityReading, score_severity


def test_a_measure_that_falls_with_severity_has_srcc_one(made: Path) -> None:
    items = local.list_items(made, "validation", "severity")
    rows = [SeverityReading(Reading(-float(i.truth["regions"][0]["severity"])), i.truth) for i in items]
    found = score_severity(rows, 1.0)
    assert found["srcc"] == pytest.approx(1.0)
    assert score_severity(rows, -1.0)["srcc"] == pytest.approx(-1.0)


def test_of_images_with_several_regions_there_is_no_one_severity(made_sets: Path) -> None:
    items = local.list_items(made_sets, "validation", "severity")
    alone = [item for item in items if len(item.truth["regions"]) == 1]
    assert 0 < len(alone) < len(items)
    rows = [SeverityReading(Reading(float(place)), item.truth) for place, item in enumerate(items)]
    assert score_severity(rows, 1.0)["n_read"] == len(alone)


def test_measures_run_on_a_fresh_data_set(made: Path, tmp_path: Path, cli: Cli) -> None:
    for name in ("ssim", "gmsd"):
        done = cli("run", "--model", name, "--on", f"local:{made}", "--out", tmp_path / name, "--json")
        assert done.code == 0, done.err
        (score,) = json.loads(done.out)["sets"]
        assert score["n_read"] == 24
        assert score["srcc"] > 0.2
        assert (tmp_path / name / "report.html").is_file()
    assert cli("run", "--model", "ssim", "--on", f"local:{made}", "--out", tmp_path / "ssim", "--json").out
