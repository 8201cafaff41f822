"""The application, and what its commands share: options, readers of their values, progress, the last sentence."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from distortlab.core.program import create_app

if TYPE_CHECKING:
    from distortlab.dataset.reader import StoredDataset

__all__ = [
    "Check",
    "Json",
    "Profile",
    "Workers",
    "app",
    "fail",
    "open_and_check",
    "read_box",
    "read_shard",
    "read_share",
    "show_progress",
]

app = create_app(
    "distortlab",
    "distortlab",
    "Local distortions of images, and data sets of them.",
    "distortlab generate --n 200 --out data/   ·   distortlab list   ·   "
    "distortlab distort photo.jpg --as blur.gaussian --severity 4 --box 40,60,300,280 -o out.png",
)


class Profile(StrEnum):
    """The ladders."""

    matched = "matched"
    dq = "dq"


Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for scripts.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes; all processors unless given.", show_default=False)]

Check = Annotated[
    bool,
    typer.Option("--check/--no-check", help="Compare every file with its hash first, or check only what is read."),
]


# --- reading options ------------------------------------------------------------------------------------------------


def read_shard(text: str | None) -> tuple[int, int] | None:
    """`k/N` as two numbers."""
    return None if text is None else _read_numbers("--shard", text, "/", "k/N, e.g. 1/3", 2)  # type: ignore[return-value]


def read_box(text: str | None) -> tuple[int, int, int, int] | None:
    """`x1,y1,x2,y2` as four numbers."""
    return None if text is None else _read_numbers("--box", text, ",", "x1,y1,x2,y2, e.g. 40,60,300,280", 4)  # type: ignore[return-value]


def _read_numbers(option: str, text: str, by: str, form: str, count: int) -> tuple[int, ...]:
    from distortlab.core.errors import UserError

    parts = text.split(by)
    if len(parts) != count or not all(part.strip().lstrip("-").isascii() and _is_whole(part) for part in parts):
        raise UserError(f"{option} {text!r} is not {form}")
    return tuple(int(part) for part in parts)


def _is_whole(part: str) -> bool:
    digits = part.strip().removeprefix("-")
    return digits.isdecimal() and len(digits) < 10


def read_share(text: str | None) -> float | None:
    """`0.1` or `10%` as a share, `500` as a number of things."""
    from distortlab.core.errors import UserError

    if text is None:
        return None
    number, percent = text.strip().removesuffix("%"), text.strip().endswith("%")
    try:
        value = float(number) / 100 if percent else float(number)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf") or (percent and value > 1) or (value >= 1 and not percent and value % 1):
        raise UserError(f"--sample {text!r} is neither a number of images (500) nor a share (0.1 or 10%)")
    return None if percent and value == 1 else value


# --- running --------------------------------------------------------------------------------------------------------


@contextmanager
def show_progress(
    what: str, total: int, quiet: bool, after: str = "what is finished is kept, the same command goes on from here"
) -> Iterator[Callable[[int], None]]:
    """Show progress of long work. Ctrl-C ends it with a sentence that says what comes `after`: typer prints none."""
    from distortlab.core.errors import Interrupted
    from distortlab.core.progress import show_progress as show

    try:
        with show(what, total, quiet) as advance:
            yield advance
    except KeyboardInterrupt:
        raise Interrupted(f"stopped; {after}") from None


def open_and_check(folder: Path, check: bool, quiet: bool = False) -> "StoredDataset":
    """A data set, with `check` after all its tables were compared with their hashes."""
    from distortlab.core.workers import count_processors
    from distortlab.dataset.reader import open_data

    stored = open_data(folder)
    if check:
        total = sum(map(stored.size_of, stored.parts))
        with show_progress("bytes checked", total, quiet, after="nothing was written") as advance:
            stored.check_hashes(progress=advance, threads=count_processors())
    return stored


def fail(sentence: str, code: int) -> NoReturn:
    """End with a sentence and an exit code."""
    typer.echo(f"distortlab: {sentence}", err=True)
    raise SystemExit(code)
