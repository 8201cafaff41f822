"""The same over Xet, with the real client's chunking and deduplication, against a CAS in a folder."""

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dataset_samples import COMMAND, published
from stand_in_hub import StandInHub

pytest.importorskip("hf_xet", reason="huggingface_hub brings it on the usual platforms")
pytestmark = pytest.mark.slow

REPO = "user/name"


@pytest.fixture
def hub() -> Iterator[StandInHub]:
    with StandInHub(xet=True) as server:
        yield server


def pushed(hub: StandInHub, folder: Path, home: Path) -> dict[str, Any]:
    """In a process of its own: a client keeps the CAS locked while it lives."""
    told = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(home), "HF_TOKEN": "hf_writer", "HF_HUB_OFFLINE": "0"}
    environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_DISABLE_XET"}
    words = [*COMMAND, "push", str(folder), REPO, "--json"]
    done = subprocess.run(words, env={**environment, **told}, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return dict(json.loads(done.stdout))


def test_push_over_xet(hub: StandInHub, data: Path, tmp_path: Path) -> None:
    first = pushed(hub, data, tmp_path)
    assert (hub.received, first["changed"]) == (0, True)  # nothing went the old way
    tables = sum(path.stat().st_size for path in data.rglob("*.parquet"))
    assert 0 < hub.stored_bytes < 0.75 * tables  # questions repeat the images
    stored = hub.stored_bytes
    assert pushed(hub, data, tmp_path)["changed"] is False
    assert hub.stored_bytes == stored
    tree = hub.dataset(REPO).tree()
    assert all(entry.xet for path, entry in tree.items() if path.endswith(".parquet"))
    content = {path: hashlib.sha256(hub.data(entry)).hexdigest() for path, entry in tree.items() if path[0] != "."}
    here = published(data)
    assert content.pop("croissant.json") != here.pop("croissant.json")
    assert content == here
