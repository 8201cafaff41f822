"""A small data set on disk."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dataset_fixtures import data  # noqa: F401  (fixtures)
from hub_fixtures import client_environment, hub  # noqa: F401  (fixtures)
from reference_samples import encoded, photograph


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the three images of `small_coco`."""
    folder = tmp_path_factory.mktemp("coco") / "images"
    folder.mkdir()
    for key in (1, 2, 3):
        (folder / f"{key:012d}.jpg").write_bytes(encoded(photograph(seed=key), "JPEG", quality=92))
    return folder


@pytest.fixture
def written(tmp_path: Path) -> Callable[[Any], Path]:
    """Writes a document to a file and says where."""

    def write(document: Any) -> Path:
        path = tmp_path / "instances.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    return write
