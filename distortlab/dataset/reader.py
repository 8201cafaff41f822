"""A finished data set, opened to be read: its manifest, its tables, their rows, a row group at a time.

What was stored may have come from anywhere. Whatever is wrong with a folder is one sentence, and no path leads out.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from distortlab.core.errors import UserError
from distortlab.dataset.layout import ARCHIVE, PLAN_PATH, get_layout
from distortlab.dataset.manifest import Entries, FileEntry, Manifest, check_manifest, find_entry_fault, has_files
from distortlab.dataset.notebook import render_dataset_html
from distortlab.dataset.schema import ALL_TABLES, LATER_COLUMNS
from distortlab.dataset.tables import REMEDY, open_table
from distortlab.storage.atomic import find_seal_fault, hash_file, read_json
from distortlab.storage.base import Folder, Storage

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Part", "RowGroup", "StoredDataset", "open_data"]


_STANDS_FOR = {"images": ("images", "labels")}


class Part(NamedTuple):
    """A Parquet file: its path in the data set, its table (`images` or `labels`, `rft`, `samples`), its split, and its
    rows and hashes by the manifest.
    """

    path: str
    table: str
    split: str
    rows: int
    sha256: str | None = None
    footer_sha256: str | None = None


class RowGroup(NamedTuple):
    """A row group of a part."""

    part: Part
    number: int
    rows: int


@dataclass(frozen=True, slots=True)
class StoredDataset:
    """A data set on disk, to be read.

    Attributes
    ----------
    folder
        Where it lies.
    manifest
        What it says of itself: files, totals, counts. Its shape has been checked.
    parts
        The files of its tables, in the order of their names.
    remote
        Where the tables are, if they are not in the folder.
    """

    folder: Path
    manifest: Manifest
    parts: tuple[Part, ...]
    remote: Storage | None = None

    @classmethod
    def from_manifest(cls, place: Path | Storage, manifest: Manifest) -> "StoredDataset":
        """Return a data set as its manifest describes it, or will: nothing is checked."""
        parts = tuple(part for path, entry in sorted(manifest["files"].items()) if (part := _part(path, entry)))
        if isinstance(place, Path | Folder):
            return cls(place if isinstance(place, Path) else place.path, manifest, parts)
        return cls(Path(str(place)), manifest, parts, remote=place)

    def __repr__(self) -> str:
        totals = self.manifest["totals"]
        place = str(self.remote or self.folder)
        return f"<StoredDataset {place!r}: {totals['images']:,} images, {totals['samples']:,} questions>"

    @property
    def splits(self) -> tuple[str, ...]:
        """In the order of the manifest's totals: train first."""
        present = {part.split for part in self.parts}
        in_totals = [split for split in self.manifest["totals"].get("splits") or {} if split in present]
        return tuple(dict.fromkeys([*sorted(in_totals, key=lambda split: split != "train"), *sorted(present)]))

    @property
    def images(self) -> int:
        """Images, as the manifest counts them."""
        return int(self.manifest["totals"]["images"])

    @property
    def plan(self) -> dict[str, Any] | None:
        """What the data set was made from, where the folder still has it: a copy from elsewhere has not."""
        plan = read_json(self.folder / PLAN_PATH)
        return plan if isinstance(plan, dict) else None

    def _repr_html_(self) -> str:
        """What a notebook shows: a short table."""
        rows = {
            split: {"images": self.count("images", split), "questions": self.count("rft", split)}
            for split in self.splits
        }
        return render_dataset_html(str(self.folder), self.manifest, rows)

    def parts_of(self, table: str, split: str | None = None) -> list[Part]:
        """The files of a table, of one split if that is given. `labels` stand for `images` where those are left out."""
        names = _STANDS_FOR.get(table, (table,))
        return [part for part in self.parts if part.table in names and split in (None, part.split)]

    def require_pictures(self) -> None:
        """Raise `UserError` where the rows of `images` have no pictures, because the recipe left that table out."""
        if any(part.table == "labels" for part in self.parts):
            raise _without_pictures(self.folder)

    def find_sibling(self, part: Part, table: str) -> Part:
        """The file of another table that is about the same images. Raises `UserError` where there is none."""
        name = part.path.partition("/")[2]
        path = f"{table}/{name}"
        found = next((other for other in self.parts_of(table) if other.path.partition("/")[2] == name), None)
        if found is None:
            raise UserError(f"{self.folder} is damaged: the manifest names {part.path}, and no {path}")
        return found

    def count(self, table: str, split: str | None = None) -> int:
        """Rows of a table, as the manifest counts them."""
        return sum(part.rows for part in self.parts_of(table, split))

    def check_hashes(
        self, parts: Sequence[Part] | None = None, progress: Callable[[int], None] = lambda size: None, threads: int = 1
    ) -> None:
        """Compare files with their hashes, for readers that would not see all that is damaged.

        Parameters
        ----------
        parts
            Which tables; all unless given.
        progress
            Called with the bytes of every file that was compared.
        threads
            How many files are read at a time.

        Raises
        ------
        UserError
            Names the first file that is not as it was written.
        """
        chosen = self.parts if parts is None else parts
        with ThreadPoolExecutor(max(1, threads)) as pool:
            hashes = pool.map(lambda part: hash_file(self.folder / part.path), chosen)
            for part, found in zip(chosen, hashes, strict=True):
                if found != part.sha256:
                    pool.shutdown(cancel_futures=True)
                    raise UserError(f"{self.folder / part.path} is damaged: {REMEDY}")
                progress(self.size_of(part))

    def size_of(self, part: Part) -> int:
        """Bytes of a file, by the manifest."""
        return int(self.manifest["files"][part.path]["bytes"])

    def groups(self, table: str, split: str | None = None) -> list[RowGroup]:
        """Every row group of a table; reads the ends of the files only."""
        return [group for part in self.parts_of(table, split) for group in self.groups_of(part)]

    def groups_of(self, part: Part) -> list[RowGroup]:
        """The row groups of a file."""
        with self._open_part(part) as file:
            return [RowGroup(part, i, file.metadata.row_group(i).num_rows) for i in range(file.num_row_groups)]

    def read_schema(self, part: Part) -> pa.Schema:
        """The columns of a file, as it says."""
        with self._open_part(part) as file:
            return file.schema_arrow

    def read(self, group: RowGroup, columns: Sequence[str] | None = None) -> pa.Table:
        """One row group. A part of a nested column is named with its path: `regions.list.element.bbox`."""
        with self._open_part(group.part, columns, group.number) as file:
            return file.read_row_group(group.number, columns=columns)

    @contextmanager
    def _open_part(
        self, part: Part, columns: Sequence[str] | None = None, group: int | None = None
    ) -> Iterator[pq.ParquetFile]:
        if self.remote is None:
            with open_part(self.folder, part, columns) as file:
                yield file
            return
        # Only what is asked for is fetched: the end of the file, and these columns of the one row group or of all.
        with (
            self.remote.table_source(part.path, list(columns or ["image_id"]), group) as source,
            open_table(source, f"{self.folder}/{part.path}", part._asdict()) as file,
        ):
            yield file

    def tables(self, table: str, columns: Sequence[str] | None = None, split: str | None = None) -> Iterator[pa.Table]:
        """A table in the order of its files, one row group in memory at a time."""
        for part in self.parts_of(table, split):
            with self._open_part(part, columns) as file:
                for index in range(file.num_row_groups):
                    yield file.read_row_group(index, columns=columns)

    def rows(
        self, table: str, columns: Sequence[str] | None = None, split: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """Read the rows of a table as dictionaries, in order, with one row group in memory at a time.

        Parameters
        ----------
        table
            "images", "rft" or "samples". Rows of "images" have no pictures where the recipe left that table out.
        columns
            Only these; all unless given. A field of a nested column is named with its path:
            `regions.list.element.bbox`.
        split
            Only this one; all unless given.

        Yields
        ------
        dict
            Column -> value. What an earlier version did not write is missing (`schema.LATER_COLUMNS`).
        """
        for group in self.tables(table, columns, split):
            yield from group.to_pylist()

    def to_pandas(self, table: str = "images", split: str | None = None) -> "pd.DataFrame":
        """Return a table without its pictures as a pandas data frame. Needs the extra `pandas`.

        Parameters
        ----------
        table
            "images", a row per image, with its regions as a list of dictionaries; "regions", a row per distorted
            region, with V and its parts in columns of their own; "questions", a row per question, with the prompt as
            text.
        split
            Only this one; all unless given.

        Returns
        -------
        pandas.DataFrame
            A column `split`, then those of `schema` (docs/datasets.md says what they mean). Integers are of pandas'
            types that may be missing. What an earlier version did not write is missing.

        Raises
        ------
        UserError
            Where pandas is not installed, for a table or a split that there is not, and for damaged files.

        Examples
        --------
        >>> import tempfile
        >>> from distortlab import generate, load_recipe, open_dataset
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     account = generate(load_recipe("smoke", n=2), "scenes", folder, workers=1)
        ...     regions = open_dataset(folder).to_pandas("regions")
        >>> list(regions.columns[:6])
        ['split', 'image_id', 'width', 'height', 'reference_id', 'region']
        >>> len(regions), bool((regions.v > 1).all())
        (2, True)
        """
        from distortlab.dataset.frames import make_frame

        return make_frame(self, table, split)


def open_data(folder: str | Path, whole: bool = True) -> StoredDataset:
    """Open a finished data set to read it.

    Parameters
    ----------
    folder
        The folder that `generate` or `materialize` wrote, or a copy of it.
    whole
        Refuse a data set with a damaged manifest, or of which a file is missing or has another size.

    Returns
    -------
    StoredDataset
        Its manifest, and its tables row group by row group: nothing but the manifest is read yet.

    Raises
    ------
    UserError
        For what is no data set, was not finished, is an archive, or has a newer format.
    """
    folder = Path(folder)
    manifest = _manifest(folder)
    if whole:
        if fault := find_seal_fault(folder / "MANIFEST.json"):
            raise UserError(f"{folder / 'MANIFEST.json'} is damaged: it {fault}; {REMEDY}")
        _check_files(folder, manifest["files"])
    return StoredDataset.from_manifest(folder, manifest)


def _manifest(folder: Path) -> Manifest:
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder" if folder.exists() else f"there is no folder {folder}")
    manifest = read_json(folder / "MANIFEST.json")
    if not has_files(manifest):
        raise UserError(f"{folder} {_why_none(folder)}")
    if get_layout(manifest) is ARCHIVE:
        raise UserError(f"{folder} is an archive; distortlab materialize makes the data set from it")
    check_manifest(manifest, folder)
    return manifest


def _why_none(folder: Path) -> str:
    if (folder / "MANIFEST.json").exists():
        return "is damaged: its MANIFEST.json cannot be read; run its generate command again"
    if (folder / PLAN_PATH).exists():
        return "was begun and not finished; run its generate command again"
    return "is no data set: it has no MANIFEST.json (distortlab generate --out makes one)"


def _part(path: str, entry: FileEntry) -> Part | None:
    table, _, name = path.partition("/")
    if find_entry_fault(path, entry) or table not in ALL_TABLES or "/" in name or not name.endswith(".parquet"):
        return None
    split, rows = name.partition("-")[0], int(entry["rows"])
    return Part(path, table, split, rows, sha256=entry.get("sha256"), footer_sha256=entry.get("footer_sha256"))


def _check_files(folder: Path, files: Entries) -> None:
    for path, entry in files.items():
        if fault := find_entry_fault(path, entry):
            raise UserError(f"{folder} is damaged: {path!r}: {fault}")
        file = folder / path
        if not file.is_file():
            raise UserError(f"{folder} is not whole: {path} is missing; copy it again, or run generate again")
        if file.stat().st_size != entry["bytes"]:
            raise UserError(
                f"{folder} is damaged: {path} has {file.stat().st_size:,} bytes, {entry['bytes']:,} in the manifest; "
                "distortlab verify says what else is wrong"
            )


def _without_pictures(folder: Path) -> UserError:
    return UserError(
        f'{folder} was made without the table images (tables = ["rft"]), whose pictures this needs; '
        'generate it with tables = ["images", "rft"]'
    )


@contextmanager
def open_part(folder: Path, part: Part, columns: Sequence[str] | None = None) -> Iterator[pq.ParquetFile]:
    """A Parquet file of a data set. What is damaged is a `UserError`, and so is a column that is not there, unless
    earlier versions did not write it.
    """
    path = folder / part.path
    with open_table(path, str(path), part._asdict()) as file:
        known = {*file.schema_arrow.names, *LATER_COLUMNS}
        absent = {column.partition(".")[0] for column in columns or ()} - known
        if part.table == "labels" and absent and absent <= {"image", "reference"}:
            raise _without_pictures(folder)
        if absent:
            raise UserError(f"{path} has no column {', '.join(sorted(absent))}")
        yield file
