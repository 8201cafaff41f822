"""Hashes of pixels."""

import numpy as np
import pytest

from distortlab.core.image import SharedHash, pixels_sha256


@pytest.mark.parametrize("rows", [1, 31, 32, 100])
def test_images_that_begin_like_their_reference_have_the_hash_of_their_own_pixels(rows: int) -> None:
    rng = np.random.default_rng(rows)
    reference = rng.integers(0, 256, (rows, 7, 3), np.uint8)
    shared = SharedHash(reference)
    for same in (0, rows // 2, rows - 1, rows, rows // 3):
        image = reference.copy()
        image[same:] ^= 1
        assert shared.compute(image, same) == pixels_sha256(image)
