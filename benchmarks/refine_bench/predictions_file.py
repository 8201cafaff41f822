"""Files of predictions, in the forms that people have: as rows of columns, whatever the form.

JSON: a list of objects, an object for each line, objects one after another, `{name: score}`, `[[name, score], ...]`,
and an object of columns. Text: CSV with a header, or two columns without one; tabs, commas, semicolons, or lines of
`name score`. Parquet. A column is called `image`, `img_name`, `Image Name`, ...: case and punctuation do not count.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from distortlab.errors import UserError
from refine_bench.datasets.tables import json_values, text_of

__all__ = [
    "FORMS",
    "NAMES",
    "SCORES",
    "SURPLUS",
    "TEXTS",
    "TRUTHS",
    "Row",
    "column_key",
    "image_name",
    "is_known",
    "read_rows",
]

Row = Mapping[str, Any]
FORMS = (
    "a list of JSON objects, an object per line, {name: score}; CSV with a header such as image,score, or two columns "
    "without one; lines of 'name score'; Parquet"
)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NAMES = _words(
    "img_path image_path image img image_name img_name name filename file_name file filepath path dist_img dist_image "
    "dist_name distorted_image images image_id img_id id __index_level_0__"
)
SCORES = _words(
    "score scores prediction pred pred_score predicted_score predicted rating mos_pred pred_mos predicted_mos "
    "quality_score quality value"
)
TEXTS = _words("answer response output text prediction_text completion")
TRUTHS = _words("gt_score gt gt_mos ground_truth mos label target")
SURPLUS = "\0surplus"
"""The key under which a row has what stands outside of its columns."""
_PEEKED = 20


def column_key(name: object) -> str:
    """Return the name of a column without case and punctuation.

    >>> column_key("Image Name") == column_key("image_name") == "imagename"
    True
    """
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


_NAME_KEYS = frozenset(map(column_key, NAMES))
_VALUE_KEYS = frozenset(map(column_key, (*SCORES, *TEXTS, *TRUTHS)))


def is_known(name: object) -> bool:
    """Whether a column is one of those that are read."""
    key = column_key(name)
    return key in _NAME_KEYS or key in _VALUE_KEYS or key.startswith("logit")


def image_name(value: object) -> str | None:
    """Return the name that a cell holds: text, a whole number, a list of one, or an object with a path."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list) and len(value) == 1:
        return image_name(value[0])
    return image_name(value.get("path")) if isinstance(value, dict) else None


def read_rows(path: Path, *, as_text: bool = False) -> Iterator[tuple[int, Row]]:
    """Yield (row, columns) of a file of predictions.

    Parameters
    ----------
    path
        The file. Its ending says its kind; without a known one, its first character does.
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
        return _parquet_rows(path)
    text = text_of(path)
    if kind in (".json", ".jsonl", ".ndjson") or (kind not in (".csv", ".tsv") and text.lstrip()[:1] in ("{", "[")):
        return _json_rows(path, text)
    return _table_rows(path, text, as_text)


def _parquet_rows(path: Path) -> Iterator[tuple[int, Row]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            columns = file.schema_arrow.names
            wanted = [name for name in columns if len(columns) == 2 or is_known(name)]
            rows = file.read(columns=wanted).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path} is not a readable Parquet file: {error}") from None
    yield from enumerate(map(_with_score, rows), 1)


# --- JSON -----------------------------------------------------------------------------------------------------------


def _json_rows(path: Path, text: str) -> Iterator[tuple[int, Row]]:
    number = 0
    try:
        values = json_values(path, text, object_pairs_hook=_unique)
    except _RepeatedKey as error:
        raise UserError(f"{path}: {error}") from None
    for value in values:
        for row in _json_items(path, value, number + 1):
            number += 1
            yield number, row


class _RepeatedKey(Exception):
    """A key that an object has twice."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        again = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _RepeatedKey(f"a JSON object has the key {again[:80]!r} twice: which value counts is not known")
    return found


def _json_items(path: Path, value: Any, number: int) -> Iterator[Row]:
    """The rows of one value of the file: of an object, or of a list of them."""
    whole = not isinstance(value, list) or _is_pair(value)
    for item in [value] if whole else value:
        if isinstance(item, dict):
            yield from _object_rows(item)
        elif _is_pair(item):
            yield _pair(item[0], item[1])
        else:
            what = f"{type(item).__name__} {json.dumps(item)[:40]}"
            raise UserError(f"{path}, item {number} is {what}, no prediction; allowed: {FORMS}")
        number += 1


def _is_pair(item: Any) -> bool:
    return isinstance(item, list) and len(item) == 2 and isinstance(item[0], str) and not isinstance(item[1], list)


def _object_rows(item: Mapping[str, Any]) -> Iterator[Row]:
    """The rows of an object: itself, its columns turned to rows, or a pair for each of its keys."""
    columns = [key for key, value in item.items() if is_known(key) and isinstance(value, (list, dict))]
    if len(columns) > 1 and any(column_key(key) in _NAME_KEYS for key in columns):
        yield from _turn_columns(item)
    elif not item or any(map(is_known, item)) or len({_kind(value) for value in item.values()}) > 1:
        yield item
    else:
        for key, value in item.items():
            yield {**value, NAMES[0]: key} if isinstance(value, dict) else _pair(key, value)


def _turn_columns(item: Mapping[str, Any]) -> Iterator[Row]:
    columns = {key: _cells(value) for key, value in item.items() if is_known(key)}
    longest = max(map(len, columns.values()), default=0)
    for k in range(longest):
        yield {key: cells[k] if k < len(cells) else None for key, cells in columns.items()}


def _cells(value: Any) -> list[Any]:
    if isinstance(value, dict):  # pandas: {"0": ..., "1": ...}
        return list(value.values())
    return value if isinstance(value, list) else []


def _kind(value: Any) -> type:
    return float if isinstance(value, int) and not isinstance(value, bool) else type(value)


def _pair(name: Any, value: Any) -> Row:
    return {"name": name, "value": value}


# --- text -----------------------------------------------------------------------------------------------------------


def _table_rows(path: Path, text: str, as_text: bool) -> Iterator[tuple[int, Row]]:
    rows = _split_lines(path, text, as_text)
    if not rows:
        return
    header = rows[0][1]
    if _is_header(header):
        yield from _below_header(path, header, rows[1:])
        return
    # "3.2 a.jpg": the score first, as TID2013 writes its labels.
    first = [cells for _, cells in rows[:_PEEKED]]
    turned = not as_text and all(_is_number(cells[0]) and not _is_number(cells[-1]) for cells in first)
    if len(header) != 2:
        shown = f"{len(header)} columns ({', '.join(map(repr, header))[:100]}) and no header that names the image"
        raise UserError(f"{path}, row {rows[0][0]}: {shown}; allowed: {FORMS}")
    for line, cells in rows:
        yield line, _pair(*(reversed(cells) if turned else cells)) if len(cells) == 2 else {SURPLUS: cells}


def _split_lines(path: Path, text: str, as_text: bool) -> list[tuple[int, list[str]]]:
    """(line, cells) by the first mark between columns that fits the first lines."""
    kind = path.suffix.lower()
    marks = {".tsv": "\t", ".csv": ",;\t"}.get(kind, "\t,;")
    for mark in marks:
        rows = _csv_lines(path, text, mark)
        if _has_columns([cells for _, cells in rows[:_PEEKED]], as_text):
            return rows
    if kind in (".csv", ".tsv"):
        return _csv_lines(path, text, marks[0])
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    return [(number, _split_words(line)) for number, line in lines if line and not line.startswith("# ")]


def _has_columns(rows: Sequence[Sequence[str]], as_text: bool) -> bool:
    """Whether the first rows are a table: a header, or a number (an answer) in each."""
    if not rows or any(len(cells) < 2 for cells in rows):
        return False
    return as_text or _is_header(rows[0]) or any(_is_number(cells[k]) for cells in rows for k in (0, -1))


def _split_words(line: str) -> list[str]:
    """A line by its blanks: a header by all of them, a name with blanks and a score by the last, or the first."""
    words = line.split()
    if _is_header(words):
        return words
    return line.split(None, 1) if _is_number(words[0]) and not _is_number(words[-1]) else line.rsplit(None, 1)


def _csv_lines(path: Path, text: str, mark: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    rows = []
    try:
        for cells in reader:
            trimmed = [cell.strip() for cell in cells]
            if any(trimmed) and not trimmed[0].startswith("# "):
                rows.append((reader.line_num, trimmed))
    except csv.Error as error:
        raise UserError(f"{path}, row {reader.line_num}: {error}") from None
    return rows


def _below_header(
    path: Path, header: Sequence[str], rows: Sequence[tuple[int, list[str]]]
) -> Iterator[tuple[int, Row]]:
    twice = [name for k, name in enumerate(header) if name and name in header[:k]]
    if twice:
        raise UserError(f"{path} has two columns {twice[0]!r}")
    for line, cells in rows:
        row = _with_score(dict(zip(header, cells, strict=False)))
        surplus = [cell for cell in cells[len(header) :] if cell]
        yield line, {**row, SURPLUS: surplus} if surplus else row


def _with_score(row: Row) -> Row:
    """Of two columns, one of which names the image, the other is the score, whatever it is called."""
    others = [name for name in row if column_key(name) not in _NAME_KEYS]
    if len(row) == 2 and len(others) == 1 and not is_known(others[0]):
        return {("score" if name == others[0] else name): value for name, value in row.items()}
    return row


def _is_header(cells: Sequence[str]) -> bool:
    names = [cell for cell in cells if column_key(cell) in _NAME_KEYS]
    others = [cell for cell in cells if cell not in names]
    return bool(names) and (any(map(is_known, others)) or (len(cells) == 2 and not any(map(_is_number, cells))))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
