"""Damaged data is not passed on: whichever byte of a table changes, readers say which file, or nothing they read is."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dataset_samples import Gallery, edit_json, flip_byte, published, small_recipe
from in_process import Cli, in_process

from distortlab import generate
from distortlab.cli import main
from distortlab.core.errors import UserError
from distortlab.core.seeds import stream
from distortlab.dataset.reader import Part, open_data, open_part
from distortlab.dataset.schema import TABLES
from distortlab.storage.atomic import add_seal, hash_file, write_json

RECIPE = small_recipe(n=6, images_per_shard=3)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("damage") / "data"
    generate(RECIPE, Gallery(), out, workers=1)
    return out


@pytest.fixture
def own_copy(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return in_process("distortlab", main, capsys, monkeypatch)


def first(folder: Path, table: str) -> Part:
    return open_data(folder).parts_of(table)[0]


def contents(folder: Path, part: Part) -> list[pa.Table]:
    with open_part(folder, part) as file:
        return [file.read_row_group(index) for index in range(file.num_row_groups)]


def read_or_refuse(folder: Path, part: Part) -> list[pa.Table] | str:
    """What is read, or the sentence."""
    try:
        return contents(folder, part)
    except UserError as error:
        return str(error)


def places(path: Path) -> list[int]:
    """Bytes of the heads of pages, every third of the footer, and some of everything."""
    about, size, draws = pq.read_metadata(path), path.stat().st_size, stream("damage")
    footer = size - 8 - about.serialized_size
    columns = [about.row_group(g).column(c) for g in range(about.num_row_groups) for c in range(about.num_columns)]
    starts = [at for column in columns for at in (column.dictionary_page_offset, column.data_page_offset) if at]
    heads = draws.permute([at + step for at in starts for step in range(32)])
    return [*heads[:150], *(draws.below(size) for _ in range(150)), *range(footer, size, 3)]


@pytest.mark.parametrize("table", TABLES)
def test_every_byte_is_guarded(own_copy: Path, table: str) -> None:
    """Read whole, a table with a changed byte is an error that names it, or has the rows that were written."""
    part = first(own_copy, table)
    path, whole = own_copy / part.path, contents(own_copy, part)
    data = path.read_bytes()
    refused = 0
    for number, at in enumerate(places(path)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << number % 8]) + data[at + 1 :])
        found = read_or_refuse(own_copy, part)
        assert str(path) in found if isinstance(found, str) else found == whole, at
        refused += isinstance(found, str)
        path.write_bytes(data)
    assert refused > 300


def test_only_what_is_read_is_checked(own_copy: Path) -> None:
    """A data set of many gigabytes is opened in no time: pictures that nobody asks for are not read."""
    part = first(own_copy, "rft")
    with open_part(own_copy, part) as file:
        pictures = next(
            file.metadata.row_group(0).column(at)
            for at in range(file.metadata.num_columns)
            if file.metadata.row_group(0).column(at).path_in_schema.endswith("bytes")
        )
    at = pictures.dictionary_page_offset + pictures.total_compressed_size // 2
    data = (own_copy / part.path).read_bytes()
    (own_copy / part.path).write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    assert len(list(open_data(own_copy).rows("rft", ["solution"]))) == open_data(own_copy).count("rft")
    with pytest.raises(UserError, match=f"{part.path} is damaged"):
        list(open_data(own_copy).rows("rft", ["images"]))


def test_files_of_earlier_versions_are_hashed_whole(own_copy: Path) -> None:
    """Their entries have no hash of the footer, and their pages no checksums."""
    part = first(own_copy, "samples")
    rows = [row for group in contents(own_copy, part) for row in group.to_pylist()]
    with pq.ParquetWriter(own_copy / part.path, pa.Table.from_pylist(rows).schema) as writer:
        writer.write_table(pa.Table.from_pylist(rows))
    path = own_copy / part.path
    old = part._replace(footer_sha256=None, sha256=None)
    assert [row for group in contents(own_copy, old) for row in group.to_pylist()] == rows
    with pytest.raises(UserError, match=f"{part.path} is damaged"):
        contents(own_copy, part._replace(footer_sha256=None))
    right = part._replace(footer_sha256=None, sha256=hash_file(path))
    assert contents(own_copy, right)
    flip_byte(path)
    with pytest.raises(UserError, match=f"{part.path} is damaged"):
        contents(own_copy, right)


COMMANDS = {
    "export": ("export", "{data}", "--out", "{out}/export"),
    "view": ("view", "{data}", "--out", "{out}/view.html"),
    "stats": ("stats", "{data}", "--no-plots", "--out", "{out}/stats"),
    "sheet": ("sheet", "{data}", "--out", "{out}/sheet.png"),
    "verify": ("verify", "{data}", "--workers", "1"),
    "push": ("push", "{data}", "someone/something", "--dry-run", "--allow-no-derivatives"),
}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_names_the_damaged_file(
    own_copy: Path, tmp_path: Path, cli: Cli, command: str, table: str
) -> None:
    path = own_copy / first(own_copy, table).path
    flip_byte(path)
    outcome = cli(*(word.format(data=own_copy, out=tmp_path) for word in COMMANDS[command]))
    assert outcome.code in (1, 2)
    assert f"{table}/{path.name}" in outcome.out + outcome.err
    assert "Traceback" not in outcome.out + outcome.err
    assert not any(tmp_path.glob("[!c]*"))  # nothing but the copy


def test_without_the_check_only_what_is_read_counts(own_copy: Path, tmp_path: Path, cli: Cli) -> None:
    path = own_copy / first(own_copy, "rft").path
    flip_byte(path)  # in a picture
    assert cli("stats", own_copy, "--no-plots", "--no-check").code == 0
    refused = cli("export", own_copy, "--no-check", "--out", tmp_path / "export")
    assert refused.code == 2
    assert path.name in refused.err


def test_a_damaged_manifest_is_seen(own_copy: Path) -> None:
    edit_json(own_copy / "MANIFEST.json", lambda manifest: manifest["totals"].update(samples=1))
    with pytest.raises(UserError, match=r"MANIFEST\.json is damaged"):
        open_data(own_copy)


@pytest.mark.parametrize("table", [*TABLES, "manifest"])
def test_generate_makes_a_damaged_shard_again(finished: Path, own_copy: Path, table: str) -> None:
    path = own_copy / ("MANIFEST.json" if table == "manifest" else first(own_copy, table).path)
    flip_byte(path)
    other = {part.path: (own_copy / part.path).stat().st_mtime_ns for part in open_data(finished).parts_of("images")}
    generate(RECIPE, Gallery(), own_copy, workers=1)
    assert published(own_copy) == published(finished)
    assert path.read_bytes() == (finished / path.relative_to(own_copy)).read_bytes()
    made = [at for at, time in other.items() if (own_copy / at).stat().st_mtime_ns != time]
    assert len(made) == (table in ("images", "rft"))  # that shard, and no other


def test_a_receipt_of_an_earlier_version_is_good(finished: Path, own_copy: Path) -> None:
    """Without a hash of the footer: shards that were made then are not made again."""
    for receipt in (own_copy / "_distortlab" / "done").glob("*.json"):
        value = json.loads(receipt.read_text())
        for entry in value["files"].values():
            del entry["footer_sha256"]
        write_json(receipt, add_seal({name: part for name, part in value.items() if name != "seal"}))
    times = {path: path.stat().st_mtime_ns for path in own_copy.glob("*/*.parquet") if path.parent.name != "samples"}
    generate(RECIPE, Gallery(), own_copy, workers=1)
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert "footer_sha256" not in json.dumps(open_data(own_copy).manifest["files"][first(own_copy, "rft").path])
