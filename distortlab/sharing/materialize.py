"""From an archive of patches to the data set in full, bit for bit.

Every shard of the archive is read once and written as `generate` would have written it: same rows, same row groups,
same encoders. Every image is checked against the hash of its pixels. The operators are not asked: an archive can be
opened when they have changed.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from distortlab.core.errors import UserError
from distortlab.dataset.archive import ArchivedImage, ArchiveShard
from distortlab.dataset.layout import FULL
from distortlab.dataset.manifest import Entries, FileEntry, Manifest, list_shards, read_archive_manifest
from distortlab.dataset.rows import PictureRow
from distortlab.dataset.schema import LATER_COLUMNS
from distortlab.dataset.writer import ShardFiles, count_picture_bytes
from distortlab.generation.claim import claim, remove_leftovers
from distortlab.generation.finish import finish, make_account
from distortlab.generation.generate import run_jobs
from distortlab.generation.plan import Plan
from distortlab.generation.receipt import Receipt, has_columns_of, write_receipt
from distortlab.generation.report import Account
from distortlab.generation.rows import select_pictures
from distortlab.generation.shard import hold_for_plan
from distortlab.imaging.encode import Canvas
from distortlab.recipe import read_stored_recipe
from distortlab.storage.base import Storage, open_storage

__all__ = ["materialize"]


def materialize(
    archive: str | Path,
    out: str | Path,
    *,
    workers: int | None = None,
    overwrite: bool = False,
    progress: Callable[[int], None] = lambda images: None,
) -> Account:
    """Make the data set in full from an archive (`generate(store="patch")`), or go on where that was stopped.

    The pixels of every image are compared with their hash. The files are those that `generate` would have made, byte
    for byte, if the libraries that encode pictures and tables have the same versions.

    Parameters
    ----------
    archive
        A folder, or the URL of a place in an object store.
    out
        Where the data set is written, a folder or a URL.
    workers
        How many processes; as many as there are processors unless given.
    overwrite
        Start again where another data set is.
    progress
        Called with the number of images that were made since the last call.

    Returns
    -------
    Account
        What was made; the same as `generate` returns.

    Raises
    ------
    UserError
        For what is no archive, is damaged, or has a newer format.
    """
    source, target = open_storage(archive), open_storage(out)
    manifest = read_archive_manifest(source)
    plan, shards = _plan(source, manifest), list_shards(source, manifest)
    jobs = [RestoreJob(source, target, name, entries, plan.sha256) for name, entries in shards.items()]
    with claim(target, plan, overwrite, FULL) as hold:
        receipts = run_jobs(jobs, workers, "local", None, progress)
        account = make_account(plan, target, receipts, finished=True)
        finish(plan, account, receipts, target, FULL)
        remove_leftovers(target, hold, FULL)
    return account


@dataclass(frozen=True, slots=True)
class _StoredPlan(Plan):
    """A plan without its slots, with the identity that it had when the archive was made."""

    stored: Mapping[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> dict[str, Any]:
        """As it was."""
        return dict(self.stored)


def _plan(source: Storage, manifest: Manifest) -> Plan:
    try:
        stored = dict(manifest["plan"])
        license, skipped = str(stored.pop("license")), dict(stored.pop("skipped"))
        values = json.loads(stored.pop("recipe_text"))
        recipe = read_stored_recipe(values, f"the recipe in {source}")
        source_of_images = (stored["references"]["source"], license, stored["references"]["fingerprint"])
        plan = _StoredPlan(recipe, *source_of_images, vocabulary={}, skipped=skipped, shards=(), stored=stored)
        if plan.sha256 == manifest["plan_sha256"] and values == stored["recipe"]:
            return plan
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    raise UserError(f"{source} is damaged: the plan in its manifest is not the one it was made from")


@dataclass(frozen=True, slots=True)
class RestoreJob:
    """What a worker needs to restore one shard. Picklable."""

    source: Storage
    out: Storage
    name: str
    entries: Entries
    plan_sha256: str

    @property
    def images(self) -> int:
        """How many images it is about."""
        return int(self.entries[f"patches/{self.name}"]["rows"])

    def run(self, progress: Callable[[int], None]) -> Receipt:
        """Restore the shard, or only return its receipt where it is done."""
        with ArchiveShard.open(self.source, self.entries) as shard:
            summary = shard.summary
            tables = FULL.list_tables(shard.has_controls)
            done = Receipt.read(self.out, summary["shard"], self.plan_sha256, hashes=True)
            if done and has_columns_of(self.out, done.files, tables):
                progress(self.images)
                return done
            with hold_for_plan(self.out, self.plan_sha256) as check:
                with ShardFiles(self.out, self.name, tables) as files:
                    self._write(shard, files, summary["codec"], progress)
                    check()
                    written = files.finish()
                return write_receipt(self.out, self._receipt(summary, written), summary["quarantine"])

    def _write(self, shard: ArchiveShard, files: ShardFiles, codec: str, progress: Callable[[int], None]) -> None:
        canvas: Canvas | None = None
        before: PictureRow | None = None
        for item in shard:
            (image, box), reference = shard.image(item), shard.reference(item)
            if canvas is None or canvas.reference is not reference:
                canvas = Canvas(reference, codec)
            row, questions = _full_rows(item, canvas.encode(image, (box.y1, box.y2)), codec, before)
            is_pair = any(question["other_image_id"] for question in questions)
            files.add({"images": [row], "rft": questions}, count_picture_bytes(row), with_last=is_pair)
            before = row["image"]
            progress(1)

    def _receipt(self, summary: Mapping[str, Any], written: dict[str, FileEntry]) -> Receipt:
        names = {each.name for each in fields(Receipt)}
        return Receipt(
            **{name: value for name, value in summary.items() if name in names},
            plan_sha256=self.plan_sha256,
            files=written,
            images=written[f"images/{self.name}"]["rows"],
            samples=written[f"rft/{self.name}"]["rows"],
        )


def _full_rows(
    item: ArchivedImage, data: bytes, codec: str, before: PictureRow | None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The row of `images`, and those of `rft`; what an archive of an earlier version lacks is null. `before` is the
    picture of the image before this one, with which a question may compare it.
    """
    row = dict(item.row)
    picture = {"bytes": data, "path": f"{row['image_id']}.{codec}"}
    for name in ("patch", "reference_row"):
        del row[name]
    absent = dict.fromkeys(LATER_COLUMNS)
    questions = [
        {**absent, **each, "images": list(select_pictures(each["task"], item.reference, picture, before))}
        for each in item.questions
    ]
    return {**row, "image": picture, "reference": item.reference}, questions
