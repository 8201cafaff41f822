"""KADID-10k's distortions, as far as their settings are documented, in code of our own.

KADID's generator is MATLAB code that is not public. The settings are those of its paper (Lin, Hosu and Saupe 2019) and
of its ports; where a port disagrees or a parameter is not known, docs/people.md says what was taken. An operator is a
function (image, amount, rng) -> image; images are float32 RGB, 0..1, (rows, columns, 3); what comes out is clipped and
rounded by `render_cell`.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from PIL import Image as pillow
from scipy.interpolate import CubicSpline

from distortlab.core.seeds import stream

Pixels = np.ndarray
Rng = np.random.Generator
KadidOperator = Callable[[Pixels, float, Rng], Pixels]


@dataclass(frozen=True, slots=True)
class KadidType:
    """One of KADID's 25 types: its number there, five settings, and the variant of the catalogue that is most like it.

    `variant` is None where the catalogue has nothing like it. `group` is "core", "tone", "blocks" (its pixelation takes
    the nearest pixel, ours the mean) or "other" (rendered, but in no average: too much of it is not known).
    """

    number: int
    name: str
    operator: KadidOperator
    settings: tuple[float, float, float, float, float]
    variant: str | None
    group: str = "core"


def _quantize(image: Pixels) -> np.ndarray:
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def _convolve(image: Pixels, kernel: np.ndarray) -> Pixels:
    return cv2.filter2D(image, -1, kernel.astype(np.float32), borderType=cv2.BORDER_REPLICATE)


def _to_lab(image: Pixels) -> Pixels:
    return cv2.cvtColor(np.clip(image, 0, 1), cv2.COLOR_RGB2LAB)


def _from_lab(lab: Pixels) -> Pixels:
    return np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1)


def blur_gaussian(image: Pixels, sigma: float, rng: Rng) -> Pixels:
    """A kernel that ends at two sigma."""
    side = 2 * int(np.ceil(2 * sigma)) + 1
    return cv2.GaussianBlur(image, (side, side), sigma, borderType=cv2.BORDER_REPLICATE)


def blur_lens(image: Pixels, radius: float, rng: Rng, fine: int = 16) -> Pixels:
    """A disk, each pixel of the kernel by the share of it that is inside."""
    reach = int(np.ceil(radius))
    places = np.arange((2 * reach + 1) * fine)
    places = (places - places.mean()) / fine
    inside = places[:, None] ** 2 + places**2 <= radius * radius
    kernel = inside.reshape(2 * reach + 1, fine, -1, fine).mean((1, 3))
    return _convolve(image, kernel / kernel.sum())


def blur_motion(image: Pixels, length: float, rng: Rng) -> Pixels:
    """A line of `length` pixels, its ends included, at a random angle."""
    angle = rng.uniform(0, np.pi)
    if length <= 1:
        return image
    span = np.sqrt(max(length**2 - 3, 0.5))  # the line that a kernel of so many pixels draws
    reach = int(np.ceil(span / 2)) + 1
    along = np.linspace(-span / 2, span / 2, 200)
    x, y = reach + along * np.cos(angle), reach + along * np.sin(angle)
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    kernel = np.zeros((2 * reach + 2,) * 2)
    for dx, wide in ((0, 1 - x + column), (1, x - column)):
        for dy, high in ((0, 1 - y + row), (1, y - row)):
            np.add.at(kernel, (row + dy, column + dx), wide * high)
    return _convolve(image, kernel[:-1, :-1] / kernel[:-1, :-1].sum())


def diffuse_color(image: Pixels, amount: float, rng: Rng) -> Pixels:
    lab = _to_lab(image)
    lab[..., 1:] = blur_gaussian(np.ascontiguousarray(lab[..., 1:]), 1.5 * amount + 2, rng) * amount
    return _from_lab(lab)


def quantize_color(image: Pixels, count: float, rng: Rng) -> Pixels:
    """A palette of `count` colors, dithered."""
    picture = pillow.fromarray(_quantize(image))
    palette = picture.quantize(int(count), pillow.Quantize.MEDIANCUT)
    dithered = picture.quantize(int(count), palette=palette, dither=pillow.Dither.FLOYDSTEINBERG)
    return np.asarray(dithered.convert("RGB"), np.float32) / 255


def scale_saturation(image: Pixels, factor: float, rng: Rng) -> Pixels:
    """HSV saturation times `factor`; below zero hues turn to their opposites."""
    value = image.max(2, keepdims=True)
    return value - (value - image) * factor


def scale_chroma(image: Pixels, factor: float, rng: Rng) -> Pixels:
    lab = _to_lab(image)
    lab[..., 1:] *= factor
    return _from_lab(lab)


def _recode(image: Pixels, **options: Any) -> Pixels:
    file = io.BytesIO()
    pillow.fromarray(_quantize(image)).save(file, **options)
    return np.asarray(pillow.open(file).convert("RGB"), np.float32) / 255


def compress_jpeg2000(image: Pixels, ratio: float, rng: Rng) -> Pixels:
    options = {"quality_mode": "rates", "quality_layers": [ratio], "irreversible": True, "mct": 1}
    return _recode(image, format="JPEG2000", **options)


def compress_jpeg(image: Pixels, quality: float, rng: Rng) -> Pixels:
    return _recode(image, format="JPEG", quality=int(quality))


def add_noise(image: Pixels, variance: float, rng: Rng) -> Pixels:
    return image + np.sqrt(variance, dtype=np.float32) * rng.standard_normal(image.shape, np.float32)


def add_noise_ycbcr(image: Pixels, variance: float, rng: Rng) -> Pixels:
    """Noise of one variance in Y, Cb and Cr (studio range)."""
    to_rgb = np.array([[1.164, 0, 1.596], [1.164, -0.392, -0.813], [1.164, 2.017, 0]], np.float32)
    noise = rng.standard_normal(image.shape, np.float32) * np.sqrt(variance, dtype=np.float32)
    return image + noise @ to_rgb.T


def add_impulses(image: Pixels, density: float, rng: Rng) -> Pixels:
    """Salt and pepper in each channel on its own."""
    drawn, out = rng.random(image.shape), image.copy()
    out[drawn < density / 2] = 0
    out[drawn > 1 - density / 2] = 1
    return out


def multiply_noise(image: Pixels, variance: float, rng: Rng) -> Pixels:
    return image * (1 + np.sqrt(variance, dtype=np.float32) * rng.standard_normal(image.shape, np.float32))


def _bend(image: Pixels, middle: float) -> Pixels:
    """The parabola through (0, 0), (0.5, `middle`), (1, 1)."""
    a, b = 2 - 4 * middle, 4 * middle - 1
    return np.clip(a * image * image + b * image, 0, 1)


def brighten(image: Pixels, amount: float, rng: Rng) -> Pixels:
    """A curve on lightness, and the same on RGB counted twice."""
    lab = _to_lab(image)
    lab[..., 0] = 100 * _bend(lab[..., 0] / 100, 0.5 + amount / 2)
    return (2 * _bend(image, 0.5 + amount / 2) + _from_lab(lab)) / 3


def darken(image: Pixels, amount: float, rng: Rng) -> Pixels:
    return _bend(image, 0.5 - amount / 2)


def shift_mean(image: Pixels, amount: float, rng: Rng) -> Pixels:
    return image + amount


def change_contrast(image: Pixels, amount: float, rng: Rng) -> Pixels:
    curve = CubicSpline([0, 0.3, 0.5, 0.7, 1], [0, 0.25 - amount / 4, 0.5, 0.75 + amount / 4, 1])
    return np.clip(curve(image), 0, 1).astype(np.float32)


def jitter(image: Pixels, amount: float, rng: Rng) -> Pixels:
    """Pixels taken from a normal distance away, five times."""
    rows, columns = image.shape[:2]
    x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    for _ in range(5):
        dx, dy = amount * rng.standard_normal((2, rows, columns), np.float32)
        image = cv2.remap(image, x + dx, y + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return image


def pixelate(image: Pixels, strength: float, rng: Rng) -> Pixels:
    """Made smaller and larger again, by the nearest pixel."""
    share = 0.95 - strength**0.6
    rows, columns = image.shape[:2]
    small = cv2.resize(image, (int(columns * share), int(rows * share)), interpolation=cv2.INTER_NEAREST)
    return cv2.resize(small, (columns, rows), interpolation=cv2.INTER_NEAREST)


def quantize(image: Pixels, levels: float, rng: Rng) -> Pixels:
    return np.floor(np.minimum(image, 0.9999) * levels) / (levels - 1)


def sharpen(image: Pixels, amount: float, rng: Rng) -> Pixels:
    """Unsharp masking of lightness; the radius that KADID took is not documented, 3 px is."""
    lab = _to_lab(image)
    lightness = lab[..., 0]
    lab[..., 0] = np.clip(lightness + amount * (lightness - cv2.GaussianBlur(lightness, (0, 0), 3)), 0, 100)
    return _from_lab(lab)


TYPES: tuple[KadidType, ...] = (
    KadidType(1, "gaussian blur", blur_gaussian, (0.1, 0.5, 1, 2, 5), "blur.gaussian"),
    KadidType(2, "lens blur", blur_lens, (1, 2, 4, 6, 8), "blur.lens"),
    KadidType(3, "motion blur", blur_motion, (1, 2, 4, 6, 10), "blur.motion"),
    KadidType(4, "color diffusion", diffuse_color, (1, 3, 6, 8, 12), None, "other"),
    KadidType(6, "color quantization", quantize_color, (64, 48, 32, 16, 8), "quantization.palette", "other"),
    KadidType(7, "saturation, HSV", scale_saturation, (0.4, 0.2, 0.1, 0, -0.4), "saturate_weaken.hsv"),
    KadidType(8, "saturation, Lab", scale_chroma, (1, 2, 3, 6, 9), "saturate_strengthen.ycbcr"),
    KadidType(9, "JPEG 2000", compress_jpeg2000, (16, 32, 45, 120, 400), "compression.jpeg2000"),
    KadidType(10, "JPEG", compress_jpeg, (43, 36, 24, 7, 4), "compression.jpeg"),
    KadidType(11, "white noise", add_noise, (0.001, 0.002, 0.003, 0.005, 0.01), "noise.gaussian_rgb"),
    KadidType(12, "noise, YCbCr", add_noise_ycbcr, (0.0001, 0.0005, 0.001, 0.002, 0.003), "noise.gaussian_ycbcr"),
    KadidType(13, "impulse noise", add_impulses, (0.001, 0.005, 0.01, 0.02, 0.03), "noise.impulse"),
    KadidType(14, "multiplicative noise", multiply_noise, (0.001, 0.005, 0.01, 0.02, 0.05), "noise.speckle"),
    KadidType(16, "brighten", brighten, (0.1, 0.2, 0.4, 0.7, 1.1), "brighten.gamma_rgb", "tone"),
    KadidType(17, "darken", darken, (0.05, 0.1, 0.2, 0.4, 0.8), "darken.gamma_rgb", "tone"),
    KadidType(18, "mean shift", shift_mean, (0.15, 0.08, 0, -0.08, -0.15), "brighten.shift_rgb", "tone"),
    KadidType(19, "jitter", jitter, (0.05, 0.1, 0.2, 0.5, 1), "blur.jitter"),
    KadidType(21, "pixelate", pixelate, (0.01, 0.05, 0.1, 0.2, 0.5), "pixelate.block", "blocks"),
    KadidType(22, "quantization", quantize, (20, 16, 13, 10, 7), "quantization.uniform"),
    KadidType(24, "sharpening", sharpen, (1, 2, 3, 6, 12), "oversharpen.unsharp_mask"),
    KadidType(25, "contrast", change_contrast, (0.3, 0.15, 0, -0.4, -0.6), "contrast_strengthen.sigmoid", "tone"),
)
"""Four of KADID's types are not made: color shift, denoise, non-eccentricity patch and color block."""


def render_cell(image: Pixels, kind: KadidType, level: int, seed: tuple[str | int, ...]) -> np.ndarray:
    """Distort an image as KADID does at `level` 1..5: uint8 RGB. `seed` is the address of the randomness."""
    rng = np.random.default_rng([int(word) for word in stream("people", *seed, kind.number).words(2)])
    return _quantize(kind.operator(image, kind.settings[level - 1], rng))
