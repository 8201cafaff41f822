"""The files of a data set: each with its hash, none too many, none missing; the manifest, the receipts and the card."""

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from distortlab.dataset.croissant.distribution import PATH as CROISSANT
from distortlab.dataset.croissant.distribution import find_croissant_faults
from distortlab.dataset.manifest import FileEntry, Manifest, find_entry_fault
from distortlab.dataset.reader import StoredDataset
from distortlab.dataset.schema import ALL_TABLES
from distortlab.storage.atomic import find_seal_fault, hash_file, read_json

__all__ = ["check_files", "check_metadata", "find_stray_files"]

_PLACES = ("README.md", "MANIFEST.json", CROISSANT, "_distortlab", *ALL_TABLES)


def check_files(stored: StoredDataset, workers: int) -> dict[str, str]:
    """By path, what is wrong with the files that the manifest names: missing, of another size, of another hash."""
    files = stored.manifest["files"]
    with ThreadPoolExecutor(max(1, workers)) as pool:
        faults = pool.map(lambda item: _find_file_fault(stored.folder, *item), sorted(files.items()))
        return {path: fault for path, fault in zip(sorted(files), faults, strict=True) if fault}


def _find_file_fault(folder: Path, path: str, entry: FileEntry) -> str | None:
    if fault := find_entry_fault(path, entry):
        return fault
    file = folder / path
    if not file.is_file():
        return "missing"
    if file.stat().st_size != entry["bytes"]:
        return f"{file.stat().st_size} bytes, {entry['bytes']} in the manifest"
    if hash_file(file) != entry.get("sha256"):
        return "its SHA-256 is not the one in the manifest"
    return None


def find_stray_files(stored: StoredDataset) -> tuple[list[str], list[str]]:
    """(files among the tables that the manifest does not name, and shards that are missing; other things in the folder,
    which are no part of the data set).
    """
    entries = set(stored.manifest["files"])
    strange = []
    for name in ALL_TABLES:
        for base, _, names in os.walk(stored.folder / name):
            paths = ((Path(base) / each).relative_to(stored.folder).as_posix() for each in sorted(names))
            strange += [f"{path}: the manifest does not name it" for path in paths if path not in entries]
    others = sorted(path.name for path in stored.folder.iterdir() if path.name not in _PLACES)
    return strange + list(_find_missing_shards(entries)), [name for name in others if name not in entries]


def _find_missing_shards(entries: Iterable[str]) -> Iterator[str]:
    """Shards count themselves: `train-00000-of-00003`."""
    numbers: dict[tuple[str, str], set[int]] = {}
    for path in entries:
        if match := re.fullmatch(r"(\w+/.+)-(\d+)-of-(\d+)\.parquet", path):
            numbers.setdefault((match[1], match[3]), set()).add(int(match[2]))
    for (stem, of), found in sorted(numbers.items()):
        for number in sorted(set(range(int(of))) - found)[:3]:
            yield f"{stem}-{number:05d}-of-{of}.parquet: the manifest does not name it, but other shards count it"


# --- what is written about the data ---------------------------------------------------------------------------------


def check_metadata(stored: StoredDataset) -> tuple[list[str], list[str]]:
    """(what is wrong with the manifest, the plan, the receipts, the card and croissant.json; what of them could not be
    checked).
    """
    manifest, folder = stored.manifest, stored.folder
    faults = [f"MANIFEST.json {fault}"] if (fault := find_seal_fault(folder / "MANIFEST.json")) else []
    left = [] if "seal" in manifest else ["the manifest by itself: it has no seal (made by an older version)"]
    faults += [*_check_card(stored), *find_croissant_faults(stored)]
    if not (folder / "_distortlab").is_dir():
        return faults, [*left, "plan and receipts: _distortlab/ is not here (it is not published)"]
    receipts = sorted((folder / "_distortlab" / "done").glob("*.json"))
    return [*faults, *_check_plan(stored), *_check_receipts(stored, receipts)], left


def _check_plan(stored: StoredDataset) -> Iterator[str]:
    path = stored.folder / "_distortlab" / "plan.json"
    plan = read_json(path)
    if not isinstance(plan, dict):
        yield "_distortlab/plan.json cannot be read"
        return
    if fault := find_seal_fault(path):
        yield f"_distortlab/plan.json {fault}"
    identity = {key: value for key, value in plan.items() if key not in ("sha256", "store")}
    if hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest() != plan.get("sha256"):
        yield "_distortlab/plan.json is not as it was written: it does not fit its hash"
    if plan.get("sha256") != stored.manifest.get("plan_sha256"):
        yield "_distortlab/plan.json is not the plan of the manifest"


def _check_receipts(stored: StoredDataset, paths: list[Path]) -> Iterator[str]:
    """The receipts are as they were written, and come to what the manifest says."""
    entries, counts, shards = stored.manifest["files"], Counter[str](), []
    for path in paths:
        name = path.relative_to(stored.folder).as_posix()
        if fault := find_seal_fault(path):
            yield f"{name} {fault}"
            return
        receipt: Any = read_json(path)
        shards.append(path.stem)
        try:
            if any(entries.get(file) != entry for file, entry in receipt["files"].items()):
                yield f"{name} names other files than the manifest"
            counts.update({name: receipt[name] for name in ("images", "samples", "unfilled", "opened", "failures")})
            yield from _check_quarantine(stored.folder / "_distortlab" / "quarantine" / f"{path.stem}.jsonl", receipt)
        except (KeyError, TypeError, AttributeError):
            yield f"{name} is no receipt"
            return
    tables = stored.parts_of("images")
    if len(shards) != len(tables):
        yield f"_distortlab/done has {len(shards)} receipts for {len(tables)} shards"
    for name, count in _manifest_totals(stored.manifest).items():
        if counts[name] != count:
            yield f"MANIFEST.json: {count} {name}, the receipts come to {counts[name]}"


def _manifest_totals(manifest: Manifest) -> dict[str, int | None]:
    failures = manifest.get("failures") or {}
    return {
        "images": manifest["totals"]["images"],
        "samples": manifest["totals"]["samples"],
        "unfilled": failures.get("unfilled"),
        "opened": failures.get("opened"),
        "failures": failures.get("references"),
    }


def _check_quarantine(path: Path, receipt: Mapping[str, object]) -> Iterator[str]:
    name = f"_distortlab/quarantine/{path.name}"
    if not path.is_file():
        yield f"{name}: missing"
    elif receipt.get("quarantine_sha256") and hash_file(path) != receipt["quarantine_sha256"]:
        yield f"{name} is not as it was written"


def _check_card(stored: StoredDataset) -> Iterator[str]:
    """The rows that the card promises are those of the manifest: `datasets` refuses others."""
    path = stored.folder / "README.md"
    if not path.is_file():
        return
    text = path.read_text(encoding="utf-8", errors="replace")
    stated = text.partition("dataset_info:")[2].partition("\n---")[0]
    for block in re.split(r"^- config_name: ", stated, flags=re.MULTILINE)[1:]:
        table = block.partition("\n")[0].strip()
        for split, rows in re.findall(r"- name: (\S+)\n    num_bytes: \d+\n    num_examples: (\d+)", block):
            if table in ALL_TABLES and int(rows) != stored.count(table, split):
                yield f"README.md: {rows} rows in {table}, {split}; {stored.count(table, split)} in the manifest"
