"""A command line run in this process, much quicker than in one of its own."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

__all__ = ["Cli", "Outcome", "in_process"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command came to."""

    code: int
    out: str
    err: str


Cli = Callable[..., Outcome]


def in_process(
    program: str, main: Callable[[], None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Cli:
    """A function that runs the program with words as they would be typed."""

    def run(*words: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", [program, *map(str, words)])
        code: Any = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        caught = capsys.readouterr()
        return Outcome(code, caught.out, caught.err)

    return run
