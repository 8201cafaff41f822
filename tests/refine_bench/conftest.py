"""A small data set of the generator, and the command line in this process."""

from pathlib import Path

import pytest
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


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Endpoints are tried again at once, and without a key."""
    from refine_bench.models import endpoint

    monkeypatch.setattr(endpoint, "PAUSE_S", 0.01)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
