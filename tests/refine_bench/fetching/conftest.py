"""A mirror on a stand-in hub, and a server in the place of all other addresses."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from file_server import FileServer
from hub_fixtures import hub  # noqa: F401
from mirror_samples import fill_hub, point_sources_at
from stand_in_hub import StandInHub

from distortlab.storage.hub_client import Patience
from refine_bench.fetching import fetch, plan


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer() as found:
        yield found


@pytest.fixture
def mirror(
    hub: StandInHub,  # noqa: F811
    server: FileServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> StandInHub:
    """With KonIQ-10k and KADID-10k; nobody waits for it for long."""
    hasty = Patience(tries=2, first_s=0.01)
    monkeypatch.setattr(plan, "_QUICK", hasty)
    monkeypatch.setattr(fetch, "Patience", lambda: hasty)
    point_sources_at(server, monkeypatch)
    fill_hub(hub, server, tmp_path, ("koniq", "kadid"))
    return hub
