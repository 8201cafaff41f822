"""The command line: a command is a docstring and one library call. Nothing heavy is imported before it is needed."""

from distortlab.cli import looking, making, reviewing, sharing
from distortlab.cli.app import app, fail
from distortlab.ending import run_program

__all__ = ["looking", "main", "making", "reviewing", "sharing"]


def main() -> None:
    """Run the command line. Problems a person can solve are one sentence, without a traceback."""
    run_program(app, fail, stopped="stopped; nothing half-made is left: run the same command again")
