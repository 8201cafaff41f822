"""A row group of `images` and the questions about it: the piece of work that a process checks at a time."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distortlab.core.errors import UserError
from distortlab.dataset.reader import RowGroup, StoredDataset
from distortlab.dataset.schema import IMAGES, SAMPLES, decode_edits
from distortlab.recipe import Recipe
from distortlab.tasks import TASKS, recognition
from distortlab.tasks import object as object_task
from distortlab.verification.pixels import look, not_rendered
from distortlab.verification.report import Report
from distortlab.verification.rows import image_faults, question_faults

__all__ = ["Found", "Piece", "check_piece"]

_LIGHT = [name for name in IMAGES if name not in ("image", "reference")]
_ASKED = list(SAMPLES)


@dataclass(frozen=True, slots=True)
class Piece:
    """Work for a process. `asked` are the row groups of `rft` that hold questions about these images; with `pixels` the
    pictures are opened. Picklable.
    """

    folder: Path
    group: RowGroup
    asked: tuple[RowGroup, ...]
    recipe: Recipe | None
    generator_version: str
    pixels: bool


@dataclass(slots=True)
class Found:
    """What a piece holds. `counts` are those that a manifest has; `references` maps (split, id) to the hashes of pixels
    that were seen; `places` counts (task, number of candidates, place of the right one), `settings` the amounts of
    (variant, severity).
    """

    report: Report = field(default_factory=Report)
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    references: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    places: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    settings: dict[tuple[str, int], Counter[float]] = field(default_factory=dict)

    def count(self, name: str, value: str) -> None:
        """One more."""
        self.counts.setdefault(name, Counter())[value] += 1


def check_piece(piece: Piece) -> Found:
    """Check the images of a row group, and what is asked about them."""
    found = Found()
    part = piece.group.part
    try:
        stored = StoredDataset(piece.folder, {}, ())
        rows = stored.read(piece.group, None if piece.pixels else _LIGHT).to_pylist()
        for row in rows:
            found.report.wrong(f"{part.path}, {row['image_id']}: {fault}" for fault in _image(row, piece, found))
        known = {row["image_id"]: row for row in rows}
        for group in piece.asked:
            for row in stored.read(group, None if piece.pixels else _ASKED).to_pylist():
                if row["image_id"] in known:
                    faults = _question(row, known[row["image_id"]], piece, found)
                    found.report.wrong(f"{group.part.path}, {row['sample_id']}: {fault}" for fault in faults)
    except UserError as error:
        found.report.wrong([str(error)])
    return found


def _image(row: Mapping[str, Any], piece: Piece, found: Found) -> Iterator[str]:
    found.report.images += 1
    faults = list(image_faults(row, piece.recipe))
    if row["generator_version"] != piece.generator_version:
        faults.append(f"it was made by version {row['generator_version']}, the manifest has {piece.generator_version}")
    hashes = found.references.setdefault((piece.group.part.split, row["reference_id"]), set())
    if not faults:
        for region, edit in zip(row["regions"], decode_edits(row), strict=True):
            found.settings.setdefault((edit.distortion, edit.severity), Counter())[edit.amount] += 1
            found.count("variants", edit.distortion)
            found.count("severities", str(region["severity"]))
            found.count("objects", region["object"] or "")
        if piece.pixels:
            faults += _look(row, piece, found, hashes)
    yield from faults


def _look(row: Mapping[str, Any], piece: Piece, found: Found, hashes: set[str]) -> list[str]:
    reason = not_rendered(row)
    if reason:
        found.report.not_rendered[reason] = found.report.not_rendered.get(reason, 0) + 1
    else:
        found.report.rendered += 1
    looked = look(row, piece.recipe)
    if looked.reference:
        hashes.add(looked.reference)
    return looked.faults


def _question(row: Mapping[str, Any], image: Mapping[str, Any], piece: Piece, found: Found) -> Iterator[str]:
    found.report.questions += 1
    found.count("tasks", row["task"])
    faults = list(question_faults(row, image, piece.recipe))
    yield from faults
    if faults:
        return
    place = _place(row, image)
    if place:
        found.places[row["task"], *place] += 1
    if piece.pixels:
        shown = [picture["bytes"] for picture in row["images"]]
        asked_for = [image["image"]] if TASKS[row["task"]].images == 1 else [image["reference"], image["image"]]
        if shown != [picture and picture["bytes"] for picture in asked_for]:
            yield "its pictures are not those of its image"


def _place(row: Mapping[str, Any], image: Mapping[str, Any]) -> tuple[int, int] | None:
    """How many candidates there are, and which of them is right, from 0."""
    prompt = row["prompt"][0]["content"]
    if row["task"] == "object":
        keys = [object_task.normalize_name(name) for name in object_task.read_candidates(prompt)]
        return len(keys), keys.index(object_task.normalize_name(row["solution"]))
    if row["task"].startswith("recognition"):
        families = recognition.read_candidates(prompt)
        return len(families), families.index(image["regions"][0]["distortion"])
    return None
