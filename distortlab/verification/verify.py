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
from distortlab.verification import archives, whole
from distortlab.verification.archives import check_files_in_turn, is_read_in_turn
from distortlab.verification.composition import check_shares
from distortlab.verification.controls import check_control_shares
from distortlab.verification.files import check_files, check_metadata, find_stray_files
from distortlab.verification.groups import GroupFindings, GroupJob, check_group
from distortlab.verification.report import Report

__all__ = ["Report", "verify"]


def verify(
    folder: str | Path,
    *,
    workers: int = 1,
    sample: float | None = None,
    progress: Callable[[int], None] = lambda images: None,
) -> Report:
    """Check a finished data set or archive: files, rows, pictures, and every recipe rendered again.

    Parameters
    ----------
    folder
        A folder, or the URL of a place in an object store.
    workers
        How many processes.
    sample
        A share (below 1) or a number of images whose pictures are opened and rendered, always the same ones; all unless
        given. Files, and rows without their pictures, are checked in any case.
    progress
        Called with the number of images that were checked since the last call.

    Returns
    -------
    Report
        What was checked and what could not be; `problems` is empty when all is well.

    Raises
    ------
    UserError
        For a folder that is no finished data set, or one of a newer format.
    """
    if is_read_in_turn(folder):
        return _verify_in_turn(folder, workers, sample, progress)
    stored = open_data(folder, whole=False)
    report = Report(files=len(stored.manifest["files"]))
    broken = check_files(stored, workers)
    report.add_problems(f"{path}: {fault}" for path, fault in broken.items())
    strange, others = find_stray_files(stored)
    faults, left = check_metadata(stored)
    report.add_problems([*strange, *faults])
    report.not_checked += left
    if others:
        report.not_checked.append(f"{', '.join(others[:5])}{', ...' if len(others) > 5 else ''}: not of the data set")
    _check_tables(_drop_files(stored, broken), stored, sample, workers, progress, report)
    return report


def _verify_in_turn(place: str | Path, workers: int, sample: float | None, progress: Callable[[int], None]) -> Report:
    if sample is not None:
        raise UserError(f"{place}: --sample is for data sets in folders; archives and object stores are read whole")
    report = Report(not_checked=["questions, splits, counts and balance: only of a data set in full, in a folder"])
    for part in check_files_in_turn(place, workers):
        progress(part.images)
        report.add(part)
    return report


def count_images(folder: str | Path) -> int:
    """Return how many images there are to check. Raises as `verify`."""
    return archives.count_images(folder) if is_read_in_turn(folder) else open_data(folder, whole=False).images


def _drop_files(stored: StoredDataset, broken: Mapping[str, str]) -> StoredDataset:
    """Files that are not what they were are not read."""
    return replace(stored, parts=tuple(part for part in stored.parts if part.path not in broken))


def _check_tables(
    stored: StoredDataset,
    whole_set: StoredDataset,
    sample: float | None,
    workers: int,
    progress: Callable[[int], None],
    report: Report,
) -> None:
    recipe, reason = _read_recipe(stored)
    report.not_checked += [reason] if reason else []
    readable = list(whole.check_tables(stored))
    report.add_problems(readable)
    if readable:
        report.not_checked.append("rows: not all tables can be read")
        return
    jobs = list(_list_jobs(stored, recipe))
    chosen = _choose_sample(jobs, sample)
    report.not_checked += _describe_sample(jobs, chosen)
    found = _check_groups(stored, chosen, workers, progress)
    report.add(found.report)
    report.add_problems(whole.check_ids(stored))
    report.add_problems(whole.find_leaks(found.references))
    report.add_problems(whole.check_balance(found.places))
    if recipe and recipe.severity == "ladder":
        report.add_problems(whole.check_ladder(found.settings))
    if stored.parts != whole_set.parts:
        report.not_checked.append("totals, counts and samples: not all files are there")
        return
    report.add_problems(whole.check_samples(stored))
    if not report.problems and recipe:
        unfilled = (stored.manifest.get("failures") or {}).get("unfilled", 0)
        report.add_problems(check_shares(found.kinds, recipe, unfilled))
        report.add_problems(check_control_shares(found.controls, found.kinds, recipe, unfilled))
    if not report.problems:
        report.add_problems(whole.check_totals(stored, found.counts, found))


def _read_recipe(stored: StoredDataset) -> tuple[Recipe | None, str | None]:
    """The recipe that the data set was made from, and why it is not known."""
    plan = stored.plan
    if plan is None:
        return None, "settings against the recipe: it is not here (_distortlab/ is not published)"
    try:
        return read_stored_recipe(plan["recipe"], "the recipe in plan.json"), None
    except (UserError, KeyError, TypeError, AttributeError) as error:
        return None, f"settings against the recipe: {error}"


# --- row groups -----------------------------------------------------------------------------------------------------


def _list_jobs(stored: StoredDataset, recipe: Recipe | None) -> Iterator[GroupJob]:
    version = str(stored.manifest.get("generator_version"))
    for part in stored.parts_of("images"):
        for group, question_groups in whole.match_questions(stored, part):
            yield GroupJob(stored.folder, group, question_groups, recipe, version, pixels=True)


def _choose_sample(jobs: list[GroupJob], sample: float | None) -> list[GroupJob]:
    """The jobs, with pixels in as many of them as are asked for: whole row groups, always the same ones."""
    if sample is None:
        return jobs
    images = sum(job.group.rows for job in jobs)
    wanted = sample * images if sample < 1 else sample
    chosen, count = set[int](), 0
    for at in stream("verify", "sample").permute(range(len(jobs))):
        if count >= wanted:
            break
        chosen.add(at)
        count += jobs[at].group.rows
    return [replace(job, pixels=at in chosen) for at, job in enumerate(jobs)]


def _describe_sample(jobs: Iterable[GroupJob], chosen: Iterable[GroupJob]) -> list[str]:
    images = sum(job.group.rows for job in jobs)
    checked = sum(job.group.rows for job in chosen if job.pixels)
    if checked == images:
        return []
    return [f"the pictures of {images - checked:,} of {images:,} images: left out by --sample"]


_COUNTS = ("variants", "severities", "difficulties", "tasks", "objects", "references", "kinds", "negatives", "controls")
"""Those of a manifest that follow from the tables."""


def _check_groups(
    stored: StoredDataset, jobs: list[GroupJob], workers: int, progress: Callable[[int], None]
) -> GroupFindings:
    """Everything that the row groups hold. References are counted by shard, as receipts do."""
    total = GroupFindings()
    total.counts = {name: Counter() for name in _COUNTS}
    shards: dict[str, set[str]] = {part.path: set() for part in stored.parts_of("images")}
    for job, findings in zip(jobs, map_in_order(check_group, jobs, workers), strict=True):
        progress(job.group.rows)
        total.add(findings)
        shards[job.group.part.path].update(reference for _, reference in findings.references)
    if not any(job.recipe for job in jobs):  # without which a region of the whole frame may be either kind
        del total.counts["kinds"]
    total.counts["references"]["used"] = sum(len(references) for references in shards.values())
    return total
