"""What a run says of what failed, and its exit code."""

import json
from pathlib import Path
from typing import Any

import pytest
from dataset_samples import assert_one_sentence, write_coco
from in_process import Cli, in_process

from distortlab.cli import main
from distortlab.generation.draw_counts import NO_PLACE, REPEATED
from distortlab.generation.report import Account

NARROW = """n = 24
images_per_shard = 24
splits = {train = 1}
[visibility]
tolerance = 1.03
regions_per_reference = 1
references_per_image = 1
"""
"""Few draws come so near to their severity."""
MANY = """n = 4
samples_per_image = 1
[composition]
regions = {12 = 1}
[tasks]
diagnosis = 1
recognition = 0
recognition_reference = 0
object = 0
grounding = 0
"""


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return in_process("distortlab", main, capsys, monkeypatch)


@pytest.mark.parametrize("kind", ["unfilled", "failures"])
@pytest.mark.parametrize(("failed", "bad"), [(0, False), (1, False), (6, False), (7, True), (600, True)])
def test_every_failure_counts_against_the_same_share(kind: str, failed: int, bad: bool) -> None:
    values: dict[str, Any] = {"wanted": 600, "opened": 600, "max_failures": 0.01, kind: failed}
    account = Account("data", finished=True, **values)
    assert bool(account.trouble) == bad
    assert len(account.warnings) == (failed > 0 and not bad)
    for said in (*account.warnings, *([account.trouble] if account.trouble else [])):
        assert said.startswith(f"{failed} of 600")
        assert "--max-failures" in said


def test_both_kinds_are_said() -> None:
    account = Account("data", finished=True, wanted=600, opened=10, unfilled=1, failures=5)
    assert account.trouble is not None
    assert account.trouble.startswith("5 of 10 references")
    assert [said[:8] for said in account.warnings] == ["1 of 600"]


@pytest.mark.parametrize(("allowed", "code"), [(0, 3), (1, 0)])
def test_images_that_could_not_be_made(cli: Cli, tmp_path: Path, allowed: float, code: int) -> None:
    recipe, out = tmp_path / "narrow.toml", tmp_path / "data"
    recipe.write_text(NARROW)
    refs = write_coco(tmp_path / "coco", 12)
    words = ("generate", "--recipe", recipe, "--refs", refs, "--workers", 1, "--out", out, "--max-failures", allowed)
    outcome = cli(*words, "--json")
    told = json.loads(outcome.out)
    assert 0 < told["unfilled"] <= 24
    assert outcome.code == code
    said = assert_one_sentence(outcome.err)
    assert f"{told['unfilled']} of 24 images could not be made" in said
    assert ("warning" in said) == (code == 0)
    assert (told["trouble"] is not None, len(told["warnings"])) == (code == 3, int(code == 0))
    assert sum(told["counts"]["rejected"].values()) >= told["unfilled"]
    again = cli(*words)
    assert (again.code, again.err) == (code, outcome.err)
    assert f"{told['unfilled']} of 24 images could not be made" in again.out


def test_references_that_could_not_be_used_are_in_the_json(cli: Cli, tmp_path: Path) -> None:
    refs = write_coco(tmp_path / "coco", 6)
    broken = sorted((tmp_path / "coco" / "images").iterdir())[0]
    broken.write_bytes(b"")
    recipe = tmp_path / "one.toml"
    recipe.write_text("n = 12\nsplits = {train = 1}\n")
    words = ("--recipe", recipe, "--refs", refs, "--workers", 1, "--out", tmp_path / "data", "--max-failures", 1)
    told = json.loads(cli("generate", *words, "--json").out)
    assert [line["reference"] for line in told["quarantined"]] == [f"coco-{broken.stem}"]
    assert broken.name in told["quarantined"][0]["reason"]
    assert len(told["warnings"]) == 1


@pytest.mark.parametrize(("repeated", "few"), [(9, True), (1, False)])
def test_too_few_references_are_named_as_the_reason(repeated: int, few: bool) -> None:
    rejected = {REPEATED: repeated, "blur: flat region": 6}
    trouble = Account("data", finished=True, wanted=100, unfilled=40, counts={"rejected": rejected}).trouble
    assert trouble is not None
    assert ("these references are few for so many images" in trouble) == few
    assert ("see the draws rejected" in trouble) != few


def test_references_that_cannot_be_used_are_named_as_the_reason() -> None:
    """Nothing was drawn, so no draw was rejected."""
    trouble = Account("data", finished=True, wanted=4, unfilled=4, counts={"screened": {"grey": 6}}).trouble
    assert trouble is not None
    assert "4 of 4 images could not be made: no reference could be used" in trouble
    assert trouble.endswith("take other references, or loosen [references] and [regions] of the recipe")
    assert "rejected" not in trouble


def test_too_few_regions_are_named_as_the_reason(cli: Cli, tmp_path: Path) -> None:
    """How many regions a picture of a folder has is known when it is segmented."""
    recipe = tmp_path / "many.toml"
    recipe.write_text(MANY)
    refs = write_coco(tmp_path / "coco", 6).partition(":")[2].rpartition(",")[2]
    words = ("--recipe", recipe, "--refs", f"folder:{refs}", "--workers", 1)
    outcome = cli("generate", *words, "--out", tmp_path / "data")
    assert outcome.code == 3
    said = assert_one_sentence(outcome.err)
    assert "too few regions that are disjoint; ask for fewer in composition.regions" in said
    trouble = Account(
        "data", True, 100, unfilled=40, counts={"rejected": {NO_PLACE: 1, "blur: flat region": 6}}
    ).trouble
    assert trouble is not None
    assert "disjoint" not in trouble
