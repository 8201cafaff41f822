"""How hard it is for a person to tell the family of a distortion: easy, medium or hard, by variant and severity.

`difficulty.json` holds the mean posterior of the true family, 0 to 1, for an observer as blunt as a person who sees the
region before and after (`make observers`, docs/observers.md). It is frozen: a data set carries the words that it gave.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

from distortlab.distortions.base import Profile
from distortlab.distortions.catalog import list_variants
from distortlab.tasks.terms import DIFFICULTIES

__all__ = ["EASY", "MEDIUM", "classify_posterior", "find_difficulty", "list_difficulties", "load_posteriors"]

EASY = 0.8
"""The least mean posterior of a variant and severity that is easy."""
MEDIUM = 0.6
"""The least mean posterior of one that is medium."""
_VERSION = 1


def classify_posterior(posterior: float) -> str:
    """Return one of `DIFFICULTIES` for the mean posterior of the true family, 0 to 1."""
    easy, medium, hard = DIFFICULTIES
    return easy if posterior >= EASY else medium if posterior >= MEDIUM else hard


@cache
def load_posteriors() -> Mapping[tuple[str, int], float]:
    """Return the frozen table: (`family.variant`, severity 1 to 5) -> mean posterior of the true family, 0 to 1."""
    text = resources.files(__package__).joinpath("difficulty.json").read_text(encoding="utf-8")
    return MappingProxyType(parse_table(text))


def parse_table(text: str) -> dict[tuple[str, int], float]:
    """Read the text of a table. Raises `ValueError` for one of another version."""
    table = json.loads(text)
    if table["version"] != _VERSION:
        raise ValueError(f"difficulty.json has version {table['version']}, this code reads {_VERSION}: reinstall it")
    return {
        (name, severity): float(posterior)
        for name, row in table["posteriors"].items()
        for severity, posterior in enumerate(row, 1)
        if posterior is not None
    }


def format_table(posteriors: Mapping[tuple[str, int], float]) -> str:
    """Write a table as text, with null for a severity that was not measured."""
    names = dict.fromkeys(name for name, _ in posteriors)
    rows = {name: [posteriors.get((name, severity)) for severity in range(1, 6)] for name in names}
    lines = ",\n".join(f"    {json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
    return f'{{\n  "version": {_VERSION},\n  "posteriors": {{\n{lines}\n  }}\n}}\n'


def find_difficulty(name: str, severity: int, profile: Profile = "matched") -> str | None:
    """Say how hard it is to tell the family of a distortion.

    Parameters
    ----------
    name
        `family.variant`.
    severity
        1 to 5.
    profile
        Which ladder the severity is of.

    Returns
    -------
    str or None
        One of `DIFFICULTIES`; None where it was not measured: on the `dq` ladder, and for a variant or severity that
        the table lacks.
    """
    posterior = load_posteriors().get((name, severity)) if profile == "matched" else None
    return None if posterior is None else classify_posterior(posterior)


def list_difficulties(family: str, severity: int) -> frozenset[str]:
    """Return the difficulties that some variant of a family has at a severity that it serves."""
    found = (find_difficulty(row.name, severity) for row in list_variants(family, "matched", severity))
    return frozenset(level for level in found if level is not None)
