"""Checking an archive, or a data set in an object store: file by file, each fetched once and removed again.

The hash of every file, the hash of the pixels of every image, and every recipe rendered once more. What needs the whole
data set at hand is left to `verify` on a folder.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from distortlab.core.errors import UserError
from distortlab.core.image import Image, pixels_sha256
from distortlab.core.workers import map_in_order
from distortlab.dataset.archive import ArchiveShard
from distortlab.dataset.layout import ARCHIVE, layout_of
from distortlab.dataset.manifest import find_entry_fault, list_shards, read_manifest
from distortlab.dataset.schema import decode_edits
from distortlab.distortions.catalog import find
from distortlab.distortions.edit import render
from distortlab.imaging.decode import decode_image
from distortlab.storage.atomic import seal_fault_in, sha256_of
from distortlab.storage.base import Storage, is_url, open_storage

__all__ = ["Checked", "check_parts", "images_in", "is_piecewise"]

_COLUMNS = ["image_id", "image", "pixels_sha256", "reference", "regions"]


@dataclass(slots=True)
class Checked:
    """What was checked in a part, what could not be, and what is wrong (a sentence each)."""

    files: int = 0
    images: int = 0
    rendered: int = 0
    not_rendered: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def leave_out(self, reason: str) -> None:
        """An image whose recipe is not rendered."""
        self.not_rendered[reason] = self.not_rendered.get(reason, 0) + 1

    def add(self, other: "Checked") -> None:
        """Take in what was found elsewhere."""
        self.files += other.files
        self.images += other.images
        self.rendered += other.rendered
        self.problems += other.problems
        for reason, count in other.not_rendered.items():
            self.not_rendered[reason] = self.not_rendered.get(reason, 0) + count


def is_piecewise(place: str | Path) -> bool:
    """Whether a place is checked here: a URL, or a folder with an archive."""
    if is_url(place):
        return True
    manifest = open_storage(place).read_json("MANIFEST.json")
    return layout_of(manifest) is ARCHIVE


def images_in(place: str | Path) -> int:
    """How many images its manifest counts. Raises `UserError` for what is no finished data set or archive."""
    return int(read_manifest(open_storage(place))["totals"]["images"])


def check_parts(place: str | Path, workers: int = 1) -> Iterator[Checked]:
    """What is found, part by part. Raises `UserError` for what is no finished data set, or one of a newer format."""
    source = open_storage(place)
    if fault := seal_fault_in(source.read("MANIFEST.json") or b""):
        yield Checked(problems=[f"MANIFEST.json {fault}"])
    parts = _parts(source, read_manifest(source))
    workers = workers if source.shared else 1
    if workers <= 1 or len(parts) <= 1:
        for part in parts:
            yield from _check_part(source, part)
        return
    yield from map_in_order(partial(_check_whole, source), parts, workers)


Part = Mapping[str, Any]


def _parts(source: Storage, manifest: Mapping[str, Any]) -> list[Part]:
    """What is checked together: every file by itself, the three files of a shard of an archive as one."""
    if layout_of(manifest) is not ARCHIVE:
        return [{path: entry} for path, entry in sorted(manifest["files"].items())]
    shards = list(list_shards(source, manifest).values())
    taken = {path for shard in shards for path in shard}
    return [{path: entry} for path, entry in sorted(manifest["files"].items()) if path not in taken] + shards


def _check_whole(source: Storage, part: Part) -> Checked:
    report = Checked()
    for piece in _check_part(source, part):
        report.add(piece)
    return report


def _check_part(source: Storage, part: Part) -> Iterator[Checked]:
    """Checkeds of bounded size: first about the files, then about every row group."""
    report = Checked(files=len(part))
    with contextlib.ExitStack() as stack:
        files = []
        for path, entry in part.items():
            fault = find_entry_fault(path, entry)
            problem = f"{path}: {fault}" if fault else None
            if not problem:
                try:
                    files.append(stack.enter_context(source.local(path)))
                    problem = _file_problem(files[-1], path, entry)
                except FileNotFoundError:
                    problem = f"{path}: missing"
            report.problems += [problem] if problem else []
        yield report
        path = next(iter(part))
        if not report.problems and len(part) > 1:
            yield from _check_archive_shard(path, ArchiveShard(path, *files))
        elif not report.problems and path.startswith("images/"):
            yield from _check_images(files[0], path)


def _file_problem(file: Path, path: str, entry: Mapping[str, Any]) -> str | None:
    if file.stat().st_size != entry.get("bytes"):
        return f"{path}: {file.stat().st_size} bytes, {entry.get('bytes')} in the manifest"
    if sha256_of(file) != entry.get("sha256"):
        return f"{path}: its SHA-256 is not the one in the manifest"
    return None


def _check_images(local: Path, path: str) -> Iterator[Checked]:
    """A report for every row group: bounded memory whatever the size of the file."""
    try:
        with pq.ParquetFile(local) as file:
            for group in range(file.num_row_groups):
                report = Checked()
                for row in file.read_row_group(group, columns=_COLUMNS).to_pylist():
                    _check_image(f"{path}, {row['image_id']}", row, report)
                yield report
    except (OSError, ValueError, KeyError) as error:
        yield Checked(problems=[f"{path}: cannot be read as a table of images: {error}"])


def _check_archive_shard(path: str, shard: ArchiveShard) -> Iterator[Checked]:
    """A report for every image of a shard of an archive."""
    try:
        for item in shard:
            report = Checked(images=1)
            with _noted(f"{path}, {item.row['image_id']}", report):
                shard.image(item)  # compares the pixels with their hash
                _check_recipe(f"{path}, {item.row['image_id']}", item.row, partial(shard.reference, item), report)
            yield report
    except UserError as error:
        yield Checked(problems=[str(error)])


def _check_image(where: str, row: Mapping[str, Any], report: Checked) -> None:
    report.images += 1
    with _noted(where, report):
        if pixels_sha256(decode_image(row["image"]["bytes"]).image) != row["pixels_sha256"]:
            report.problems.append(f"{where}: the file does not hold the pixels that were hashed")
        if row["reference"] is None or row["reference"]["bytes"] is None:
            report.leave_out("no reference stored")
            return
        _check_recipe(where, row, lambda: decode_image(row["reference"]["bytes"]).image, report)


@contextlib.contextmanager
def _noted(where: str, report: Checked) -> Iterator[None]:
    try:
        yield
    except (UserError, ValueError, KeyError, TypeError) as error:
        report.problems.append(f"{where}: {error}")


def _check_recipe(where: str, row: Mapping[str, Any], reference: Callable[[], Image], report: Checked) -> None:
    edits = decode_edits(row)
    for edit in edits:
        here = find(edit.distortion).version
        if edit.version != here:
            report.leave_out(f"{edit.distortion} is version {here} here, {edit.version} there")
            return
    report.rendered += 1
    if pixels_sha256(render(reference(), edits)) != row["pixels_sha256"]:
        report.problems.append(f"{where}: its recipe does not give its pixels")
