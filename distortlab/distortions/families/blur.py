"""Blur: Gaussian, defocus, motion, frosted glass, zoom, and pixel jitter."""

import cv2
import numpy as np
from numpy.typing import NDArray

from distortlab.core.image import Image
from distortlab.distortions.base import Dial, Distortion, Site, depictqa_ladder, fixed_extent, matched_ladder
from distortlab.distortions.exact_math import BORDER, blur_gaussian, convolve


def gaussian_blur(image: Image, sigma: float, site: Site) -> Image:
    """Gaussian blur; `sigma` in pixels."""
    return blur_gaussian(image, sigma)


def lens_blur(image: Image, radius: float, site: Site) -> Image:
    """Defocus: the mean over a disc of `radius` pixels, with its edge pixels weighted by the area they share."""
    return convolve(image, _disc(radius))


def _disc(radius: float, fine: int = 8) -> NDArray[np.float64]:
    reach = int(np.ceil(radius))
    side = (2 * reach + 1) * fine
    offset = np.arange(side) - (side - 1) / 2
    inside = offset[:, None] ** 2 + offset[None, :] ** 2 <= (radius * fine) ** 2
    shares = inside.reshape(2 * reach + 1, fine, 2 * reach + 1, fine).mean((1, 3))
    shares[reach, reach] = max(shares[reach, reach], 1 / fine**2)  # a disc smaller than a pixel is that pixel
    return shares


def motion_blur(image: Image, length: float, site: Site) -> Image:
    """Motion along a straight line of `length` pixels, centred on the pixel, at an angle drawn once per edit."""
    return convolve(image, _line(length, site.stream("angle").uniform(0, np.pi)))


def _line(length: float, angle: float) -> NDArray[np.float64]:
    """Points along the line, each shared bilinearly among the four pixels around it."""
    reach = int(np.ceil(length / 2)) + 1
    along = np.linspace(-length / 2, length / 2, 8 * int(np.ceil(length)) + 1)
    x, y = reach + along * np.cos(angle), reach + along * np.sin(angle)
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    for dx, wx in ((0, 1 - x + column), (1, x - column)):
        for dy, wy in ((0, 1 - y + row), (1, y - row)):
            np.add.at(kernel, (np.minimum(row + dy, 2 * reach), np.minimum(column + dx, 2 * reach)), wx * wy)
    return kernel


def glass_blur(image: Image, sigma: float, site: Site) -> Image:
    """Frosted glass: blur, move pixels at random, blur again.

    `sigma` in pixels is the dial. Reach and number of passes follow it through DepictQA's table, without jumps; below
    0.7 only a share of the pixels moves, so that the weak end is weak.
    """
    reach, out = _glass_reach(sigma), blur_gaussian(image, sigma)
    for k, share in enumerate(_glass_shares(sigma)):
        out = _scatter(out, reach, share, site.draw_field(f"glass {k}", 3))
    return blur_gaussian(out, sigma)


def _glass_reach(sigma: float) -> float:
    """DepictQA's 1, 2, 2, 3 and 4 px, straight lines between them, and 3 px for each px of sigma beyond."""
    return float(np.interp(sigma, (0.7, 0.9, 1.2, 1.4, 1.6, 9.6), (1, 2, 2, 3, 4, 28)))


def _glass_shares(sigma: float) -> tuple[float, ...]:
    """Of the pixels, how many each pass moves: the second one sets in between DepictQA's 0.9 (one) and 1.2 (two)."""
    first, second = min(1.0, (sigma / 0.7) ** 2), min(1.0, (sigma - 0.9) / 0.3)
    return (first, second) if second > 0 else (first,)


def _glass_halo(sigma: float, scale: float) -> int:
    return 2 * int(np.ceil(3 * sigma)) + int(np.ceil(_glass_reach(sigma))) * len(_glass_shares(sigma))


def _scatter(image: Image, reach: float, share: float, field: NDArray[np.uint16]) -> Image:
    """Every pixel, with probability `share`, takes the value of another at most `reach` away in each direction.

    Of a reach that is not whole, the last pixel is chosen as much less often.
    """
    rows, columns = image.shape[:2]
    moved = field[..., 2] < min(65536, round(share * 65536))
    width = round((2 * reach + 1) * 256)
    steps = ((field[..., :2].astype(np.int32) - 32768) * width + (1 << 23)) >> 24
    steps *= moved[..., None]
    steps[..., 0] += np.arange(columns, dtype=np.int32)
    steps[..., 1] += np.arange(rows, dtype=np.int32)[:, None]
    out = cv2.remap(image, steps.astype(np.int16), None, cv2.INTER_NEAREST, borderMode=BORDER)
    return np.asarray(out, dtype=np.uint8)


def zoom_blur(image: Image, factor: float, site: Site) -> Image:
    """The mean of views zoomed in by 1 to `factor` about the middle of the region, 1.5 px apart at its corner."""
    radius = np.hypot(site.region.width, site.region.height) / 2
    views = int(np.clip(np.ceil(radius * (factor - 1) / 1.5), 4, 24))
    total = np.zeros(image.shape, np.uint16)
    for zoom in np.linspace(1, factor, views):
        total += _zoom(image, float(zoom), site)
    return ((total + views // 2) // views).astype(np.uint8)


def _zoom(image: Image, zoom: float, site: Site) -> Image:
    """Bilinear, with source positions rounded to 32nds of a pixel of the whole image: the same on every crop."""
    (cx, cy), crop = site.center, site.crop
    x = np.rint((cx + (np.arange(crop.x1, crop.x2) - cx) / zoom) * 32).astype(np.int32) - 32 * crop.x1
    y = np.rint((cy + (np.arange(crop.y1, crop.y2) - cy) / zoom) * 32).astype(np.int32) - 32 * crop.y1
    whole = np.stack(np.broadcast_arrays((x >> 5)[None, :], (y >> 5)[:, None]), axis=-1).astype(np.int16)
    part = ((x & 31)[None, :] + 32 * (y & 31)[:, None]).astype(np.uint16)
    return np.asarray(cv2.remap(image, whole, part, cv2.INTER_LINEAR, borderMode=BORDER), dtype=np.uint8)


def jitter_blur(image: Image, reach: float, site: Site) -> Image:
    """Pixels trade places at random. `reach` is the mean distance in pixels: 0.3 moves three in ten by up to 1."""
    far = max(1, int(np.ceil(reach)))
    return _scatter(image, far, reach / far, site.draw_field("jitter", 3))


BLUR = (
    Distortion(
        "blur.gaussian",
        gaussian_blur,
        "sigma, px",
        Dial(0.2, 30),
        matched_ladder(1.2, 1.48, 1.88, 2.52, 4),
        depictqa_ladder(1, 2, 3, 4, 5, deviation="cut at 3 sigma instead of 4, rounded instead of truncated"),
        halo=lambda sigma, scale: int(np.ceil(3 * sigma)),
        spatial=True,
    ),
    Distortion(
        "blur.lens",
        lens_blur,
        "radius, px",
        Dial(0.5, 40),
        matched_ladder(2.1, 2.6, 3.3, 4.4, 6.4),
        depictqa_ladder(2, 3, 4, 6, 8, deviation="edge pixels of the disc are weighted by area, not in or out"),
        halo=lambda radius, scale: int(np.ceil(radius)),
        spatial=True,
        reach=(1, 1, 1, 0.99, 0.99),
    ),
    Distortion(
        "blur.motion",
        motion_blur,
        "length, px",
        Dial(1.5, 120),
        matched_ladder(4.4, 5.5, 7.5, 10.7, 17.4),
        depictqa_ladder(
            6.3, 10.4, 14.6, 18.8, 25.0,
            deviation="a centred line as wide (standard deviation) as DepictQA's one-sided half Gaussian of sigma "
            "3, 5, 7, 9, 12, which shifts the picture by 2 to 9 px; the angle is shared by the severities",
        ),
        halo=lambda length, scale: int(np.ceil(length / 2)) + 1,
        spatial=True,
        reach=(1, 1, 1, 1, 0.97),
        random=True,
    ),
    Distortion(
        "blur.glass",
        glass_blur,
        "sigma, px",
        Dial(0.2, 10),
        matched_ladder(0.57, 0.75, 0.89, 1.12, 1.54),
        depictqa_ladder(
            0.7, 0.9, 1.2, 1.4, 1.6,
            deviation="pixels are gathered, where DepictQA's swap on array views loses 46 % of them and drifts",
        ),
        halo=_glass_halo,
        version=2,
        spatial=True,
        reach=(0.84, 0.93, 1, 1, 1),
        random=True,
    ),
    Distortion(
        "blur.zoom",
        zoom_blur,
        "largest zoom",
        Dial(1.005, 3),
        matched_ladder(1.023, 1.032, 1.049, 1.078, 1.18),
        depictqa_ladder(1.03, 1.06, 1.10, 1.15, 1.21, deviation="about the middle of the region, in steps of 1.5 px"),
        halo=fixed_extent(2),
        reach=(0.97, 1, 1, 0.99, 0.96),
    ),
    Distortion(
        "blur.jitter",
        jitter_blur,
        "mean reach, px",
        Dial(0.05, 20),
        matched_ladder(0.61, 1.12, 1.67, 2.75, 5.1),
        depictqa_ladder(1, 2, 3, 4, 5, deviation="pixels are gathered: see blur.glass"),
        halo=lambda reach, scale: int(np.ceil(reach)),
        spatial=True,
        reach=(0.99, 1, 1, 1, 0.97),
        random=True,
    ),
)  # fmt: skip
