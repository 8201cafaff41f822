"""The command line in this process, a photograph, and data sets to point it at."""

from pathlib import Path

import pytest
from dataset_samples import picture, write_coco
from in_process import Cli, in_process
from reference_samples import encoded

from distortlab.cli import main


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Runs the program with words as they would be typed."""
    return in_process("distortlab", main, capsys, monkeypatch)


@pytest.fixture(scope="session")
def jpeg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "photo.jpg"
    path.write_bytes(encoded(picture(3), "JPEG", quality=90))
    return path


@pytest.fixture
def coco(tmp_path: Path) -> str:
    """The specification of six COCO images that a test may damage."""
    return write_coco(tmp_path / "coco", 6)
