"""A finished data set, opened to be read: its manifest, its tables, their rows, a row group at a time.

What was stored may have come from anywhere. Whatever is wrong with a folder is one sentence, and no path leads out.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from distortlab.errors import UserError
from distortlab.files import damage_in, read_json, sha256_of
from distortlab.notebook import dataset_html
from distortlab.plan import FORMAT
from distortlab.schema import TABLES
from distortlab.storage import Folder, Storage

__all__ = ["Group", "Part", "Stored", "check_hashes", "open_data"]


class Part(NamedTuple):
    """A Parquet file: its path in the data set, its table (`images`, `rft`, `samples`), its split, its rows by the
    manifest, and its whole entry there.
    """

    path: str
    table: str
    split: str
    rows: int
    entry: Mapping[str, Any] = MappingProxyType({})


class Group(NamedTuple):
    """A row group of a part."""

    part: Part
    number: int
    rows: int


@dataclass(frozen=True, slots=True)
class Stored:
    """A data set on disk. `manifest` has been checked for its shape, `parts` are in the order of their names."""

    folder: Path
    manifest: Mapping[str, Any]
    parts: tuple[Part, ...]
    afar: Storage | None = None
    """Where the tables are, if they are not in the folder."""

    @property
    def splits(self) -> tuple[str, ...]:
        """In the order of the manifest's totals: train first."""
        found = {part.split for part in self.parts}
        named = [split for split in self.manifest["totals"].get("splits") or {} if split in found]
        return tuple(dict.fromkeys([*sorted(named, key=lambda split: split != "train"), *sorted(found)]))

    @property
    def images(self) -> int:
        """Images, as the manifest counts them."""
        return int(self.manifest["totals"]["images"])

    @property
    def plan(self) -> dict[str, Any] | None:
        """What the data set was made from, where the folder still has it: a copy from elsewhere has not."""
        plan = read_json(self.folder / "_distortlab" / "plan.json")
        return plan if isinstance(plan, dict) else None

    def _repr_html_(self) -> str:
        """What a notebook shows: a short table."""
        rows = {
            split: {"images": self.count("images", split), "questions": self.count("rft", split)}
            for split in self.splits
        }
        return dataset_html(str(self.folder), self.manifest, rows)

    def parts_of(self, table: str, split: str | None = None) -> list[Part]:
        """The files of a table, of one split if that is given."""
        return [part for part in self.parts if part.table == table and split in (None, part.split)]

    def count(self, table: str, split: str | None = None) -> int:
        """Rows of a table, as the manifest counts them."""
        return sum(part.rows for part in self.parts_of(table, split))

    def groups(self, table: str, split: str | None = None) -> list[Group]:
        """Every row group of a table; reads the ends of the files only."""
        return [group for part in self.parts_of(table, split) for group in self.groups_of(part)]

    def groups_of(self, part: Part) -> list[Group]:
        """The row groups of a file."""
        with self._opened(part) as file:
            return [Group(part, i, file.metadata.row_group(i).num_rows) for i in range(file.num_row_groups)]

    def read(self, group: Group, columns: Sequence[str] | None = None) -> pa.Table:
        """One row group. A part of a nested column is named with its path: `regions.list.element.bbox`."""
        with self._opened(group.part, columns, group.number) as file:
            return file.read_row_group(group.number, columns=columns)

    @contextmanager
    def _opened(
        self, part: Part, columns: Sequence[str] | None = None, group: int | None = None
    ) -> Iterator[pq.ParquetFile]:
        if self.afar is None:
            with opened(self.folder, part, columns) as file:
                yield file
            return
        # Only what is asked for is fetched: the end of the file, and these columns of the one row group or of all.
        with self.afar.table_source(part.path, list(columns or ["image_id"]), group) as source:
            yield pq.ParquetFile(source, page_checksum_verification=True)

    def tables(self, table: str, columns: Sequence[str] | None = None, split: str | None = None) -> Iterator[pa.Table]:
        """A table in the order of its files, one row group in memory at a time."""
        for part in self.parts_of(table, split):
            with self._opened(part, columns) as file:
                for index in range(file.num_row_groups):
                    yield file.read_row_group(index, columns=columns)

    def rows(
        self, table: str, columns: Sequence[str] | None = None, split: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """The rows of a table as dictionaries, in order, with bounded memory."""
        for group in self.tables(table, columns, split):
            yield from group.to_pylist()


def open_data(folder: str | Path, whole: bool = True) -> Stored:
    """A finished data set.

    Raises `UserError` for what is no data set, was not finished, has a newer format or a damaged manifest; and, unless
    `whole` is False, where a file that the manifest names is not there or has another size.
    """
    folder = Path(folder)
    manifest = _manifest(folder)
    if whole:
        _check_files(folder, manifest["files"])
    return stored_from(folder, manifest)


def stored_from(place: Path | Storage, manifest: Mapping[str, Any]) -> Stored:
    """A data set by what its manifest says, or will say: nothing is checked."""
    parts = [part for path, entry in sorted(manifest["files"].items()) if (part := _part(path, entry))]
    if isinstance(place, Path | Folder):
        return Stored(place if isinstance(place, Path) else place.path, manifest, tuple(parts))
    return Stored(Path(str(place)), manifest, tuple(parts), afar=place)


def _manifest(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder" if folder.exists() else f"there is no folder {folder}")
    manifest = read_json(folder / "MANIFEST.json")
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise UserError(f"{folder} {_why_none(folder)}")
    if manifest.get("store") == "patch":
        raise UserError(f"{folder} is an archive; distortlab materialize makes the data set from it")
    version = manifest.get("format")
    if not isinstance(version, int) or version > FORMAT:
        raise UserError(f"{folder} has format {version!r}; this version reads up to {FORMAT}: update distortlab")
    totals = manifest.get("totals")
    if not isinstance(totals, dict) or not all(_whole(totals.get(name)) for name in ("images", "samples")):
        raise UserError(f"{folder} is damaged: the manifest has no totals")
    return manifest


def _why_none(folder: Path) -> str:
    if (folder / "MANIFEST.json").exists():
        return "is damaged: its MANIFEST.json cannot be read; run its generate command again"
    if (folder / "_distortlab" / "plan.json").exists():
        return "was begun and not finished; run its generate command again"
    return "is no data set: it has no MANIFEST.json (distortlab generate --out makes one)"


def leads_out(path: str) -> bool:
    """Whether a path of a manifest is none of a file in its folder."""
    parts = path.split("/")
    return not path.isprintable() or "\\" in path or ":" in path or any(part in ("", ".", "..") for part in parts)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _part(path: str, entry: Any) -> Part | None:
    place = PurePosixPath(path)
    if entry_fault(path, entry) or place.suffix != ".parquet" or len(place.parts) != 2 or place.parts[0] not in TABLES:
        return None
    return Part(path, place.parts[0], place.name.partition("-")[0], int(entry["rows"]), dict(entry))


def entry_fault(path: str, entry: Any) -> str | None:
    """What is wrong with an entry of a manifest, or None."""
    if leads_out(path):
        return "leads out of the data set"
    if not isinstance(entry, Mapping) or not all(_whole(entry.get(name)) for name in ("bytes", "rows")):
        return "its entry in the manifest is damaged"
    return None


def _check_files(folder: Path, files: Mapping[str, Any]) -> None:
    for path, entry in files.items():
        if fault := entry_fault(path, entry):
            raise UserError(f"{folder} is damaged: {path!r}: {fault}")
        file = folder / path
        if not file.is_file():
            raise UserError(f"{folder} is not whole: {path} is missing; copy it again, or run generate again")
        if file.stat().st_size != entry["bytes"]:
            raise UserError(
                f"{folder} is damaged: {path} has {file.stat().st_size:,} bytes, {entry['bytes']:,} in the manifest; "
                "distortlab verify says what else is wrong"
            )


def check_hashes(data: Stored, table: str, split: str) -> None:
    """Read the files of a table whole and compare their hashes, for readers that know no checksums of pages. Raises
    `UserError`.
    """
    for part in data.parts_of(table, split):
        if sha256_of(data.folder / part.path) != part.entry.get("sha256"):
            raise UserError(f"{data.folder / part.path} is damaged: its SHA-256 is not the one in the manifest")


@contextmanager
def opened(folder: Path, part: Part, columns: Sequence[str] | None = None) -> Iterator[pq.ParquetFile]:
    """A Parquet file of a data set; what Arrow cannot read is a `UserError`, and so are damage and an absent column.

    The footer is compared with the manifest, and every page that is read with its checksum.
    """
    try:
        if fault := damage_in(folder / part.path, part.entry):
            raise UserError(f"{folder / part.path} is damaged: {fault}; copy it again, or run generate again")
        with pq.ParquetFile(folder / part.path, page_checksum_verification=True) as file:
            absent = {column.partition(".")[0] for column in columns or ()} - set(file.schema_arrow.names)
            if absent:
                raise UserError(f"{folder / part.path} has no column {', '.join(sorted(absent))}")
            yield file
    except (OSError, pa.ArrowException) as error:
        text = " ".join(str(error).split())[:200]
        raise UserError(f"{folder / part.path} cannot be read as a table: {text}") from error
