"""The one image type, and how its pixels are named.

An `Image` is uint8, (rows, columns, 3), RGB, upright (any EXIF rotation already applied), contiguous.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["Image", "get_shape", "pixels_sha256"]

Image = NDArray[np.uint8]


def get_shape(image: Image) -> tuple[int, int]:
    """The (rows, columns) of an image."""
    return int(image.shape[0]), int(image.shape[1])


def pixels_sha256(image: Image) -> str:
    """SHA-256 of the RGB bytes, row by row: the same for the same pixels, whatever file holds them.

    Examples
    --------
    >>> import numpy as np
    >>> from distortlab.core.image import pixels_sha256
    >>> image = np.zeros((2, 3, 3), np.uint8)
    >>> pixels_sha256(image)[:16], pixels_sha256(image + np.uint8(1))[:16]
    ('60daa3a5f7dbfa20', '48341d92e2c078cb')
    """
    return hashlib.sha256(np.ascontiguousarray(image).data).hexdigest()
