"""Manifests from anywhere: whoever reads one refuses the same paths, and opens nothing outside of the data set."""

from pathlib import Path
from typing import Any

import pytest

from distortlab.core.errors import UserError
from distortlab.dataset.manifest import find_entry_fault, find_path_fault, list_shards, read_manifest
from distortlab.dataset.reader import open_data
from distortlab.sharing.materialize import materialize
from distortlab.storage.atomic import hash_file, write_json
from distortlab.storage.base import Folder
from distortlab.verification.archives import check_files_in_turn
from distortlab.verification.files import check_files

OUT = "leads out of the data set"
HIDDEN = "is hidden, and a data set has no hidden files"
NO_PATH = "is not the path of a file"

HOSTILE = [
    ("..", OUT),
    ("../outside.parquet", OUT),
    ("images/../../outside.parquet", OUT),
    ("images/..", OUT),
    ("/etc/passwd", OUT),
    ("//host/share/x.parquet", OUT),
    (".", OUT),
    ("./images/x.parquet", OUT),
    ("images/./x.parquet", OUT),
    ("images//x.parquet", OUT),
    ("images/", OUT),
    ("", OUT),
    ("..\\outside.parquet", OUT),
    ("images\\..\\..\\outside.parquet", OUT),
    ("\\\\host\\share\\x.parquet", OUT),
    ("C:\\outside.parquet", OUT),
    ("C:/outside.parquet", OUT),
    ("C:outside.parquet", OUT),
    ("images/x.parquet:stream", OUT),
    ("file:///etc/passwd", OUT),
    (".git/config", HIDDEN),
    ("images/.x.parquet", HIDDEN),
    (".. /outside.parquet", HIDDEN),
    ("...", HIDDEN),
    ("images/x\0.parquet", NO_PATH),
    ("images/x\n.parquet", NO_PATH),
    ("images/x\u202e.parquet", NO_PATH),
    ("images/\udcff.parquet", NO_PATH),
]
NAMES = [repr(path) for path, _ in HOSTILE]


@pytest.mark.parametrize(
    "path", ["README.md", "images/train-00000-of-00001.parquet", "a/b/c", "a..b/c.", "Images/x", "ä"]
)
def test_a_path_below_the_data_set_has_no_fault(path: str) -> None:
    assert find_path_fault(path) is None


@pytest.mark.parametrize("path", [None, 1, b"images/x", ["images"], Path("images/x")])
def test_what_is_no_text_is_no_path(path: object) -> None:
    assert find_path_fault(path) == NO_PATH


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """With a file outside of it, which an entry describes as it is: whoever follows the path finds nothing wrong."""
    (tmp_path / "outside.parquet").write_bytes(b"not yours")
    (tmp_path / "place" / "images").mkdir(parents=True)
    return tmp_path / "place"


def _write(place: Path, path: str, **more: Any) -> None:
    outside = place.parent / "outside.parquet"
    entry = {"sha256": hash_file(outside), "bytes": outside.stat().st_size, "rows": 0}
    totals = {"images": 0, "samples": 0}
    write_json(place / "MANIFEST.json", {"format": 1, "totals": totals, "files": {path: entry}, **more})


@pytest.mark.parametrize(("path", "fault"), HOSTILE, ids=NAMES)
def test_every_reader_refuses_a_hostile_path(place: Path, path: str, fault: str) -> None:
    assert find_path_fault(path) == fault
    _write(place, path)
    with pytest.raises(UserError, match=fault):
        open_data(place)
    data = open_data(place, whole=False)
    assert data.parts == ()
    assert check_files(data, 1) == {path: fault}


@pytest.mark.parametrize(("path", "fault"), HOSTILE, ids=NAMES)
def test_a_piecewise_check_refuses_a_hostile_path(place: Path, path: str, fault: str) -> None:
    _write(place, path, store="patch")
    assert [problem for part in check_files_in_turn(place) for problem in part.problems] == [f"{path}: {fault}"]


@pytest.mark.parametrize(("path", "fault"), HOSTILE, ids=NAMES)
def test_an_archive_refuses_a_hostile_name_of_a_shard(place: Path, path: str, fault: str) -> None:
    for name in (path, f"{path}.parquet"):
        _write(place, f"patches/{name}", store="patch", plan={})
        source = Folder(place)
        with pytest.raises(UserError, match="is not the name of a shard"):
            list_shards(source, read_manifest(source))
        with pytest.raises(UserError, match="is damaged"):
            materialize(place, place.parent / "data")
        assert not (place.parent / "data").exists()


@pytest.mark.parametrize(
    "entry",
    [None, [], "x", {}, {"bytes": 1}, {"bytes": 1, "rows": "1"}, {"bytes": -1, "rows": 1}, {"bytes": True, "rows": 1}],
)
def test_an_entry_needs_two_numbers(entry: Any) -> None:
    assert find_entry_fault("images/x.parquet", entry) == "its entry in the manifest is damaged"
    assert find_entry_fault("images/x.parquet", {"bytes": 1, "rows": 0}) is None
