"""The questions of a data set as one who does not look knows them: words, metadata, lengths of files, boxes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from distortlab.core.seeds import stream
from distortlab.dataset.reader import Part, StoredDataset
from distortlab.tasks import TASKS, comparison, diagnosis, grounding, recognition
from distortlab.tasks import object as object_task
from distortlab.tasks.answer import Unread
from distortlab.tasks.region_lists import DistortedRegion, parse_regions

__all__ = ["FOLDS", "BlindBox", "BlindQuestion", "BlindSet", "QuestionSample", "read_questions"]

FOLDS = 5
"""Parts of a data set by reference; predictors learn on four of them and guess for the fifth."""
MAX_IMAGES = 6_000
"""Images whose questions are read: whole shards, at equal distances."""
MAX_FILE_SIZES = 600
"""Images whose files are measured: they must be read."""


@dataclass(frozen=True, slots=True)
class BlindQuestion:
    """A question as one who does not look knows it, and its answer.

    Parameters
    ----------
    task
        Name of the task.
    prompt
        Text of the question.
    solution
        The true answer, as the data set holds it.
    choices
        The names offered.
    correct
        Index of the true one in `choices`.
    severity
        1 to 5; 0 where the task does not ask for it.
    fold
        0 to `FOLDS` - 1; all questions about one reference have the same.
    reference
        Id of the reference.
    size
        (width, height) of the image in pixels.
    image_number
        Place of the image in its split.
    row
        Place of the question in its file.
    bytes_per_pixel
        Length of the image's file over its pixels; None where it was not read.
    reference_bytes_per_pixel
        The same of the other image's file: of the reference, or of the one that is compared.
    areas
        Of the boxes that stand for `choices`, shares of the image; empty where none do.
    """

    task: str
    prompt: str
    solution: str
    choices: tuple[str, ...]
    correct: int
    severity: int
    fold: int
    reference: str
    size: tuple[int, int]
    image_number: int
    row: int
    bytes_per_pixel: float | None = None
    reference_bytes_per_pixel: float | None = None
    areas: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class BlindSet:
    """A question for everything that was done to an image.

    Parameters
    ----------
    regions
        The true answer; boxes are shares of width and height.
    types
        The families that the question offers, in order.
    fold, reference, size, image_number, bytes_per_pixel
        As in `BlindQuestion`.
    """

    regions: tuple[DistortedRegion, ...]
    types: tuple[str, ...]
    fold: int
    reference: str
    size: tuple[int, int]
    image_number: int
    bytes_per_pixel: float | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole frame that was distorted."""
        return [region.box for region in self.regions] == [(0, 0, 1, 1)]

    @property
    def kind(self) -> str:
        """As in `dataset.composition`."""
        return "whole" if self.is_whole else str(len(self.regions)) if self.regions else "pristine"

    @property
    def families(self) -> tuple[str, ...]:
        """Of the regions, those that the question offers."""
        return tuple(region.family for region in self.regions if region.family in self.types)


@dataclass(frozen=True, slots=True)
class BlindBox:
    """The box that a grounding question asks for.

    Parameters
    ----------
    box
        [x1, y1, x2, y2] in pixels.
    size
        (width, height) of the image in pixels.
    fold
        As in `BlindQuestion`.
    """

    box: Sequence[int]
    size: tuple[int, int]
    fold: int


@dataclass(slots=True)
class QuestionSample:
    """Questions by task, boxes, and the ids of the images that they are about."""

    questions: dict[str, list[BlindQuestion]] = field(default_factory=dict)
    boxes: list[BlindBox] = field(default_factory=list)
    sets: list[BlindSet] = field(default_factory=list)
    images: set[str] = field(default_factory=set)


def read_questions(stored: StoredDataset) -> QuestionSample:
    """Read the questions of at most about `MAX_IMAGES` images without the images, and `MAX_FILE_SIZES` files."""
    parts = _spread(stored.parts_of("rft"), MAX_IMAGES, stored.count("images"))
    sizes = _file_sizes(stored, parts)
    sample = QuestionSample()
    for part in parts:
        images = _read_images(stored, part)
        for row, values in enumerate(_read_rows(stored, part)):
            image = images[values["image_id"]]
            sample.images.add(values["image_id"])
            if values["task"] == "grounding" and values["distortion"] is None:
                continue  # nothing was distorted, and no box is right
            if values["task"] == "grounding":
                sample.boxes.append(BlindBox(values["bbox"], (image["width"], image["height"]), _fold(image)))
            elif values["task"] == "diagnosis":
                sample.sets += [found] if (found := _parse_set(values, image, sizes)) is not None else []
            elif (question := _parse_question(values, image, row, sizes)) is not None:
                sample.questions.setdefault(values["task"], []).append(question)
    return sample


def _spread(parts: Sequence[Part], max_images: int, images: int) -> list[Part]:
    """Files at equal distances that hold about `max_images` images."""
    count = max(1, min(len(parts), round(len(parts) * max_images / max(images, 1))))
    return [parts[i * len(parts) // count] for i in range(count)] if parts else []


def _read_rows(stored: StoredDataset, part: Part) -> Iterator[dict[str, Any]]:
    columns = ["image_id", "prompt", "solution", "task", "bbox", "distortion", "severity", "boxes", "other_image_id"]
    for group in stored.groups_of(part):
        yield from stored.read(group, columns).to_pylist()


def _read_images(stored: StoredDataset, part: Part) -> dict[str, dict[str, Any]]:
    """By id, the metadata of the images of a shard."""
    columns = ["image_id", "width", "height", "reference_id"]
    own = stored.find_sibling(part, "images")
    return {row["image_id"]: row for group in stored.groups_of(own) for row in stored.read(group, columns).to_pylist()}


def _file_sizes(stored: StoredDataset, parts: Sequence[Part]) -> dict[str, tuple[int, int | None]]:
    """By image id, the length of the file and of its reference's, for row groups at equal distances; of none where the
    table `images` was left out.
    """
    siblings = [stored.find_sibling(part, "images") for part in parts]
    groups = [group for part in siblings if part.table == "images" for group in stored.groups_of(part)]
    wanted = MAX_FILE_SIZES * len(groups) / max(sum(group.rows for group in groups), 1)
    count = max(1, min(len(groups), round(wanted)))
    sizes = {}
    for i in range(count if groups else 0):
        group = stored.read(groups[i * len(groups) // count], ["image_id", "image.bytes", "reference.bytes"])
        for row in group.to_pylist():
            reference = (row["reference"] or {}).get("bytes")
            sizes[row["image_id"]] = (len(row["image"]["bytes"]), len(reference) if reference else None)
    return sizes


def _fold(image: Mapping[str, Any]) -> int:
    return stream("fold", image["reference_id"]).below(FOLDS)


def _parse_question(
    values: Mapping[str, Any], image: Mapping[str, Any], row: int, sizes: Mapping[str, tuple[int, int | None]]
) -> BlindQuestion | None:
    """A row of questions with its image; None where there are no candidates, or the true answer is not among them."""
    task, prompt = values["task"], values["prompt"][0]["content"]
    if task == "object":
        choices, severity = object_task.read_candidates(prompt), 0
        keys = [object_task.normalize_name(name) for name in choices]
        true = object_task.normalize_name(values["solution"])
    elif task.startswith("recognition"):
        choices, severity = recognition.read_candidates(prompt), values["severity"]
        keys, true = choices, values["distortion"]
    elif task in TASKS and TASKS[task].subject == "pair":
        choices, severity = list(comparison.CHOICES), 0
        keys, true = choices, values["solution"]
    else:
        return None
    if true not in keys:
        return None
    size, other_size = sizes.get(values["image_id"], (None, None))
    if other := values.get("other_image_id"):
        other_size = sizes.get(other, (None, None))[0]
    pixels = image["width"] * image["height"]
    return BlindQuestion(
        task=task,
        prompt=prompt,
        solution=values["solution"],
        choices=tuple(choices),
        correct=keys.index(true),
        severity=severity,
        fold=_fold(image),
        reference=image["reference_id"],
        size=(image["width"], image["height"]),
        image_number=_read_number(values["image_id"]),
        row=row,
        bytes_per_pixel=size and size / pixels,
        reference_bytes_per_pixel=other_size and other_size / pixels,
        areas=tuple((x2 - x1) * (y2 - y1) / pixels for x1, y1, x2, y2 in values.get("boxes") or ()),
    )


def _read_number(image_id: str) -> int:
    return int("".join(filter(str.isdigit, image_id))[-9:] or 0)


def _parse_set(
    values: Mapping[str, Any], image: Mapping[str, Any], sizes: Mapping[str, tuple[int, int | None]]
) -> BlindSet | None:
    """A diagnosis question; None where it cannot be read."""
    size, prompt = (image["width"], image["height"]), values["prompt"][0]["content"]
    form, right = diagnosis.find_form(prompt, size), parse_regions(values["solution"])
    if form is None or isinstance(right, Unread):
        return None
    width, height = grounding.find_frame(form.coordinates, size)
    length = sizes.get(values["image_id"], (None, None))[0]
    return BlindSet(
        regions=tuple(
            DistortedRegion((x1 / width, y1 / height, x2 / width, y2 / height), region.family, region.severity)
            for region in right.regions
            for x1, y1, x2, y2 in [region.box]
        ),
        types=form.families,
        fold=_fold(image),
        reference=image["reference_id"],
        size=size,
        image_number=_read_number(values["image_id"]),
        bytes_per_pixel=length and length / (size[0] * size[1]),
    )
