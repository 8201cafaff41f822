"""Pages of keys: of a recipe from the commented one in the package, of a configuration from its dataclasses."""

import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from page_links import make_anchor

from refine_iqa_train.config import schema

__all__ = ["read_parameters", "write_config", "write_recipe"]

RECIPE = "manifests/refine-perception-20k.toml"


def write_recipe(root: Path) -> str:
    """Return the page of a recipe's keys: the default recipe, which shows and explains them all."""
    text = (root / RECIPE).read_text(encoding="utf-8").strip()
    about = (
        "The default recipe, `refine-perception-20k`, with every key and its default. A recipe names only what it "
        "wants otherwise; an unknown key is an error that names the nearest one."
    )
    return "\n".join(["# Keys of a recipe", "", about, "", "```toml", text, "```", ""])


def write_config() -> str:
    """Return the page of the keys of a configuration of training."""
    lines = [
        "# Keys of a configuration",
        "",
        "One run of `python -m refine_iqa_train` is one YAML file. Every key can be given on the command line too: "
        "`--trainer.max_steps 50`, `--lora.r 32`. This page is made from the code that reads them.",
        "",
        *_write_table(schema.Config, ""),
    ]
    for path, kind in _walk(schema.Config, ""):
        summary = (kind.__doc__ or "").strip().split("\n\n")[0]
        lines += ["", f"## `{path}`", "", " ".join(summary.split()), "", *_write_table(kind, path)]
    return "\n".join(lines) + "\n"


def _walk(kind: type, prefix: str) -> Iterator[tuple[str, type]]:
    """Yield the sections below a section, each before those below it."""
    for field in fields(kind):
        for inner in (field.type, *get_args(field.type)):
            if isinstance(inner, type) and is_dataclass(inner):
                yield f"{prefix}{field.name}", inner
                yield from _walk(inner, f"{prefix}{field.name}.")


def _write_table(kind: type, path: str) -> list[str]:
    meaning = read_parameters(kind.__doc__ or "")
    rows = []
    for field in fields(kind):
        key = f"{path}.{field.name}" if path else field.name
        kinds = dict(_walk(kind, f"{path}." if path else ""))
        if key in kinds:
            rows.append(f"| `{key}` | a section, [below](#{make_anchor(key)}) |")
        else:
            rows.append(f"| `{key}` | {_cell(meaning.get(field.name, ''))} *{_describe_value(field)}.* |")
    return ["| key | |", "|---|---|", *rows]


def read_parameters(docstring: str) -> dict[str, str]:
    """Return what a NumPy docstring says of each parameter; names that stand together share their text."""
    _, _, section = docstring.partition("Parameters\n")
    found: dict[str, str] = {}
    names: list[str] = []
    indent = re.search(r"^( *)-{3,}\n", section, re.MULTILINE)
    if not indent:
        return found
    for line in section[indent.end() :].splitlines():
        if re.match(rf"{indent[1]}-{{3,}}$", line):  # the line before was the title of the next section
            return {name: text for name, text in found.items() if name not in names}
        if line.startswith(indent[1] + " ") and names:
            for name in names:
                found[name] = f"{found[name]} {line.strip()}".strip()
        elif line.strip():
            names = [name.strip() for name in line.partition(":")[0].split(",")]
            found.update(dict.fromkeys(names, ""))
    return found


def _describe_value(field: "Field[Any]") -> str:
    """What may stand there, and what stands there where nothing is said."""
    kind = _format_type(field.type)
    if field.default is MISSING:
        return kind if field.default_factory is not MISSING else f"{kind}, must be given"
    if field.default is None:
        return kind
    value = field.default
    if isinstance(value, tuple | list):
        return f"{kind}, default `[{', '.join(map(str, value))}]`"
    return f"{kind}, default `{str(value).lower() if isinstance(value, bool) else value}`"


def _format_type(annotation: Any) -> str:
    """A type as one would say it."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " | ".join(f"`{value}`" for value in inner).replace("|", "\\|")
    if origin in (Union, UnionType):
        return " or ".join(_format_type(one) for one in inner if one is not NoneType)
    words = {
        str: "text",
        int: "whole number",
        float: "number",
        bool: "yes or no",
        dict: "keys of its own",
        tuple: "list",
        list: "list",
    }
    return words.get(origin or annotation, "value")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
