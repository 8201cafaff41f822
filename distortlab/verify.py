"""Checking a data set: every file hash, every pixel hash, every recipe rendered again.

An image is right when its file decodes to the pixels that were hashed when it was made, and when its reference and its
edits give the same pixels once more. The second also shows that nothing outside the regions changed.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from distortlab.catalog import find
from distortlab.edit import render
from distortlab.errors import UserError
from distortlab.files import sha256_of
from distortlab.image import pixels_sha256
from distortlab.reading import read_upright
from distortlab.schema import edits_of
from distortlab.stored import open_data

__all__ = ["Report", "verify"]

_COLUMNS = ["image_id", "image", "pixels_sha256", "reference", "regions"]


@dataclass(slots=True)
class Report:
    """What was checked, what could not be, and what is wrong (a sentence each; empty when all is well)."""

    files: int = 0
    images: int = 0
    rendered: int = 0
    not_rendered: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add(self, other: "Report") -> None:
        """Take in the report of a part."""
        self.files += other.files
        self.images += other.images
        self.rendered += other.rendered
        self.problems += other.problems
        for reason, count in other.not_rendered.items():
            self.not_rendered[reason] = self.not_rendered.get(reason, 0) + count


def verify(folder: str | Path, *, workers: int = 1, progress: Callable[[int], None] = lambda images: None) -> Report:
    """Check a finished data set. `progress` is told how many more images were checked.

    Raises `UserError` for a folder that is no finished data set, or one of a newer format.
    """
    folder = Path(folder)
    files = open_data(folder, whole=False).manifest["files"]
    report, parts = Report(), []
    for path, entry in sorted(files.items()):
        problem = _file_problem(folder, path, entry)
        report.files += 1
        if problem:
            report.problems.append(problem)
        elif path.startswith("images/"):
            parts.append(path)
    for part in _checked_parts(folder, parts, workers):
        progress(part.images)
        report.add(part)
    return report


def manifest_of(folder: str | Path) -> dict[str, Any]:
    """The manifest of a finished data set, checked for its shape; the files that it names are there."""
    return dict(open_data(folder).manifest)


def _file_problem(folder: Path, path: str, entry: Any) -> str | None:
    if not isinstance(entry, Mapping):
        return f"{path}: its entry in the manifest is damaged"
    file = folder / path
    if Path(path).is_absolute() or ".." in Path(path).parts:
        return f"{path}: leads out of the data set"
    if not file.is_file():
        return f"{path}: missing"
    if file.stat().st_size != entry.get("bytes"):
        return f"{path}: {file.stat().st_size} bytes, {entry.get('bytes')} in the manifest"
    if sha256_of(file) != entry.get("sha256"):
        return f"{path}: its SHA-256 is not the one in the manifest"
    return None


def _checked_parts(folder: Path, parts: list[str], workers: int) -> Iterator[Report]:
    if workers <= 1 or len(parts) <= 1:
        for part in parts:
            yield from _check_images(folder, part)
        return
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(parts)), context) as pool:
        yield from pool.map(partial(_check_whole, folder), parts)


def _check_whole(folder: Path, path: str) -> Report:
    report = Report()
    for part in _check_images(folder, path):
        report.add(part)
    return report


def _check_images(folder: Path, path: str) -> Iterator[Report]:
    """A report for every row group: bounded memory whatever the size of the file."""
    try:
        with pq.ParquetFile(folder / path) as file:
            for group in range(file.num_row_groups):
                report = Report()
                for row in file.read_row_group(group, columns=_COLUMNS).to_pylist():
                    _check_image(f"{path}, {row['image_id']}", row, report)
                yield report
    except (OSError, ValueError, KeyError) as error:
        yield Report(problems=[f"{path}: cannot be read as a table of images: {error}"])


def _check_image(where: str, row: Mapping[str, Any], report: Report) -> None:
    report.images += 1
    try:
        if pixels_sha256(read_upright(row["image"]["bytes"]).image) != row["pixels_sha256"]:
            report.problems.append(f"{where}: the file does not hold the pixels that were hashed")
        reason = _cannot_render(row)
        if reason:
            report.not_rendered[reason] = report.not_rendered.get(reason, 0) + 1
            return
        report.rendered += 1
        reference = read_upright(row["reference"]["bytes"]).image
        if pixels_sha256(render(reference, edits_of(row))) != row["pixels_sha256"]:
            report.problems.append(f"{where}: its recipe does not give its pixels")
    except (UserError, ValueError, KeyError, TypeError) as error:
        report.problems.append(f"{where}: {error}")


def _cannot_render(row: Mapping[str, Any]) -> str | None:
    if row["reference"] is None or row["reference"]["bytes"] is None:
        return "no reference stored"
    for edit in edits_of(row):
        if edit.version != find(edit.distortion).version:
            return f"{edit.distortion} is version {find(edit.distortion).version} here, {edit.version} there"
    return None
