"""Full-reference measures of a region, each as its paper has it: none of them is the V that labels are accepted by.

All take two images, uint8 (rows, columns, 3) RGB, and a mask, bool (rows, columns); they look at the masked pixels,
with windows that reach beyond the mask.
"""

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from skimage.metrics import structural_similarity

from distortlab.core.image import Image
from distortlab.severity.ciede2000 import ciede2000, convert_linear_to_lab

Mask = np.ndarray


def grey(image: Image) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def linear(image: Image) -> np.ndarray:
    x = image.astype(np.float32) / 255
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4).astype(np.float32)


def ssim(before: Image, after: Image, mask: Mask) -> float:
    """SSIM of luma in Gaussian windows of 11 x 11, sigma 1.5 (Wang et al. 2004)."""
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255, "full": True}
    return float(structural_similarity(grey(before), grey(after), **options)[1][mask].mean())


def psnr(before: Image, after: Image, mask: Mask) -> float:
    """Peak signal to noise over the three channels, dB; 100 where nothing changed."""
    mse = float(np.mean((before[mask].astype(np.float64) - after[mask]) ** 2))
    return 100.0 if mse == 0 else min(100.0, 10 * np.log10(255**2 / mse))


def delta_e(before: Image, after: Image, mask: Mask) -> float:
    """Mean CIEDE2000 of the pixels."""
    return float(ciede2000(convert_linear_to_lab(linear(before)), convert_linear_to_lab(linear(after)))[mask].mean())


def gmsd(before: Image, after: Image, mask: Mask) -> float:
    """Deviation of the gradient magnitude similarity (Xue et al. 2014): Prewitt on luma at half size, c = 170."""
    half = [cv2.resize(grey(i).astype(np.float32), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            for i in (before, after)]  # fmt: skip
    kernel = np.array([[1, 0, -1]] * 3, np.float32) / 3
    g1, g2 = (np.hypot(cv2.filter2D(i, -1, kernel), cv2.filter2D(i, -1, kernel.T)) for i in half)
    similarity = (2 * g1 * g2 + 170) / (g1 * g1 + g2 * g2 + 170)
    small = cv2.resize(mask.astype(np.uint8), similarity.shape[::-1], interpolation=cv2.INTER_NEAREST) != 0
    return float(similarity[small].std()) if small.any() else 0.0


MEASURES: Mapping[str, Callable[[Image, Image, Mask], float]] = {
    "ssim": ssim,
    "psnr": psnr,
    "delta_e": delta_e,
    "gmsd": gmsd,
}
