"""Arithmetic that gives the same pixels on every processor.

8-bit and integer operations, and float operations whose every intermediate value is exact or rounded once. Float
filters whose sums depend on the order of the additions are avoided: their last bit differs between instruction sets.
"""

from collections.abc import Callable
from functools import lru_cache
from importlib import resources

import cv2
import numpy as np
from numpy.typing import NDArray

from distortlab.core.image import Image

__all__ = [
    "BORDER",
    "apply_curve",
    "blur_gaussian",
    "compute_channel_max",
    "compute_channel_min",
    "compute_exact_luma",
    "convolve",
    "load_normal_quantiles",
    "quantize_kernel",
    "to_uint8",
]

BORDER = cv2.BORDER_REFLECT_101
Floats = NDArray[np.float32]


def to_uint8(values: NDArray[np.floating]) -> Image:
    """Round (never truncate) and clip to 0..255."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def apply_curve(image: Image, curve: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Image:
    """Apply a tone curve, given as a function of the levels 0..255, to every channel."""
    table = to_uint8(curve(np.arange(256, dtype=np.float64)))
    return np.asarray(cv2.LUT(image, table), dtype=np.uint8)


def compute_exact_luma(pixels: Image) -> Floats:
    """BT.601 luma 0..255 of (..., 3) pixels, float32."""
    # Whole numbers below 2**24: exact in whatever order they are added.
    thousandths = pixels.astype(np.float32) @ np.array([299, 587, 114], dtype=np.float32)
    return np.asarray(thousandths, dtype=np.float32) / np.float32(1000)


def compute_channel_max(image: Image) -> NDArray[np.uint8]:
    """max(R, G, B), the value of HSV: uint8 (rows, columns)."""
    red, green, blue = cv2.split(image)
    return np.asarray(cv2.max(cv2.max(red, green), blue), dtype=np.uint8)


def compute_channel_min(image: Image) -> NDArray[np.uint8]:
    """min(R, G, B): uint8 (rows, columns)."""
    red, green, blue = cv2.split(image)
    return np.asarray(cv2.min(cv2.min(red, green), blue), dtype=np.uint8)


def blur_gaussian(image: Image, sigma: float) -> Image:
    """Gaussian blur of an 8-bit image, cut at 3 sigma, reflected at the border. OpenCV does this in fixed point."""
    size = 2 * int(np.ceil(3 * sigma)) + 1
    return np.asarray(cv2.GaussianBlur(image, (size, size), sigma, borderType=BORDER), dtype=np.uint8)


def quantize_kernel(kernel: NDArray[np.floating], total: int) -> Floats:
    """A kernel of whole numbers that add up to `total`, as near to the given one as rounding allows."""
    whole = np.rint(kernel * (total / kernel.sum()))
    whole.flat[int(np.argmax(kernel))] += total - whole.sum()
    return whole.astype(np.float32)


def convolve(image: Image, kernel: NDArray[np.floating]) -> Image:
    """Correlate with a normalised kernel, reflected at the border, rounded to the nearest level.

    The kernel is made of whole 1024ths, so every sum is a whole number below 2**24 and exact in float32; where OpenCV
    goes through a Fourier transform, rounding brings the whole number back.
    """
    total = 1024
    sums = cv2.filter2D(image, cv2.CV_32F, quantize_kernel(kernel, total), borderType=BORDER)
    return to_uint8(np.rint(sums) / np.float32(total))


@lru_cache(maxsize=1)
def load_normal_quantiles() -> Floats:
    """65,536 quantiles of the standard normal distribution, rising, float32.

    Frozen in the package (in 4096ths), because the inverse normal function of another library version may round
    otherwise. `tests/distortions/test_exact_math.py` compares them with SciPy's.
    """
    data = resources.files("distortlab.distortions").joinpath("normal_quantiles.npy")
    with data.open("rb") as file:
        upper = np.load(file, allow_pickle=False).astype(np.float32) / np.float32(4096)
    return np.concatenate([-upper[::-1], upper])
