"""Downloads from addresses: what came before a break is kept, and one sentence says what is wrong."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from file_limits import limited_file_size
from file_server import FileServer

from distortlab.core.errors import BuildFailed, UserError
from distortlab.storage.hub_client import Patience
from refine_bench.fetching.remote import FoundFile
from refine_bench.fetching.remote import download as bring
from refine_bench.fetching.sources import WebFile
from refine_bench.fetching.web import Terms, download, find_size

DATA = bytes(range(256)) * 40
HASTY = Patience(tries=3, first_s=0.01)


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer() as found:
        found.files["/a.zip"] = DATA
        found.marks["/a.zip"] = '"one"'
        yield found


def fetch(server: FileServer, path: Path, steps: list[int] | None = None) -> Path:
    download(f"{server.url}/a.zip", path, HASTY, (steps if steps is not None else []).append)
    return path


def test_a_file_and_its_size(server: FileServer, tmp_path: Path) -> None:
    steps: list[int] = []
    assert find_size(f"{server.url}/a.zip", HASTY) == len(DATA)
    assert fetch(server, tmp_path / "a.zip", steps).read_bytes() == DATA
    assert sum(steps) == len(DATA)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]
    asked = len(server.asked)
    fetch(server, tmp_path / "a.zip")
    assert len(server.asked) == asked


def test_a_cut_download_goes_on(server: FileServer, tmp_path: Path) -> None:
    """Within one call: each of five cuts brings something, so that the tries do not run out."""
    server.cuts = [1000] * 5
    steps: list[int] = []
    assert fetch(server, tmp_path / "a.zip", steps).read_bytes() == DATA
    assert [asked for _, asked in server.asked] == [None, *(f"bytes={1000 * k}-" for k in range(1, 6))]
    assert sum(steps) == len(DATA)


def test_a_stopped_download_goes_on_in_the_next_run(server: FileServer, tmp_path: Path) -> None:
    server.cuts = [4000]

    def stop(step: int) -> None:
        if step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(f"{server.url}/a.zip", tmp_path / "a.zip", HASTY, stop)
    assert (tmp_path / "a.zip.part").stat().st_size == 4000
    assert not (tmp_path / "a.zip").exists()
    steps: list[int] = []
    assert fetch(server, tmp_path / "a.zip", steps).read_bytes() == DATA
    assert server.asked[-1][1] == "bytes=4000-"
    assert steps[0] == 4000


@pytest.mark.parametrize("change", ["mark", "no ranges", "no mark", "shorter"])
def test_what_cannot_be_continued_starts_again(change: str, server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "a.zip.part").write_bytes(b"old" * 2000)
    (tmp_path / "a.zip.part.json").write_text('{"validator": "\\"one\\""}')
    if change == "mark":
        server.marks["/a.zip"] = '"two"'
    elif change == "no mark":
        (tmp_path / "a.zip.part.json").unlink()
    elif change == "shorter":
        server.files["/a.zip"] = DATA[:3000]
    else:
        server.ranges = False
    steps: list[int] = []
    assert fetch(server, tmp_path / "a.zip", steps).read_bytes() == server.files["/a.zip"]
    assert sum(steps) == len(server.files["/a.zip"])


def test_faults_that_pass_are_waited_out(server: FileServer, tmp_path: Path) -> None:
    server.statuses = [503, 429]
    assert fetch(server, tmp_path / "a.zip").read_bytes() == DATA
    server.statuses = [503] * 3
    with pytest.raises(BuildFailed, match=r"has trouble \(503\).*goes on from here"):
        find_size(f"{server.url}/a.zip", HASTY)


@pytest.mark.parametrize(("status", "why"), [(404, "is not there any more"), (403, "does not give")])
def test_refusals_are_one_sentence(status: int, why: str, server: FileServer, tmp_path: Path) -> None:
    server.statuses = [status]
    with pytest.raises(UserError, match=why) as caught:
        fetch(server, tmp_path / "a.zip")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_one_sentence_and_goes_on(server: FileServer, tmp_path: Path) -> None:
    found = FoundFile(WebFile(f"{server.url}/a.zip"), len(DATA))
    with limited_file_size(5000), pytest.raises(BuildFailed, match=r"is full; make room .*goes on from here"):
        bring(found, tmp_path, HASTY, lambda step: None)
    assert bring(found, tmp_path, HASTY, lambda step: None).read_bytes() == DATA
    assert server.asked[-1][1] == "bytes=5000-"


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with FileServer() as server:
        url = server.url
    with pytest.raises(BuildFailed, match=r"cannot be reached .*when the network is back"):
        download(f"{url}/a.zip", tmp_path / "a.zip", HASTY, lambda step: None)


def test_a_token_is_not_handed_on_to_another_host(server: FileServer, tmp_path: Path) -> None:
    with FileServer() as first:
        first.moved["/a.zip"] = f"{server.url}/a.zip"
        terms = Terms({"Authorization": "Bearer secret"}, identity="hash")
        download(f"{first.url}/a.zip", tmp_path / "a.zip", HASTY, lambda step: None, terms)
        assert (first.tokens, server.tokens) == (["Bearer secret"], [None])
    assert (tmp_path / "a.zip").read_bytes() == DATA
