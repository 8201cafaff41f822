"""A row group of `images` and the questions about it: what a process checks at a time."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from distortlab.core.errors import UserError
from distortlab.dataset.composition import find_kind
from distortlab.dataset.manifest import Manifest
from distortlab.dataset.reader import RowGroup, StoredDataset
from distortlab.dataset.rows import ImageRow, PictureRow, QuestionRow
from distortlab.dataset.schema import IMAGES, SAMPLES, decode_edits
from distortlab.recipe import NEGATIVES, Recipe
from distortlab.tasks import TASKS, comparison, recognition
from distortlab.tasks import object as object_task
from distortlab.verification.pixels import check_pixels, find_render_obstacle
from distortlab.verification.report import Report
from distortlab.verification.rows import check_image_row, check_question_row

__all__ = ["GroupFindings", "GroupJob", "check_group"]

_NO_MANIFEST: Manifest = {"files": {}, "totals": {"images": 0, "samples": 0}}
_IMAGE_COLUMNS = [*(name for name in IMAGES if name not in ("image", "reference")), "control"]
_QUESTION_COLUMNS = list(SAMPLES)


@dataclass(frozen=True, slots=True)
class GroupJob:
    """What a process needs to check a row group of images. Picklable.

    Attributes
    ----------
    folder
        Of the data set.
    group
        The row group of `images`.
    question_groups
        The row groups of `rft` that hold questions about these images.
    recipe
        The data set's, if it is known.
    generator_version
        That of the manifest.
    pixels
        Whether pictures are opened.
    """

    folder: Path
    group: RowGroup
    question_groups: tuple[RowGroup, ...]
    recipe: Recipe | None
    generator_version: str
    pixels: bool


@dataclass(slots=True)
class GroupFindings:
    """What a row group holds, or several.

    Attributes
    ----------
    report
        What was checked, and what is wrong.
    counts
        Those that a manifest has: name of the count -> value -> how often.
    references
        (split, reference id) -> hashes of the pixels that it has there.
    places
        How often the right answer stands where: (task, number of candidates, place of the right one).
    settings
        The amounts that stand for (variant, severity), with how often.
    kinds
        How many images there are of (split, kind); kinds as `find_kind` calls them.
    controls
        How many controls there are of (split, kind).
    """

    report: Report = field(default_factory=Report)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    references: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    places: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    settings: dict[tuple[str, int], Counter[float]] = field(default_factory=dict)
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    controls: Counter[tuple[str, str]] = field(default_factory=Counter)

    def count(self, name: str, value: str) -> None:
        """Count a value once more."""
        self.counts.setdefault(name, Counter())[value] += 1

    def add(self, other: "GroupFindings") -> None:
        """Take in the findings of another row group."""
        self.report.add(other.report)
        self.places.update(other.places)
        self.kinds.update(other.kinds)
        self.controls.update(other.controls)
        for name, counts in other.counts.items():
            self.counts.setdefault(name, Counter()).update(counts)
        for setting, amounts in other.settings.items():
            self.settings.setdefault(setting, Counter()).update(amounts)
        for key, hashes in other.references.items():
            self.references.setdefault(key, set()).update(hashes)


def check_group(job: GroupJob) -> GroupFindings:
    """Check the images of a row group, and what is asked about them."""
    findings = GroupFindings()
    part = job.group.part
    try:
        stored = StoredDataset(job.folder, _NO_MANIFEST, ())
        rows = stored.read(job.group, None if job.pixels else _IMAGE_COLUMNS).to_pylist()
        if job.pixels and part.table == "labels":
            _add_pictures(rows, [row for group in job.question_groups for row in stored.read(group).to_pylist()])
        for row in rows:
            faults = _check_image(row, job, findings)
            findings.report.add_problems(f"{part.path}, {row['image_id']}: {fault}" for fault in faults)
        known = {row["image_id"]: row for row in rows}
        for group in job.question_groups:
            for row in stored.read(group, None if job.pixels else _QUESTION_COLUMNS).to_pylist():
                if row["image_id"] in known:
                    faults = _check_question(row, known, job, findings)
                    findings.report.add_problems(f"{group.part.path}, {row['sample_id']}: {fault}" for fault in faults)
    except UserError as error:
        findings.report.add_problems([str(error)])
    return findings


def _add_pictures(rows: list[ImageRow], questions: list[QuestionRow]) -> None:
    """Give rows of `labels` the pictures that their questions show: the reference where one of them shows it."""
    images: dict[str, PictureRow] = {}
    references: dict[str, PictureRow] = {}
    for question in questions:
        if question["images"]:
            images.setdefault(question["image_id"], question["images"][-1])
        if (other := question.get("other_image_id")) and len(question["images"]) > 1:
            images.setdefault(other, question["images"][0])
        if len(question["images"]) > 1 and _shows_reference(question):
            references.setdefault(question["image_id"], question["images"][0])
    for row in rows:
        values = {"image": images.get(row["image_id"]), "reference": references.get(row["image_id"])}
        row.update(values)  # type: ignore[typeddict-item]


def _shows_reference(question: QuestionRow) -> bool:
    return question["task"] in TASKS and TASKS[question["task"]].shows_reference


def _check_image(row: ImageRow, job: GroupJob, findings: GroupFindings) -> Iterator[str]:
    findings.report.images += 1
    faults = list(check_image_row(row, job.recipe))
    if row["generator_version"] != job.generator_version:
        faults.append(f"it was made by version {row['generator_version']}, the manifest has {job.generator_version}")
    hashes = findings.references.setdefault((job.group.part.split, row["reference_id"]), set())
    if not faults:
        if job.recipe:
            kind = find_kind(row, job.recipe.composition)
            findings.kinds[job.group.part.split, kind] += 1
            findings.count("kinds", kind)
        if control := row.get("control"):
            findings.count("controls", control["kind"])
            findings.controls[job.group.part.split, control["kind"]] += 1
        for region, edit in zip(row["regions"], decode_edits(row), strict=True):
            findings.settings.setdefault((edit.distortion, edit.severity), Counter())[edit.amount] += 1
            findings.count("variants", edit.distortion)
            findings.count("severities", str(region["severity"]))
            findings.count("objects", region["object"] or "")
            findings.report.note_measure(edit.measure)
            findings.count("difficulties", region.get("difficulty") or "")
        if job.pixels:
            faults += _check_pictures(row, job, findings, hashes)
    yield from faults


def _check_pictures(row: ImageRow, job: GroupJob, findings: GroupFindings, hashes: set[str]) -> list[str]:
    if row["image"] is None:
        findings.report.leave_out("nothing is asked about it, and images is left out: its picture is not stored")
        return []
    reason = find_render_obstacle(row)
    if reason:
        findings.report.leave_out(reason)
    else:
        findings.report.rendered += 1
    check = check_pixels(row, job.recipe)
    if check.reference:
        hashes.add(check.reference)
    return check.faults


def _check_question(
    row: QuestionRow, known: Mapping[str, ImageRow], job: GroupJob, findings: GroupFindings
) -> Iterator[str]:
    findings.report.questions += 1
    findings.count("tasks", row["task"])
    if row["distortion"] is None and row["task"] in NEGATIVES:
        findings.count("negatives", row["task"])
    image, other = known[row["image_id"]], known.get(row.get("other_image_id") or "")
    faults = list(check_question_row(row, image, job.recipe, other))
    yield from faults
    if faults:
        return
    place = _find_answer_position(row, image)
    if place:
        findings.places[row["task"], *place] += 1
    if job.pixels:
        pictures = [picture["bytes"] for picture in row["images"]]
        before = [image["reference"]] if _shows_reference(row) else [other["image"]] if other else []
        expected = [*before, image["image"]]
        if pictures != [picture and picture["bytes"] for picture in expected]:
            yield "its pictures are not those of its image"


def _find_answer_position(row: QuestionRow, image: ImageRow) -> tuple[int, int] | None:
    """How many candidates there are, and which of them is right, from 0."""
    prompt = row["prompt"][0]["content"]
    if row["task"] == "object":
        keys = [object_task.normalize_name(name) for name in object_task.read_candidates(prompt)]
        return len(keys), keys.index(object_task.normalize_name(row["solution"]))
    if row["task"].startswith("recognition") and image["regions"]:
        families = recognition.read_candidates(prompt)
        return len(families), families.index(image["regions"][0]["distortion"])
    if TASKS[row["task"]].subject == "pair":
        return len(comparison.CHOICES), comparison.CHOICES.index(row["solution"])
    return None
