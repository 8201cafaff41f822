"""Rows of questions about one region and about sets of regions, in one file: whoever reads Parquet reads both."""

from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from distortlab.dataset import schema
from distortlab.dataset.schema import RFT, Picture, Sample
from distortlab.dataset.writer import ShardFiles, make_table, open_writer
from distortlab.storage.base import Folder

PICTURE = Picture(b"not opened", "train-000000.png")
BOXES = ((10, 20, 30, 40), (50, 60, 70, 80))
REGION = Sample("a-grounding", "a", "?", (PICTURE,), "x", "grounding", BOXES[0], "noise", 3, "easy")
PAIR = Sample("a-pair", "a", "?", (PICTURE,), "First", "comparison_regions", (0, 0, 90, 90), None, None, None, BOXES)
PRISTINE = Sample("b-set", "b", "?", (PICTURE,), "[]", "diagnosis", (0, 0, 90, 90), None, None, None, ())
WHOLE = Sample("c-pair", "c", "?", (PICTURE, PICTURE), "First", "comparison", (0, 0, 90, 90), None, None, None)
GROUPS = ([REGION, PAIR, PRISTINE], [PAIR, WHOLE, REGION], [WHOLE], [REGION, REGION])


def write(path: Path, groups: tuple[list[Sample], ...], features: schema.Features = RFT) -> list[dict[str, Any]]:
    """The rows, written as a shard is, a row group for each list."""
    with open_writer(path, features) as writer:
        for group in groups:
            writer.write_table(make_table([sample.as_row() for sample in group], features), row_group_size=len(group))
    return [{name: sample.as_row()[name] for name in features} for group in groups for sample in group]


def load(path: Path, **options: Any) -> Any:
    cache = path.with_suffix(".cache")
    return datasets.load_dataset("parquet", data_files=str(path), split="train", cache_dir=str(cache), **options)


def test_datasets_loads_them(tmp_path: Path) -> None:
    rows = write(tmp_path / "rft.parquet", GROUPS)
    assert load(tmp_path / "rft.parquet").with_format("arrow")[:].to_pylist() == rows
    assert list(load(tmp_path / "rft.parquet", streaming=True).decode(False)) == rows


@pytest.mark.parametrize("earlier", [False, True])
def test_datasets_puts_them_together(tmp_path: Path, earlier: bool) -> None:
    """Files with questions of one kind only, and one that has no column `boxes`."""
    features = {name: feature for name, feature in RFT.items() if name != "boxes"} if earlier else RFT
    old = write(tmp_path / "old.parquet", ([REGION, REGION],), features)
    new = write(tmp_path / "new.parquet", ([PRISTINE, PAIR], [WHOLE]))
    parts = [load(tmp_path / "old.parquet"), load(tmp_path / "new.parquet")]
    joined = datasets.concatenate_datasets(parts)
    assert joined.with_format("arrow")[:].to_pylist() == [*({"boxes": None, **row} for row in old), *new]
    streamed = datasets.concatenate_datasets([part.to_iterable_dataset() for part in parts])
    assert [row.get("boxes") for row in streamed.decode(False)] == [row.get("boxes") for row in [*old, *new]]


def test_no_list_of_four_is_null(tmp_path: Path) -> None:
    """Arrow before version 26 cannot read one from Parquet, so it must never be written."""
    write(tmp_path / "rft.parquet", GROUPS)
    table = pq.read_table(tmp_path / "rft.parquet", columns=["bbox", "boxes", "distortion"])
    assert pa.types.is_fixed_size_list(table["bbox"].type)
    assert table["bbox"].null_count == 0
    assert table["boxes"].combine_chunks().values.null_count == 0
    assert table["boxes"].null_count == 6
    assert table["distortion"].null_count == 5


def test_a_schema_of_every_version_is_known() -> None:
    def known(*names: str) -> bool:
        return schema.has_known_columns("rft", schema.arrow_schema({k: v for k, v in RFT.items() if k not in names}))

    assert known()
    assert known("other_image_id")
    assert known("other_image_id", "boxes")
    assert known("other_image_id", "boxes", "difficulty")
    assert not known("boxes")
    assert not known("difficulty")
    assert not known("bbox")


def test_an_image_that_is_compared_stays_with_the_one_before_it(tmp_path: Path) -> None:
    """A full row group waits for the image after it, and takes it in where that belongs to its last one."""
    features = {"number": schema.value_feature("int32")}
    for with_last in (False, True):
        out = Folder(tmp_path / str(with_last))
        with ShardFiles(out, "one.parquet", {"images": features}) as files:
            for number in range(120):
                files.add({"images": [{"number": number}]}, 1, with_last=with_last and number in (50, 51))
            files.finish()
        file = pq.ParquetFile(tmp_path / str(with_last) / "images" / "one.parquet").metadata
        sizes = [file.row_group(group).num_rows for group in range(file.num_row_groups)]
        assert sizes == ([52, 50, 18] if with_last else [50, 50, 20])
