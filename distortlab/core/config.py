"""Turn plain values (TOML, YAML, JSON) into a frozen dataclass; an unknown key or a wrong value is one sentence."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from distortlab.core.errors import UserError, describe_unknown

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = ["from_values", "is_misplaced_boolean"]

T = TypeVar("T")


def from_values(kind: type[T], values: Mapping[str, object], where: str, error: type[UserError] = UserError) -> T:
    """Make an instance of a dataclass from plain values. Missing keys take the default.

    Parameters
    ----------
    kind
        A dataclass; its fields may be dataclasses too, given as nested mappings.
    values
        Keys and values, which are checked and converted to the types of the fields.
    where
        What the values belong to, e.g. the name of a file: the sentence of an error begins with it.
    error
        The exception to raise.

    Raises
    ------
    UserError
        Or the class `error`, for an unknown key (it names the nearest one) and a value of the wrong type.
    """
    from pydantic import TypeAdapter, ValidationError

    _check_keys(values, kind, where, error)
    for key, value in _find_misplaced_booleans(kind, dict(values), ""):
        raise error(
            f"{where}: {key} = {str(value).lower()}: input should be a number (YAML reads yes, no, on and off so)"
        )
    try:
        return TypeAdapter(kind).validate_python(dict(values))
    except ValidationError as failure:
        raise error(f"{where}: {_describe(failure.errors()[0])}") from failure


def _describe(error: "ErrorDetails") -> str:
    key = ".".join(str(part) for part in error["loc"] if "[" not in str(part))  # the branches of a union have brackets
    if error["type"] == "literal_error":
        return describe_unknown(key, error["input"], re.findall(r"'([^']*)'", error["ctx"]["expected"]))
    if error["type"] == "missing":
        return f"{key} is missing"
    if error["type"] == "value_error":
        return f"{key}: {error['ctx']['error']}"
    return f"{key} = {error['input']!r}: {error['msg'][0].lower()}{error['msg'][1:]}"


def _find_misplaced_booleans(hint: object, value: object, key: str) -> Iterator[tuple[str, bool]]:
    """(key, value) of every boolean where a number belongs: pydantic takes true for 1."""
    if isinstance(value, bool):
        if is_misplaced_boolean(hint, value):
            yield key, value
    elif isinstance(value, Mapping):
        kind = next((part for part in (hint, *get_args(hint)) if is_dataclass(part)), None)
        hints = get_type_hints(kind) if kind else dict.fromkeys(value, (get_args(hint) or (Any,))[-1])
        for name, inner in value.items():
            yield from _find_misplaced_booleans(hints[name], inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from _find_misplaced_booleans(hint, inner, f"{key}[{place}]")


def is_misplaced_boolean(hint: object, value: object) -> bool:
    """Whether a value is true or false where the type takes numbers, and no booleans."""
    kinds = set(_list_types(hint))
    return isinstance(value, bool) and bool(kinds & {int, float}) and not kinds & {bool, Any, object}


def _list_types(hint: object) -> Iterator[object]:
    """The types in a type: of `tuple[int, ...] | None` int and None's."""
    if not get_args(hint):
        yield hint
    elif get_origin(hint) is Literal:
        yield from map(type, get_args(hint))
    else:
        for part in get_args(hint):
            yield from _list_types(part)


def _check_keys(values: Mapping[str, object], kind: type, where: str, error: type[UserError], prefix: str = "") -> None:
    known = [field.name for field in fields(kind)]
    hints = get_type_hints(kind)
    for key, value in values.items():
        if key not in known:
            raise error(f"{where}: " + describe_unknown("key", prefix + str(key), [prefix + name for name in known]))
        inner = next((part for part in (hints[key], *get_args(hints[key])) if is_dataclass(part)), None)
        if inner is not None and isinstance(value, Mapping):
            _check_keys(value, inner, where, error, f"{prefix}{key}.")  # type: ignore[arg-type]
