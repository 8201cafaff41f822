"""A row of a data set becomes what TRL trains on: prompt, images as the model sees them, solution in its coordinates.

Columns: `prompt` (one user message), `images` (PIL), `task`, `solution`, `family` (of the distortion, or None), `mos`
and `severity` (1 to 5, or None), `sample_id`, `image_id`; for pages `boxes` (of the regions that the question is about,
in fractions of the last image as the model sees it) and `frame` (width and height in the units of an answered box).
Boxes are asked for in the coordinates of the model's family (`data.coordinates`).
"""

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from distortlab.core.errors import UserError
from distortlab.tasks import TASKS, quality
from distortlab.tasks.grounding import Box, Coordinates, Size
from refine_iqa_train.data.coordinates import BoxQuestion, ShownImage, convert_question
from refine_iqa_train.data.image_sizes import ImagePolicy
from refine_iqa_train.data.row_checks import BOX_TASKS, check_box, check_row
from refine_iqa_train.models.rows import ImageFile, QuestionRow, StoredRow, TrainingRow

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

__all__ = [
    "convert_stored_question",
    "list_boxes",
    "make_rated_row",
    "open_image",
    "prepare_question",
    "prepare_shown_question",
]


def prepare_question(row: StoredRow, policy: ImagePolicy, coordinates: Coordinates) -> TrainingRow:
    """Decode the images of a stored row and bring them, its question and its solution to the model's terms.

    Parameters
    ----------
    row
        With `images` as files (bytes or path), and `bbox` and `boxes` in pixels of the stored image.
    policy
        The size at which the model sees an image.
    coordinates
        Those in which the model answers with a box.

    Raises
    ------
    UserError
        Where the row lacks something, an image does not open, or a box is not inside of its image.
    """
    check_row(row)
    pictures = [open_image(file, row["sample_id"]) for file in row["images"]]
    return prepare_shown_question(row, pictures, policy, coordinates)


def prepare_shown_question(
    row: QuestionRow, pictures: Sequence["PilImage"], policy: ImagePolicy, coordinates: Coordinates
) -> TrainingRow:
    """Bring the pictures that a question shows, the question and its solution to the model's terms.

    Parameters
    ----------
    row
        The question, with `bbox` and `boxes` in pixels of the last picture.
    pictures
        In the order in which they are shown.
    policy, coordinates
        As for `prepare_question`.

    Raises
    ------
    UserError
        Where a box is not inside of its image, or is none of the solution's.
    """
    size = pictures[-1].size
    asked = convert_stored_question(row, size, policy, coordinates)
    shown = ShownImage(size, policy, coordinates)
    is_about_region = TASKS[row["task"]].subject == "region"
    return {
        "task": row["task"],
        "sample_id": row["sample_id"],
        "image_id": row["image_id"],
        "family": row["distortion"] if is_about_region else None,
        "mos": float(asked.solution) if row["task"] == "quality" else None,
        "severity": row["severity"] if is_about_region else None,
        "boxes": [_convert_to_fractions(box, shown) for box in list_boxes(row)],
        "frame": None if asked.frame is None else list(asked.frame),
        "prompt": [{"role": "user", "content": asked.text}],
        "images": [policy.fit(image) for image in pictures],
        "solution": asked.solution,
    }


def convert_stored_question(row: QuestionRow, size: Size, policy: ImagePolicy, coordinates: Coordinates) -> BoxQuestion:
    """Put the question of a stored row into a model's coordinates; `size` is (width, height) of its last image.

    Raises
    ------
    UserError
        Where a box is not inside of the image, or is none of the solution's.
    """
    boxes = list_boxes(row)
    for box in boxes if row["task"] in BOX_TASKS else ():
        check_box(row["sample_id"], box, size)
    stored = BoxQuestion(str(row["prompt"][-1]["content"]), row["solution"])
    try:
        return convert_question(row["task"], stored, boxes, size, policy, coordinates)
    except UserError as error:
        raise UserError(f"the row {row['sample_id']}: {error}; mend or remove it") from error


def list_boxes(row: QuestionRow) -> list[Box]:
    """List the boxes of the regions that a stored question is about, in pixels; none where it is about whole images."""
    if TASKS[row["task"]].subject == "region":
        found = [row["bbox"]] if row["bbox"] is not None and row["distortion"] is not None else []
    else:
        found = list(row["boxes"] or ())
    return [(int(x1), int(y1), int(x2), int(y2)) for x1, y1, x2, y2 in found]


def make_rated_row(name: str, path: str, mos: float) -> StoredRow:
    """Ask about the quality of the image in the file `path`, as a stored row; `mos` is 1 to 5."""
    return {
        "prompt": [{"role": "user", "content": quality.question()}],
        "images": [{"path": path, "bytes": None}],
        "task": "quality",
        "solution": quality.truth(mos),
        "distortion": None,
        "sample_id": name,
        "image_id": name,
        "bbox": None,
        "boxes": None,
        "severity": None,
    }


def _convert_to_fractions(box: Box, shown: ShownImage) -> list[float]:
    """A box in pixels as fractions of the image as the model sees it."""
    return [edge / side for edge, side in zip(shown.extend(box), shown.padded * 2, strict=True)]


def open_image(file: ImageFile, name: str) -> "PilImage":
    """Decode an image file, its orientation applied.

    Raises
    ------
    UserError
        Where it does not open, with the `name` of its row; nothing takes its place.
    """
    from PIL import Image, ImageOps

    where = file.get("path") or "bytes"
    try:
        data, path = file.get("bytes"), file.get("path")
        source = BytesIO(data) if data is not None else path
        with Image.open(source) as image:  # type: ignore[arg-type]  # of a row without either: the error below
            image.load()
            return ImageOps.exif_transpose(image)
    except (OSError, ValueError, TypeError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(
            f"the image of {name} ({where}) does not open: {error}; mend or remove it "
            "(distortlab verify names every damaged file of a data set)"
        ) from error
