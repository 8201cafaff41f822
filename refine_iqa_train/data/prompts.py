"""A row of a data set becomes what TRL trains on: prompt, images as the model sees them, solution in its coordinates.

Columns: `prompt` (one user message), `images` (PIL), `task`, `solution`, `family` (of the distortion, or None), `mos`
and `severity` (1 to 5, or None), `sample_id`, `image_id`; for pages `box` (of the distorted region, in fractions of the
last image as the model sees it) and `frame` (width and height in the units of an answered box). Boxes are asked for in
the coordinates of the model's family; IoU is the same in all of them.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from distortlab.core.errors import UserError
from distortlab.tasks import grounding, quality
from distortlab.tasks.grounding import Coordinates, Size
from refine_iqa_train.data.image_sizes import ImagePolicy
from refine_iqa_train.data.row_checks import check_box, check_row

__all__ = ["REQUIRED_COLUMNS", "convert_grounding_question", "make_rated_row", "open_image", "prepare_question"]

REQUIRED_COLUMNS = ("sample_id", "image_id", "prompt", "images", "solution", "task", "bbox", "distortion", "severity")
"""What a perception data set must have: columns of `rft` as distortlab writes them."""


def prepare_question(row: Mapping[str, Any], policy: ImagePolicy, coordinates: Coordinates) -> dict[str, Any]:
    """A prepared row. `row` has `images` as files (bytes or path), and `bbox` in pixels of the stored image."""
    check_row(row)
    pictures = [open_image(file, str(row["sample_id"])) for file in row["images"]]
    text, solution = row["prompt"][-1]["content"], row["solution"]
    size, frame = pictures[-1].size, None
    if row["task"] == "grounding":
        frame = _find_answer_frame(text, size, policy, coordinates)
        check_box(row["sample_id"], row["bbox"], size)
        text, solution = convert_grounding_question(text, solution, row["bbox"], size, policy, coordinates)
    return {
        **{name: row[name] for name in ("task", "sample_id", "image_id")},
        "family": row["distortion"],
        "mos": float(solution) if row["task"] == "quality" else None,
        "severity": row["severity"],
        "box": _convert_to_fractions(row["bbox"], policy.padded_size(size)),
        "frame": frame,
        "prompt": [{"role": "user", "content": text}],
        "images": [policy.fit(image) for image in pictures],
        "solution": solution,
    }


def make_rated_row(name: str, path: str, mos: float) -> dict[str, Any]:
    """A question about the quality of a rated image; `mos` from 1 to 5."""
    return {
        "prompt": [{"role": "user", "content": quality.question()}],
        "images": [{"path": path, "bytes": None}],
        "task": "quality",
        "solution": quality.truth(mos),
        "distortion": None,
        "sample_id": name,
        "image_id": name,
        "bbox": None,
        "severity": None,
    }


def convert_grounding_question(
    text: str, solution: str, box: Sequence[int], size: Size, policy: ImagePolicy, coordinates: Coordinates
) -> tuple[str, str]:
    """A grounding question and its solution in a model's coordinates, in the same wording.

    `box` is in pixels of the stored image of this size (width, height); padding on the right and below leaves it where
    it is. A prompt in words of somebody else is left alone: it says in its own way what it asks for.
    """
    form = grounding.find_form(text, size)
    if form is None:
        return text, solution
    wording, parts = form.wording, form.parts
    padded, frame = policy.padded_size(size), policy.frame_size(size)
    x1, y1, x2, y2 = (int(edge) for edge in box)
    if coordinates == "pixels":
        rescaled = grounding.rescale((x1, y1, x2, y2), padded, frame)
        return grounding.question("pixels", frame, wording, parts=parts), grounding.truth(rescaled, frame, "pixels")
    return (
        grounding.question("thousandths", None, wording, parts=parts),
        grounding.truth((x1, y1, x2, y2), padded, "thousandths"),
    )


def _convert_to_fractions(box: Sequence[int] | None, size: Size) -> list[float] | None:
    """A box in pixels as fractions of an image of this size."""
    return None if box is None else [edge / side for edge, side in zip(box, (*size, *size), strict=True)]


def _find_answer_frame(text: str, size: Size, policy: ImagePolicy, coordinates: Coordinates) -> list[int] | None:
    """(width, height) of an image in the units that a model answers in; None for a prompt in somebody else's words."""
    if grounding.find_form(text, size) is None:
        return None
    return list(policy.frame_size(size) if coordinates == "pixels" else grounding.THOUSANDTHS)


def open_image(file: Mapping[str, Any], name: str) -> Any:
    """An image file as PIL, decoded. What does not open is an error that names it; nothing takes its place."""
    from PIL import Image, ImageOps

    where = file.get("path") or "bytes"
    try:
        source = BytesIO(file["bytes"]) if file.get("bytes") is not None else file["path"]
        with Image.open(source) as image:
            image.load()
            return ImageOps.exif_transpose(image)
    except (OSError, ValueError, TypeError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(
            f"the image of {name} ({where}) does not open: {error}; mend or remove it "
            "(distortlab verify names every damaged file of a data set)"
        ) from error
