"""Tables: an image is stored once, and nothing is stored that is not data."""

import io
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from distortlab.dataset.writer import make_table, open_writer

ONE_IMAGE = {"image": {"_type": "Image"}, "images": {"feature": {"_type": "Image"}, "_type": "List"}}
SIZE = 300_000


def written(rows: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    with open_writer(out, ONE_IMAGE) as writer:
        writer.write_table(make_table(rows, ONE_IMAGE), row_group_size=len(rows))
    return out.getvalue()


def picture(seed: int) -> dict[str, Any]:
    """A new object every time, with the same bytes for the same seed."""
    return {"bytes": np.random.default_rng(seed).bytes(SIZE), "path": f"{seed}.jpg"}


def rows(seeds: list[int]) -> list[dict[str, Any]]:
    return [{"image": picture(seed), "images": [picture(seed), picture(0)]} for seed in seeds]


def litter() -> None:
    """Leave something in the memory that was used."""
    for _ in range(20):
        bytearray(b"secret" * (SIZE // 6)).decode()


@pytest.mark.parametrize("seeds", [[0, 1, 0, 1], [2, 2, 2], [3]])
def test_equal_images_are_stored_once_however_often_they_were_loaded(seeds: list[int]) -> None:
    data = written(rows(seeds))
    distinct = len(set(seeds)) + len({*seeds, 0})
    assert len(data) < (distinct + 0.1) * SIZE
    assert pq.read_table(io.BytesIO(data)).to_pylist() == rows(seeds)


def test_the_same_rows_give_the_same_bytes_and_no_memory_of_other_things() -> None:
    first = written(rows([0, 1, 0, 1]))
    litter()
    assert written(rows([0, 1, 0, 1])) == first
    assert b"secretsecret" not in first


def test_images_of_one_length_with_the_same_end_are_told_apart() -> None:
    one, other = picture(1), {"bytes": b"\0" + picture(1)["bytes"][1:], "path": "other.jpg"}
    assert one["bytes"] != other["bytes"]
    data = [{"image": image, "images": [image, one]} for image in (one, other, one)]
    assert pq.read_table(io.BytesIO(written(data))).to_pylist() == data
