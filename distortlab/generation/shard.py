"""Building a shard: pure in what it makes, atomic in what it leaves.

`run_shard` draws the images of one shard, writes its files, and last of all its receipt. A shard without a receipt is
built again from the start; a receipt is only ever written over whole files.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from distortlab import __version__
from distortlab.core.errors import BuildFailed
from distortlab.dataset.layout import ARCHIVE, FULL, PLAN_PATH, Layout
from distortlab.dataset.patches import FOOTER, make_archive_rows
from distortlab.dataset.schema import ImageRecord, Picture, Sample
from distortlab.dataset.writer import ShardFiles, make_full_rows
from distortlab.distortions.catalog import find
from distortlab.generation.candidates import count_instances, names_inside
from distortlab.generation.composition import TaskBalance
from distortlab.generation.draw import DistortedImage, draw_image
from distortlab.generation.plan import Shard, asked_tasks
from distortlab.generation.questions import Subject, ask, choices
from distortlab.generation.reference_pool import ReferencePool
from distortlab.recipe import Recipe
from distortlab.storage.atomic import json_in, json_text, seal_fault_in, sealed
from distortlab.storage.base import Storage

__all__ = [
    "Job",
    "Receipt",
    "Work",
    "at_work",
    "is_whole",
    "quarantine_path",
    "run_shard",
    "shown",
    "write_receipt",
]

Progress = Callable[[int], None]
P = TypeVar("P")


class Work(Protocol):
    """What an engine calls, somewhere. Picklable."""

    @property
    def images(self) -> int:
        """How many images it is about."""
        ...

    @property
    def out(self) -> Storage:
        """Where it writes."""
        ...

    def run(self, progress: Progress) -> "Receipt":
        """Do it, or only return the receipt where it is done. `progress` is told how many more images are made."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker needs to build one shard. Picklable."""

    recipe: Recipe
    vocabulary: Mapping[str, float]
    plan_sha256: str
    shard: Shard
    out: Storage
    layout: Layout = FULL

    @property
    def images(self) -> int:
        """How many images it is about."""
        return len(self.shard.slots)

    def run(self, progress: Progress) -> "Receipt":
        """`run_shard`."""
        return run_shard(self, progress)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a finished shard holds. `files` maps paths in the data set to sha256, bytes and rows."""

    shard: int
    split: str
    plan_sha256: str
    files: dict[str, dict[str, Any]]
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
            if data is None or seal_fault_in(data):
                return None
            receipt = cls(**{name: value for name, value in (json_in(data) or {}).items() if name != "seal"})
            if receipt.plan_sha256 != plan_sha256:
                return None
            whole = is_whole(out, receipt.files) and not (hashes and out.find_damaged(receipt.files))
        except (TypeError, KeyError, AttributeError):
            return None
        return receipt if whole else None


def is_whole(out: Storage, files: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether all files are there, of their size."""
    return out.sizes(files) == {path: entry["bytes"] for path, entry in files.items()}


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
    out.write_text(_receipt_path(receipt.shard), json_text(sealed(values)))
    return receipt


def run_shard(job: Job, progress: Progress = lambda images: None) -> Receipt:
    """Build a shard and return its receipt; where there is one already, for files that are whole, only return it."""
    done = Receipt.read(job.out, job.shard.index, job.plan_sha256, hashes=True)
    if done:
        progress(job.images)
        return done
    pool = ReferencePool(job.shard, job.recipe, patches=job.layout is ARCHIVE)
    tasks = tuple(asked_tasks(job.recipe, job.vocabulary))
    counts = _Counts(TaskBalance(tasks, job.images, job.recipe.questions.object_candidates))
    with at_work(job.out, job.plan_sha256) as check:
        with ShardFiles(job.out, job.shard.file_name, job.layout.tables) as files:
            _fill(files, job, pool, counts, progress)
            if pool.patches:
                files.note("patches", FOOTER, _noted(job, pool, counts))
            check()
            written = files.finish()
        return write_receipt(job.out, _receipt(job, pool, counts, written), pool.counts.failures)


@contextmanager
def at_work(out: Storage, plan_sha256: str) -> Iterator[Callable[[], None]]:
    """Hold the place, and give a function to call before files appear: it raises `BuildFailed` where the place has
    become that of another plan. Object stores know no locks, and a run that was forgotten may wake up late.
    """

    def check() -> None:
        known = out.read_json(PLAN_PATH)
        if isinstance(known, dict) and known.get("sha256") != plan_sha256:
            raise BuildFailed(f"{out} was started again with another plan in the meantime; nothing more is written")

    with out.hold():
        yield check


def _fill(files: ShardFiles, job: Job, pool: ReferencePool, counts: "_Counts", progress: Progress) -> None:
    known: dict[str, int] = {}
    balance = counts.balance
    for drawn in _drawn(job.shard, pool, counts, progress):
        record = image_record(drawn, job.recipe)
        subject = subject_of(drawn, record)
        offered = choices(subject, job.recipe, job.vocabulary) if balance.wants_object(drawn.slot.tasks) else ()
        tasks = balance.settle(drawn.slot.tasks, len(offered), drawn.slot.family)
        samples = samples_of(subject, record, tasks, job.recipe, job.vocabulary)
        counts.tasks.update(tasks)
        files.add(*(make_archive_rows(record, samples, known) if pool.patches else make_full_rows(record, samples)))


@dataclass(slots=True)
class _Counts:
    """How many images of what came out, and which questions are asked about them."""

    balance: TaskBalance
    variants: Counter[str] = field(default_factory=Counter)
    severities: Counter[str] = field(default_factory=Counter)
    tasks: Counter[str] = field(default_factory=Counter)
    objects: Counter[str] = field(default_factory=Counter)
    licenses: Counter[str] = field(default_factory=Counter)
    references: set[str] = field(default_factory=set)
    unfilled: int = 0


def _drawn(
    shard: Shard, pool: ReferencePool, counts: _Counts, progress: Callable[[int], None]
) -> Iterator[DistortedImage]:
    known: set[str] = set()
    for slot in shard.slots:
        drawn = draw_image(slot, pool, known, with_distractors=counts.balance.wants_object(slot.tasks))
        progress(1)
        if drawn is None:
            counts.unfilled += 1
            counts.balance.skip()
            continue
        counts.variants.update(edit.distortion for edit in drawn.edits)
        counts.severities.update(str(edit.severity) for edit in drawn.edits)
        counts.objects.update(place.object or "" for place in drawn.places)
        counts.licenses[drawn.reference.license] += 1
        counts.references.add(drawn.reference.id)
        yield drawn


def _receipt(job: Job, pool: ReferencePool, counts: _Counts, files: dict[str, dict[str, Any]]) -> Receipt:
    tables = (job.layout.image_table, job.layout.question_table)
    images, samples = (files[f"{table}/{job.shard.file_name}"]["rows"] for table in tables)
    return Receipt(
        shard=job.shard.index,
        split=job.shard.split,
        plan_sha256=job.plan_sha256,
        files=files,
        images=images,
        samples=samples,
        **_tallied(pool, counts),
    )


def _tallied(pool: ReferencePool, counts: _Counts) -> dict[str, Any]:
    draws = pool.counts
    tables = {
        "variants": counts.variants,
        "severities": counts.severities,
        "tasks": counts.tasks,
        "replaced": counts.balance.replaced,
        "left_out": counts.balance.left_out,
        "objects": counts.objects,
        "licenses": counts.licenses,
        "rejected": draws.rejected,
        "screened": draws.screened,
        "skipped": draws.skipped,
        "references": Counter(used=len(counts.references)),
    }
    return {
        "unfilled": counts.unfilled,
        "opened": draws.opened,
        "failures": len(draws.failures),
        "counts": {name: dict(sorted(values.items())) for name, values in tables.items()},
    }


def _noted(job: Job, pool: ReferencePool, counts: _Counts) -> dict[str, Any]:
    """What an archive says of a shard beside its rows: all that the receipt of the full layout will say."""
    about = {"shard": job.shard.index, "split": job.shard.split, "codec": job.recipe.codec}
    return {**about, **_tallied(pool, counts), "quarantine": pool.counts.failures}


# --- rows -----------------------------------------------------------------------------------------------------------


def image_record(drawn: DistortedImage, recipe: Recipe) -> ImageRecord:
    """The row of `images`."""
    reference = drawn.reference
    rows, columns = reference.image.shape[:2]
    original = Picture(reference.encoded, f"{reference.id}.{reference.extension}")
    return ImageRecord(
        image_id=drawn.slot.image_id,
        image=Picture(drawn.encoded, f"{drawn.slot.image_id}.{recipe.codec}"),
        width=columns,
        height=rows,
        pixels_sha256=drawn.pixels_sha256,
        reference_id=reference.id,
        reference=original if recipe.keep_references else None,
        reference_source=reference.source,
        reference_license=reference.license,
        edits=drawn.edits,
        objects=tuple(place.object for place in drawn.places),
        seed=recipe.seed,
        generator_version=__version__,
    )


def shown(task: str, reference: P, image: P) -> tuple[P, ...]:
    """The pictures that a question shows, in order."""
    return (reference, image) if task == "recognition_reference" else (image,)


def subject_of(drawn: DistortedImage, record: ImageRecord) -> Subject:
    """What can be asked about an image: about its first edit, whose distortion and severity its samples have."""
    edit, place, reference = drawn.edits[0], drawn.places[0], drawn.reference
    own = place.object
    return Subject(
        image_id=record.image_id,
        family=find(edit.distortion).family,
        severity=edit.severity,
        box=edit.bbox,
        size=(record.width, record.height),
        object=own,
        distractors=drawn.distractors,
        alone=all(other.object in (None, own) for other in reference.regions),
        inside=names_inside(place.region, reference),
        instances=count_instances(reference),
    )


def samples_of(
    subject: Subject, record: ImageRecord, tasks: Sequence[str], recipe: Recipe, vocabulary: Mapping[str, float]
) -> list[Sample]:
    """The rows of `rft` for one image."""
    out = []
    for task in tasks:
        asked = ask(task, subject, recipe, vocabulary)
        assert asked is not None, f"{task} of {subject.image_id} cannot be asked"
        out.append(
            Sample(
                sample_id=f"{record.image_id}-{task}",
                image_id=record.image_id,
                prompt=asked[0],
                images=tuple(p for p in shown(task, record.reference, record.image) if p is not None),
                solution=asked[1],
                task=task,
                bbox=subject.box,
                distortion=subject.family,
                severity=subject.severity,
            )
        )
    return out
