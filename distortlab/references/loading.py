"""Reading a reference from its file, and the copy of it that a data set keeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from distortlab.core.errors import BadReference
from distortlab.core.image import Image
from distortlab.imaging.decode import DecodedImage, decode_image, read_bytes, shrink
from distortlab.imaging.encode import encode_png
from distortlab.imaging.metadata import strip_metadata
from distortlab.recipe import ReferenceRules
from distortlab.references.base import Reference
from distortlab.references.regions.selection import RegionSelection

__all__ = ["EncodedImage", "encode_image", "make_reference", "read_picture"]

EXTENSIONS = {"JPEG": "jpg", "PNG": "png"}


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """An image and a file that decodes to exactly it."""

    image: Image
    encoded: bytes
    extension: str


def read_picture(path: Path) -> tuple[bytes, DecodedImage]:
    """Read a picture.

    Parameters
    ----------
    path
        Of the file.

    Returns
    -------
    tuple
        The bytes of the file, and its pixels turned upright.

    Raises
    ------
    BadReference
        Where it cannot be read; the sentence names the file.
    """
    data = read_bytes(path)
    try:
        return data, decode_image(data)
    except BadReference as error:
        raise BadReference(f"{path}: {error}") from None


def encode_image(data: bytes, upright: DecodedImage, rules: ReferenceRules) -> EncodedImage:
    """Make the copy of a picture that a data set keeps.

    Parameters
    ----------
    data
        The bytes of the file.
    upright
        Its pixels, from `read_picture`.
    rules
        `max_side` is the longest side of the copy in pixels; without `keep_metadata`, metadata is taken out.

    Returns
    -------
    EncodedImage
        With the file's own bytes where they decode to exactly these pixels, else as PNG. A file whose metadata cannot
        be taken out is kept as PNG, too.
    """
    image = shrink(upright.image, rules.max_side)
    if upright.is_faithful and image is upright.image:
        own = data if rules.keep_metadata else _strip_metadata(data, image)
        if own is not None:
            return EncodedImage(image, own, EXTENSIONS[upright.format])
    return EncodedImage(image, encode_png(image), "png")


def make_reference(
    entry_id: str,
    picture: EncodedImage,
    selection: RegionSelection,
    source: str,
    license: str,
    objects: Sequence[str] = (),
) -> Reference:
    """Put a reference together: an image with its file, and the regions found in it."""
    return Reference(
        id=entry_id,
        image=picture.image,
        encoded=picture.encoded,
        extension=picture.extension,
        source=source,
        license=license,
        regions=selection.regions,
        objects=tuple(objects),
        skipped=selection.skipped,
        annotated=selection.annotated,
    )


def _strip_metadata(data: bytes, image: Image) -> bytes | None:
    """The file without metadata, or None where that would not decode to the same pixels."""
    clean = strip_metadata(data)
    if clean is None or clean is data:
        return clean
    try:
        again = decode_image(clean)
    except BadReference:
        return None
    return clean if again.is_faithful and np.array_equal(again.image, image) else None
