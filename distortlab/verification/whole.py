"""What only shows in the data set as a whole: names that come twice, splits that share a reference, sums, balance."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from distortlab.core.errors import UserError
from distortlab.dataset.reader import Part, RowGroup, StoredDataset, open_part
from distortlab.dataset.schema import SAMPLES, has_known_columns
from distortlab.verification.groups import GroupFindings

__all__ = [
    "check_balance",
    "check_ids",
    "check_ladder",
    "check_samples",
    "check_tables",
    "check_totals",
    "find_leaks",
    "match_questions",
]

_SURE = 1e-6
_SHARE = 0.03
"""Right answers stand too often in one place where chance is below `_SURE` and the share is off by `_SHARE`."""


_OPTIONAL = ("difficulties", "kinds", "negatives", "controls")
"""Counts that a manifest may lack."""


def check_tables(stored: StoredDataset) -> Iterator[str]:
    """Rows and columns of every file, by its own footer."""
    for part in stored.parts:
        try:
            with open_part(stored.folder, part) as file:
                if file.metadata.num_rows != part.rows:
                    yield f"{part.path}: {file.metadata.num_rows} rows, {part.rows} in the manifest"
                if not has_known_columns(part.table, file.schema_arrow):
                    yield f"{part.path}: its columns are not those of {part.table}"
        except UserError as error:
            yield str(error)


def check_ids(stored: StoredDataset) -> Iterator[str]:
    """Every image and every question has a name of its own; questions are about images of their shard."""
    for table, name in (("images", "image_id"), ("rft", "sample_id")):
        known: set[str] = set()
        for part in stored.parts_of(table):
            for row in _column(stored, part, name):
                if row in known:
                    yield f"{part.path}: {name} {row} is there twice"
                known.add(row)
    pairs = {_name(part): part for part in stored.parts_of("images")}
    for part in stored.parts_of("rft"):
        sibling = pairs.get(_name(part))
        strange = set(_column(stored, part, "image_id")) - set(_column(stored, sibling, "image_id") if sibling else ())
        yield from (f"{part.path}: questions about {name}, which is not in this shard" for name in sorted(strange)[:20])


def _column(stored: StoredDataset, part: Part, name: str) -> Iterator[Any]:
    for group in stored.groups_of(part):
        yield from stored.read(group, [name]).column(0).to_pylist()


def match_questions(stored: StoredDataset, part: Part) -> Iterator[tuple[RowGroup, tuple[RowGroup, ...]]]:
    """The row groups of a file of images, each with those of its questions."""
    sibling = next((other for other in stored.parts_of("rft") if _name(other) == _name(part)), None)
    candidates = [(group, _ids(stored, group)) for group in stored.groups_of(sibling)] if sibling else []
    for group in stored.groups_of(part):
        own = _ids(stored, group)
        yield group, tuple(other for other, ids in candidates if not own.isdisjoint(ids))


def _name(part: Part) -> str:
    """What the files of a shard are called in every table."""
    return part.path.partition("/")[2]


def _ids(stored: StoredDataset, group: RowGroup) -> set[str]:
    return set(stored.read(group, ["image_id"]).column(0).to_pylist())


def check_samples(stored: StoredDataset) -> Iterator[str]:
    """`samples` is `rft` without the pictures, row by row."""
    columns = list(SAMPLES)
    for split in stored.splits:
        own = stored.tables("samples", columns, split)
        left: pa.Table | None = None
        for part in stored.parts_of("rft", split):
            for group in stored.groups_of(part):
                wanted = stored.read(group, columns)
                left = wanted.slice(0, 0) if left is None else left
                while left.num_rows < wanted.num_rows and (more := next(own, None)) is not None:
                    left = pa.concat_tables([left, more])
                if not left.slice(0, wanted.num_rows).equals(wanted):
                    yield f"samples, {split}: the rows of {part.path}, row group {group.number}, are not the same there"
                left = left.slice(wanted.num_rows)
        if (left is not None and left.num_rows) or next(own, None) is not None:
            yield f"samples, {split}: there are more rows than in rft"


def find_leaks(references: Mapping[tuple[str, str], set[str]]) -> Iterator[str]:
    """References that two splits share: by name, or by their pixels under another name."""
    names: dict[str, set[str]] = {}
    pixels: dict[str, dict[str, str]] = {}
    for (split, name), hashes in references.items():
        names.setdefault(name, set()).add(split)
        for found in hashes:
            pixels.setdefault(found, {})[split] = name
    for name, splits in sorted(names.items()):
        if len(splits) > 1:
            yield f"reference {name} is in {' and in '.join(sorted(splits))}"
    for own in pixels.values():
        if len(own) > 1 and len(set(own.values())) > 1:
            shown = " and ".join(f"{name} ({split})" for split, name in sorted(own.items()))
            yield f"references {shown} have the same pixels"


def check_totals(stored: StoredDataset, counts: Mapping[str, Counter[str]], found: GroupFindings) -> Iterator[str]:
    """The sums of the manifest are those of the tables."""
    totals = stored.manifest["totals"]
    splits = {split: stored.count("images", split) for split in stored.splits}
    for name, stated, real in (
        ("images", totals.get("images"), found.report.images),
        ("samples", totals.get("samples"), found.report.questions),
        ("splits", totals.get("splits"), splits),
    ):
        if stated != real:
            yield f"MANIFEST.json: totals.{name} is {stated}, the tables have {real}"
    tables = stored.manifest.get("counts") or {}
    for name, real_counts in counts.items():
        if name in _OPTIONAL and name not in tables:
            continue  # made by an earlier version, or from a recipe without rules for it
        if tables.get(name) != dict(real_counts):
            yield f"MANIFEST.json: counts.{name} is not what the tables hold"


def check_ladder(settings: Mapping[tuple[str, int], Mapping[float, int]]) -> Iterator[str]:
    """A severity of a variant is one setting of its dial, where the recipe says so."""
    for (name, severity), amounts in sorted(settings.items()):
        if len(amounts) > 1:
            shown = ", ".join(f"{amount:g} ({count:,})" for amount, count in sorted(amounts.items())[:4])
            yield f"{name}: severity {severity} stands for several settings: {shown}"


def check_balance(places: Mapping[tuple[str, int, int], int]) -> Iterator[str]:
    """The right answer stands in every place equally often: beyond doubt, and by enough to matter."""
    for task, number in sorted({(task, number) for task, number, _ in places}):
        counts = [places.get((task, number, place), 0) for place in range(number)]
        total, most = sum(counts), max(counts)
        share, even = most / total, 1 / number
        z = (most - total * even) / math.sqrt(total * even * (1 - even))
        if share - even > _SHARE and number * math.erfc(z / math.sqrt(2)) / 2 < _SURE:
            yield (
                f"{task}: the right answer stands in place {counts.index(most) + 1} of {number} in {100 * share:.0f} % "
                f"of {total:,} questions; {100 * even:.0f} % expected"
            )
