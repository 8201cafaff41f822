"""Receipts: what a finished shard holds, written after its files. A shard without a receipt is built from the start."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from distortlab.dataset.manifest import Entries, FileEntry
from distortlab.dataset.schema import Features, arrow_schema
from distortlab.dataset.tables import open_table
from distortlab.storage.atomic import add_seal, find_seal_fault_in, format_json, parse_json
from distortlab.storage.base import Storage

__all__ = ["Receipt", "has_columns_of", "is_whole", "quarantine_path", "write_receipt"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a finished shard holds. `files` maps paths in the data set to sha256, bytes and rows."""

    shard: int
    split: str
    plan_sha256: str
    files: dict[str, FileEntry]
    images: int
    samples: int
    unfilled: int
    opened: int
    failures: int
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    quarantine_sha256: str | None = None

    @classmethod
    def read(cls, out: Storage, shard: int, plan_sha256: str, hashes: bool = False) -> "Receipt | None":
        """The receipt of a shard, if it is done: for this plan, with every file in place, of its size, and with
        `hashes` as it was written.
        """
        try:
            data = out.read(_receipt_path(shard))
            if data is None or find_seal_fault_in(data):
                return None
            values = parse_json(data)
            if not isinstance(values, dict):
                return None
            receipt = cls(**{name: value for name, value in values.items() if name != "seal"})
            if receipt.plan_sha256 != plan_sha256:
                return None
            whole = is_whole(out, receipt.files) and not (hashes and out.find_damaged(receipt.files))
        except (TypeError, KeyError, AttributeError):
            return None
        return receipt if whole else None


def is_whole(out: Storage, files: Entries) -> bool:
    """Whether all files are there, of their size."""
    return out.sizes(files) == {path: entry["bytes"] for path, entry in files.items()}


def has_columns_of(out: Storage, files: Entries, tables: Mapping[str, Features]) -> bool:
    """Whether the files of a shard have the columns of these tables, by folder: earlier versions had fewer."""
    for path, entry in files.items():
        with out.table_source(path, []) as source, open_table(source, f"{out}/{path}", entry) as table:
            if not table.schema_arrow.equals(arrow_schema(tables[path.partition("/")[0]])):
                return False
    return True


def quarantine_path(shard: int) -> str:
    """The list of the references of a shard that could not be used."""
    return f"_distortlab/quarantine/{shard:05d}.jsonl"


def _receipt_path(shard: int) -> str:
    return f"_distortlab/done/{shard:05d}.json"


def write_receipt(out: Storage, receipt: Receipt, failures: list[dict[str, str]]) -> Receipt:
    """The list of references that could not be used, and, last of all, the receipt, which this returns."""
    quarantine = "".join(json.dumps(line) + "\n" for line in failures)
    receipt = replace(receipt, quarantine_sha256=hashlib.sha256(quarantine.encode()).hexdigest())
    out.write_text(quarantine_path(receipt.shard), quarantine)
    values = {name: getattr(receipt, name) for name in Receipt.__slots__}
    out.write_text(_receipt_path(receipt.shard), format_json(add_seal(values)))
    return receipt
