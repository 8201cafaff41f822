"""Packages that come with an extra, imported where they are used."""

from importlib import import_module
from typing import Any

from distortlab.core.errors import UserError

__all__ = ["import_extra"]


def import_extra(package: str, extra: str, what: str) -> Any:
    """Import a package that may be missing.

    Parameters
    ----------
    package
        Its name, e.g. "pandas".
    extra
        Of `refine-iqa`, with which it comes; "" for a package that is installed by itself.
    what
        What needs it, the beginning of a sentence.

    Raises
    ------
    UserError
        Where it is not installed; the sentence says how to get it.
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package.partition(".")[0]:
            raise
        name = f"'refine-iqa[{extra}]'" if extra else package
        raise UserError(f"{what} needs {package}: pip install {name}") from None
