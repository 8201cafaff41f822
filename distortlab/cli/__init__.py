"""The command line: a command is a docstring and one library call. Nothing heavy is imported before it is needed."""

import sys

from distortlab.cli import looking, making, reviewing, sharing
from distortlab.cli.app import app, fail

__all__ = ["looking", "main", "making", "reviewing", "sharing"]


def main() -> None:
    """Run the command line. Problems a person can solve are one sentence, without a traceback."""
    from distortlab.errors import UserError

    try:
        app()
    except UserError as error:
        fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        fail("stopped", 130)
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(141) from None
