"""A stand-in hub that the clients of this process talk to."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants
from stand_in_hub import StandInHub

WRITER = "hf_writer"


def point_clients_at(endpoint: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What HF_ENDPOINT, HF_HOME and HF_HUB_DISABLE_XET would have done before the clients were imported."""
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", endpoint + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(home / "token"))
    monkeypatch.setattr(constants, "HF_STORED_TOKENS_PATH", str(home / "stored_tokens"))
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_TOKEN", WRITER)


class _Hasty:
    """The clock as the client sees it: its own pauses between tries are short."""

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.01))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInHub]:
    with StandInHub() as server:
        point_clients_at(server.endpoint, tmp_path, monkeypatch)
        monkeypatch.setattr("huggingface_hub.utils._http.time", _Hasty())
        yield server


@pytest.fixture
def client_environment(hub: StandInHub, tmp_path: Path) -> dict[str, str]:
    """For a process of its own."""
    told = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "home"), "HF_TOKEN": WRITER, "HF_HUB_OFFLINE": "0"}
    return {**os.environ, **told, "HF_HUB_DISABLE_XET": "1", "COLUMNS": "120"}
