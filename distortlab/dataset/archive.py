"""Reading an archive of patches: the rows of its shards with their references."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from distortlab.core.errors import BadReference, UserError
from distortlab.core.image import Image
from distortlab.core.region import Box
from distortlab.dataset.manifest import Entries
from distortlab.dataset.patches import FOOTER, decode_regions, restore_image
from distortlab.imaging.decode import decode_image
from distortlab.storage.atomic import hash_file
from distortlab.storage.base import Storage

__all__ = ["ArchiveShard", "ArchivedImage"]


class ArchivedImage(NamedTuple):
    """An image of an archive: its row, its reference as a file, and its questions."""

    row: dict[str, Any]
    reference: dict[str, Any]
    questions: list[dict[str, Any]]


class ArchiveShard:
    """One shard of an archive, open to be read; iterating gives its images in order.

    Holds one row group of each table and one decoded reference.

    Parameters
    ----------
    name
        How errors call it.
    patches, references, questions
        The three files.
    """

    def __init__(self, name: str, patches: Path, references: Path, questions: Path) -> None:
        self._name = name
        with _explain_damage(name):
            self._patches, self._questions = pq.ParquetFile(patches), pq.ParquetFile(questions)
            self._references = _References(pq.ParquetFile(references))
        self._last: tuple[bytes, Image] | None = None

    @classmethod
    @contextmanager
    def open(cls, source: Storage, entries: Entries) -> Iterator["ArchiveShard"]:
        """Open a shard with every file checked against its entry in the manifest. Raises `UserError`."""
        with ExitStack() as stack:
            paths = []
            for path, entry in entries.items():
                try:
                    paths.append(stack.enter_context(source.local(path)))
                except FileNotFoundError:
                    raise UserError(f"{source} is not whole: {path} is missing") from None
                if hash_file(paths[-1]) != entry.get("sha256"):
                    raise UserError(f"{source} is damaged: the SHA-256 of {path} is not the one in the manifest")
            yield cls(f"{source}, {next(iter(entries))}", *paths)

    @property
    def summary(self) -> dict[str, Any]:
        """What the footer says of the shard: all of its receipt but the files."""
        with _explain_damage(self._name):
            return dict(json.loads(self._patches.metadata.metadata[FOOTER.encode()]))

    @property
    def has_controls(self) -> bool:
        """Whether its images have the column `control`."""
        return "control" in self._patches.schema_arrow.names

    def __iter__(self) -> Iterator[ArchivedImage]:
        with _explain_damage(self._name):
            by_image = groupby(_rows(self._questions), key=lambda row: row["image_id"])
            name, questions = next(by_image, (None, iter(())))
            for row in _rows(self._patches):
                own: list[dict[str, Any]] = []
                if name == row["image_id"]:
                    own = list(questions)
                    name, questions = next(by_image, (None, iter(())))
                yield ArchivedImage(row, self._references.find(row), own)

    def reference(self, item: ArchivedImage) -> Image:
        """Return the pixels of the reference. Raises `UserError`."""
        data = item.reference["bytes"]
        if self._last is None or self._last[0] != data:
            try:
                self._last = (data, decode_image(data).image)
            except BadReference as error:
                raise UserError(f"its reference cannot be read: {error}") from error
        return self._last[1]

    def image(self, item: ArchivedImage) -> tuple[Image, Box]:
        """Return the pixels, compared with their hash, and the box of the change. Raises `UserError`."""
        row = item.row
        with _explain_damage(f"{self._name}, {row['image_id']}"):
            return restore_image(self.reference(item), row["patch"]["bytes"], decode_regions(row), row["pixels_sha256"])


class _References:
    """The rows of `references` by number. Images of one reference stand together but for a few: one group is kept."""

    def __init__(self, file: pq.ParquetFile) -> None:
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        self._file, self._starts = file, np.cumsum([0, *sizes])
        self._at, self._rows = -1, list[dict[str, Any]]()

    def find(self, row: Mapping[str, Any]) -> dict[str, Any]:
        number = int(row["reference_row"])
        if not 0 <= number < int(self._starts[-1]):
            raise UserError(f"of {row['image_id']} there is no reference number {number}")
        group = int(np.searchsorted(self._starts, number, side="right")) - 1
        if group != self._at:
            self._at, self._rows = group, self._file.read_row_group(group).to_pylist()
        entry = self._rows[number - int(self._starts[group])]
        if entry["reference_id"] != row["reference_id"]:
            raise UserError(f"reference number {number}, of {row['image_id']}, is not {row['reference_id']}")
        return dict(entry["reference"])


def _rows(file: pq.ParquetFile) -> Iterator[dict[str, Any]]:
    for group in range(file.num_row_groups):
        yield from file.read_row_group(group).to_pylist()


@contextmanager
def _explain_damage(what: str) -> Iterator[None]:
    """One sentence, which says where, for files that are no tables, or not these."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{what}: {error}") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{what} cannot be read as a part of an archive: {reason}") from error
