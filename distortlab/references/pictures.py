"""Reading a reference from its file, and the copy of it that a data set keeps."""

from dataclasses import dataclass
from pathlib import Path

from distortlab.codecs import encode_png
from distortlab.errors import BadReference
from distortlab.image import Image
from distortlab.reading import Upright, read_bytes, read_upright, shrink

__all__ = ["Stored", "open_picture", "store"]

EXTENSIONS = {"JPEG": "jpg", "PNG": "png"}


@dataclass(frozen=True, slots=True)
class Stored:
    """An image and a file that decodes to exactly it."""

    image: Image
    encoded: bytes
    extension: str


def open_picture(path: Path) -> tuple[bytes, Upright]:
    """The bytes of a file and its upright pixels. Raises `BadReference`, which names the file."""
    data = read_bytes(path)
    try:
        return data, read_upright(data)
    except BadReference as error:
        raise BadReference(f"{path}: {error}") from None


def store(data: bytes, upright: Upright, max_side: int) -> Stored:
    """The image, at most `max_side` long: in its own bytes where they are faithful, else as PNG."""
    image = shrink(upright.image, max_side)
    if upright.faithful and image is upright.image:
        return Stored(image, data, EXTENSIONS[upright.format])
    return Stored(image, encode_png(image), "png")
