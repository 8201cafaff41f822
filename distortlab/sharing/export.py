"""Questions and images in the form that another project loads: a folder of image files and a list, or Parquet.

The whole export appears at once: it is written to a hidden folder beside its place, and renamed when it is whole. Image
files have the bytes that the data set stores, each once. One row group is in memory at a time.
"""

import json
import os
import re
import shutil
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from distortlab import __version__
from distortlab.analysis.sharing_rights import count_licenses, count_no_derivatives
from distortlab.core.errors import UserError, describe_unknown
from distortlab.dataset.reader import Part, StoredDataset, open_data, open_part
from distortlab.dataset.rows import PictureRow, QuestionRow
from distortlab.dataset.writer import make_table, open_writer
from distortlab.sharing.export_formats import FORMATS, VERL, ExportFormat
from distortlab.storage.atomic import HashedFile, new_file, read_json, write_json
from distortlab.tasks import TASKS

__all__ = ["ExportResult", "export"]

_MARK = "EXPORT.json"
_NAME = re.compile(r"[\w][\w.-]{0,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What an export holds.

    Attributes
    ----------
    out
        Its folder.
    format, loaded_by
        Its form, and the projects that load it.
    rows
        Questions by split.
    images, image_bytes
        How many images, and their bytes.
    no_derivatives
        How many images of the data set may not be passed on.
    """

    out: Path
    format: str
    loaded_by: str
    rows: dict[str, int]
    images: int
    image_bytes: int
    no_derivatives: int = 0


def export(
    folder: str | Path,
    out: str | Path,
    form: str,
    *,
    splits: Sequence[str] = (),
    tasks: Sequence[str] = (),
    overwrite: bool = False,
    progress: Callable[[int], None] = lambda rows: None,
) -> ExportResult:
    """Write the questions of a finished data set in the form that another project loads.

    Parameters
    ----------
    folder
        The data set.
    out
        A folder that does not exist, or is empty.
    form
        One of `FORMATS`.
    splits, tasks
        Only these; all unless given.
    overwrite
        Replace an older export. Nothing else is ever replaced.
    progress
        Called with the number of rows that were read since the last call.

    Raises
    ------
    UserError
        For a name that does not exist, a place that is in use, or a data set without such questions.
    """
    data, out = open_data(folder), Path(out)
    if form not in FORMATS:
        raise UserError(describe_unknown("format", form, FORMATS))
    chosen = [_check_name("split", split, data.splits) for split in splits] or list(data.splits)
    wanted = {_check_name("task", task, TASKS) for task in tasks} or set(TASKS)
    wanted &= set(FORMATS[form].tasks or TASKS)
    _check_place(out, overwrite)
    with _new_folder(out) as hidden:
        sums = _ImageTotals()
        rows = {split: _write_split(data, hidden, FORMATS[form], split, wanted, sums, progress) for split in chosen}
        if not any(rows.values()):
            raise UserError(f"{folder} has no question of those tasks that {form} can hold")
        fixed = count_no_derivatives(count_licenses(data))
        result = ExportResult(out, form, FORMATS[form].loaded_by, rows, sums.images, sums.bytes, fixed)
        about = {"generator_version": __version__, "plan_sha256": data.manifest.get("plan_sha256")}
        write_json(hidden / _MARK, {**asdict(result), **about, "out": None})
    return result


def _check_name(kind: str, name: str, known: Collection[str]) -> str:
    if name not in known:
        raise UserError(describe_unknown(kind, name, known))
    return name


# --- the place ------------------------------------------------------------------------------------------------------


def _check_place(out: Path, overwrite: bool) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise UserError(f"{out} is a file; choose another --out")
    if not any(out.iterdir()):
        return
    if read_json(out / _MARK) is None:
        raise UserError(f"{out} is in use and is no export; choose another --out")
    if not overwrite:
        raise UserError(f"{out} holds an export already; replace it with --overwrite, or choose another --out")


@contextmanager
def _new_folder(out: Path) -> Iterator[Path]:
    """A hidden folder that gets the name `out` when everything in it is written."""
    hidden = out.absolute().with_name(f".{out.absolute().name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        hidden.mkdir(parents=True)
    except OSError as error:
        raise UserError(f"{out} cannot be written: {(error.strerror or str(error)).lower()}") from error
    try:
        yield hidden
        _put_in_place(hidden, out)
    except OSError as error:
        raise UserError(f"{out} could not be written: {(error.strerror or str(error)).lower()}") from error
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def _put_in_place(hidden: Path, out: Path) -> None:
    if hasattr(os, "sync"):
        os.sync()  # thousands of small files: one call for all
    old = hidden.with_name(f"{hidden.name}.old")
    if out.exists():
        out.rename(old)
    hidden.rename(out)
    shutil.rmtree(old, ignore_errors=True)


# --- rows -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _ImageTotals:
    images: int = 0
    bytes: int = 0


class _Rows(Protocol):
    """Where rows go."""

    def add(self, rows: list[dict[str, Any]]) -> None:
        """Takes rows, a group at a time."""


def _write_split(
    data: StoredDataset,
    out: Path,
    form: ExportFormat,
    split: str,
    tasks: set[str],
    sums: _ImageTotals,
    progress: Callable[[int], None],
) -> int:
    count = 0
    with _OPENERS[form.suffix](out / f"{split}.{form.suffix}") as sink:
        for part in data.parts_of("rft", split):
            files = _ImageFiles(out, part, sums, write=form.suffix != "parquet")
            for group in _groups(data, part):
                rows = [row for row in group if form.can_hold(row, tasks)]
                sink.add([form.row(row, files.write_images(row), count + i) for i, row in enumerate(rows)])
                count += len(rows)
                progress(len(group))
    return count


def _groups(data: StoredDataset, part: Part) -> Iterator[list[QuestionRow]]:
    with open_part(data.folder, part) as file:
        for index in range(file.num_row_groups):
            rows = file.read_row_group(index).to_pylist()
            for row in rows:
                _check_row(part, row)
            yield rows


def _check_row(part: Part, row: QuestionRow) -> None:
    """A prompt that holds a placeholder itself would shift every image after it."""
    text = row["prompt"][0]["content"] if row["prompt"] and len(row["prompt"]) == 1 else None
    if not isinstance(text, str) or "<image>" in text or not row["images"]:
        raise UserError(f"{part.path}, {row['sample_id']}: a question with one plain message and its images is needed")


class _ImageFiles:
    """The image files of a shard, each written when it is first shown."""

    def __init__(self, out: Path, part: Part, sums: _ImageTotals, write: bool) -> None:
        self._out, self._sums, self._write = out, sums, write
        self._folder = f"images/{Path(part.path).name.partition('-of-')[0]}"
        self._known: dict[str, int] = {}

    def write_images(self, row: QuestionRow) -> list[str]:
        """Write those images of a row that are not there yet; return the paths of all, below the folder."""
        return [self._path(picture) for picture in row["images"]]

    def _path(self, picture: PictureRow) -> str:
        name, content = picture["path"], picture["bytes"]
        # A name from a data set that anybody may have made: a plain one, or none of our paths.
        if not isinstance(name, str) or not _NAME.fullmatch(name) or not isinstance(content, bytes):
            raise UserError(
                f"an image called {str(name)[:80]!r}: a plain file name and the bytes of the image are needed"
            )
        path = f"{self._folder}/{name}"
        if path not in self._known:
            self._known[path] = len(content)
            self._sums.images += 1
            self._sums.bytes += len(content)
            if self._write:
                (self._out / self._folder).mkdir(parents=True, exist_ok=True)
                (self._out / path).write_bytes(content)
        elif self._known[path] != len(content):
            raise UserError(f"two images are called {name}; distortlab verify says what is wrong with the data set")
        return path


# --- files ----------------------------------------------------------------------------------------------------------


class _Lines:
    """A line for a row; with `array` one list in all, as `json.load` reads it."""

    def __init__(self, file: HashedFile, array: bool) -> None:
        self._file, self._array, self._first = file, array, True

    def add(self, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            separator = ("" if self._first else ",\n") if self._array else ""
            end = "" if self._array else "\n"
            self._file.write(f"{separator}{json.dumps(row, ensure_ascii=False)}{end}".encode())
            self._first = False


@contextmanager
def _lines(path: Path) -> Iterator[_Rows]:
    with new_file(path) as file:
        yield _Lines(file, array=False)


@contextmanager
def _array(path: Path) -> Iterator[_Rows]:
    with new_file(path) as file:
        file.write(b"[\n")
        yield _Lines(file, array=True)
        file.write(b"\n]\n")


class _Table:
    """Parquet with the images inside, each once for a row group."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer

    def add(self, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._writer.write_table(make_table(rows, VERL), row_group_size=len(rows))


@contextmanager
def _parquet(path: Path) -> Iterator[_Rows]:
    with ExitStack() as stack:
        file = stack.enter_context(new_file(path))
        yield _Table(stack.enter_context(open_writer(pa.PythonFile(file, mode="w"), VERL)))


_OPENERS = {"jsonl": _lines, "json": _array, "parquet": _parquet}
