"""Reading a reference from its file, and the copy of it that a data set keeps."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from distortlab.core.errors import BadReference
from distortlab.core.image import Image
from distortlab.imaging.decode import Upright, read_bytes, read_upright, shrink
from distortlab.imaging.encode import encode_png
from distortlab.imaging.metadata import without_metadata
from distortlab.recipe import ReferenceRules

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


def store(data: bytes, upright: Upright, rules: ReferenceRules) -> Stored:
    """The image, at most `rules.max_side` long: in its own bytes where they are faithful, else as PNG.

    Unless `rules.keep_metadata`, its own bytes are without metadata; a file that cannot be cleaned is stored as PNG.
    """
    image = shrink(upright.image, rules.max_side)
    if upright.faithful and image is upright.image:
        own = data if rules.keep_metadata else _clean(data, image)
        if own is not None:
            return Stored(image, own, EXTENSIONS[upright.format])
    return Stored(image, encode_png(image), "png")


def _clean(data: bytes, image: Image) -> bytes | None:
    """The file without metadata, or None where that would not decode to the same pixels."""
    clean = without_metadata(data)
    if clean is None or clean is data:
        return clean
    try:
        again = read_upright(clean)
    except BadReference:
        return None
    return clean if again.faithful and np.array_equal(again.image, image) else None
