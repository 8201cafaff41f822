"""Predictions in JSON: objects in a list or one after another; `{name: score}`; pairs; an object of columns."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from distortlab.core.errors import UserError
from refine_bench.datasets.tables import parse_json
from refine_bench.scoring.prediction_columns import (
    FORMS,
    ID_KEYS,
    NAME_KEYS,
    NAMES,
    Columns,
    is_known,
    make_pair,
    normalize_column,
)

__all__ = ["parse_rows"]


def parse_rows(path: Path, text: str) -> Iterator[tuple[int, Columns]]:
    """Yield (number, columns) of a JSON text. Raises `UserError` where a value is none of the forms."""
    number = 0
    try:
        values = parse_json(path, text, object_pairs_hook=_check_unique)
    except _RepeatedKey as error:
        raise UserError(f"{path}: {error}") from None
    for value in values:
        for row in _split_items(path, value, number + 1, alone=len(values) == 1):
            number += 1
            yield number, row


class _RepeatedKey(Exception):
    """A key that an object has twice."""


def _check_unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        again = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _RepeatedKey(f"a JSON object has the key {again[:80]!r} twice: which value counts is not known")
    return found


def _split_items(path: Path, value: Any, number: int, *, alone: bool) -> Iterator[Columns]:
    """The rows of one value of the file: of an object, or of a list of them."""
    whole = not isinstance(value, list) or _is_pair(value)
    for item in [value] if whole else value:
        if isinstance(item, dict):
            yield from _split_object(item, alone=alone and whole)
        elif _is_pair(item):
            yield make_pair(item[0], item[1])
        else:
            what = f"{type(item).__name__} {json.dumps(item)[:40]}"
            raise UserError(f"{path}, item {number} is {what}, no prediction; allowed: {FORMS}")
        number += 1


def _is_pair(item: object) -> bool:
    return isinstance(item, list) and len(item) == 2 and isinstance(item[0], str) and not isinstance(item[1], list)


def _split_object(item: Mapping[str, Any], *, alone: bool) -> Iterator[Columns]:
    """The rows of an object: itself, its columns turned to rows, or one for each of its keys.

    Its keys are images where none is a column that is known, and the object is all there is or its values are alike.
    """
    columns = [key for key, value in item.items() if is_known(key) and isinstance(value, (list, dict))]
    if len(columns) > 1 and any(normalize_column(key) in NAME_KEYS for key in columns):
        yield from _turn_columns(item)
    elif not item or any(map(is_known, item)) or not (alone or _are_alike(item)):
        yield item
    else:
        yield from (_make_keyed_row(key, value) for key, value in item.items())


def _make_keyed_row(key: str, value: object) -> Columns:
    """The row of a key: the name of an image, or a mere index where the value names one."""
    if not isinstance(value, dict):
        return make_pair(key, value)
    named = any(normalize_column(name) in NAME_KEYS - ID_KEYS for name in value)
    return value if named else {**value, NAMES[0]: key}


def _turn_columns(item: Mapping[str, Any]) -> Iterator[Columns]:
    columns = {key: _list_cells(value) for key, value in item.items() if is_known(key)}
    longest = max(map(len, columns.values()), default=0)
    for k in range(longest):
        yield {key: cells[k] if k < len(cells) else None for key, cells in columns.items()}


def _list_cells(value: object) -> list[object]:
    if isinstance(value, dict):  # pandas: {"0": ..., "1": ...}
        return list(value.values())
    return value if isinstance(value, list) else []


def _are_alike(item: Mapping[str, Any]) -> bool:
    """Whether the values are of one kind, but for those that are missing."""
    kinds = {type(value) for value in item.values()} - {type(None)}
    return len(kinds) < 2 or kinds == {int, float}
