"""A region before it is changed: means of blocks, and which rows are measured."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from distortlab.severity.scene import (
    Scene,
    average_blocks,
    average_mask_blocks,
    compute_gradient,
    compute_lab,
    compute_mean,
    compute_spread,
)
from distortlab.severity.visibility import measure_visibility

SHAPES = [(8, 8), (9, 17), (16, 3), (1, 1), (23, 40)]


@given(
    planes=arrays.array_shapes(min_dims=2, max_dims=2, max_side=40).flatmap(
        lambda shape: st.tuples(
            arrays.arrays(np.uint8, shape), arrays.arrays(np.uint8, shape, elements=st.integers(0, 1))
        )
    )
)
def test_mean_and_spread_are_those_of_the_pixels_in_the_mask(planes: tuple[np.ndarray, np.ndarray]) -> None:
    luma, mask = planes
    inside = luma[mask != 0].astype(np.float64)
    expected = (inside.mean(), inside.std()) if inside.size else (0, 0)
    assert (compute_mean(luma, mask), compute_spread(luma, mask)) == pytest.approx(expected, abs=1e-5)


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


@pytest.mark.parametrize(("rows", "sampled"), [(1000, True), (300, False)])
def test_the_colours_of_a_large_region_are_measured_in_whole_strips(rows: int, sampled: bool) -> None:
    """Each strip of 40 rows has a grey of its own: blocks of five rows that crossed a strip would have another."""
    grey = np.repeat(np.arange(-(-rows // 40), dtype=np.uint8) * 9, 40)[:rows]
    image = np.ascontiguousarray(np.broadcast_to(grey[:, None, None], (rows, 100, 3)))
    weight, lab = Scene(image, np.ones((rows, 100), np.uint8)).colors
    assert weight.shape == lab.shape[:1]
    assert (len(weight) < rows // 5 * 20) == sampled
    known = {round(float(value), 2) for value in compute_lab(np.repeat(image[::40], 40, axis=0))[..., 0].ravel()}
    assert {round(float(value), 2) for value in lab[..., 0].ravel()} <= known


def test_colours_are_measured_where_the_strips_would_miss_the_region() -> None:
    mask = np.zeros((400, 400), np.uint8)
    mask[0, 0] = mask[399, 399] = 1
    image = np.full((400, 400, 3), 90, np.uint8)
    scene = Scene(image, mask)
    assert scene.colors[0].any()
    assert measure_visibility(scene, image + np.uint8(60), "brighten.shift_rgb").colour > 1


@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_are_those_of_the_half_size_luma(shape: tuple[int, int]) -> None:
    luma = np.random.default_rng(4).integers(0, 256, shape).astype(np.uint8)
    padded = np.pad(luma.astype(float), [(0, side % 2) for side in shape], mode="edge")
    half = padded.reshape(padded.shape[0] // 2, 2, -1, 2).mean(axis=(1, 3))
    expected = np.hypot(*(ndimage.prewitt(half, axis, mode="nearest") / 3 for axis in (0, 1)))
    assert np.allclose(compute_gradient(luma), expected, atol=1e-3)
