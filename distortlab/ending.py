"""What the command lines share: how one ends (problems a person can solve are one sentence and an exit code, without a
traceback), and `--version`.
"""

import sys
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Annotated, NoReturn

from distortlab.errors import UserError

if TYPE_CHECKING:
    import typer

__all__ = ["add_version", "run_program"]


def add_version(app: "typer.Typer", program: str) -> None:
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


def run_program(
    app: Callable[[], object],
    fail: Callable[[str, int], NoReturn],
    *,
    stopped: str = "stopped",
    optional: Collection[str] = (),
    missing: str = "{}",
) -> None:
    """Run a program. `fail` says a sentence and exits with a code. `stopped` is what it says after Ctrl-C, `missing`
    where one of the `optional` packages, whose name goes into it, is not installed.
    """
    try:
        app()
    except UserError as error:
        fail(str(error), error.exit_code)
    except ModuleNotFoundError as error:
        if error.name not in optional:
            raise
        fail(missing.format(error.name), 2)
    except KeyboardInterrupt:
        fail(stopped, 130)
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(141) from None
