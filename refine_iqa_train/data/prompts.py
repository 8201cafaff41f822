"""A row of a data set becomes what TRL trains on: prompt, images as the model sees them, solution in its coordinates.

Columns: `prompt` (one user message), `images` (PIL), `task`, `solution`, `family` (of the distortion, or None), `mos`
and `severity` (1 to 5, or None), `sample_id`, `image_id`; for pages `box` (of the distorted region, in fractions of the
last image as the model sees it) and `frame` (width and height in the units of an answered box). Boxes are asked for in
the coordinates of the model's family; IoU is the same in all of them.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from distortlab.core.errors import UserError
from distortlab.tasks import grounding, quality
from distortlab.tasks.grounding import Coordinates, Size
from refine_iqa_train.data.image_sizes import ImagePolicy
from refine_iqa_train.data.row_checks import check_box, check_row
from refine_iqa_train.models.rows import ImageFile, QuestionRow, StoredRow, TrainingRow

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

__all__ = ["convert_grounding_question", "make_rated_row", "open_image", "prepare_question", "prepare_shown_question"]


def prepare_question(row: StoredRow, policy: ImagePolicy, coordinates: Coordinates) -> TrainingRow:
    """Decode the images of a stored row and bring them, its question and its solution to the model's terms.

    Parameters
    ----------
    row
        With `images` as files (bytes or path), and `bbox` in pixels of the stored image.
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
        The question, with `bbox` in pixels of the last picture.
    pictures
        In the order in which they are shown.
    policy, coordinates
        As for `prepare_question`.

    Raises
    ------
    UserError
        Where a box is not inside of its image.
    """
    text, solution, box = str(row["prompt"][-1]["content"]), row["solution"], row["bbox"]
    size, frame = pictures[-1].size, None
    if row["task"] == "grounding" and box is not None:
        frame = _find_answer_frame(text, size, policy, coordinates)
        check_box(row["sample_id"], box, size)
        text, solution = convert_grounding_question(text, solution, box, size, policy, coordinates)
    return {
        "task": row["task"],
        "sample_id": row["sample_id"],
        "image_id": row["image_id"],
        "family": row["distortion"],
        "mos": float(solution) if row["task"] == "quality" else None,
        "severity": row["severity"],
        "box": _convert_to_fractions(box, policy.padded_size(size)),
        "frame": frame,
        "prompt": [{"role": "user", "content": text}],
        "images": [policy.fit(image) for image in pictures],
        "solution": solution,
    }


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
        "severity": None,
    }


def convert_grounding_question(
    text: str, solution: str, box: Sequence[int], size: Size, policy: ImagePolicy, coordinates: Coordinates
) -> tuple[str, str]:
    """Put a grounding question and its solution into a model's coordinates, in the same wording.

    A prompt in words of somebody else is left alone: it says in its own way what it asks for.

    Parameters
    ----------
    text, solution
        As they are stored.
    box
        [x1, y1, x2, y2] in pixels of the stored image; padding on the right and below leaves it where it is.
    size
        (width, height) of the stored image.
    policy, coordinates
        The size at which the model sees the image, and how it answers with a box.

    Returns
    -------
    tuple of str
        The question and its solution.
    """
    form = grounding.find_form(text, size)
    if form is None:
        return text, solution
    options = {"parts": form.parts, "may_be_none": form.may_be_none}
    padded, frame = policy.padded_size(size), policy.frame_size(size)
    x1, y1, x2, y2 = (int(edge) for edge in box)
    if coordinates == "pixels":
        rescaled = grounding.rescale((x1, y1, x2, y2), padded, frame)
        question, truth = (
            grounding.question("pixels", frame, form.wording, **options),
            grounding.truth(rescaled, frame, "pixels"),
        )
    else:
        question = grounding.question("thousandths", None, form.wording, **options)
        truth = grounding.truth((x1, y1, x2, y2), padded, "thousandths")
    return question, solution if solution == grounding.NONE else truth


def _convert_to_fractions(box: Sequence[int] | None, size: Size) -> list[float] | None:
    """A box in pixels as fractions of an image of this size."""
    return None if box is None else [edge / side for edge, side in zip(box, (*size, *size), strict=True)]


def _find_answer_frame(text: str, size: Size, policy: ImagePolicy, coordinates: Coordinates) -> list[int] | None:
    """(width, height) of an image in the units that a model answers in; None for a prompt in somebody else's words."""
    if grounding.find_form(text, size) is None:
        return None
    return list(policy.frame_size(size) if coordinates == "pixels" else grounding.THOUSANDTHS)


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
