"""Plain values as YAML, without a library: blocks for mappings and lists, JSON for the rest, which is YAML as well."""

import json
from collections.abc import Mapping, Sequence

__all__ = ["format_yaml"]


def format_yaml(value: object) -> str:
    """Format mappings, lists, texts, numbers, truth values and None. Text keeps what can be printed, on one line."""
    return "\n".join(_list_lines(value)) + "\n"


def _list_lines(value: object) -> list[str]:
    if isinstance(value, Mapping) and value:
        return [line for key, inner in value.items() for line in _join(f"{key}:", inner)]
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        lines = []
        for item in value:
            first, *rest = _list_lines(item)
            lines += [f"- {first}", *(f"  {line}" for line in rest)]
        return lines
    return [_format_scalar(value)]


def _join(key: str, value: object) -> list[str]:
    lines = _list_lines(value)
    is_block = isinstance(value, Mapping | Sequence) and not isinstance(value, str) and bool(value)
    if not is_block:
        return [f"{key} {lines[0]}"]
    indent = "" if isinstance(value, Sequence) else "  "
    return [key, *(indent + line for line in lines)]


def _format_scalar(value: object) -> str:
    if isinstance(value, str):
        value = "".join(letter for letter in " ".join(value.split()) if letter.isprintable())
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
