"""Patches: a distorted image as its reference and what lies in the box of the change.

Outside the mask of an edit an image is its reference, bit for bit. So an archive keeps the reference once, and of every
image the box around its regions, black outside of them, as a lossless WebP. A pristine image is its reference, and its
patch one black pixel; that of an image distorted as a whole is the whole image.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from distortlab.core.errors import BadReference, UserError
from distortlab.core.image import Image, get_shape, pixels_sha256
from distortlab.core.region import Box, Mask, Region
from distortlab.dataset.schema import ImageRecord, Sample, decode_control
from distortlab.imaging.decode import decode_image
from distortlab.imaging.encode import encode_webp

__all__ = ["FOOTER", "decode_regions", "encode_patch", "make_archive_rows", "restore_image"]

FOOTER = "distortlab"
"""The word in the footer of a file of patches under which the account of its shard stands."""


def encode_patch(image: Image, regions: Sequence[Region]) -> bytes:
    """Return the box around the regions as a lossless WebP, black outside of them; without regions a black pixel."""
    box, mask = _area(regions)
    return encode_webp(np.ascontiguousarray(image[box.slices] * mask[..., None]))


def restore_image(reference: Image, patch: bytes, regions: Sequence[Region], sha256: str) -> tuple[Image, Box]:
    """Return the image that a patch was cut from, and the box around its regions.

    That box is the first pixel of the frame where there are none.

    Parameters
    ----------
    reference : (rows, columns, 3) uint8
        The clean image.
    patch
        What `encode_patch` made.
    regions
        Those of the image; outside of them it is its reference. None of a pristine image.
    sha256
        Of its pixels, when it was made.

    Raises
    ------
    UserError
        Where the parts do not belong together, or give other pixels.
    """
    if any(region.size != get_shape(reference) for region in regions):
        raise UserError("its regions do not fit its reference")
    box, mask = _area(regions)
    try:
        piece = decode_image(patch).image
    except BadReference as error:
        raise UserError(f"its patch cannot be read: {error}") from error
    if get_shape(piece) != mask.shape:
        raise UserError(f"its patch is {piece.shape[1]} x {piece.shape[0]}, its box {box.width} x {box.height}")
    image = reference.copy()
    np.copyto(image[box.slices], piece, where=mask[..., None] != 0)
    if pixels_sha256(image) != sha256:
        raise UserError("reference and patch do not give the pixels that were hashed when it was made")
    return image, box


def decode_regions(row: Mapping[str, Any]) -> list[Region]:
    """Return the regions of a row of `images` or `patches` outside of which the image is its reference: those of its
    edits, and that of a seam control.
    """
    control = decode_control(row)
    own = [control.region] if control and control.region else []
    return [*(Region.from_rle(region["mask_rle"]) for region in row["regions"]), *own]


def _area(regions: Sequence[Region]) -> tuple[Box, Mask]:
    """The box around all regions, and their union in it; without regions an empty mask of the first pixel."""
    if not regions:
        return Box(0, 0, 1, 1), np.zeros((1, 1), np.uint8)
    boxes = [region.bbox for region in regions]
    lows, highs = zip(*((box[:2], box[2:]) for box in boxes), strict=True)
    outer = Box(min(x for x, _ in lows), min(y for _, y in lows), max(x for x, _ in highs), max(y for _, y in highs))
    mask = np.zeros((outer.height, outer.width), np.uint8)
    for region, box in zip(regions, boxes, strict=True):
        mask[box.relative_to(outer).slices] |= region.mask
    return outer, mask


def make_archive_rows(
    record: ImageRecord, samples: Sequence[Sample], known: dict[str, int]
) -> tuple[dict[str, list[dict[str, Any]]], int]:
    """The rows for an image whose `image` is its patch, and the bytes of their pictures. `known` has the references
    that the file holds already, by id.
    """
    row = record.as_row()
    reference, picture = row.pop("reference"), row.pop("image")
    new = record.reference_id not in known
    place = known.setdefault(record.reference_id, len(known))
    patch = {"bytes": picture["bytes"], "path": f"{record.image_id}.webp"}
    rows = {
        "patches": [{**row, "patch": patch, "reference_row": place}],
        "references": [{"reference_id": record.reference_id, "reference": reference}] if new else [],
        "questions": [sample.as_row() for sample in samples],
    }
    return rows, len(picture["bytes"]) + (len(reference["bytes"]) if new else 0)
