"""The command line in this process, a photograph, and data sets to point it at."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dataset_samples import Outcome, picture, write_coco
from reference_samples import encoded

from distortlab.cli import main

Cli = Callable[..., Outcome]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Runs the program with words as they would be typed. Much quicker than a process of its own."""

    def run(*words: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["distortlab", *map(str, words)])
        code: Any = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        caught = capsys.readouterr()
        return Outcome(code, caught.out, caught.err)

    return run


@pytest.fixture(scope="session")
def jpeg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "photo.jpg"
    path.write_bytes(encoded(picture(3), "JPEG", quality=90))
    return path


@pytest.fixture
def coco(tmp_path: Path) -> str:
    """The specification of six COCO images that a test may damage."""
    return write_coco(tmp_path / "coco", 6)
