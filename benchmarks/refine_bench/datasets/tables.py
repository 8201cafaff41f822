"""Reading label files: CSV, Excel, MATLAB, JSON; and finding images whose case differs from their label.

What is wrong with a whole file is a `UserError` that names it; lines are counted as an editor shows them.
"""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from distortlab.core.errors import UserError

__all__ = [
    "ImageFinder",
    "is_number",
    "parse_json",
    "read_csv",
    "read_json",
    "read_lines",
    "read_mat",
    "read_text",
    "read_xlsx",
]

MAX_BYTES = 1 << 30


def read_text(path: Path) -> str:
    """Read a text file, with or without a byte-order mark. Raises `UserError` where it is not UTF-8 text."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f"{path} has more than {MAX_BYTES:,} bytes; that is no label file")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8 text") from None
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None


def read_csv(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line, values by column) of a CSV file. Raises `UserError` where it lacks one of the columns."""
    reader = csv.DictReader(read_text(path).splitlines(keepends=True))
    try:
        _check_columns(path, reader.fieldnames or [], columns)
        for row in reader:
            if any(row.get(column) is None for column in columns):
                raise UserError(f"{path}, row {reader.line_num}: fewer values than the header has columns")
            yield reader.line_num, row
    except csv.Error as error:
        raise UserError(f"{path}, row {reader.line_num}: {error}") from None


def _check_columns(path: Path, found: Sequence[str], columns: Sequence[str]) -> None:
    missing = [column for column in columns if column not in found]
    if missing:
        raise UserError(f"{path} has no column {', '.join(missing)}; it has {', '.join(map(str, found)) or 'none'}")


def read_xlsx(path: Path, columns: Sequence[str], sheet: str | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (row, values by column) of an Excel sheet, below the first row that has all the columns.

    Raises
    ------
    UserError
        Where the file cannot be read, or no row has the columns.
    """
    try:
        import openpyxl
    except ImportError:
        raise UserError(f"{path} is an Excel file: pip install openpyxl") from None
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # zipfile, KeyError, XML errors: whatever its parsers raise
        raise UserError(f"{path} is not a readable Excel file: {error}") from None
    try:
        if sheet is not None and sheet not in book.sheetnames:
            raise UserError(f"{path} has no sheet {sheet!r}; it has {', '.join(book.sheetnames)}")
        table = book[sheet] if sheet else book.worksheets[0]
        yield from _read_below_header(path, table.iter_rows(values_only=True), columns)
    finally:
        book.close()


def _read_below_header(
    path: Path, rows: Iterator[tuple[Any, ...]], columns: Sequence[str]
) -> Iterator[tuple[int, dict[str, Any]]]:
    header: list[str] | None = None
    for number, values in enumerate(rows, 1):
        cells = [str(value).strip() if value is not None else "" for value in values]
        if header is None:
            header = cells if all(column in cells for column in columns) else None
        elif any(cells):
            yield number, dict(zip(header, values, strict=False))
    if header is None:
        raise UserError(f"{path} has no row with the columns {', '.join(columns)}")


def read_mat(path: Path, names: Sequence[str]) -> list[Any]:
    """Read variables of a MATLAB file, each flattened to a list; cells of text become text."""
    import numpy as np
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        values = loadmat(path)
    except (MatReadError, ValueError, NotImplementedError, OSError, TypeError) as error:
        raise UserError(f"{path} is not a readable MATLAB file: {error}") from None
    _check_columns(path, [name for name in values if not name.startswith("__")], names)
    return [[_unwrap_cell(item) for item in np.asarray(values[name]).ravel()] for name in names]


def _unwrap_cell(item: Any) -> Any:
    while hasattr(item, "dtype") and getattr(item, "size", 0) == 1:
        item = item.item() if item.ndim == 0 else item.ravel()[0]
    return item


def is_number(text: str) -> bool:
    """Whether text spells a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of the lines of a file that are not blank."""
    return ((number, line.strip()) for number, line in enumerate(read_text(path).splitlines(), 1) if line.strip())


def parse_json(
    path: Path, text: str, object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None
) -> list[Any]:
    """Parse the values of a JSON text: one, one on each line, or one after another.

    Parameters
    ----------
    path
        The file, for messages.
    text
        What stands in it.
    object_pairs_hook
        As of `json.JSONDecoder`.

    Raises
    ------
    UserError
        With the line where a value is not whole.
    """
    decoder = json.JSONDecoder(object_pairs_hook=object_pairs_hook)
    values: list[Any] = []
    at = _skip_blanks(text, 0)
    while at < len(text):
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            line = text.count("\n", 0, getattr(error, "pos", at)) + 1
            raise UserError(
                f"{path}, line {line}: no whole JSON value ({len(values)} items before it); {error}"
            ) from None
        values.append(value)
        at = _skip_blanks(text, at)
    return values


def read_json(path: Path) -> list[tuple[int, Mapping[str, Any]]]:
    """Read (number, object) of a JSON list, of JSON lines, or of objects one after another."""
    values = parse_json(path, read_text(path))
    items = [item for value in values for item in (value if isinstance(value, list) else [value])]
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict):
            raise UserError(f"{path}, item {number} is {type(item).__name__}, not an object")
    return list(enumerate(items, 1))


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n,":
        at += 1
    return at


class ImageFinder:
    """Image files below some folders, found by name; whatever its case where only one file can be meant. Folders are
    listed once, when first needed.
    """

    def __init__(self, *folders: Path) -> None:
        self._folders = [folder for folder in folders if folder.is_dir()] or list(folders[:1])
        self._listed: dict[Path, dict[str, list[Path]]] = {}

    def find(self, name: str) -> Path:
        """Return where an image is, or should be. Raises `UserError` for a name that leads out of its folder."""
        relative = Path(name.replace("\\", "/"))
        if relative.is_absolute() or ".." in relative.parts or "\0" in name:
            raise UserError(f"the image name {name!r} leads out of its folder")
        for folder in self._folders:
            whole = folder / relative
            names = self._names(whole.parent)
            found = names.get(whole.name) or names.get(f"/{whole.name.casefold()}") or []
            if len(found) == 1:
                return found[0]
        return self._folders[0] / relative

    def _names(self, folder: Path) -> dict[str, list[Path]]:
        """The files of a folder by name, and by "/" and the name without case: no name has a slash."""
        if folder not in self._listed:
            there = sorted(folder.iterdir()) if folder.is_dir() else []
            names: dict[str, list[Path]] = {}
            for path in there:
                names.setdefault(f"/{path.name.casefold()}", []).append(path)
            self._listed[folder] = names | {path.name: [path] for path in there}
        return self._listed[folder]
