"""Pack pictures for the page: a reference once, and of every image made from it only the box that changed.

Everything is lossless WebP, so that the browser shows the stored pixels and no others. What does not fit into the page
that way gets re-encoded surroundings, lossless only in the box; the page says for which images.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, NamedTuple

import cv2
import numpy as np
from PIL import Image as pillow

from distortlab.core.errors import BadReference
from distortlab.core.image import Image
from distortlab.core.region import Box
from distortlab.dataset.reader import StoredDataset
from distortlab.dataset.selection import RowLocation, read_images, report_damaged_rows
from distortlab.imaging.decode import decode_image
from distortlab.imaging.encode import encode_png

__all__ = [
    "DecodedRow",
    "ImageGroup",
    "Layers",
    "Pictures",
    "decode_pictures",
    "decode_rows",
    "find_changed_box",
    "pack_group",
    "pack_lossless",
]

_MARGIN = 16  # pixels around a box whose surroundings are re-encoded
_THUMB = 128  # its height
_LONGEST = 16383  # side of a WebP


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pictures of one row: uint8 RGB. `why` says why there is no reference."""

    image: Image
    reference: Image | None
    boxes: tuple[Box, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Layers:
    """How an image is put together from files: `base` is that of its set; then `after` (and for the reference
    `before`) at `corner` (x, y). `exact`: no pixel of it was re-encoded.
    """

    corner: tuple[int, int] | None
    after: bytes | None
    before: bytes | None
    exact: bool
    thumb: bytes


@dataclass(frozen=True, slots=True)
class ImageGroup:
    """Images that share a base picture: their reference, or the one image itself where there is none."""

    base: bytes
    layers: tuple[Layers, ...]

    @property
    def size(self) -> int:
        """Bytes in the page, where four characters stand for three bytes."""
        files = [self.base, *(data for one in self.layers for data in (one.after, one.before, one.thumb) if data)]
        return sum(-(-len(data) // 3) * 4 for data in files)


class DecodedRow(NamedTuple):
    """A row of `images` with its decoded pictures."""

    place: RowLocation
    row: Mapping[str, Any]
    pictures: Pictures

    @property
    def base(self) -> object:
        """What it shares a base picture with."""
        return self.place.image_id if self.pictures.reference is None else self.row["reference"]["bytes"]


def decode_rows(stored: StoredDataset, places: Sequence[RowLocation]) -> Iterator[DecodedRow]:
    """Yield the rows at these places with their pictures, one in memory at a time."""
    for place, row in read_images(stored, places):
        with report_damaged_rows(stored, place.group):
            pictures = decode_pictures(row, f"{stored.folder / place.group.part.path}, {place.image_id}")
        yield DecodedRow(place, row, pictures)


def decode_pictures(row: Mapping[str, Any], where: str) -> Pictures:
    """The decoded pictures of a row of `images`. Raises `BadReference` that names the row."""
    image = _decode(row["image"], where, "image")
    rows, columns = image.shape[:2]
    whole = Box(0, 0, columns, rows)
    boxes = tuple(box for region in row["regions"] if (box := _clip_box(region["bbox"], whole)))
    if not row["reference"] or not row["reference"]["bytes"]:
        return Pictures(image, None, boxes, "The data set was made without its references.")
    reference = _decode(row["reference"], where, "reference")
    if reference.shape != image.shape:
        return Pictures(image, None, boxes, "The reference has another size than the image.")
    return Pictures(image, reference, boxes)


def _decode(picture: Mapping[str, Any] | None, where: str, kind: str) -> Image:
    try:
        return decode_image((picture or {}).get("bytes") or b"").image
    except BadReference as error:
        raise BadReference(f"{where}: its {kind} cannot be shown: {error}") from None


def _clip_box(box: Sequence[int], whole: Box) -> Box | None:
    x1, y1, x2, y2 = box
    out = Box(max(x1, 0), max(y1, 0), min(x2, whole.x2), min(y2, whole.y2))
    return out if out.width > 0 and out.height > 0 else None


def find_changed_box(image: Image, reference: Image) -> Box | None:
    """The smallest box that holds every pixel in which the two differ."""
    red, green, blue = cv2.split(cv2.absdiff(image, reference))
    x, y, width, height = cv2.boundingRect(cv2.max(cv2.max(red, green), blue))
    return Box(x, y, x + width, y + height) if width else None


def pack_group(pictures: Sequence[Pictures], allowance: float) -> ImageGroup:
    """Images of one reference (or one image without), lossless if that takes no more bytes than `allowance`."""
    first = pictures[0]
    base = first.image if first.reference is None else first.reference
    if _estimate_size(base) <= 1.2 * allowance:
        exact = ImageGroup(_encode_lossless(base), tuple(_pack_exact(one) for one in pictures))
        if exact.size <= allowance:
            return exact
    return ImageGroup(_encode_lossy(base, 82), tuple(_pack_reencoded(one) for one in pictures))


def pack_lossless(pictures: Sequence[Pictures]) -> ImageGroup:
    """Images of one reference (or one image without), every pixel as it is stored, without thumbnails."""
    first = pictures[0]
    base = first.image if first.reference is None else first.reference
    return ImageGroup(_encode_lossless(base), tuple(_pack_changed(one) for one in pictures))


def _estimate_size(image: Image) -> float:
    """About how many bytes the picture takes in the page without loss, from every eighth band of a large one."""
    if image.shape[0] < 512:
        return 0.0
    bands = np.arange(image.shape[0]) // 16 % 8 == 4
    return len(_encode_lossless(image[bands])) * image.shape[0] / np.count_nonzero(bands) * 4 / 3


def _pack_exact(one: Pictures) -> Layers:
    return replace(_pack_changed(one), thumb=_encode_thumbnail(one.image))


def _pack_changed(one: Pictures) -> Layers:
    box = None if one.reference is None else find_changed_box(one.image, one.reference)
    if box is None:
        return Layers(None, None, None, True, b"")
    return Layers((box.x1, box.y1), _encode_lossless(one.image[box.slices]), None, True, b"")


def _pack_reencoded(one: Pictures) -> Layers:
    box = _find_area(one)
    if box is None:
        return Layers(None, None, None, False, _encode_thumbnail(one.image))
    before = None if one.reference is None else _encode_lossless(one.reference[box.slices])
    return Layers(
        (box.x1, box.y1), _encode_lossless(one.image[box.slices]), before, False, _encode_thumbnail(one.image)
    )


def _find_area(one: Pictures) -> Box | None:
    """The box around all regions and all that changed, and a little more."""
    changed = None if one.reference is None else find_changed_box(one.image, one.reference)
    boxes = [*one.boxes, *([changed] if changed else [])]
    if not boxes:
        return None
    low = Box(min(b.x1 for b in boxes), min(b.y1 for b in boxes), max(b.x2 for b in boxes), max(b.y2 for b in boxes))
    return low.grow(_MARGIN, (one.image.shape[0], one.image.shape[1]))


def _encode_lossless(image: Image) -> bytes:
    return _encode_webp(image, lossless=True, quality=20, method=2, exact=True)


def _encode_lossy(image: Image, quality: int) -> bytes:
    return _encode_webp(image, quality=quality, method=2)


def _encode_thumbnail(image: Image) -> bytes:
    scale = min(1.0, _THUMB / image.shape[0], 3 * _THUMB / image.shape[1])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return _encode_lossy(np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8), 76)


def _encode_webp(image: Image, **options: Any) -> bytes:
    if max(image.shape[:2]) > _LONGEST:
        return encode_png(image)
    out = BytesIO()
    pillow.fromarray(np.ascontiguousarray(image)).save(out, "WEBP", **options)
    return out.getvalue()
