"""Data sets to publish."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dataset_samples import Gallery, small_recipe

from distortlab.generation.generate import generate


def make_data_set(folder: Path, **recipe: Any) -> Path:
    generate(small_recipe(**recipe), Gallery(), folder, workers=1)
    return folder


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve images in three shards, two splits. Not to be changed."""
    return make_data_set(tmp_path_factory.mktemp("shared") / "data")


@pytest.fixture(scope="session")
def smaller(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six images in two shards: what a changed recipe gives. Not to be changed."""
    return make_data_set(tmp_path_factory.mktemp("shared") / "smaller", n=6)


@pytest.fixture
def copy(data: Path, tmp_path: Path) -> Callable[[], Path]:
    """A copy of `data` that a test may damage."""
    return lambda: Path(shutil.copytree(data, tmp_path / "copy"))
