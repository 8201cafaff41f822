"""The files of a shard, written side by side: a row group of one ends where those of the others do."""

import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from distortlab.dataset.schema import Features, ImageRecord, Sample, open_writer, table
from distortlab.dataset.tables import describe_table
from distortlab.storage.atomic import HashedFile
from distortlab.storage.base import Storage

__all__ = ["ShardFiles", "full_rows", "weight"]

# A row group ends at whichever comes first; small groups keep the memory of a worker and of a reader small.
_GROUP_IMAGES = 50
_GROUP_BYTES = 16 << 20

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


class ShardFiles:
    """A context that takes images with all that belongs to them. `tables` has the features of each kind of file."""

    def __init__(self, out: Storage, name: str, tables: Mapping[str, Features]) -> None:
        self.out, self.tables = out, tables
        self.paths = {kind: f"{kind}/{name}" for kind in tables}
        self._pending: dict[str, list[Mapping[str, Any]]] = {kind: [] for kind in tables}
        self._images = self._bytes = 0
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

    def __exit__(self, *error: Any) -> None:
        if error[0]:
            for writer in self._writers.values():
                # Left open, a Parquet writer would try to end its file when it is collected.
                with contextlib.suppress(Exception):
                    writer.close()
        self._stack.__exit__(*error)

    def add(self, rows: Rows, size: int) -> None:
        """Take the rows of one image; write a row group when enough have come together. `size` in bytes."""
        for kind, more in rows.items():
            self._pending[kind] += more
        self._images += 1
        self._bytes += size
        if self._images >= _GROUP_IMAGES or self._bytes >= _GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        for kind, rows in self._pending.items():
            if rows:
                self._writers[kind].write_table(table(rows, self.tables[kind]), row_group_size=len(rows))
                self._rows[kind] += len(rows)
        self._pending = {kind: [] for kind in self.tables}
        self._images = self._bytes = 0

    def note(self, kind: str, key: str, value: Any) -> None:
        """Put a word about the whole shard into the footer of one of its files, as JSON."""
        self._writers[kind].add_key_value_metadata({key: json.dumps(value)})

    def finish(self) -> dict[str, dict[str, Any]]:
        """Write what is left and the footers; the files get their names when the context closes."""
        self._flush()
        for kind, writer in self._writers.items():
            self._files[kind].keep_end()
            writer.close()
        self._stack.close()
        return {path: describe_table(self._files[kind], self._rows[kind]) for kind, path in self.paths.items()}


def full_rows(record: ImageRecord, samples: Sequence[Sample]) -> tuple[Rows, int]:
    """The rows of the two tables of the full layout, and the bytes of their pictures."""
    row = record.as_row()
    return {"images": [row], "rft": [sample.as_row() for sample in samples]}, weight(row)


def weight(row: Mapping[str, Any]) -> int:
    """The bytes of the pictures of a row of `images`: what fills a row group."""
    return sum(len(row[name]["bytes"]) for name in ("image", "reference") if row[name])
