"""The one image type, and how its pixels are named.

An `Image` is uint8, (rows, columns, 3), RGB, upright (any EXIF rotation already applied), contiguous.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["Image", "pixels_sha256", "shape_of"]

Image = NDArray[np.uint8]


def shape_of(image: Image) -> tuple[int, int]:
    """(rows, columns)."""
    return int(image.shape[0]), int(image.shape[1])


def pixels_sha256(image: Image) -> str:
    """SHA-256 of the RGB bytes, row by row: the identity of an image whatever file holds it."""
    return hashlib.sha256(np.ascontiguousarray(image).data).hexdigest()
