"""The catalogue: every distortion there is, in the order of the families."""

from collections.abc import Mapping
from numbers import Real
from types import MappingProxyType
from typing import get_args

from distortlab.core.errors import UserError, describe_unknown, find_closest
from distortlab.distortions.base import Distortion, Profile
from distortlab.distortions.families.blur import BLUR
from distortlab.distortions.families.brighten import BRIGHTEN
from distortlab.distortions.families.compression import COMPRESSION
from distortlab.distortions.families.contrast_strengthen import CONTRAST_STRENGTHEN
from distortlab.distortions.families.contrast_weaken import CONTRAST_WEAKEN
from distortlab.distortions.families.darken import DARKEN
from distortlab.distortions.families.noise import NOISE
from distortlab.distortions.families.oversharpen import OVERSHARPEN
from distortlab.distortions.families.pixelate import PIXELATE
from distortlab.distortions.families.quantization import QUANTIZATION
from distortlab.distortions.families.saturate_strengthen import SATURATE_STRENGTHEN
from distortlab.distortions.families.saturate_weaken import SATURATE_WEAKEN

__all__ = [
    "CATALOG",
    "FAMILIES",
    "LEAST_REACH",
    "find",
    "get_amount",
    "list_served_severities",
    "list_variants",
    "read_severity",
]

CATALOG: tuple[Distortion, ...] = (
    BLUR
    + NOISE
    + COMPRESSION
    + BRIGHTEN
    + DARKEN
    + CONTRAST_STRENGTHEN
    + CONTRAST_WEAKEN
    + SATURATE_STRENGTHEN
    + SATURATE_WEAKEN
    + OVERSHARPEN
    + PIXELATE
    + QUANTIZATION
)

_BY_NAME: Mapping[str, Distortion] = MappingProxyType({row.name: row for row in CATALOG})

FAMILIES: tuple[str, ...] = tuple(dict.fromkeys(row.family for row in CATALOG))


def find(name: str) -> Distortion:
    """The distortion of the catalogue called `name`.

    Parameters
    ----------
    name
        "family.variant", e.g. "blur.gaussian"; `distortlab list` shows them all.

    Raises
    ------
    UserError
        For a name that is not there; it suggests the nearest one.

    Examples
    --------
    >>> from distortlab import find
    >>> blur = find("blur.gaussian")
    >>> blur.family, blur.unit, blur.matched.values
    ('blur', 'sigma, px', (1.2, 1.48, 1.88, 2.52, 4))
    >>> find("motion")
    Traceback (most recent call last):
    distortlab.core.errors.UserError: no distortion called 'motion'; did you mean 'blur.motion'? (distortlab list)
    """
    if name in _BY_NAME:
        return _BY_NAME[name]
    family = find_closest(name, [*_BY_NAME, *FAMILIES])
    if family not in FAMILIES:
        raise UserError(describe_unknown("distortion", name, _BY_NAME, "distortlab list"))
    of_it = ", ".join(row.name for row in CATALOG if row.family == family)
    meant = "it is a family" if name == family else f"did you mean the family {family!r}"
    raise UserError(f"no distortion called {name!r}: {meant}, which has {of_it} (distortlab list)")


LEAST_REACH = 0.5
"""A variant serves the severities that at least this share of regions reach."""


def list_variants(family: str, profile: Profile, severity: int | None = None) -> tuple[Distortion, ...]:
    """List the variants of a family.

    Parameters
    ----------
    family
        One of `FAMILIES`.
    profile
        Those with a ladder in this profile.
    severity
        1 to 5: only those that serve it. In the `matched` profile these are the variants with which at least half of
        the regions reach it and that do not decline it, or else the one with which most do. In `dq`, where a severity
        is a setting and no V, all of them.

    Returns
    -------
    tuple of Distortion
        In the order of the catalogue; empty where the profile has none of the family.

    Examples
    --------
    >>> from distortlab.distortions.catalog import list_variants
    >>> [row.variant for row in list_variants("compression", "matched")]
    ['jpeg', 'jpeg2000', 'webp']
    >>> [row.variant for row in list_variants("compression", "matched", severity=5)]
    ['jpeg', 'jpeg2000']
    """
    start = f"{family}."
    rows = tuple(row for row in CATALOG if row.name.startswith(start) and row.get_ladder(profile) is not None)
    if severity is None or profile == "dq":
        return rows
    return _select_serving(rows, read_severity(severity))


def _select_serving(rows: tuple[Distortion, ...], severity: int) -> tuple[Distortion, ...]:
    willing = [row for row in rows if severity not in row.declined] or list(rows)
    serving = tuple(row for row in willing if row.reach[severity - 1] >= LEAST_REACH)
    return serving or (max(willing, key=lambda row: row.reach[severity - 1]),)


def list_served_severities(row: Distortion) -> tuple[int, ...]:
    """The severities 1..5 of the `matched` profile that a variant is drawn for."""
    return tuple(severity for severity in range(1, 6) if row in list_variants(row.family, "matched", severity))


def get_amount(row: Distortion, severity: int, profile: Profile) -> float:
    """The setting of the dial for a severity 1..5."""
    if profile not in get_args(Profile):
        raise UserError(describe_unknown("profile", profile, get_args(Profile)))
    ladder = row.get_ladder(profile)
    if ladder is None:
        names = ", ".join(r.name for r in list_variants(row.family, profile))
        raise UserError(f"{row.name} has no {profile!r} ladder; of its family there are: {names}")
    return ladder.values[read_severity(severity) - 1]


def read_severity(value: object) -> int:
    """A severity 1..5, from a whole number of any type (also NumPy's, also 3.0). Raises `UserError`."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise UserError(f"severity {value!r} is {_kind(value)}; a severity is one of the numbers 1, 2, 3, 4, 5")
    found = next((severity for severity in range(1, 6) if severity == value), None)
    if found is None:
        raise UserError(f"severity {value} is not one of 1, 2, 3, 4, 5")
    return found


def _kind(value: object) -> str:
    return {str: "text", bool: "a truth value", type(None): "nothing"}.get(type(value), f"a {type(value).__name__}")
