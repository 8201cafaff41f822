"""The exceptions of the packages.

UserError               a sentence for the person at the keyboard; printed without a traceback
├── BadRecipe           an unknown key, family, task or codec, a value out of range
├── BadReference        one reference image or its annotation cannot be used; a build sets it aside and goes on
├── BuildFailed         the data set could not be finished; the same command continues
└── Interrupted         somebody pressed Ctrl-C
"""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

__all__ = ["BadRecipe", "BadReference", "BuildFailed", "Interrupted", "UserError", "describe_unknown", "find_closest"]


class UserError(Exception):
    """Says what came, what is allowed and what to do. `exit_code` is what the command line returns."""

    exit_code = 2


class BadRecipe(UserError):
    """A recipe, or an option that stands for one of its keys, asks for something that does not exist."""


class BadReference(UserError):
    """One reference image or its annotation cannot be used."""


class BuildFailed(UserError):
    """A build ended before the data set was whole, or with more failures than allowed."""

    exit_code = 3


class Interrupted(UserError):
    """Somebody pressed Ctrl-C."""

    exit_code = 130


def describe_unknown(kind: str, name: object, known: Iterable[str], hint: str = "") -> str:
    """The sentence for a name that does not exist: `no codec called 'pgn'; did you mean 'png'?`

    Parameters
    ----------
    kind
        What the name should be the name of, e.g. "codec".
    name
        What came.
    known
        The names that exist. Where none is alike, all are listed.
    hint
        Added in brackets, e.g. the command that lists the names.
    """
    names = list(known)
    nearest = find_closest(name, names)
    tail = f"did you mean {nearest!r}?" if nearest is not None else f"known: {', '.join(names)}"
    return f"no {kind} called {name!r}; {tail}" + (f" ({hint})" if hint else "")


def find_closest(name: object, known: Iterable[str]) -> str | None:
    """The known name that a name which does not exist is likely to stand for, or None."""
    likeness = {
        other: max(_compute_likeness(str(name), other), _compute_likeness(_sort_words(name), _sort_words(other)))
        for other in known
    }
    nearest = max(likeness, key=lambda other: likeness[other], default=None)
    return nearest if nearest is not None and likeness[nearest] >= 0.5 else None


def _compute_likeness(a: str, b: str) -> float:
    return SequenceMatcher(None, a.lower(), b.lower()).ratio()


def _sort_words(name: object) -> str:
    """The words of a name, sorted: `gaussian_blur` is `blur.gaussian`."""
    return " ".join(sorted(re.split(r"[\W_]+", str(name).lower())))
