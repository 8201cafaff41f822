"""Exact arithmetic: convolution in whole numbers, the Gaussian and the frozen tables of noise against SciPy's."""

import cv2
import numpy as np
import pytest
from samples import Pixels
from scipy import ndimage, special, stats

from distortlab.core.region import Region
from distortlab.distortions.base import Site
from distortlab.distortions.catalog import find
from distortlab.distortions.exact_math import blur_gaussian, convolve, load_normal_quantiles, quantize_kernel
from distortlab.distortions.families.noise import _poisson_table


@pytest.mark.parametrize("size", [3, 7, 11, 25, 41])
def test_convolution_is_exact_whole_number_arithmetic(size: int) -> None:
    """Also where OpenCV goes through a Fourier transform in float32, on the hardest picture there is."""
    rng = np.random.default_rng(size)
    image = (rng.integers(0, 2, (150, 170, 3)) * 255).astype(np.uint8)
    image[40:110, 30:140] = 255
    kernel = quantize_kernel(rng.random((size, size)), 1024)
    assert kernel.sum() == 1024
    reach = size // 2
    padded = cv2.copyMakeBorder(image, *[reach] * 4, borderType=cv2.BORDER_REFLECT_101).astype(np.int64)
    sums = np.zeros(image.shape, np.int64)
    for dy, dx in zip(*np.nonzero(kernel), strict=True):
        sums += int(kernel[dy, dx]) * padded[dy : dy + image.shape[0], dx : dx + image.shape[1]]
    assert np.array_equal(convolve(image, kernel), np.clip(np.rint(sums / 1024), 0, 255))


@pytest.mark.parametrize("sigma", [0.6, 1.1, 2.05, 4.75])
def test_the_gaussian_is_scipys_and_is_mirrored_at_the_frame(sigma: float, small: Pixels) -> None:
    """To two levels, with a mean error near 0: OpenCV's fixed point. A frame that repeats its pixels is off by 5."""
    image = np.random.default_rng(0).permuted(small, axis=1)
    exact = ndimage.gaussian_filter(image.astype(float), (sigma, sigma, 0), mode="mirror", truncate=3)
    error = blur_gaussian(image, sigma) - exact
    edges = np.concatenate([error[0], error[-1], error[:, 0], error[:, -1]])
    assert np.abs(error).max() < 2
    assert abs(error.mean()) < 0.1
    assert np.abs(edges).mean() < 0.5


def test_normal_quantiles_are_scipys_to_their_rounding() -> None:
    expected = special.ndtri((np.arange(65536) + 0.5) / 65536)
    table = load_normal_quantiles()
    assert table.shape == (65536,)
    assert table.dtype == np.float32
    assert np.abs(table - expected).max() <= 0.5 / 4096 + 1e-9
    assert np.array_equal(table * 4096, np.rint(expected * 4096))


def test_normal_quantiles_are_symmetric_and_rise() -> None:
    table = load_normal_quantiles()
    assert np.array_equal(table, -table[::-1])
    assert (np.diff(table) >= 0).all()


def test_normal_quantiles_have_mean_0_and_variance_1() -> None:
    table = load_normal_quantiles().astype(np.float64)
    assert table.mean() == 0
    assert table.var() == pytest.approx(1, abs=2e-3)
    assert (table**4).mean() == pytest.approx(3, abs=0.05)


@pytest.mark.parametrize("photons", [150, 50, 14.5])
def test_the_poisson_table_is_scipys(photons: float) -> None:
    """The count at a quantile, as a level. Where a sum of probabilities ends on a quantile, it may be one count off."""
    table, quantile = _poisson_table(photons), (np.arange(4096) + 0.5) / 4096
    for level in (0, 1, 17, 128, 200, 255):
        counts = stats.poisson.ppf(quantile, level * photons / 255) if level else np.zeros(4096)
        levels = np.clip(np.rint(counts * (255 / photons)), 0, 255)
        assert (table[level] != levels).mean() < 0.001


def test_the_poisson_table_keeps_the_mean_where_nothing_clips() -> None:
    table = _poisson_table(150).astype(float)
    for level in (20, 60, 100, 140):
        assert table[level].mean() == pytest.approx(level, abs=0.25)
        assert table[level].std() == pytest.approx(np.sqrt(level * 255 / 150), rel=0.03)


def test_the_poisson_table_leaves_black_alone() -> None:
    assert not _poisson_table(50)[0].any()


@pytest.mark.parametrize("place", [0.0, 0.137, 0.4, 0.53, 0.619, 0.8, 1.0])
def test_an_unsharp_mask_rounds_as_whole_numbers_do(place: float, small: Pixels) -> None:
    """At every setting that a search may find; float32 sums of other settings depend on their order."""
    row = find("oversharpen.unsharp_mask")
    amount = row.dial.interpolate(place)
    assert row.dial.contains(amount)
    parts = int(amount * 64)
    assert parts == amount * 64
    pixels, soft = small.astype(np.int64), blur_gaussian(small, 1.1).astype(np.int64)
    exact = np.clip(np.rint(((64 + parts) * pixels - parts * soft) / 64), 0, 255)
    frame = Region.from_mask(np.ones(small.shape[:2], np.uint8))
    site = Site(small.shape[:2], frame.bbox, frame.bbox, frame.mask, small, (0,), 1.0)
    assert np.array_equal(row.operator(small, amount, site), exact)
