"""Published numbers, to stand beside one's own, each with its source: `reference_numbers.csv` has those on rated
images, `diagnosis_numbers.csv` those of models that describe images as sets of distorted regions.

A number is only comparable where the set, its variant, the protocol and the mapping agree; what differs is said.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from refine_bench.scoring.region_sets import METRICS
from refine_bench.scoring.scores import Coverage, PublishedDiagnosis, PublishedRow

__all__ = [
    "PublishedMatch",
    "PublishedScore",
    "list_published",
    "list_published_diagnoses",
    "load_published",
    "match_published",
]


@dataclass(frozen=True, slots=True)
class PublishedScore:
    """A line of a paper's table. `set`: its name and the options that are known; `mapping`: the curve before PLCC."""

    model: str
    trained_on: str
    set: str
    protocol: str
    mapping: str
    plcc: float
    srcc: float
    source: str


@dataclass(frozen=True, slots=True)
class PublishedMatch:
    """A published score, and in `differs` what keeps it from being comparable; empty where it is."""

    row: PublishedScore
    differs: tuple[str, ...]


@cache
def load_published() -> tuple[PublishedScore, ...]:
    """Load all published scores."""
    text = (files("refine_bench.scoring") / "reference_numbers.csv").read_text(encoding="utf-8")
    return tuple(
        PublishedScore(
            row["model"],
            row["trained_on"],
            row["set"],
            row["protocol"],
            row["mapping"],
            float(row["plcc"]),
            float(row["srcc"]),
            row["source"],
        )
        for row in csv.DictReader(text.splitlines())
    )


def match_published(set_spec: str, protocol: str, mapping: str = "none", reader: str = "") -> list[PublishedMatch]:
    """Find the published scores on a set, comparable ones first.

    Parameters
    ----------
    set_spec
        The set and its variant, as `str(Spec)` spells it.
    protocol, mapping
        How one's own answers were asked for, and the curve before PLCC.
    reader
        How they were read, where that is not as the protocol says.
    """
    name, _, options = set_spec.partition(":")
    chosen = set(options.split("+")) if options else set()
    found = []
    for row in load_published():
        theirs, _, wanted = row.set.partition(":")
        if theirs != name:
            continue
        split = [option for option in wanted.split("+") if option and option not in chosen]
        notes = [f"on {row.set}"] if split else []
        notes += [f"protocol {row.protocol}"] if row.protocol != protocol else []
        notes += [f"ours read by {reader}"] if reader else []
        notes += [f"PLCC after {row.mapping}"] if row.mapping != mapping else []
        found.append(PublishedMatch(row, tuple(notes)))
    return sorted(found, key=lambda b: (len(b.differs), b.row.model, b.row.trained_on))


def list_published(set_spec: str, protocol: str, coverage: Coverage, reader: str = "") -> list[PublishedRow]:
    """Return the published numbers beside a score of a whole set, ready for JSON; none beside a part of it."""
    found = match_published(set_spec, protocol, reader=reader) if coverage["complete"] else []
    return [_format_match(row) for row in found]


def _format_match(found: PublishedMatch) -> PublishedRow:
    row = found.row
    return {
        "model": row.model,
        "trained_on": row.trained_on,
        "plcc": row.plcc,
        "srcc": row.srcc,
        "source": row.source,
        "differs": list(found.differs),
    }


def list_published_diagnoses() -> list[PublishedDiagnosis]:
    """Return the published numbers on sets of distorted regions, ready for JSON.

    All are on Diag-Bench, which was not released: whatever set they stand beside is another one, and `differs` says so.
    """
    text = (files("refine_bench.scoring") / "diagnosis_numbers.csv").read_text(encoding="utf-8")
    return [
        {
            "model": row["model"],
            "values": {name: float(row[name]) if row.get(name) else None for name in METRICS},
            "source": row["source"],
            "differs": [f"on {row['set']}, another data set"],
        }
        for row in csv.DictReader(text.splitlines())
    ]
