"""The one image type, and how its pixels are named.

An `Image` is uint8, (rows, columns, 3), RGB, upright (any EXIF rotation already applied), contiguous.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["Image", "SharedHash", "get_shape", "pixels_sha256"]

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


class SharedHash:
    """`pixels_sha256` of images that begin with the same rows as a reference: those are hashed once for all images.

    Parameters
    ----------
    reference
        uint8 RGB, (rows, columns, 3).
    """

    _ROWS = 32

    def __init__(self, reference: Image) -> None:
        self._reference = reference
        self._states = [hashlib.sha256()]

    def compute(self, image: Image, same: int) -> str:
        """The hash of an image whose first `same` rows are those of the reference."""
        known = same // self._ROWS
        while len(self._states) <= known:
            state, start = self._states[-1].copy(), (len(self._states) - 1) * self._ROWS
            state.update(np.ascontiguousarray(self._reference[start : start + self._ROWS]).data)
            self._states.append(state)
        state = self._states[known].copy()
        state.update(np.ascontiguousarray(image[known * self._ROWS :]).data)
        return state.hexdigest()
