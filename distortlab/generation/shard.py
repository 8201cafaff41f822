"""Building a shard: pure in what it makes, atomic in what it leaves.

`run_shard` draws the images of one shard, writes its files, and last of all its receipt. A shard without a receipt is
built again from the start; a receipt is only ever written over whole files.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from distortlab.core.errors import BuildFailed
from distortlab.dataset.layout import ARCHIVE, FULL, PLAN_PATH, Layout
from distortlab.dataset.manifest import FileEntry
from distortlab.dataset.patches import FOOTER, make_archive_rows
from distortlab.dataset.schema import Features, ImageRecord
from distortlab.dataset.writer import ShardFiles, make_full_rows
from distortlab.generation.draw import DistortedImage, draw_image
from distortlab.generation.draw_counts import DrawCounts
from distortlab.generation.job import Progress
from distortlab.generation.plan import Shard, select_tasks
from distortlab.generation.receipt import Receipt, has_columns_of, write_receipt
from distortlab.generation.reference_pool import ReferencePool
from distortlab.generation.rows import make_image_record, make_questions
from distortlab.generation.task_balance import TaskBalance
from distortlab.recipe import CompositionRules, Recipe
from distortlab.storage.base import Storage
from distortlab.tasks import TASKS

__all__ = ["ShardJob", "hold_for_plan", "run_shard"]


@dataclass(frozen=True, slots=True)
class ShardJob:
    """Everything that a process needs to build one shard. Can be pickled."""

    recipe: Recipe
    vocabulary: Mapping[str, float]
    plan_sha256: str
    shard: Shard
    out: Storage
    layout: Layout = FULL

    @property
    def images(self) -> int:
        """How many images it makes."""
        return len(self.shard.slots)

    @property
    def tables(self) -> Mapping[str, Features]:
        """The tables that it writes, with their features."""
        return self.layout.list_tables(self.recipe.controls.is_wanted)

    def run(self, progress: Progress) -> Receipt:
        """`run_shard`."""
        return run_shard(self, progress)


def run_shard(job: ShardJob, progress: Progress = lambda images: None) -> Receipt:
    """Build a shard, and return its receipt.

    Parameters
    ----------
    job
        What to build, and where. Where its receipt is already, for files that are whole and have the columns of today,
        nothing is done.
    progress
        Called with the number of images that were made since the last call.

    Raises
    ------
    BuildFailed
        The place has become that of another plan in the meantime.
    """
    done = Receipt.read(job.out, job.shard.index, job.plan_sha256, hashes=True)
    if done and _is_current(job, done):
        progress(job.images)
        return done
    pool = ReferencePool(job.shard.entries, job.recipe, job.shard.spare, patches=job.layout is ARCHIVE)
    tasks = tuple(select_tasks(job.recipe, job.vocabulary))
    balance = TaskBalance(tasks, job.images, job.recipe.questions.object_candidates)
    counts = _ShardCounts(balance, pool.counts)
    with hold_for_plan(job.out, job.plan_sha256) as check:
        with ShardFiles(job.out, job.shard.file_name, job.tables) as files:
            _write_images(files, job, pool, counts, progress)
            if job.layout is ARCHIVE:
                files.note("patches", FOOTER, _summarize(job, counts))
            check()
            written = files.finish()
        return write_receipt(job.out, _make_receipt(job, counts, written), pool.counts.failures)


def _is_current(job: ShardJob, receipt: Receipt) -> bool:
    """Whether a shard has today's columns and counts: code of the same version, but earlier, may have built it."""
    counts = set(_list_optional_counts(job.recipe))
    return counts <= receipt.counts.keys() and has_columns_of(job.out, receipt.files, job.tables)


def _list_optional_counts(recipe: Recipe) -> list[str]:
    """Counts that are taken only where a recipe has rules for them: kinds of images, questions about one region that
    pristine images are asked, and controls.
    """
    rules = recipe.composition
    wanted = {
        "kinds": rules != CompositionRules(),
        "negatives": bool(rules.negatives),
        "controls": recipe.controls.is_wanted,
    }
    return [name for name, is_wanted in wanted.items() if is_wanted]


@contextmanager
def hold_for_plan(out: Storage, plan_sha256: str) -> Iterator[Callable[[], None]]:
    """Hold the place while a shard is written.

    Object stores know no locks, and a run that was forgotten may wake up late.

    Yields
    ------
    Callable
        To be called before files appear: it raises `BuildFailed` where the place has become that of another plan.
    """

    def check() -> None:
        known = out.read_json(PLAN_PATH)
        if isinstance(known, dict) and known.get("sha256") != plan_sha256:
            raise BuildFailed(f"{out} was started again with another plan in the meantime; nothing more is written")

    with out.hold():
        yield check


@dataclass(slots=True)
class _ShardCounts:
    """What a shard holds so far, and what was left out of it: the tables of counts of its receipt."""

    balance: TaskBalance
    draws: DrawCounts
    kinds: Counter[str] = field(default_factory=Counter)
    negatives: Counter[str] = field(default_factory=Counter)
    controls: Counter[str] = field(default_factory=Counter)
    variants: Counter[str] = field(default_factory=Counter)
    severities: Counter[str] = field(default_factory=Counter)
    difficulties: Counter[str] = field(default_factory=Counter)
    tasks: Counter[str] = field(default_factory=Counter)
    objects: Counter[str] = field(default_factory=Counter)
    licenses: Counter[str] = field(default_factory=Counter)
    references: set[str] = field(default_factory=set)
    unfilled: int = 0

    def add(self, image: DistortedImage, record: ImageRecord, tasks: tuple[str, ...]) -> None:
        """Count an image with all its edits, and its questions."""
        self.kinds[_name_kind(image)] += 1
        if record.control:
            self.controls[record.control.kind] += 1
        self.variants.update(edit.distortion for edit in image.edits)
        self.severities.update(str(edit.severity) for edit in image.edits)
        self.difficulties.update(difficulty or "" for difficulty in record.difficulties)
        self.objects.update(place.object or "" for place in image.places)
        self.licenses[image.reference.license] += 1
        self.references.add(image.reference.id)
        self.tasks.update(tasks)
        if not record.edits:
            self.negatives.update(task for task in tasks if TASKS[task].subject == "region")

    def as_fields(self, recipe: Recipe) -> dict[str, Any]:
        """The fields of a receipt that count."""
        tables = {
            "variants": self.variants,
            "severities": self.severities,
            "difficulties": self.difficulties,
            "tasks": self.tasks,
            "replaced": self.balance.replaced,
            "left_out": self.balance.left_out + self.balance.pairs.left_out,
            "objects": self.objects,
            "licenses": self.licenses,
            "rejected": self.draws.rejected,
            "settings": self.draws.settings,
            "screened": self.draws.screened,
            "skipped": self.draws.skipped,
            "references": Counter(used=len(self.references)),
        }
        optional = {"kinds": self.kinds, "negatives": self.negatives, "controls": self.controls}
        tables.update({name: optional[name] for name in _list_optional_counts(recipe)})
        return {
            "unfilled": self.unfilled,
            "opened": self.draws.opened,
            "failures": len(self.draws.failures),
            "counts": {name: dict(sorted(values.items())) for name, values in tables.items()},
        }


def _name_kind(image: DistortedImage) -> str:
    """What was asked for, as `dataset.composition.find_kind` names it: "pristine", "whole", or a number of regions."""
    places = [request.place for request in image.slot.edits]
    return "pristine" if not places else "whole" if places == ["whole"] else str(len(places))


def _write_images(
    files: ShardFiles, job: ShardJob, pool: ReferencePool, counts: _ShardCounts, progress: Progress
) -> None:
    known: dict[str, int] = {}
    before: ImageRecord | None = None
    for image in _draw_images(job.shard, pool, counts, progress):
        record = make_image_record(image, job.recipe)
        samples = make_questions(image, record, counts.balance, job.recipe, job.vocabulary, before)
        counts.add(image, record, tuple(sample.task for sample in samples))
        is_pair = any(sample.other_image_id for sample in samples)
        if job.layout is ARCHIVE:
            files.add(*make_archive_rows(record, samples, known), with_last=is_pair)
        else:
            files.add(*make_full_rows(record, samples, job.layout.image_table), with_last=is_pair)
        before = record


def _draw_images(
    shard: Shard, pool: ReferencePool, counts: _ShardCounts, progress: Progress
) -> Iterator[DistortedImage]:
    """The images of a shard that could be made."""
    known: set[str] = set()
    for slot in shard.slots:
        image = draw_image(slot, pool, known, with_distractors=counts.balance.wants_object(slot.tasks))
        progress(1)
        if image is None:
            counts.unfilled += 1
            counts.balance.skip()
            continue
        yield image


def _make_receipt(job: ShardJob, counts: _ShardCounts, files: dict[str, FileEntry]) -> Receipt:
    tables = (job.layout.image_table, job.layout.question_table)
    images, samples = (files[f"{table}/{job.shard.file_name}"]["rows"] for table in tables)
    return Receipt(
        shard=job.shard.index,
        split=job.shard.split,
        plan_sha256=job.plan_sha256,
        files=files,
        images=images,
        samples=samples,
        **counts.as_fields(job.recipe),
    )


def _summarize(job: ShardJob, counts: _ShardCounts) -> dict[str, Any]:
    """What an archive says of a shard beside its rows: all that the receipt of the full layout will say."""
    about = {"shard": job.shard.index, "split": job.shard.split, "codec": job.recipe.codec}
    return {**about, **counts.as_fields(job.recipe), "quarantine": counts.draws.failures}
