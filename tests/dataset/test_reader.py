"""Opening a data set: what is there can be read, and whatever is wrong with the folder is one sentence."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from dataset_samples import Gallery, edit_manifest, rows_of, small_recipe

from distortlab import generate
from distortlab.core.errors import UserError
from distortlab.dataset.reader import open_data

Change = Callable[[Path], object]


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("stored") / "data"
    generate(small_recipe(), Gallery(), out, workers=1)
    return out


@pytest.fixture
def own_copy(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def test_rows_come_in_the_order_of_the_files(finished: Path) -> None:
    stored = open_data(finished)
    for table in ("images", "rft", "samples"):
        rows = rows_of(finished, table)
        assert list(stored.rows(table)) == rows
        assert stored.count(table) == len(rows) == sum(group.rows for group in stored.groups(table))
        assert [row for group in stored.groups(table) for row in stored.read(group).to_pylist()] == rows
    assert stored.images == 12


def test_splits_and_columns(finished: Path) -> None:
    stored = open_data(finished)
    assert stored.splits == ("train", "validation")
    rows = list(stored.rows("images", ["image_id", "regions.list.element.bbox"], split="validation"))
    assert len(rows) == stored.count("images", "validation") == 3
    assert all(row["image_id"].startswith("validation-") and list(row["regions"][0]) == ["bbox"] for row in rows)
    with pytest.raises(UserError, match="no column colour"):
        list(stored.rows("images", ["image_id", "colour"]))


def test_the_plan_is_there_where_the_data_set_was_made(own_copy: Path) -> None:
    plan = open_data(own_copy).plan
    assert plan is not None
    assert plan["recipe"]["n"] == 12
    shutil.rmtree(own_copy / "_distortlab")
    assert open_data(own_copy).plan is None


def _text(words: str) -> Change:
    return lambda folder: (folder / "MANIFEST.json").write_text(words)


def _manifest(change: Callable[[dict], object]) -> Change:
    return lambda folder: edit_manifest(folder, change)


def _first(kind: str, change: Change) -> Change:
    return lambda folder: change(sorted((folder / kind).glob("*.parquet"))[0])


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: shutil.rmtree(folder), "there is no folder"),
        (lambda folder: (folder / "MANIFEST.json").unlink(), "begun and not finished"),
        (_text("{"), "MANIFEST.json cannot be read"),
        (_text("[]"), "MANIFEST.json cannot be read"),
        (_text("[" * 200_000), "MANIFEST.json cannot be read"),
        (_manifest(lambda m: m.update(format=2)), "has format 2; this version reads up to 1: update"),
        (_manifest(lambda m: m.update(format="1")), "has format '1'"),
        (_manifest(lambda m: m.update(totals={"images": -1, "samples": 0})), "no totals"),
        (_manifest(lambda m: m["files"].update({"../x": {}})), "leads out"),
        (_manifest(lambda m: m["files"].update({"/etc/passwd": {}})), "leads out"),
        (_manifest(lambda m: m["files"].update({"images/a-b.parquet": {"bytes": "1"}})), "entry in the manifest"),
        (_first("images", Path.unlink), "images/train-00000-of-00003.parquet is missing"),
        (_first("rft", _cut), "in the manifest; distortlab verify"),
    ],
)
def test_what_cannot_be_opened(own_copy: Path, change: Change, said: str) -> None:
    change(own_copy)
    with pytest.raises(UserError, match=said) as caught:
        open_data(own_copy)
    assert str(own_copy) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_damaged_table_is_one_sentence(own_copy: Path) -> None:
    path = sorted((own_copy / "images").glob("*.parquet"))[0]
    path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(UserError, match="is damaged"):
        list(open_data(own_copy).rows("images"))


def test_what_is_empty_is_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is no data set"):
        open_data(tmp_path)
    (tmp_path / "file").write_text("{}")
    with pytest.raises(UserError, match="is not a folder"):
        open_data(tmp_path / "file")
