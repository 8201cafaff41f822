"""Whether a folder holds a set: labels that can be read and are the known ones, and the images that they name."""

from pathlib import Path
from typing import TypedDict

from distortlab.core.errors import UserError
from refine_bench.datasets import SETS, load, load_questions
from refine_bench.datasets.base import Facts

__all__ = ["SetCheck", "check_set"]


class SetCheck(TypedDict):
    """What a folder holds of a set. `labels`: "known" where their hash is the one that is known, "other" where it is
    not, "unchecked" where none is known; `without_image`: rows whose image is missing.
    """

    variant: str
    n: int
    expected: int | None
    sha256: str
    labels: str
    left_out: int
    without_image: int


# Where the release that is at hand lacks what the default variant needs.
_OTHERS = {"live": ("live:release2",)}


def check_set(name: str, folder: Path) -> SetCheck:
    """Read the labels of a set, and look for its images.

    Raises
    ------
    UserError
        Where the labels are not there or cannot be read.
    """
    first: UserError | None = None
    for spec in (name, *_OTHERS.get(name, ())):
        try:
            return _check_variant(spec, folder)
        except UserError as error:
            first = first or error
    assert first is not None
    raise first


def _check_variant(spec: str, folder: Path) -> SetCheck:
    facts = SETS[spec.partition(":")[0]].FACTS
    if facts.kind == "rated":
        rated = load(spec, folder, images=False, strict=False)
        found, paths = rated, [row.image for row in rated.rows]
    else:
        asked = load_questions(spec, folder, images=False, strict=False)
        found, paths = asked, [path for row in asked.rows for path in row.images]  # type: ignore[assignment]
    return {
        "variant": str(found.spec),
        "n": len(found.rows),
        "expected": found.expected,
        "sha256": found.sha256,
        "labels": _compare(facts, spec, found.sha256),
        "left_out": len(found.problems),
        "without_image": sum(not path.is_file() for path in paths),
    }


def _compare(facts: Facts, spec: str, sha256: str) -> str:
    if not facts.sha256 or spec != facts.name:
        return "unchecked"
    return "known" if sha256 == facts.sha256 else "other"
