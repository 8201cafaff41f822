"""How a command line ends: problems a person can solve are one sentence and an exit code, without a traceback."""

import sys
from collections.abc import Callable, Collection
from typing import NoReturn

from distortlab.errors import UserError

__all__ = ["run_program"]


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
