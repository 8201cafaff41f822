"""Writing Parquet: one table, or the files of a shard side by side, whose row groups end together.

Image bytes are dictionary-encoded and not compressed again: an image that several questions show is stored once per row
group.
"""

import base64
import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from distortlab.dataset.manifest import FileEntry
from distortlab.dataset.schema import LABELS, Features, ImageRecord, Sample, arrow_schema, arrow_type, hub_metadata
from distortlab.dataset.tables import describe_table
from distortlab.storage.atomic import HashedFile
from distortlab.storage.base import Storage

__all__ = ["ShardFiles", "count_picture_bytes", "make_full_rows", "make_table", "open_writer"]

# A row group ends at whichever comes first; small groups keep the memory of a worker and of a reader small.
_GROUP_IMAGES = 50
_GROUP_BYTES = 16 << 20
_END_BYTES = 64

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


class ShardFiles:
    """A context that takes images with all that belongs to them. `tables` has the features of each kind of file."""

    def __init__(self, out: Storage, name: str, tables: Mapping[str, Features]) -> None:
        self.out, self.tables = out, tables
        self.paths = {kind: f"{kind}/{name}" for kind in tables}
        self._pending: dict[str, list[Mapping[str, Any]]] = {kind: [] for kind in tables}
        self._images = self._bytes = 0
        self._is_full = False
        self._rows = dict.fromkeys(tables, 0)

    def __enter__(self) -> "ShardFiles":
        with contextlib.ExitStack() as stack:
            self._files: dict[str, HashedFile] = {
                kind: stack.enter_context(self.out.new_file(path)) for kind, path in self.paths.items()
            }
            self._writers: dict[str, pq.ParquetWriter] = {
                kind: open_writer(pa.PythonFile(self._files[kind], mode="w"), of) for kind, of in self.tables.items()
            }
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind:
            for writer in self._writers.values():
                # Left open, a Parquet writer would try to end its file when it is collected.
                with contextlib.suppress(Exception):
                    writer.close()
        self._stack.__exit__(kind, error, trace)

    def add(self, rows: Rows, size: int, with_last: bool = False) -> None:
        """Take the rows of one image; write a row group when enough have come together.

        Parameters
        ----------
        rows
            Of every table.
        size
            Of the pictures, in bytes.
        with_last
            Whether a question compares the image with the one before it: both are kept in one group.
        """
        if self._is_full and not with_last:
            self._flush()
        for kind, more in rows.items():
            self._pending[kind] += more
        self._images += 1
        self._bytes += size
        self._is_full = self._images >= _GROUP_IMAGES or self._bytes >= _GROUP_BYTES

    def _flush(self) -> None:
        for kind, rows in self._pending.items():
            if rows:
                self._writers[kind].write_table(make_table(rows, self.tables[kind]), row_group_size=len(rows))
                self._rows[kind] += len(rows)
        self._pending = {kind: [] for kind in self.tables}
        self._images = self._bytes = 0
        self._is_full = False

    def note(self, kind: str, key: str, value: object) -> None:
        """Put a word about the whole shard into the footer of one of its files, as JSON."""
        self._writers[kind].add_key_value_metadata({key: json.dumps(value)})

    def finish(self) -> dict[str, FileEntry]:
        """Write what is left and the footers; the files get their names when the context closes."""
        self._flush()
        for kind, writer in self._writers.items():
            self._files[kind].keep_end()
            writer.close()
        self._stack.close()
        return {path: describe_table(self._files[kind], self._rows[kind]) for kind, path in self.paths.items()}


def make_full_rows(record: ImageRecord, samples: Sequence[Sample], image_table: str = "images") -> tuple[Rows, int]:
    """The rows of the two tables of a layout with whole images, and the bytes of their pictures."""
    row = record.as_row()
    size = count_picture_bytes(row)
    if image_table == "labels":
        row = {name: row[name] for name in (*LABELS, "control")}
    return {image_table: [row], "rft": [sample.as_row() for sample in samples]}, size


def count_picture_bytes(row: Mapping[str, Any]) -> int:
    """The bytes of the pictures of a row of `images`: what fills a row group."""
    return sum(len(row[name]["bytes"]) for name in ("image", "reference") if row[name])


# --- Parquet ---------------------------------------------------------------------------------------------------------


_ENCODED = pa.dictionary(pa.int32(), pa.binary())


def make_table(rows: Sequence[Mapping[str, Any]], of: Features) -> pa.Table:
    """Return rows as an Arrow table. Image bytes become dictionary arrays, with one copy for all rows of an image."""
    columns = [_column([row[name] for row in rows], feature) for name, feature in of.items()]
    return pa.table(columns, schema=arrow_schema(of, _ENCODED))


def _column(values: list[Any], feature: Features) -> pa.Array:
    if feature.get("_type") == "Image":
        return _pictures(values)
    if feature.get("_type") == "List" and feature["feature"].get("_type") == "Image":
        ends = np.cumsum([0, *(len(images) for images in values)], dtype=np.int32)
        return pa.ListArray.from_arrays(pa.array(ends), _pictures([i for images in values for i in images]))
    return pa.array(values, arrow_type(feature))


def _pictures(values: Sequence[Mapping[str, Any] | None]) -> pa.Array:
    distinct, index = _find_distinct([None if value is None else value["bytes"] for value in values])
    encoded = pa.DictionaryArray.from_arrays(pa.array(index, pa.int32()), _join_blobs(distinct))
    paths = pa.array([value["path"] if value else None for value in values], pa.string())
    absent = pa.array([value is None for value in values])
    return pa.StructArray.from_arrays([encoded, paths], ["bytes", "path"], mask=absent)


def _find_distinct(blobs: Sequence[bytes | None]) -> tuple[list[bytes], list[int | None]]:
    """The different ones among some files, and for each where it stands there.

    By content: Arrow writes memory that it never filled where a dictionary holds a value twice. Files are compared
    where their lengths and ends agree; to hash all of each would take longer than writing it.
    """
    distinct: list[bytes] = []
    alike: dict[tuple[int, bytes], list[int]] = {}
    index: list[int | None] = []
    for blob in blobs:
        if blob is None:
            index.append(None)
            continue
        places = alike.setdefault((len(blob), blob[-_END_BYTES:]), [])
        place = next((place for place in places if distinct[place] is blob or distinct[place] == blob), None)
        if place is None:
            place = len(distinct)
            distinct.append(blob)
            places.append(place)
        index.append(place)
    return distinct, index


def _join_blobs(blobs: Sequence[bytes]) -> pa.Array:
    """Files as an array, copied once: `pa.array` makes room bit by bit."""
    ends = np.cumsum([0, *map(len, blobs)], dtype=np.int64)
    if ends[-1] > np.iinfo(np.int32).max:
        return pa.array(list(blobs), pa.binary())
    buffers = [None, pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(b"".join(blobs))]
    return pa.Array.from_buffers(pa.binary(), len(blobs), buffers)


def _leaves(kind: pa.DataType, path: str) -> list[str]:
    if pa.types.is_struct(kind):
        return [leaf for f in kind for leaf in _leaves(f.type, f"{path}.{f.name}")]
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        return _leaves(kind.value_type, f"{path}.list.element")
    return [path]


def open_writer(sink: Path | pa.PythonFile, of: Features) -> pq.ParquetWriter:
    """Open a Parquet writer for one of the tables; every table written to it becomes a row group.

    Parameters
    ----------
    sink
        Where Arrow writes to: a path, or a `pyarrow.PythonFile`.
    of
        The features of the table, e.g. `schema.IMAGES`.
    """
    schema = arrow_schema(of, _ENCODED)
    leaves = [leaf for f in schema for leaf in _leaves(f.type, f.name)]
    blobs = [leaf for leaf in leaves if leaf.endswith(".bytes")]
    writer = pq.ParquetWriter(
        sink,
        schema,
        compression={leaf: "none" if leaf in blobs else "zstd" for leaf in leaves},
        # An image column falls back to plain encoding at 1 MiB of distinct values unless told otherwise.
        dictionary_pagesize_limit=1 << 30,
        use_dictionary=leaves,
        write_statistics=[leaf for leaf in leaves if leaf not in blobs],
        write_page_index=True,
        store_schema=False,
        write_page_checksum=True,  # compared in tables.open_table
    )
    # Written here and not by Arrow, so that readers see plain binary: that it lies as a dictionary is our affair.
    stored = base64.b64encode(arrow_schema(of).serialize().to_pybytes()).decode()
    writer.add_key_value_metadata({**hub_metadata(of), "ARROW:schema": stored})
    return writer
