"""Data sets to describe."""

import pytest
from dataset_fixtures import copy, data  # noqa: F401  (fixtures)
from in_process import Cli, in_process

from distortlab.cli import main


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return in_process("distortlab", main, capsys, monkeypatch)
