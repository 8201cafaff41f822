"""Files of predictions, in the forms that people have: as rows of columns, whatever the form.

JSON: a list of objects, an object for each line, objects one after another, `{name: score}`, `[[name, score], ...]`,
and an object of columns. Text: CSV with a header, or two columns without one; tabs, commas, semicolons, or lines of
`name score`. Parquet. A column is called `image`, `img_name`, `Image Name`, ...: case and punctuation do not count.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from distortlab.core.errors import UserError
from refine_bench.datasets.tables import is_number, read_text
from refine_bench.scoring.prediction_columns import (
    FORMS,
    NAME_KEYS,
    SURPLUS,
    Columns,
    is_known,
    make_pair,
    normalize_column,
)
from refine_bench.scoring.predictions_json import parse_rows

__all__ = ["read_rows"]

_PEEKED = 20
_JSON = re.compile(r'\s*\[?\s*[\[{]\s*"')


def read_rows(path: Path, *, as_text: bool = False) -> Iterator[tuple[int, Columns]]:
    """Yield (row, columns) of a file of predictions.

    Parameters
    ----------
    path
        The file. Its ending says its kind; without a known one, its beginning does.
    as_text
        Whether the second of two columns is an answer to be read, not a number.

    Raises
    ------
    UserError
        Where the file is not there, or is none of the forms.
    """
    if not path.is_file():
        raise UserError(f"{path} is not a file")
    kind = path.suffix.lower()
    if kind == ".parquet":
        return _read_parquet(path)
    text = read_text(path)
    if kind in (".json", ".jsonl", ".ndjson") or (kind not in (".csv", ".tsv") and _JSON.match(text)):
        return parse_rows(path, text)
    return _read_table(path, text, as_text)


def _read_parquet(path: Path) -> Iterator[tuple[int, Columns]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            columns = file.schema_arrow.names
            wanted = [name for name in columns if len(columns) == 2 or is_known(name)]
            rows = file.read(columns=wanted).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path} is not a readable Parquet file: {error}") from None
    yield from enumerate(map(_name_score, rows), 1)


def _read_table(path: Path, text: str, as_text: bool) -> Iterator[tuple[int, Columns]]:
    rows = _split_lines(path, text, as_text)
    if not rows:
        return
    header = rows[0][1]
    if _is_header(header):
        yield from _read_below_header(path, header, rows[1:])
        return
    # "3.2 a.jpg": the score first, as TID2013 writes its labels.
    first = [cells for _, cells in rows[:_PEEKED]]
    turned = not as_text and all(is_number(cells[0]) and not is_number(cells[-1]) for cells in first)
    if len(header) != 2:
        shown = f"{len(header)} columns ({', '.join(map(repr, header))[:100]}) and no header that names the image"
        raise UserError(f"{path}, row {rows[0][0]}: {shown}; allowed: {FORMS}")
    for line, cells in rows:
        yield line, make_pair(*(reversed(cells) if turned else cells)) if len(cells) == 2 else {SURPLUS: cells}


def _split_lines(path: Path, text: str, as_text: bool) -> list[tuple[int, list[str]]]:
    """(line, cells) by the first mark between columns that fits the first lines."""
    kind = path.suffix.lower()
    marks = {".tsv": "\t", ".csv": ",;\t"}.get(kind, "\t,;")
    tables = [_read_csv(path, text, mark) for mark in marks]
    for rows in tables:
        if rows and _is_header(rows[0][1]):
            return rows
    for rows in tables:
        if _has_columns([cells for _, cells in rows[:_PEEKED]], as_text):
            return rows
    if kind in (".csv", ".tsv"):
        return tables[0]
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    return [(number, _split_words(line, as_text)) for number, line in lines if line and not line.startswith("# ")]


def _has_columns(rows: Sequence[Sequence[str]], as_text: bool) -> bool:
    """Whether the first rows are a table without a header: two cells or more, a number (an answer) among them."""
    if not rows or any(len(cells) < 2 for cells in rows):
        return False
    return as_text or any(is_number(cells[k]) for cells in rows for k in (0, -1))


def _split_words(line: str, as_text: bool) -> list[str]:
    """A line by its blanks: a header by all of them, a name with blanks and a score by the last, or the first."""
    words = line.split()
    if _is_header(words):
        return words
    if as_text:
        return line.split(None, 1)
    return line.split(None, 1) if is_number(words[0]) and not is_number(words[-1]) else line.rsplit(None, 1)


def _read_csv(path: Path, text: str, mark: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    rows = []
    try:
        for cells in reader:
            trimmed = [cell.strip() for cell in cells]
            if any(trimmed) and not trimmed[0].startswith("# "):
                rows.append((reader.line_num, trimmed))
    except csv.Error as error:
        if mark != ",":  # only tried: a line of commas is one long cell between tabs
            return []
        raise UserError(f"{path}, row {reader.line_num}: {error}") from None
    return rows


def _read_below_header(
    path: Path, header: Sequence[str], rows: Sequence[tuple[int, list[str]]]
) -> Iterator[tuple[int, Columns]]:
    twice = [name for k, name in enumerate(header) if name and name in header[:k]]
    if twice:
        raise UserError(f"{path} has two columns {twice[0]!r}")
    for line, cells in rows:
        row = _name_score(dict(zip(header, cells, strict=False)))
        surplus = [cell for cell in cells[len(header) :] if cell]
        yield line, {**row, SURPLUS: surplus} if surplus else row


def _name_score(row: Columns) -> Columns:
    """Of two columns, one of which names the image, the other is the score, whatever it is called."""
    others = [name for name in row if normalize_column(name) not in NAME_KEYS]
    if len(row) == 2 and len(others) == 1 and not is_known(others[0]):
        return {("score" if name == others[0] else name): value for name, value in row.items()}
    return row


def _is_header(cells: Sequence[str]) -> bool:
    names = [cell for cell in cells if normalize_column(cell) in NAME_KEYS]
    others = [cell for cell in cells if cell not in names]
    return bool(names) and (any(map(is_known, others)) or (len(cells) == 2 and not any(map(is_number, cells))))
