"""Data sets made by `distortlab`: their questions, their images with regions, their references.

Three views of one folder. `tasks`: the questions as they stand in `rft`. `severity`: every distorted image with its
reference, for measures of quality, which should fall as severity rises. `diagnosis`: every distorted image and every
reference, to be described as a set of regions.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from distortlab.core.errors import UserError, describe_unknown
from distortlab.dataset.reader import open_data
from distortlab.tasks import TASKS, grounding

__all__ = [
    "VIEWS",
    "LocalItem",
    "LocalTruth",
    "RegionTruth",
    "identify_data",
    "list_items",
    "list_splits",
    "load_images",
]

VIEWS = ("tasks", "severity", "diagnosis")
_TWIN = "@untouched"


class RegionTruth(TypedDict):
    """A distorted region. `box`: [x1, y1, x2, y2] in thousandths, `pixels`: the same in pixels; `severity`: 1 to 5;
    `area`: its share of the image, 0 to 1. `difficulty`: how hard its family is to tell, None where the
    data set does not say, missing in runs of earlier versions.
    """

    box: list[float]
    pixels: list[int]
    family: str
    variant: str
    severity: int
    difficulty: NotRequired[str | None]
    area: float
    object: str | None
    visibility: float | None


class LocalTruth(TypedDict):
    """What is in an image. `size`: [width, height] in pixels, None for a reference. `task`, `solution`: a question.

    `control`: what a pristine image is a control of, "seam.OPERATION", "bokeh", "low_light" or "motion". `untouched`:
    of a reference that is shown in place of an image with a seam, the question about that.
    """

    image_id: str
    reference_id: str
    size: list[int] | None
    regions: list[RegionTruth]
    task: NotRequired[str]
    solution: NotRequired[str]
    control: NotRequired[str]
    untouched: NotRequired[str]


@dataclass(frozen=True, slots=True)
class LocalItem:
    """One thing that is asked about an image. `truth`: what scoring needs, ready for JSON."""

    id: str
    question: str
    truth: LocalTruth


def list_splits(folder: Path) -> tuple[str, ...]:
    """List the splits of a data set. Raises `UserError` where the folder is none."""
    return tuple(sorted({part.split for part in open_data(folder).parts_of("images")}))


def choose_split(folder: Path, split: str | None) -> str:
    """Return the split that is asked about: test, else validation, else the first; "all" is all of them.

    Raises
    ------
    UserError
        Where the split that is named does not exist.
    """
    there = (*list_splits(folder), "all")
    if split is not None and split not in there:
        raise UserError(describe_unknown(f"split of {folder}", split, there))
    return split or next((name for name in ("test", "validation") if name in there), there[0])


def identify_data(folder: Path) -> tuple[str, str]:
    """Return the name of a data set and the SHA-256 of its manifest."""
    from distortlab.storage.atomic import hash_file

    return folder.resolve().name, hash_file(folder / "MANIFEST.json")


def list_items(folder: Path, split: str, view: str) -> list[LocalItem]:
    """List the items of a view, without a pixel being read.

    Parameters
    ----------
    folder
        A data set made by `distortlab`.
    split
        One of its splits, or "all".
    view
        One of `VIEWS`.
    """
    truths = _read_truths(folder, split)
    if view == "tasks":
        columns = ["sample_id", "image_id", "prompt", "solution", "task", "distortion", "severity"]
        items = [_make_task_item(row, truths) for row in _read_rows(folder, "rft", split, columns)]
        return [*items, *_list_twins(folder, items)]
    distorted = [LocalItem(key, "", truth) for key, truth in truths.items()]
    if view == "severity":
        return distorted
    references = dict.fromkeys(str(truth["reference_id"]) for truth in truths.values())
    return [*distorted, *(LocalItem(f"reference:{key}", "", _make_pristine_truth(key)) for key in references)]


def _list_twins(folder: Path, items: Sequence[LocalItem]) -> list[LocalItem]:
    """Questions about images with a seam once more, about their untouched references; none where those are not kept."""
    seams = [item for item in items if item.truth.get("control", "").startswith("seam.")]
    if not seams or not _has_references(folder):
        return []
    return [
        LocalItem(f"{item.id}{_TWIN}", item.question, {**_drop_control(item.truth), "untouched": item.id})
        for item in seams
        if TASKS[item.truth["task"]].subject != "pair"
    ]


def _drop_control(truth: LocalTruth) -> LocalTruth:
    copy = truth.copy()
    del copy["control"]
    return copy


def _has_references(folder: Path) -> bool:
    """Whether a data set keeps the clean image of every row of `images`."""
    data = open_data(folder)
    if any(part.path.startswith("labels/") for part in data.parts_of("images")):
        return False
    return all(row["reference"] is not None for row in data.rows("images", ["reference.path"]))


def _make_pristine_truth(key: str) -> LocalTruth:
    return {"image_id": f"reference:{key}", "reference_id": key, "regions": [], "size": None}


def load_images(folder: Path, split: str, view: str) -> Iterator[tuple[str, tuple[bytes, ...], bytes | None]]:
    """Yield (id of an item, image files, file of the reference or None), in an order that reads the files once."""
    if view == "tasks":
        for row in _read_rows(folder, "rft", split, ["sample_id", "images"]):
            yield row["sample_id"], tuple(image["bytes"] for image in row["images"]), None
        yield from _load_twins(folder, split)
        return
    seen: set[str] = set()
    for row in _read_rows(folder, "images", split, ["image_id", "image", "reference_id", "reference"]):
        reference = row["reference"]["bytes"] if row["reference"] else None
        yield row["image_id"], (row["image"]["bytes"],), reference
        key = row["reference_id"]
        if view == "diagnosis" and key not in seen and reference is not None:
            seen.add(key)
            yield f"reference:{key}", (reference,), None


def _load_twins(folder: Path, split: str) -> Iterator[tuple[str, tuple[bytes, ...], None]]:
    """The pictures of `_list_twins`: the reference, twice where the question shows it beside the image."""
    twins: dict[str, list[LocalItem]] = {}
    for item in list_items(folder, split, "tasks"):
        if "untouched" in item.truth:
            twins.setdefault(item.truth["image_id"], []).append(item)
    for row in _read_rows(folder, "images", split, ["image_id", "reference"]) if twins else ():
        for item in twins.get(row["image_id"], ()):
            yield item.id, (row["reference"]["bytes"],) * TASKS[item.truth["task"]].images, None


def _make_task_item(row: Mapping[str, Any], truths: Mapping[str, LocalTruth]) -> LocalItem:
    about = truths[row["image_id"]]
    return LocalItem(
        row["sample_id"],
        "\n".join(str(message["content"]) for message in row["prompt"]),
        {**about, "task": row["task"], "solution": row["solution"]},
    )


def _read_truths(folder: Path, split: str) -> dict[str, LocalTruth]:
    """What is in each image: its regions with boxes in pixels and in thousandths, family, severity, area."""
    columns = ["image_id", "width", "height", "reference_id", "regions", "control"]
    return {row["image_id"]: _format_truth(row) for row in _read_rows(folder, "images", split, columns)}


def _format_truth(row: Mapping[str, Any]) -> LocalTruth:
    size = (row["width"], row["height"])
    thousandths = partial(grounding.rescale, size=size, frame=grounding.THOUSANDTHS)
    control = row.get("control")
    named = {"control": ".".join(filter(None, (control["kind"], control["operation"])))} if control else {}
    return {
        **named,  # type: ignore[typeddict-item]
        "image_id": row["image_id"],
        "reference_id": row["reference_id"],
        "size": list(size),
        "regions": [
            {
                "box": list(thousandths(tuple(region["bbox"]))),
                "pixels": list(region["bbox"]),
                "family": region["distortion"],
                "variant": region["variant"],
                "severity": int(region["severity"]),
                "difficulty": region.get("difficulty"),
                "area": float(region["area"]),
                "object": region["object"],
                "visibility": region["visibility"]["v"] if region["visibility"] else None,
            }
            for region in row["regions"]
        ],
    }


def _read_rows(folder: Path, table: str, split: str, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    return open_data(folder).rows(table, columns, None if split == "all" else split)
