"""Plain values from YAML and from the command line."""

import re
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import yaml

from distortlab.core.errors import UserError

__all__ = ["parse_overrides", "read_yaml", "set_key"]


class _Loader(yaml.SafeLoader):
    """Safe YAML in which 1e-6 is a number, no is a word (save_strategy: no), and a key stands once."""


# YAML 1.1 reads 1e-6 as text, and yes, no, on and off as truth values; YAML 1.2 has these rules.
_BOOL = "tag:yaml.org,2002:bool"
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag != _BOOL]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOL, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def _construct_mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, object]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    repeated = next((key for key in keys if keys.count(key) > 1), None)
    if repeated is not None:
        raise yaml.MarkedYAMLError(problem=f"the key {repeated!r} stands there twice", problem_mark=node.start_mark)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read the keys of a YAML file, numbers as YAML 1.2 has them (`1e-6`).

    Raises
    ------
    UserError
        Where the file cannot be read, is not YAML, holds no keys, or holds one of them twice.
    """
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the configuration {path} cannot be read: {error} (--config FILE.yaml)") from error
    except yaml.YAMLError as error:
        raise UserError(f"the configuration {path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise UserError(f"the configuration {path} holds no keys")
    return values


def parse_overrides(words: Sequence[str]) -> dict[str, object]:
    """Read keys of the configuration from the words of a command line.

    Raises
    ------
    UserError
        For a word that is no `--key`, and a key without a value.

    Examples
    --------
    >>> from refine_iqa_train.config.overrides import parse_overrides
    >>> parse_overrides(["--trainer.max_steps", "3", "--data.tasks=[object]"])
    {'trainer.max_steps': 3, 'data.tasks': ['object']}
    """
    overrides: dict[str, object] = {}
    remaining = list(words)
    while remaining:
        word = remaining.pop(0)
        key, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not key:
            raise UserError(f"{word!r} is no key of the configuration; keys are given as --trainer.max_steps 50")
        if not equals:
            if not remaining:
                raise UserError(f"--{key} has no value; keys are given as --trainer.max_steps 50")
            value = remaining.pop(0)
        try:
            overrides[key] = yaml.load(value, _Loader)
        except yaml.YAMLError:
            overrides[key] = value
    return overrides


def set_key(values: dict[str, Any], key: str, value: object) -> None:
    """Put a value at a dotted key, e.g. "trainer.max_steps", into nested dictionaries. Raises `UserError`."""
    *path, last = key.split(".")
    for part in path:
        if values.get(part) is None:
            values[part] = {}
        values = values[part]
        if not isinstance(values, dict):
            raise UserError(f"--{key}: {part} holds no keys")
    values[last] = value
