"""Noise: additive in RGB or YCbCr, multiplicative, coloured, photon, and impulses.

A field of uniform numbers belongs to the edit, and every severity reads it through a stronger curve: more is more.
"""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from distortlab.core.image import Image
from distortlab.distortions.base import Dial, Distortion, Site, depictqa_ladder, matched_ladder
from distortlab.distortions.exact_math import BORDER, load_normal_quantiles, quantize_kernel, to_uint8


def _normal(site: Site, depth: int) -> NDArray[np.float32]:
    """Standard normal noise, float32 (rows, columns, depth)."""
    return load_normal_quantiles()[site.draw_field("noise", depth)]


def gaussian_rgb(image: Image, sigma: float, site: Site) -> Image:
    """Independent Gaussian noise in R, G and B; `sigma` as a share of the full range."""
    levels = np.rint(load_normal_quantiles() * np.float32(255 * sigma)).astype(np.int16)
    return np.asarray(cv2.add(image, levels[site.draw_field("noise", 3)], dtype=cv2.CV_8U), dtype=np.uint8)


def gaussian_ycbcr(image: Image, sigma: float, site: Site) -> Image:
    """Gaussian noise in Y, Cb and Cr, brought to RGB and clipped once.

    `sigma` of Y as a share of the full range; chroma gets 1 + 45 (sigma - 0.05) times as much from 0.05 on, which is
    DepictQA's table.
    """
    noise = _normal(site, 3) * np.float32(255 * sigma)
    chroma = np.float32(max(1.0, 1 + 45 * (sigma - 0.05)))
    y, cb, cr = noise[..., 0], noise[..., 1] * chroma, noise[..., 2] * chroma
    green = y - np.float32(0.344136) * cb - np.float32(0.714136) * cr
    rgb = np.stack([y + np.float32(1.402) * cr, green, y + np.float32(1.772) * cb], axis=-1)
    return to_uint8(image + rgb)


def speckle(image: Image, sigma: float, site: Site) -> Image:
    """Multiplicative noise `x (1 + N(0, sigma))`: strong in the light, absent in black."""
    return to_uint8(image * (1 + np.float32(sigma) * _normal(site, 3)))


def correlated(image: Image, sigma: float, site: Site) -> Image:
    """Gaussian noise with a grain of about 1 px (at 512), added to an image that is not itself blurred."""
    kernel = quantize_kernel(_grain(site.scale), 64)
    # Whole numbers throughout: at most 4.33 * 512 * 64**2 < 2**24, so every float32 sum is exact.
    white = np.rint(_normal(site, 3) * np.float32(512)).astype(np.int16)
    grains = cv2.sepFilter2D(white, cv2.CV_32F, kernel, kernel, borderType=BORDER)
    spread = 512 * float((kernel.astype(np.float64) ** 2).sum())
    return to_uint8(image + grains * np.float32(255 * sigma / spread))


def _grain(scale: float) -> NDArray[np.float64]:
    reach = _grain_reach(0, scale)
    return np.exp(-0.5 * (np.arange(-reach, reach + 1) / scale) ** 2)


def _grain_reach(sigma: float, scale: float) -> int:
    return int(np.ceil(3 * scale))


def poisson(image: Image, photons: float, site: Site) -> Image:
    """Photon noise: a white pixel counts `photons` on average, and every count is Poisson."""
    table = _poisson_table(photons)
    return np.asarray(table[image, site.draw_field("noise", 3) >> 4], dtype=np.uint8)


@lru_cache(maxsize=10)
def _poisson_table(photons: float) -> Image:
    """The inverse distribution for every level: uint8 (256, 4096), row = level, column = quantile."""
    cdf = _poisson_cdfs(np.arange(256) * photons / 255)
    # The quantiles (i + 0.5) / 4096 up to a count, and so how many have just that count.
    up_to = np.floor(cdf * 4096 + 0.5).astype(np.int64)
    up_to[:, -1] = 4096
    values = to_uint8(np.arange(cdf.shape[1]) * (255 / photons))
    return np.repeat(np.tile(values, 256), np.diff(up_to, axis=1, prepend=0).ravel()).reshape(256, 4096)


def _poisson_cdfs(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """P(count <= k) for every mean, which rise, (means, counts): k = 0, 1, ... far into the tail of the largest."""
    k = np.arange(1, int(means[-1] + 8 * np.sqrt(means[-1])) + 12)
    mean = means[:, None]
    with np.errstate(divide="ignore"):  # of a mean of 0 the logarithm is -inf, and every count is 0
        log_ratios = np.cumsum(np.log(mean / k), axis=1)
    return np.cumsum(np.exp(np.concatenate([-mean, log_ratios - mean], axis=1)), axis=1)


def impulse(image: Image, share: float, site: Site) -> Image:
    """Salt and pepper: `share` of the pixels turn black or white, all channels at once."""
    draw = site.draw_field("noise", 1)[..., 0]
    half = max(1, round(share * 32768))
    out = image.copy()
    out[draw < half] = 0
    out[draw >= 65536 - half] = 255
    return out


NOISE = (
    Distortion(
        "noise.gaussian_rgb",
        gaussian_rgb,
        "sigma, share of range",
        Dial(0.005, 0.5),
        matched_ladder(0.065, 0.083, 0.111, 0.155, 0.235),
        depictqa_ladder(0.05, 0.10, 0.15, 0.20, 0.25),
        random=True,
    ),
    Distortion(
        "noise.gaussian_ycbcr",
        gaussian_ycbcr,
        "sigma of Y, share of range",
        Dial(0.004, 0.2),
        matched_ladder(0.043, 0.054, 0.064, 0.0775, 0.096),
        depictqa_ladder(0.05, 0.06, 0.07, 0.08, 0.09, deviation="clipped once, in RGB"),
        reach=(1, 1, 0.99, 0.99, 0.99),
        random=True,
    ),
    Distortion(
        "noise.speckle",
        speckle,
        "sigma, relative",
        Dial(0.01, 1),
        matched_ladder(0.152, 0.197, 0.27, 0.38, 0.63),
        depictqa_ladder(0.14, 0.21, 0.28, 0.35, 0.42),
        reach=(1, 1, 1, 0.97, 0.8),
        random=True,
    ),
    Distortion(
        "noise.correlated",
        correlated,
        "sigma, share of range",
        Dial(0.005, 0.5),
        matched_ladder(0.03, 0.038, 0.051, 0.071, 0.104),
        depictqa_ladder(
            0.08, 0.11, 0.14, 0.18, 0.22,
            deviation="the noise is filtered, not the picture: DepictQA's also blurs (11 % of the detail is left)",
        ),
        halo=_grain_reach,
        reach=(0.91, 0.93, 0.94, 0.95, 0.97),
        random=True,
    ),
    Distortion(
        "noise.poisson",
        poisson,
        "photons at white",
        Dial(5000, 1),
        matched_ladder(82, 50, 27.5, 13.8, 5.7),
        depictqa_ladder(80, 60, 40, 25, 15),
        random=True,
    ),
    Distortion(
        "noise.impulse",
        impulse,
        "share of pixels",
        Dial(0.0005, 0.5),
        matched_ladder(0.0014, 0.0026, 0.0056, 0.0135, 0.032),
        depictqa_ladder(
            0.01, 0.03, 0.05, 0.07, 0.10,
            deviation="per pixel; DepictQA's per channel hits 27 % of them at 0.10",
        ),
        reach=(0.86, 1, 1, 1, 1),
        random=True,
    ),
)  # fmt: skip
