"""The commands that pages show, and whether the programs would take them; nothing is run."""

import re
import shlex
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Block", "find_blocks", "find_commands", "find_fault", "split_command"]

ROOT = Path(__file__).parents[2]
APPS = {
    "distortlab": "distortlab.cli",
    "refine-bench": "refine_bench.cli.app",
    "refine_iqa_train": "refine_iqa_train.cli",
}
OTHERS = {("hf", "auth", "login")}
"""Commands of other programs, as they begin."""
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A block of code: its language, "" for a shell's, and its text."""

    language: str
    text: str


def find_blocks(page: str) -> list[Block]:
    """The blocks of a page, in their order."""
    return [Block(found[1], found[2]) for found in _FENCE.finditer(page)]


def find_commands(page: str) -> Iterator[str]:
    """The commands of the shell's blocks: a line each, without what stands behind a #, continued lines as one."""
    for block in find_blocks(page):
        if block.language in ("", "bash", "sh"):
            yield from split_command(block.text)


def split_command(text: str) -> list[str]:
    lines = text.replace("\\\n", " ").splitlines()
    return [line for line in (re.sub(r"(^|\s)#.*", "", line).strip() for line in lines) if line]


def find_fault(command: str) -> str | None:
    """What is wrong with a command, or None."""
    words = shlex.split(command)
    if words[:2] == ["accelerate", "launch"]:
        options, words = words[2 : words.index("-m")], ["python", *words[words.index("-m") :]]
        if missing := [word for word in options if word.endswith(".yaml") and not (ROOT / word).is_file()]:
            return f"there is no {missing[0]}"
    if words[0] in ("python", "python3") and words[1:2] == ["-m"]:
        words = words[2:]
    if words[0] in APPS:
        return _find_misuse(words[0], words[1:])
    if words[0] == "make":
        return next((f"no target {word}" for word in words[1:] if "=" not in word and word not in _targets()), None)
    if words[:2] == ["pip", "install"]:
        return next(
            (f"no extra {extra}" for extra in re.findall(r"\[(.*?)\]", command) if extra not in _extras()), None
        )
    if words[0] in ("python", "python3"):
        return None if (ROOT / words[1]).is_file() else f"there is no {words[1]}"
    return None if any(tuple(words[: len(other)]) == other for other in OTHERS) else f"what is {words[0]}?"


def _find_misuse(program: str, words: Sequence[str]) -> str | None:
    """What the program's own parser says, and for keys of a configuration its reader."""
    commands = _commands(program)
    if not words or words[0] not in commands:
        return f"{program} has no command {' '.join(words[:1])}"
    try:
        context = commands[words[0]].make_context(words[0], list(words[1:]))
    except Exception as error:
        return str(error) or type(error).__name__
    if context.params.get("config"):
        return _find_config_fault(context.params["config"], context.args)
    return f"{words[0]} takes no {context.args[0]}" if context.args else None


def _find_config_fault(config: str, overrides: list[str]) -> str | None:
    from distortlab.core.errors import UserError
    from refine_iqa_train.config.loading import load_config
    from refine_iqa_train.config.overrides import parse_overrides

    try:
        load_config(ROOT / config if config.startswith("recipes/") else config, parse_overrides(overrides))
    except UserError as error:
        return str(error)
    return None


@cache
def _commands(program: str) -> dict[str, Any]:
    from typer.main import get_command

    return dict(get_command(import_module(APPS[program]).app).commands)  # type: ignore[attr-defined]


@cache
def _targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@cache
def _extras() -> set[str]:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return set(project["optional-dependencies"])
