"""Pages of commands, from what `--help` prints."""

from importlib import import_module
from typing import Any, NamedTuple

from typer import _click
from typer.main import get_command

__all__ = ["PROGRAMS", "Program", "find_commands", "write_program"]


class Program(NamedTuple):
    """A program: how it is called, the module and the name of its application, and what its page is called."""

    name: str
    module: str
    page: str


PROGRAMS = (
    Program("distortlab", "distortlab.cli", "distortlab"),
    Program("python -m refine_iqa_train", "refine_iqa_train.cli", "training"),
    Program("refine-bench", "refine_bench.cli.app", "refine-bench"),
)


def find_commands(program: Program) -> tuple[Any, dict[str, Any]]:
    """Return a program as typer has it, and its commands by name."""
    app = get_command(import_module(program.module).app)
    return app, dict(app.commands)


def write_program(program: Program) -> str:
    """Return the page of a program: every command with its example and its options."""
    app, commands = find_commands(program)
    lines = [
        f"# `{program.name}`",
        "",
        app.help.strip(),
        "",
        f"Made from the program itself: `{program.name} COMMAND --help` prints the same.",
    ]
    for name, command in commands.items():
        if not command.hidden:
            lines += [
                "",
                f"## {name}",
                "",
                *_write_help(command.help or "", program.name),
                "",
                *_write_options(command),
            ]
    return "\n".join(lines) + "\n"


def _write_help(text: str, program: str) -> list[str]:
    """A docstring as Markdown: paragraphs, and lines that call a program as code."""
    lines: list[str] = []
    for paragraph in text.strip().split("\n\n"):
        calls = [line.strip() for line in paragraph.splitlines()]
        if calls[0].startswith((f"{program} ", "accelerate ")):
            lines += ["```", *calls, "```", ""]
        else:
            lines += [_escape(" ".join(calls)), ""]
    return lines[:-1]


def _write_options(command: Any) -> list[str]:
    context = _click.Context(command)
    records = [param.get_help_record(context) for param in command.params if not getattr(param, "hidden", False)]
    rows = [
        f"| `{option.replace('|', chr(92) + '|')}` | {_escape(meaning)} |" for option, meaning in filter(None, records)
    ]
    return ["| option | |", "|---|---|", *rows]


def _escape(text: str) -> str:
    """Text as it is, wherever it stands in Markdown."""
    for sign in "\\|<*_[`":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())
