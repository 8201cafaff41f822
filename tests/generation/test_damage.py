"""Damage to a file of a data set is noticed by who reads it, or changes nothing; and it is mended by `generate`."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from dataset_samples import Gallery, edit_json, flip_byte, published, small_recipe

from distortlab.dataset import generate
from distortlab.errors import UserError
from distortlab.export import export
from distortlab.stored import open_data
from refine_bench.datasets import local

RECIPE = small_recipe(n=4, images_per_shard=2)
TABLES = ("rft", "images", "samples")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "data"
    generate(RECIPE, Gallery(), out, workers=1)
    return out


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "data"))


def file_of(data: Path, table: str) -> Path:
    return sorted((data / table).iterdir())[0]


def interesting(path: Path) -> list[int]:
    """Bytes of the footer, of the heads of pages, and some of everything."""
    rng, size = random.Random(0), path.stat().st_size
    footer = size - 8 - pq.ParquetFile(path).metadata.serialized_size
    about = pq.ParquetFile(path).metadata
    columns = [about.row_group(g).column(c) for g in range(about.num_row_groups) for c in range(about.num_columns)]
    starts = [at for column in columns for at in (column.dictionary_page_offset, column.data_page_offset) if at]
    heads = [at + step for at in starts for step in range(32)]
    return sorted(
        {*range(8), *rng.sample(heads, 150), *rng.sample(range(footer, size), 150), *rng.sample(range(size), 50)}
    )


@pytest.mark.parametrize("table", TABLES)
def test_any_flipped_bit_is_noticed_or_changes_nothing(data: Path, table: str) -> None:
    path = file_of(data, table)
    whole = path.read_bytes()
    rows = list(open_data(data).rows(table))
    said = []
    for at in interesting(path):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        try:
            assert list(open_data(data).rows(table)) == rows, at
        except UserError as error:
            said.append(str(error))
    assert all(path.name in sentence for sentence in said)
    assert len(said) > 150


READERS: dict[str, Callable[[Path, Path], Any]] = {
    "export": lambda data, out: export(data, out, "llava"),
    "refine-bench": lambda data, out: list(local.loaded(data, "all", "tasks")),
    "a data set of an older version": lambda data, out: [edit_json(data / "MANIFEST.json", _as_before), read_all(data)],
}


def _as_before(manifest: dict[str, Any]) -> None:
    for entry in manifest["files"].values():
        entry.pop("footer_sha256", None)


def read_all(data: Path) -> list[dict[str, Any]]:
    return [row for table in TABLES for row in open_data(data).rows(table)]


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_readers_name_the_damaged_file(data: Path, tmp_path: Path, read: Callable[[Path, Path], Any]) -> None:
    path = file_of(data, "rft")
    flip_byte(path)
    with pytest.raises(UserError, match=path.name):
        read(data, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("table", TABLES)
def test_generate_makes_a_damaged_file_again(made: Path, data: Path, table: str) -> None:
    flip_byte(file_of(data, table))
    assert published(data) != published(made)
    generate(RECIPE, Gallery(), data, workers=1)
    assert published(data) == published(made)
