"""The command line: a command is a docstring and one library call. Nothing heavy is imported before it is needed."""

from distortlab.cli import make, review, share, show, study
from distortlab.cli.app import app, fail
from distortlab.core.program import run_program
from distortlab.core.workers import choose_arrow_pool

__all__ = ["main", "make", "review", "share", "show", "study"]


def main() -> None:
    """Run the command line. Problems a person can solve are one sentence, without a traceback."""
    choose_arrow_pool()
    run_program(app, fail, stopped="stopped; nothing half-made is left: run the same command again")
