"""Scores by distortion, by group of distortions, and by what else people were asked."""

import json
from pathlib import Path

import pytest
from bench_samples import write_csv, write_kadid, write_picture, write_spaq
from in_process import Cli

from refine_bench.datasets import SETS, name_kind
from refine_bench.prompts.answers import Reading
from refine_bench.scoring.rated import RatedPrediction, score_rated


def predict(k: int, value: float, truth: float, **more: object) -> RatedPrediction:
    return RatedPrediction(str(k), (Reading(value, "ok"),), truth, **more)  # type: ignore[arg-type]


def test_groups_put_distortions_together() -> None:
    items = [
        predict(10 * kind + k, k if kind < 3 else -k, 1.0 + k, kind=f"{kind:02}")
        for kind in (1, 2, 3)
        for k in range(5)
    ]
    found = score_rated(items, scale=None, groups={"first": ("01", "02"), "second": ("03",), "none": ("04",)})
    assert {name: cell["srcc"] for name, cell in found["by_kind"].items()} == {"01": 1, "02": 1, "03": -1}
    assert found["by_group"] == {"first": {"n": 10, "srcc": pytest.approx(1)}, "second": {"n": 5, "srcc": -1}}
    turned = score_rated(items, scale=None, sign=-1.0, groups={"second": ("03",)})
    assert turned["by_group"]["second"]["srcc"] == 1


def test_attributes_are_compared_with_predictions_and_with_people() -> None:
    """A model that follows sharpness alone; people follow both."""
    sharp, noisy, truth = (1, 2, 3, 4, 5), (5, 1, 4, 2, 3), (2.0, 1.0, 4.0, 3.0, 5.0)
    items = [
        predict(k, sharp[k], truth[k], attributes={"sharpness": sharp[k], **({"noise": noisy[k]} if k else {})})
        for k in range(5)
    ]
    found = score_rated(items, scale=None)["by_attribute"]
    assert found["sharpness"] == {"n": 5, "srcc": 1, "opinion": pytest.approx(0.8)}
    assert found["noise"]["n"] == 4
    assert score_rated([predict(k, k, k) for k in range(4)], scale=None)["by_attribute"] == {}


def test_kinds_have_names() -> None:
    assert name_kind("kadid:10125", "01") == "01 Gaussian blur"
    assert name_kind("tid2013", "24") == "24 sparse sampling and reconstruction"
    assert name_kind("csiq:866", "noise") == "noise"
    assert name_kind("a set of a later version", "x") == "x"
    for name, kinds, groups in (("kadid", 25, 7), ("tid2013", 24, 6)):
        facts = SETS[name].FACTS
        assert (len(set(facts.kinds.values())), len(facts.groups)) == (kinds, groups)
        assert {kind for members in facts.groups.values() for kind in members} == set(facts.kinds)


def test_a_run_shows_its_breakdowns(cli: Cli, tmp_path: Path) -> None:
    write_spaq(tmp_path / "spaq", n=9)
    root = write_kadid(tmp_path / "kadid")
    lines = []
    for reference in ("I01", "I66"):
        for kind in ("01", "09", "10"):
            for level in (1, 2, 3):
                name = f"{reference}_{kind}_0{level}.png"
                lines.append([name, f"{reference}.png", 5 - level, 0.5])
                write_picture(root / "images" / name, level)
    write_csv(root / "dmos.csv", ("dist_img", "ref_img", "dmos", "var"), lines)
    words = ("--on", "spaq,kadid", "--data", tmp_path, "--out", tmp_path / "run")
    shown = cli("run", "--model", "sharpness", *words)
    assert shown.code == 0, shown.err
    sets = json.loads((tmp_path / "run" / "scores.json").read_text())["sets"]
    kadid, spaq = sorted(sets, key=lambda score: score["set"])
    assert list(spaq["by_attribute"]) == ["brightness", "colorfulness", "contrast", "noisiness", "sharpness"]
    assert spaq["by_attribute"]["brightness"]["opinion"] == pytest.approx(-1)
    assert spaq["by_attribute"]["contrast"]["opinion"] is None
    assert {name: cell["n"] for name, cell in kadid["by_group"].items()} == {"blurs": 6, "compression": 12}
    page = (tmp_path / "run" / "report.html").read_text()
    for text in ("09 JPEG 2000", "compression", "noisiness"):
        assert text in shown.out
        assert text in page
    assert "SRCC by group of distortions" in page
