"""Checking an archive, or a data set in an object store: file by file, each fetched once and removed again.

The hash of every file, the hash of the pixels of every image, and every recipe rendered once more. What needs the whole
data set at hand is left to `verify` on a folder.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from distortlab.core.errors import UserError
from distortlab.core.image import Image, pixels_sha256
from distortlab.core.workers import map_in_order
from distortlab.dataset.archive import ArchiveShard
from distortlab.dataset.layout import ARCHIVE, get_layout
from distortlab.dataset.manifest import Entries, FileEntry, Manifest, find_entry_fault, list_shards, read_manifest
from distortlab.dataset.schema import decode_edits, render_row
from distortlab.imaging.decode import decode_image
from distortlab.storage.atomic import find_seal_fault_in, hash_file
from distortlab.storage.base import Storage, is_url, open_storage
from distortlab.verification.controls import find_changed_control
from distortlab.verification.pixels import find_changed_operator
from distortlab.verification.report import Report

__all__ = ["check_files_in_turn", "count_images", "is_read_in_turn"]

_NO_IMAGES = "pictures: the table images is left out, and those in rft are only compared in a folder"
_COLUMNS = ["image_id", "image", "pixels_sha256", "reference", "regions"]


def is_read_in_turn(place: str | Path) -> bool:
    """Whether a place is checked here: a URL, or a folder with an archive."""
    return is_url(place) or get_layout(open_storage(place).read_json("MANIFEST.json")) is ARCHIVE


def count_images(place: str | Path) -> int:
    """Return how many images the manifest counts.

    Raises `UserError` for what is no finished data set or archive.
    """
    return int(read_manifest(open_storage(place))["totals"]["images"])


def check_files_in_turn(place: str | Path, workers: int = 1) -> Iterator[Report]:
    """Check a data set or an archive file by file.

    Parameters
    ----------
    place
        A folder, or the URL of a place in an object store.
    workers
        How many processes; one where the store is in the memory of this process.

    Yields
    ------
    Report
        Of a few files, or of some images in them.

    Raises
    ------
    UserError
        For what is no finished data set or archive, or one of a newer format.
    """
    source = open_storage(place)
    if fault := find_seal_fault_in(source.read("MANIFEST.json") or b""):
        yield Report(problems=[f"MANIFEST.json {fault}"])
    units = _group_files(source, read_manifest(source))
    workers = workers if source.shared else 1
    if workers <= 1 or len(units) <= 1:
        for unit in units:
            yield from _check_unit(source, unit)
        return
    yield from map_in_order(partial(_sum_unit, source), units, workers)


def _group_files(source: Storage, manifest: Manifest) -> list[Entries]:
    """The files that are checked together: each by itself, but the three files of a shard of an archive as one."""
    files = sorted(manifest["files"].items())
    if get_layout(manifest) is not ARCHIVE:
        return [{path: entry} for path, entry in files]
    shards = list(list_shards(source, manifest).values())
    in_shards = {path for shard in shards for path in shard}
    return [{path: entry} for path, entry in files if path not in in_shards] + shards


def _sum_unit(source: Storage, unit: Entries) -> Report:
    total = Report()
    for report in _check_unit(source, unit):
        total.add(report)
    return total


def _check_unit(source: Storage, unit: Entries) -> Iterator[Report]:
    """Reports of bounded size: first about the files, then about every row group or image."""
    report = Report(files=len(unit))
    with contextlib.ExitStack() as stack:
        files = []
        for path, entry in unit.items():
            fault = find_entry_fault(path, entry)
            if fault is None:
                try:
                    files.append(stack.enter_context(source.local(path)))
                    fault = _find_file_fault(files[-1], entry)
                except FileNotFoundError:
                    fault = "missing"
            if fault:
                report.add_problems([f"{path}: {fault}"])
        yield report
        path = next(iter(unit))
        if not report.problems and len(unit) > 1:
            yield from _check_archive_shard(path, ArchiveShard(path, *files))
        elif not report.problems and path.startswith("images/"):
            yield from _check_images(files[0], path)
        elif not report.problems and path.startswith("labels/"):
            yield Report(images=unit[path]["rows"], not_checked=[_NO_IMAGES])


def _find_file_fault(file: Path, entry: FileEntry) -> str | None:
    if file.stat().st_size != entry["bytes"]:
        return f"{file.stat().st_size} bytes, {entry['bytes']} in the manifest"
    if hash_file(file) != entry.get("sha256"):
        return "its SHA-256 is not the one in the manifest"
    return None


def _check_images(local: Path, path: str) -> Iterator[Report]:
    """A report for every row group: bounded memory whatever the size of the file."""
    try:
        with pq.ParquetFile(local) as file:
            for group in range(file.num_row_groups):
                report = Report()
                for row in file.read_row_group(group, columns=_COLUMNS).to_pylist():
                    _check_image(f"{path}, {row['image_id']}", row, report)
                yield report
    except (OSError, ValueError, KeyError) as error:
        yield Report(problems=[f"{path}: cannot be read as a table of images: {error}"])


def _check_archive_shard(path: str, shard: ArchiveShard) -> Iterator[Report]:
    """A report for every image of a shard of an archive."""
    try:
        for item in shard:
            report, name = Report(images=1), f"{path}, {item.row['image_id']}"
            with _collect_errors(name, report):
                shard.image(item)  # compares the pixels with their hash
                _check_recipe(name, item.row, partial(shard.reference, item), report)
            yield report
    except UserError as error:
        yield Report(problems=[str(error)])


def _check_image(name: str, row: Mapping[str, Any], report: Report) -> None:
    report.images += 1
    with _collect_errors(name, report):
        if pixels_sha256(decode_image(row["image"]["bytes"]).image) != row["pixels_sha256"]:
            report.add_problems([f"{name}: the file does not hold the pixels that were hashed"])
        if row["reference"] is None or row["reference"]["bytes"] is None:
            report.leave_out("no reference stored")
            return
        _check_recipe(name, row, lambda: decode_image(row["reference"]["bytes"]).image, report)


@contextlib.contextmanager
def _collect_errors(name: str, report: Report) -> Iterator[None]:
    try:
        yield
    except (UserError, ValueError, KeyError, TypeError) as error:
        report.add_problems([f"{name}: {error}"])


def _check_recipe(name: str, row: Mapping[str, Any], reference: Callable[[], Image], report: Report) -> None:
    edits = decode_edits(row)
    if reason := find_changed_operator(edits) or find_changed_control(row):
        report.leave_out(reason)
        return
    report.rendered += 1
    if pixels_sha256(render_row(reference(), row)) != row["pixels_sha256"]:
        report.add_problems([f"{name}: its recipe does not give its pixels"])
