"""Shared by the command lines: `--version`, and errors of the user printed as one sentence with an exit code."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

from typer.core import TyperGroup

from distortlab.core.errors import Interrupted, UserError

if TYPE_CHECKING:
    import typer

__all__ = ["create_app", "run_program"]


def create_app(name: str, program: str, description: str, examples: str) -> "typer.Typer":
    """Return the application of a program, without commands: its help, `--version`, and how it ends on Ctrl-C.

    Parameters
    ----------
    name
        What stands in usage lines, e.g. "python -m refine_iqa_train".
    program
        What stands before the version and before errors, e.g. "refine_iqa_train".
    description, examples
        The first and the last line of the help.
    """
    import typer

    app = typer.Typer(
        cls=_Commands,
        name=name,
        help=description,
        epilog=f"Examples: {examples}",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    _add_version(app, program)
    return app


def _add_version(app: "typer.Typer", program: str) -> None:
    """Give a program the option `--version`, which prints its name and the version of the package."""
    import typer

    from distortlab import __version__

    def show(wanted: bool) -> None:
        if wanted:
            typer.echo(f"{program} {__version__}")
            raise typer.Exit

    @app.callback()
    def options(
        version: Annotated[
            bool, typer.Option("--version", callback=show, is_eager=True, help="Show the version and exit.")
        ] = False,
    ) -> None:
        pass


class _Commands(TyperGroup):
    """Commands that Ctrl-C ends with a sentence of ours: typer says "Aborted.", or nothing."""

    def make_context(self, *words: Any, **options: Any) -> Any:
        """Read the command line."""
        with _stop_as_error():
            return super().make_context(*words, **options)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        with _stop_as_error():
            return super().invoke(ctx)


@contextmanager
def _stop_as_error() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted from None


def run_program(
    app: Callable[[], object],
    fail: Callable[[str, int], NoReturn],
    *,
    stopped: str = "stopped",
    optional: Collection[str] = (),
    missing: str = "{}",
) -> None:
    """Run a program, and turn its exceptions into sentences and exit codes.

    Parameters
    ----------
    app
        The program.
    fail
        Prints a sentence and exits with a code.
    stopped
        The sentence after Ctrl-C or SIGTERM, where the command gives none of its own.
    optional
        Packages that may not be installed.
    missing
        The sentence where one of them is not; "{}" stands for its name.
    """
    try:
        with _termination_as_stop() as signals:
            app()
    except (Interrupted, KeyboardInterrupt) as error:
        fail(str(error) or stopped, 128 + (signals[0] if signals else signal.SIGINT))
    except UserError as error:
        fail(str(error), error.exit_code)
    except ModuleNotFoundError as error:
        if error.name not in optional:
            raise
        fail(missing.format(error.name), 2)
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(141) from None


@contextmanager
def _termination_as_stop() -> Iterator[list[int]]:
    """Treat SIGTERM, which batch systems send, like Ctrl-C; it is appended to the list that this yields.

    Also where Ctrl-C itself is ignored, as a shell sees to for what a script runs in the background.
    """
    signals: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return
    mine = os.getpid()

    def stop(number: int, frame: FrameType | None) -> None:
        if os.getpid() == mine:
            signals.append(number)
            on_stop = signal.getsignal(signal.SIGINT)
            if not callable(on_stop):
                raise KeyboardInterrupt
            on_stop(signal.SIGINT, frame)
        else:  # a process that was forked from this one
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    handler = signal.signal(signal.SIGTERM, stop)
    try:
        yield signals
    finally:
        signal.signal(signal.SIGTERM, handler or signal.SIG_DFL)
