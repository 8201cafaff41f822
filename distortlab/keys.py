"""From plain values (TOML, YAML, JSON) to a frozen dataclass: unknown keys and wrong values are one sentence."""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, get_args, get_type_hints

from distortlab.errors import UserError, unknown

__all__ = ["from_values"]

T = TypeVar("T")


def from_values(kind: type[T], values: Mapping[str, Any], where: str, error: type[UserError] = UserError) -> T:
    """An instance of the dataclass, its fields checked and converted. Missing keys take the default.

    Raises `error` with a sentence that begins with `where` and names the key; for an unknown key also the nearest one.
    """
    from pydantic import TypeAdapter, ValidationError

    _known_keys(values, kind, where, error)
    try:
        return TypeAdapter(kind).validate_python(dict(values))
    except ValidationError as failure:
        raise error(f"{where}: {_sentence(failure.errors()[0])}") from failure


def _sentence(error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"] if "[" not in str(part))  # the branches of a union have brackets
    if error["type"] == "literal_error":
        return unknown(key, error["input"], re.findall(r"'([^']*)'", error["ctx"]["expected"]))
    if error["type"] == "missing":
        return f"{key} is missing"
    if error["type"] == "value_error":
        return f"{key}: {error['ctx']['error']}"
    return f"{key} = {error['input']!r}: {error['msg'][0].lower()}{error['msg'][1:]}"


def _known_keys(values: Mapping[str, Any], kind: type, where: str, error: type[UserError], prefix: str = "") -> None:
    known = [field.name for field in fields(kind)]
    hints = get_type_hints(kind)
    for key, value in values.items():
        if key not in known:
            raise error(f"{where}: " + unknown("key", prefix + str(key), [prefix + name for name in known]))
        inner = next((part for part in (hints[key], *get_args(hints[key])) if is_dataclass(part)), None)
        if inner is not None and isinstance(value, Mapping):
            _known_keys(value, inner, where, error, f"{prefix}{key}.")  # type: ignore[arg-type]
