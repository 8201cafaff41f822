"""A bucket to write to, a client to look into it, and a folder for temporary files."""

import logging
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import s3fs
from fsspec.asyn import get_loop, sync
from hub_fixtures import client_environment, hub  # noqa: F401  (fixtures)
from s3_server import KEYS, Server, forget_clients, serving


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with serving() as running:
        yield running


_numbers = count()


@pytest.fixture
def s3(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The server, with credentials in the environment, no faults and an empty log."""
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": server.url, "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)
    server.faults.clear()
    server.log.clear()
    forget_clients()
    yield server
    forget_clients()


@pytest.fixture
def store(s3: Server) -> Iterator[s3fs.S3FileSystem]:
    """A client of its own, to look at what is there."""
    client = s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False)
    yield client
    sync(get_loop(), client._s3.close) if client._s3 else None


@pytest.fixture
def bucket(store: s3fs.S3FileSystem) -> str:
    """The URL of a new bucket."""
    name = f"bucket-{next(_numbers)}"
    store.mkdir(name)
    return f"s3://{name}"


@pytest.fixture
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files of the program under test go."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return folder
