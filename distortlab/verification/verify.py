"""Checking a data set: files and hashes, rows against each other, every recipe rendered again, the whole.

An image is right when its file decodes to the pixels that were hashed when it was made, when its reference and its
edits give the same pixels once more, and when nothing outside the regions differs from the reference. A question is
right when its solution follows from the recipe of its image. docs/trust.md says what is checked, and what cannot be.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from distortlab.core.errors import UserError
from distortlab.core.seeds import stream
from distortlab.core.workers import map_in_order
from distortlab.dataset.reader import StoredDataset, open_data
from distortlab.recipe import Recipe, read_stored_recipe
from distortlab.verification import whole
from distortlab.verification.archives import check_parts, images_in, is_piecewise
from distortlab.verification.files import book_faults, file_faults, shelf_faults
from distortlab.verification.groups import Found, Piece, check_piece
from distortlab.verification.report import Report

__all__ = ["Report", "verify"]


def verify(
    folder: str | Path,
    *,
    workers: int = 1,
    sample: float | None = None,
    progress: Callable[[int], None] = lambda images: None,
) -> Report:
    """Check a finished data set or archive, a folder or the URL of one. `progress` is told how many more images were
    checked.

    `sample` is a share (below 1) or a number of images whose pictures are opened and rendered, always the same ones;
    the hashes of files, and rows without their pictures, are checked in any case. Raises `UserError` for a folder that
    is no finished data set, or one of a newer format.
    """
    if is_piecewise(folder):
        return _piecewise(folder, workers, sample, progress)
    stored = open_data(folder, whole=False)
    report = Report(files=len(stored.manifest["files"]))
    broken = file_faults(stored, workers)
    report.wrong(f"{path}: {fault}" for path, fault in broken.items())
    strange, others = shelf_faults(stored)
    faults, left = book_faults(stored)
    report.wrong([*strange, *faults])
    report.not_checked += left
    if others:
        report.not_checked.append(f"{', '.join(others[:5])}{', ...' if len(others) > 5 else ''}: not of the data set")
    _check_tables(_without(stored, broken), stored, sample, workers, progress, report)
    return report


def _piecewise(place: str | Path, workers: int, sample: float | None, progress: Callable[[int], None]) -> Report:
    if sample is not None:
        raise UserError(f"{place}: --sample is for data sets in folders; archives and object stores are read whole")
    report = Report(not_checked=["questions, splits, counts and balance: only of a data set in full, in a folder"])
    for part in check_parts(place, workers):
        progress(part.images)
        report.add(Report(part.files, part.images, 0, part.rendered, part.not_rendered, [], part.problems))
    return report


def images_of(folder: str | Path) -> int:
    """How many images there are to check. Raises as `verify`."""
    return images_in(folder) if is_piecewise(folder) else open_data(folder, whole=False).images


def _without(stored: StoredDataset, broken: Mapping[str, str]) -> StoredDataset:
    """Files that are not what they were are not read."""
    return replace(stored, parts=tuple(part for part in stored.parts if part.path not in broken))


def _check_tables(
    stored: StoredDataset,
    named: StoredDataset,
    sample: float | None,
    workers: int,
    progress: Callable[[int], None],
    report: Report,
) -> None:
    recipe, reason = _recipe(stored)
    report.not_checked += [reason] if reason else []
    readable = list(whole.table_faults(stored))
    report.wrong(readable)
    if readable:
        report.not_checked.append("rows: not all tables can be read")
        return
    pieces = list(_pieces(stored, recipe))
    chosen = _sampled(pieces, sample)
    report.not_checked += _left_out(stored, pieces, chosen)
    found = _checked(stored, chosen, workers, progress)
    report.add(found.report)
    report.wrong(whole.id_faults(stored))
    report.wrong(whole.leak_faults(found.references))
    report.wrong(whole.balance_faults(found.places))
    if recipe and recipe.severity == "ladder":
        report.wrong(whole.ladder_faults(found.settings))
    if stored.parts != named.parts:
        report.not_checked.append("totals, counts and samples: not all files are there")
        return
    report.wrong(whole.sample_faults(stored))
    if not report.problems:
        report.wrong(whole.total_faults(stored, found.counts, found))


def _recipe(stored: StoredDataset) -> tuple[Recipe | None, str | None]:
    """The recipe that the data set was made from, and why it is not known."""
    plan = stored.plan
    if plan is None:
        return None, "settings against the recipe: it is not here (_distortlab/ is not published)"
    try:
        return read_stored_recipe(plan["recipe"], "the recipe in plan.json"), None
    except (UserError, KeyError, TypeError, AttributeError) as error:
        return None, f"settings against the recipe: {error}"


# --- pieces ---------------------------------------------------------------------------------------------------------


def _pieces(stored: StoredDataset, recipe: Recipe | None) -> Iterator[Piece]:
    version = str(stored.manifest.get("generator_version"))
    for part in stored.parts_of("images"):
        for group, asked in whole.asked_about(stored, part):
            yield Piece(stored.folder, group, asked, recipe, version, pixels=True)


def _sampled(pieces: list[Piece], sample: float | None) -> list[Piece]:
    """The pieces, with pixels in as many of them as are asked for: whole row groups, always the same ones."""
    if sample is None:
        return pieces
    images = sum(piece.group.rows for piece in pieces)
    wanted = sample * images if sample < 1 else sample
    kept, count = set[int](), 0
    for at in stream("verify", "sample").permute(range(len(pieces))):
        if count >= wanted:
            break
        kept.add(at)
        count += pieces[at].group.rows
    return [replace(piece, pixels=at in kept) for at, piece in enumerate(pieces)]


def _left_out(stored: StoredDataset, pieces: Iterable[Piece], chosen: Iterable[Piece]) -> list[str]:
    images = sum(piece.group.rows for piece in pieces)
    seen = sum(piece.group.rows for piece in chosen if piece.pixels)
    return [f"the pictures of {images - seen:,} of {images:,} images: left out by --sample"] if seen < images else []


def _checked(stored: StoredDataset, pieces: list[Piece], workers: int, progress: Callable[[int], None]) -> Found:
    """Everything that the pieces hold. References are counted by shard, as receipts do."""
    all_found = Found(counts={name: Counter() for name in ("variants", "severities", "tasks", "objects", "references")})
    shards: dict[str, set[str]] = {part.path: set() for part in stored.parts_of("images")}
    for piece, found in zip(pieces, map_in_order(check_piece, pieces, workers), strict=True):
        progress(piece.group.rows)
        all_found.report.add(found.report)
        all_found.places.update(found.places)
        for name, counts in found.counts.items():
            all_found.counts[name].update(counts)
        for setting, amounts in found.settings.items():
            all_found.settings.setdefault(setting, Counter()).update(amounts)
        for key, hashes in found.references.items():
            all_found.references.setdefault(key, set()).update(hashes)
            shards[piece.group.part.path].add(key[1])
    all_found.counts["references"]["used"] = sum(len(own) for own in shards.values())
    return all_found
