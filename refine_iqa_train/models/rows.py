"""Rows of data sets: as they are stored, and as TRL trains on them. Types alone."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NotRequired, TypedDict

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Chat", "ColdStartRow", "Completion", "ImageFile", "Message", "QuestionRow", "StoredRow", "TrainingRow"]


class Message(TypedDict):
    """A turn of a chat; `content` is text, or parts with a `type`, "image" or "text"."""

    role: str
    content: str | list[dict[str, object]]


Chat = Sequence[Message]
Completion = str | Sequence[Message]
"""What a model answered: text, or as TRL gives it a list with one message."""


class ImageFile(TypedDict):
    """An image that is not decoded: its bytes, or where they lie."""

    path: str | None
    bytes: bytes | None


class QuestionRow(TypedDict):
    """A question as distortlab asks it, without images.

    `bbox`, and `boxes` of a question about several regions, are [x1, y1, x2, y2] in pixels of the last image.
    """

    sample_id: str
    image_id: str
    prompt: list[Message]
    solution: str
    task: str
    bbox: Sequence[int] | None
    boxes: Sequence[Sequence[int]] | None
    distortion: str | None
    severity: int | None


class StoredRow(QuestionRow):
    """A question as distortlab stores it, with its images as files."""

    images: list[ImageFile]


class TrainingRow(TypedDict):
    """A question as TRL gets it, its images at the size at which the model sees them.

    `family` is that of the distortion, `mos` and `severity` are 1 to 5. For pages of samples: `boxes`, of the regions
    that it is about, in fractions of the last image, and `frame`, (width, height) in the units of an answered box.
    Where images are made fresh, `item` is the number of the prompt in the run.
    """

    sample_id: str
    image_id: str
    prompt: list[Message]
    images: "list[Image]"
    solution: str
    task: str
    family: str | None
    mos: float | None
    severity: int | None
    boxes: list[list[float]]
    frame: list[int] | None
    item: NotRequired[int]


class ColdStartRow(TypedDict):
    """A question with the answer that supervised training teaches."""

    prompt: list[Message]
    images: "list[Image]"
    completion: list[Message]
