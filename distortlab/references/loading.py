"""Reading a reference from its file, and the copy of it that a data set keeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from distortlab.core.errors import BadReference
from distortlab.core.image import Image
from distortlab.imaging.decode import DecodedImage, decode_image, decode_without_metadata, read_bytes, shrink
from distortlab.imaging.encode import encode_png
from distortlab.recipe import ReferenceRules
from distortlab.references.base import Reference
from distortlab.references.regions.selection import RegionSelection

__all__ = ["EncodedImage", "decode_picture", "encode_image", "make_reference", "read_picture"]

EXTENSIONS = {"JPEG": "jpg", "PNG": "png"}


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """An image and a file that decodes to exactly it."""

    image: Image
    encoded: bytes
    extension: str


def read_picture(path: Path, rules: ReferenceRules) -> tuple[DecodedImage, bytes | None]:
    """Read a picture from a file.

    Parameters
    ----------
    path
        Of the file.
    rules
        Without `keep_metadata`, metadata is taken out.

    Returns
    -------
    tuple
        Its pixels turned upright, and the file to keep, as from `decode_picture`.

    Raises
    ------
    BadReference
        Where it cannot be read; the sentence names the file.
    """
    return decode_picture(read_bytes(path), rules, str(path))


def decode_picture(data: bytes, rules: ReferenceRules, where: str) -> tuple[DecodedImage, bytes | None]:
    """Decode a picture.

    Parameters
    ----------
    data
        The bytes of the file.
    rules
        Without `keep_metadata`, metadata is taken out.
    where
        What an error calls it.

    Returns
    -------
    tuple
        Its pixels turned upright; and a file that decodes to exactly them, or None where there is none that may be
        kept.

    Raises
    ------
    BadReference
        Where it cannot be read.
    """
    try:
        if not rules.keep_metadata:
            return decode_without_metadata(data)
        decoded = decode_image(data)
    except BadReference as error:
        raise BadReference(f"{where}: {error}") from None
    return decoded, data if decoded.is_faithful else None


def encode_image(upright: DecodedImage, file: bytes | None, rules: ReferenceRules) -> EncodedImage:
    """Make the copy of a picture that a data set keeps.

    Parameters
    ----------
    upright, file
        Its pixels and the file to keep, from `read_picture` or `decode_picture`.
    rules
        `max_side` is the longest side of the copy in pixels.

    Returns
    -------
    EncodedImage
        With the file where that decodes to exactly these pixels, else as PNG.
    """
    image = shrink(upright.image, rules.max_side)
    if file is not None and image is upright.image:
        return EncodedImage(image, file, EXTENSIONS[upright.format])
    return EncodedImage(image, encode_png(image), "png")


def make_reference(
    entry_id: str,
    picture: EncodedImage,
    selection: RegionSelection,
    source: str,
    license: str,
    objects: Sequence[str] = (),
    drawn_by_hand: bool = False,
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
        drawn_by_hand=drawn_by_hand,
    )
