"""A region before it is changed: means of blocks, and which rows are measured."""

import numpy as np
import pytest

from distortlab.severity.scene import Scene, average_blocks, average_mask_blocks

SHAPES = [(8, 8), (9, 17), (16, 3), (1, 1), (23, 40)]


@pytest.mark.parametrize("shape", SHAPES)
def test_blocks_of_a_plane_are_means_with_the_edge_repeated(shape: tuple[int, int]) -> None:
    plane = np.random.default_rng(3).integers(0, 256, shape).astype(np.float32)
    padded = np.pad(plane, [(0, -side % 8) for side in shape], mode="edge")
    expected = padded.reshape(padded.shape[0] // 8, 8, -1, 8).mean(axis=(1, 3))
    assert np.allclose(average_blocks(plane, 8), expected, atol=1e-3)


@pytest.mark.parametrize("shape", SHAPES)
def test_blocks_of_a_mask_are_shares_with_nothing_beyond_the_edge(shape: tuple[int, int]) -> None:
    """Also of 8-bit planes there is no guess: the two differ wherever a block sticks out."""
    mask = np.ones(shape, np.uint8)
    padded = np.pad(mask, [(0, -side % 8) for side in shape])
    expected = padded.reshape(padded.shape[0] // 8, 8, -1, 8).mean(axis=(1, 3))
    assert np.allclose(average_mask_blocks(mask, 8), expected, atol=1e-6)
    assert (average_blocks(mask, 8) == 1).all()


def test_a_large_region_is_measured_in_whole_strips() -> None:
    rows = np.repeat(np.arange(1000, dtype=np.int64) % 256, 100).reshape(1000, 100).astype(np.uint8)
    scene = Scene(np.repeat(rows[..., None], 3, axis=2), np.ones((1000, 100), np.uint8))
    kept = scene.select_rows(np.arange(1000))
    assert 0 < len(kept) < 1000
    assert scene.image.shape[:2] == scene.mask.shape == (len(kept), 100)
    assert (np.diff(kept.reshape(-1, 40), axis=1) == 1).all()
    assert (kept[::40] % 40 == 0).all()


def test_a_small_region_is_measured_whole() -> None:
    image = np.zeros((50, 60, 3), np.uint8)
    assert Scene(image, np.ones((50, 60), np.uint8)).image.shape == (50, 60, 3)
