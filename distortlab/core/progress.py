"""Progress of long work: a bar with rate and time left on a terminal, now and then a line anywhere else."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["show_progress"]

_EVERY_S = 10.0


@contextmanager
def show_progress(what: str, total: int | None, quiet: bool = False) -> Iterator[Callable[[int], None]]:
    """Show progress on stderr: a bar on a terminal, a line every ten seconds elsewhere.

    Parameters
    ----------
    what
        What is counted, e.g. "images". Where it begins with "bytes", numbers are shown as sizes.
    total
        How many there are; None where nobody knows.
    quiet
        Show nothing.

    Yields
    ------
    Callable
        To be called with the number of things done since the last call.
    """
    if quiet:
        yield lambda step: None
    elif sys.stderr.isatty():
        yield from _draw_bar(what, total)
    else:
        yield _Lines(what, total).advance


def _draw_bar(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.0f}/s" if task.speed else "")

    counts: tuple[ProgressColumn | str, ...]
    if _counts_bytes(what):
        counts = (DownloadColumn(), what.removeprefix("bytes "), TransferSpeedColumn())
    else:
        counts = (MofNCompleteColumn(), what, Rate())
    columns = (BarColumn(), *counts, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=total)
        yield lambda step: progress.advance(task, step)


class _Lines:
    """A line every ten seconds, for logs."""

    def __init__(self, what: str, total: int | None) -> None:
        self.what, self.total, self.done = what, total, 0
        self.start = self.last = time.monotonic()

    def advance(self, step: int) -> None:
        self.done += step
        now = time.monotonic()
        if now - self.last < _EVERY_S:
            return
        self.last = now
        rate = self.done / (now - self.start)
        sys.stderr.write(self._line(rate))
        sys.stderr.flush()

    def _line(self, rate: float) -> str:
        left = ""
        if self.total is not None:
            left = f", {(self.total - self.done) / rate if rate else float('inf'):.0f} s left"
        if _counts_bytes(self.what):
            of = "" if self.total is None else f" of {self.total / 1e6:,.0f}"
            return f"{self.done / 1e6:,.0f}{of} MB {self.what.removeprefix('bytes ')}, {rate / 1e6:.1f} MB/s{left}\n"
        of = "" if self.total is None else f" of {self.total:,}"
        return f"{self.done:,}{of} {self.what}, {rate:.0f}/s{left}\n"


def _counts_bytes(what: str) -> bool:
    return what.startswith("bytes ")
