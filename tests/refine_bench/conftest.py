"""A small data set of the generator, and the command line in this process."""

import json
from pathlib import Path

import pytest
from bench_runs import run_brightness_model
from bench_samples import write_agiqa, write_koniq, write_picture
from in_process import Cli, in_process

from distortlab.generation.generate import generate
from distortlab.recipe import load_recipe
from refine_bench.cli.app import main


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Runs the program with words as they would be typed."""
    return in_process("refine-bench", main, capsys, monkeypatch)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 images from the built-in references, with questions."""
    out = tmp_path_factory.mktemp("made") / "data"
    recipe = load_recipe("smoke", n=24, splits={"validation": 1.0}, references={"max_side": 400}, images_per_shard=24)
    generate(recipe, "scenes", out, workers=1)
    return out


@pytest.fixture(scope="session")
def made_sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 images, pristine, distorted as a whole or in up to three regions, with questions about them."""
    out = tmp_path_factory.mktemp("made_sets") / "data"
    recipe = load_recipe(
        "smoke",
        n=24,
        splits={"validation": 1.0},
        references={"max_side": 400},
        images_per_shard=24,
        samples_per_image=2.0,
        composition={"pristine": 1, "whole": 1, "local": 3, "regions": {"1": 1, "2": 2, "3": 2}},
        tasks={"diagnosis": 4, "comparison": 2, "comparison_regions": 4, "recognition": 2, "grounding": 1},
    )
    generate(recipe, "scenes", out, workers=1)
    return out


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Endpoints are tried again at once, and without a key."""
    from refine_bench.models import endpoint

    monkeypatch.setattr(endpoint, "PAUSE_S", 0.01)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture
def model_runs(cli: Cli, tmp_path: Path) -> tuple[Path, Path]:
    """An endpoint that sees brightness, and one that sees little of it, on KonIQ-10k."""
    run_brightness_model(cli, tmp_path, tmp_path / "a")
    run_brightness_model(cli, tmp_path, tmp_path / "b", noise=0.9)
    return tmp_path / "a", tmp_path / "b"


@pytest.fixture
def measure_runs(cli: Cli, tmp_path: Path) -> tuple[Path, ...]:
    """Three measures on two sets; whole, but for one run on KonIQ-10k."""
    write_koniq(tmp_path / "koniq", n=24)
    write_agiqa(tmp_path / "agiqa")
    folders = tuple(tmp_path / name for name in ("sharpness", "noise", "bits"))
    for folder in folders:
        words = ("--on", "koniq:all,agiqa", "--data", tmp_path, "--out", folder, "--no-report")
        assert cli("run", "--model", folder.name, *words).code == 0
        head = json.loads((folder / "run.json").read_text())
        for entry, facts in head["sets"].items():
            n = len((folder / "items" / f"{entry}.jsonl").read_text().splitlines())
            facts["expected"] = n + (folder.name == "bits" and facts["set"].startswith("koniq"))
        (folder / "run.json").write_text(json.dumps(head))
    return folders


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Twelve rated pictures: a set of which a run can have all rows."""
    for k in range(12):
        write_picture(tmp_path / "pictures" / f"{k}.png", k)
    items = [{"image": f"pictures/{k}.png", "gt_score": 1 + k / 3} for k in range(12)]
    (tmp_path / "labels.json").write_text(json.dumps(items))
    return tmp_path / "labels.json"
