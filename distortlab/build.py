"""Building a shard: pure in what it makes, atomic in what it leaves.

`run_shard` draws the images of one shard, writes its files, and last of all its receipt. A shard without a receipt is
built again from the start; a receipt is only ever written over whole files.
"""

import contextlib
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from distortlab import __version__
from distortlab.draw import Bench, Drawn, draw
from distortlab.files import HashedFile, new_file, read_json, seal_fault, sealed, write_json, write_text
from distortlab.plan import Shard
from distortlab.questions import Subject, ask
from distortlab.recipe import Recipe
from distortlab.schema import IMAGES, RFT, ImageRecord, Picture, Sample, open_writer, table

__all__ = ["Job", "Receipt", "run_shard"]

# A row group ends at whichever comes first; small groups keep the memory of a worker and of a reader small.
_GROUP_IMAGES = 50
_GROUP_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker needs to build one shard. Picklable."""

    recipe: Recipe
    vocabulary: Mapping[str, float]
    plan_sha256: str
    shard: Shard
    out: Path

    @property
    def receipt_path(self) -> Path:
        """Where the receipt goes."""
        return self.out / "_distortlab" / "done" / f"{self.shard.index:05d}.json"

    @property
    def quarantine_path(self) -> Path:
        """Where references that could not be used are listed."""
        return self.out / "_distortlab" / "quarantine" / f"{self.shard.index:05d}.jsonl"


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
    def read(cls, job: Job) -> "Receipt | None":
        """The receipt of a job, if the shard is done: for this plan, with every file in place."""
        try:
            values = read_json(job.receipt_path) or {}
            values.pop("seal", None)
            receipt = cls(**values)
            whole = all((job.out / path).stat().st_size == entry["bytes"] for path, entry in receipt.files.items())
            whole = whole and seal_fault(job.receipt_path) is None
        except (TypeError, KeyError, AttributeError, OSError):
            return None
        return receipt if whole and receipt.plan_sha256 == job.plan_sha256 else None


def run_shard(job: Job, progress: Callable[[int], None] = lambda images: None) -> Receipt:
    """Build a shard and return its receipt; where there is one already, only return it."""
    done = Receipt.read(job)
    if done:
        progress(len(job.shard.slots))
        return done
    bench = Bench(job.shard, job.recipe)
    counts = _Counts()
    with _Writer(job) as writer:
        for drawn in _drawn(job.shard, bench, counts, progress):
            counts.tasks.update(writer.add(drawn))
        files = writer.finish()
    failures = "".join(json.dumps(line) + "\n" for line in bench.tally.failures)
    receipt = _receipt(job, bench, counts, files, hashlib.sha256(failures.encode()).hexdigest())
    write_text(job.quarantine_path, failures)
    write_json(job.receipt_path, sealed({name: getattr(receipt, name) for name in Receipt.__slots__}))
    return receipt


@dataclass(slots=True)
class _Counts:
    """How many images of what came out."""

    variants: Counter[str] = field(default_factory=Counter)
    severities: Counter[str] = field(default_factory=Counter)
    tasks: Counter[str] = field(default_factory=Counter)
    objects: Counter[str] = field(default_factory=Counter)
    licenses: Counter[str] = field(default_factory=Counter)
    references: set[str] = field(default_factory=set)
    unfilled: int = 0


def _drawn(shard: Shard, bench: Bench, counts: _Counts, progress: Callable[[int], None]) -> Iterator[Drawn]:
    known: set[str] = set()
    for slot in shard.slots:
        drawn = draw(slot, bench, known)
        progress(1)
        if drawn is None:
            counts.unfilled += 1
            continue
        counts.variants[drawn.edit.distortion] += 1
        counts.severities[str(slot.severity)] += 1
        counts.objects[drawn.place.object or ""] += 1
        counts.licenses[drawn.reference.license] += 1
        counts.references.add(drawn.reference.id)
        yield drawn


def _receipt(
    job: Job, bench: Bench, counts: _Counts, files: dict[str, dict[str, Any]], quarantine_sha256: str
) -> Receipt:
    tally = bench.tally
    tables = {
        "variants": counts.variants,
        "severities": counts.severities,
        "tasks": counts.tasks,
        "objects": counts.objects,
        "licenses": counts.licenses,
        "rejected": tally.rejected,
        "screened": tally.screened,
        "skipped": tally.skipped,
        "references": Counter(used=len(counts.references)),
    }
    return Receipt(
        shard=job.shard.index,
        split=job.shard.split,
        plan_sha256=job.plan_sha256,
        files=files,
        images=files[f"images/{job.shard.file_name}"]["rows"],
        samples=files[f"rft/{job.shard.file_name}"]["rows"],
        unfilled=counts.unfilled,
        opened=tally.opened,
        failures=len(tally.failures),
        counts={name: dict(sorted(values.items())) for name, values in tables.items()},
        quarantine_sha256=quarantine_sha256,
    )


# --- rows -----------------------------------------------------------------------------------------------------------


def image_record(drawn: Drawn, recipe: Recipe) -> ImageRecord:
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
        edits=(drawn.edit,),
        objects=(drawn.place.object,),
        seed=recipe.seed,
        generator_version=__version__,
    )


def samples_of(drawn: Drawn, record: ImageRecord, recipe: Recipe, vocabulary: Mapping[str, float]) -> list[Sample]:
    """The rows of `rft` for one image."""
    own = drawn.place.object
    subject = Subject(
        image_id=record.image_id,
        family=drawn.slot.family,
        severity=drawn.slot.severity,
        box=drawn.edit.bbox,
        size=(record.width, record.height),
        object=own,
        others=drawn.rivals,
        alone=all(place.object in (None, own) for place in drawn.reference.regions),
    )
    out = []
    for task in drawn.slot.tasks:
        asked = ask(task, subject, recipe, vocabulary)
        if asked is None:
            continue
        pair = (record.reference, record.image) if task == "recognition_reference" else (record.image,)
        out.append(
            Sample(
                sample_id=f"{record.image_id}-{task}",
                image_id=record.image_id,
                prompt=asked[0],
                images=tuple(picture for picture in pair if picture is not None),
                solution=asked[1],
                task=task,
                bbox=drawn.edit.bbox,
                distortion=subject.family,
                severity=subject.severity,
            )
        )
    return out


# --- files ----------------------------------------------------------------------------------------------------------


class _Writer:
    """Writes the two files of a shard side by side, with the same row groups."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.paths = {kind: f"{kind}/{job.shard.file_name}" for kind in ("images", "rft")}
        self._images: list[dict[str, Any]] = []
        self._samples: list[dict[str, Any]] = []
        self._bytes = 0
        self._rows = {"images": 0, "rft": 0}

    def __enter__(self) -> "_Writer":
        with contextlib.ExitStack() as stack:
            self._files: dict[str, HashedFile] = {
                kind: stack.enter_context(new_file(self.job.out / path)) for kind, path in self.paths.items()
            }
            self._tables = {
                "images": open_writer(pa.PythonFile(self._files["images"], mode="w"), IMAGES),
                "rft": open_writer(pa.PythonFile(self._files["rft"], mode="w"), RFT),
            }
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        if error[0]:
            for writer in self._tables.values():
                # Left open, a Parquet writer would try to end its file when it is collected.
                with contextlib.suppress(Exception):
                    writer.close()
        self._stack.__exit__(*error)

    def add(self, drawn: Drawn) -> list[str]:
        """Take an image; write a row group when enough have come together. Returns the tasks that could be asked."""
        record = image_record(drawn, self.job.recipe)
        samples = samples_of(drawn, record, self.job.recipe, self.job.vocabulary)
        self._images.append(record.as_row())
        self._samples += [sample.as_row() for sample in samples]
        self._bytes += len(drawn.encoded) + len(drawn.reference.encoded)
        if len(self._images) >= _GROUP_IMAGES or self._bytes >= _GROUP_BYTES:
            self._flush()
        return [sample.task for sample in samples]

    def _flush(self) -> None:
        for kind, rows, of in (("images", self._images, IMAGES), ("rft", self._samples, RFT)):
            if rows:
                self._tables[kind].write_table(table(rows, of), row_group_size=len(rows))
                self._rows[kind] += len(rows)
        self._images, self._samples, self._bytes = [], [], 0

    def finish(self) -> dict[str, dict[str, Any]]:
        """Write what is left and the footers; the files get their names when the context closes."""
        self._flush()
        for writer in self._tables.values():
            writer.close()
        self._stack.close()
        return {
            path: {"sha256": file.sha256, "bytes": file.size, "rows": self._rows[kind]}
            for (kind, path), file in zip(self.paths.items(), self._files.values(), strict=True)
        }
