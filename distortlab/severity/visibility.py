"""How far a region changed, whether a person could see it, and whether it went the way its label says.

V is the larger of a structural and a colour change, each divided by what is just noticeable:
`V = max(colour / 2.3, structure / 0.045)`. `structure` is 1 - SSIM of luma over 8x8 blocks; `colour` is the mean
CIEDE2000 between 5x5 means taken in linear light (what is left of a colour from a little distance). Both are weighted
by how much of a block belongs to the region. V is about 1 where a change is just visible. It is a model, not a study
with people; docs/visibility.md compares it with Gaussian SSIM and full-resolution CIEDE2000 and says what it is blind
to.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from distortlab.core.image import Image
from distortlab.core.region import Mask
from distortlab.severity.ciede2000 import ciede2000, lab_of_linear

__all__ = ["Scene", "Visibility", "gate", "measure", "trend_of", "verdict"]

Floats = NDArray[np.floating]

_SSIM_BLOCK = 8
_COLOUR_BLOCK = 5
# A region of more than twice as many pixels is measured in strips; both block sizes divide a strip.
_ENOUGH, _STRIP = 16384, 40
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


@dataclass(frozen=True, slots=True)
class Visibility:
    """What an edit did inside its region.

    `v` just-noticeable differences; `structure` 1 - SSIM, 0..2; `colour` mean CIEDE2000; `trend` how far it went the
    way its family says, in the unit of the family's row in `TRENDS` (0 where the family has no direction).
    """

    v: float
    structure: float
    colour: float
    trend: float


class Scene:
    """A region before it is changed: the parts of the measurement that need only be made once."""

    def __init__(self, image: Image, mask: Mask) -> None:
        """`image` is the region's box cut out of the reference, uint8 (rows, columns, 3); `mask` 0 or 1, same size."""
        self._rows = _strips(mask.shape[0], mask.size)
        self.image: Image = self.part(image)
        self.mask: Mask = self.part(mask)

    def part(self, pixels: Any) -> Any:
        """The rows that are measured: all of a small region, every n-th strip of a large one."""
        return np.ascontiguousarray(pixels if self._rows is None else pixels[self._rows])

    @cached_property
    def luma(self) -> NDArray[np.uint8]:
        """8-bit luma."""
        return _luma(self.image)

    @cached_property
    def moments(self) -> tuple[Floats, Floats, Floats]:
        """Block weights, block means and block mean squares of luma."""
        plane = self.luma.astype(np.float32)
        return _shrunk(self.mask, _SSIM_BLOCK), _shrunk(plane, _SSIM_BLOCK), _shrunk(plane * plane, _SSIM_BLOCK)

    @cached_property
    def colours(self) -> tuple[Floats, Floats]:
        """Weights and CIELAB of the 5x5 means."""
        return _shrunk(self.mask, _COLOUR_BLOCK), _lab(self.image)

    @cached_property
    def chroma(self) -> float:
        """Mean chroma of the region, CIELAB units."""
        weight, lab = self.colours
        return _mean(np.hypot(lab[..., 1], lab[..., 2]), weight)

    @cached_property
    def mean(self) -> float:
        """Mean luma of the region, 0..255."""
        return float(cv2.mean(self.luma, self.mask)[0])

    @cached_property
    def spread(self) -> float:
        """Standard deviation of luma in the region, levels."""
        return _spread(self.luma, self.mask)

    @cached_property
    def detail(self) -> float:
        """Root mean square step between neighbouring pixels of the region, levels."""
        return _detail(self.luma, self.mask)


def _strips(rows: int, pixels: int) -> NDArray[np.intp] | None:
    """Which rows of a region of `pixels` to measure: whole strips of blocks, so that no block is cut."""
    every = pixels // _ENOUGH
    if every < 2 or rows < _STRIP * every:
        return None
    index = np.arange(rows)
    return index[(index // _STRIP) % every == every // 2]


def _luma(image: Image) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def _shrunk(plane: NDArray[np.generic], block: int) -> Floats:
    """Block means; the last row and column of blocks are filled up by repeating the edge (or, for a mask, with 0)."""
    rows, columns = plane.shape[:2]
    border = cv2.BORDER_CONSTANT if plane.dtype == np.uint8 and plane.ndim == 2 else cv2.BORDER_REPLICATE
    if rows % block or columns % block:
        plane = cv2.copyMakeBorder(plane, 0, -rows % block, 0, -columns % block, border)
    size = (plane.shape[1] // block, plane.shape[0] // block)
    return np.asarray(cv2.resize(np.asarray(plane, np.float32), size, interpolation=cv2.INTER_AREA), np.float32)


_LINEAR = np.arange(256) / 255
_LINEAR = np.where(_LINEAR <= 0.04045, _LINEAR / 12.92, ((_LINEAR + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _lab(image: Image) -> Floats:
    return lab_of_linear(_shrunk(cv2.LUT(image, _LINEAR), _COLOUR_BLOCK))


def _mean(values: Floats, weight: Floats) -> float:
    return float((values * weight).sum(dtype=np.float64) / max(float(weight.sum(dtype=np.float64)), 1e-9))


def _spread(luma: NDArray[np.uint8], mask: Mask) -> float:
    return float(cv2.meanStdDev(luma, mask=mask)[1][0, 0])


def _detail(luma: NDArray[np.uint8], mask: Mask) -> float:
    total, count = 0.0, 0
    for a, b, inside in (
        (luma[:, 1:], luma[:, :-1], mask[:, 1:] & mask[:, :-1]),
        (luma[1:], luma[:-1], mask[1:] & mask[:-1]),
    ):
        if inside.size:
            total += cv2.norm(np.ascontiguousarray(a), np.ascontiguousarray(b), cv2.NORM_L2SQR, inside)
            count += int(np.count_nonzero(inside))
    return float(np.sqrt(total / max(count, 1)))


def trend_of(name: str) -> "Trend | None":
    """Which way a distortion (`family.variant`) must go, or None where there is no such way."""
    return TRENDS.get(name, TRENDS.get(name.partition(".")[0]))


def measure(scene: Scene, after: Image, name: str) -> Visibility:
    """Compare a region with what `name` (`family.variant`) made of it; `after` has the shape of `scene.image`."""
    after = scene.part(after)
    luma, way = _luma(after), trend_of(name)
    structure, colour = _structure(scene, luma), _colour(scene, after)
    trend = way.measure(scene, after, luma) if way else 0.0
    v = max(colour / 2.3, structure / 0.045)
    return Visibility(*(round(float(x), 4) for x in (v, structure, colour, trend)))


def _structure(scene: Scene, luma: NDArray[np.uint8]) -> float:
    weight, mx, xx = scene.moments
    before, plane = scene.luma.astype(np.float32), luma.astype(np.float32)
    my = _shrunk(plane, _SSIM_BLOCK)
    yy, xy = _shrunk(plane * plane, _SSIM_BLOCK) - my * my, _shrunk(before * plane, _SSIM_BLOCK) - mx * my
    ssim = (2 * mx * my + _C1) * (2 * xy + _C2) / ((mx * mx + my * my + _C1) * (xx - mx * mx + yy + _C2))
    return 1 - _mean(ssim, weight)


def _colour(scene: Scene, after: Image) -> float:
    weight, before = scene.colours
    return _mean(ciede2000(before, _lab(after)), weight)


# --- direction ------------------------------------------------------------------------------------------------------


def _luma_rise(scene: Scene, after: Image, luma: NDArray[np.uint8]) -> float:
    return float(cv2.mean(luma, scene.mask)[0]) - scene.mean


def _luma_fall(scene: Scene, after: Image, luma: NDArray[np.uint8]) -> float:
    return -_luma_rise(scene, after, luma)


def _spread_gain(scene: Scene, after: Image, luma: NDArray[np.uint8]) -> float:
    return _spread(luma, scene.mask) / max(scene.spread, 1e-6) - 1


def _spread_loss(scene: Scene, after: Image, luma: NDArray[np.uint8]) -> float:
    return -_spread_gain(scene, after, luma)


def _chroma_gain(scene: Scene, after: Image, luma: NDArray[np.uint8]) -> float:
    lab = _lab(after)
    return _mean(np.hypot(lab[..., 1], lab[..., 2]), scene.colours[0]) - scene.chroma


def _chroma_loss(scene: Scene, after: Image, luma: NDArray[np.uint8]) -> float:
    return -_chroma_gain(scene, after, luma)


def _detail_gain(scene: Scene, after: Image, luma: NDArray[np.uint8]) -> float:
    return _detail(luma, scene.mask) / max(scene.detail, 1e-6) - 1


def _detail_loss(scene: Scene, after: Image, luma: NDArray[np.uint8]) -> float:
    return -_detail_gain(scene, after, luma)


def _tiling(scene: Scene, after: Image, luma: NDArray[np.uint8]) -> float:
    def equal(plane: NDArray[np.uint8]) -> float:
        inside = scene.mask[:, 1:] & scene.mask[:, :-1]
        return float(((plane[:, 1:] == plane[:, :-1]) & (inside != 0)).sum() / max(int(inside.sum()), 1))

    return equal(luma) - equal(scene.luma)


@dataclass(frozen=True, slots=True)
class Trend:
    """Which way a family must go: `measure` must reach `least`, in `unit`."""

    measure: Callable[[Scene, Image, NDArray[np.uint8]], float]
    least: float
    unit: str


TRENDS: Mapping[str, Trend] = MappingProxyType(
    {
        "blur": Trend(_detail_loss, 0.01, "relative loss of detail"),
        # Pixels that trade places are each as sharp as before, and differ more from their neighbours.
        "blur.jitter": Trend(_detail_gain, 0.01, "relative gain of detail"),
        "noise": Trend(_detail_gain, 0.001, "relative gain of detail"),
        "brighten": Trend(_luma_rise, 3.0, "levels of mean luma"),
        "darken": Trend(_luma_fall, 3.0, "levels of mean luma"),
        "contrast_strengthen": Trend(_spread_gain, 0.05, "relative gain of spread"),
        "contrast_weaken": Trend(_spread_loss, 0.05, "relative loss of spread"),
        "saturate_strengthen": Trend(_chroma_gain, 3.0, "CIELAB chroma"),
        "saturate_weaken": Trend(_chroma_loss, 3.0, "CIELAB chroma"),
        "oversharpen": Trend(_detail_gain, 0.01, "relative gain of detail"),
        "pixelate": Trend(_tiling, 0.1, "share of equal neighbours"),
        "quantization": Trend(_tiling, 0.05, "share of equal neighbours"),
    }
)


@dataclass(frozen=True, slots=True)
class Gate:
    """A region whose `stat` is outside `low`..`high` is not worth a try; `reason` is counted."""

    stat: str
    low: float
    high: float
    reason: str


_FLAT = (Gate("spread", 6.0, np.inf, "flat region"), Gate("detail", 1.5, np.inf, "flat region"))
_GREY = (Gate("chroma", 6.0, np.inf, "grey region"),)
GATES: Mapping[str, tuple[Gate, ...]] = MappingProxyType(
    {
        "blur": _FLAT,
        "oversharpen": _FLAT,
        "pixelate": _FLAT,
        "contrast_strengthen": _FLAT,
        "contrast_weaken": _FLAT,
        "saturate_strengthen": _GREY,
        "saturate_weaken": _GREY,
        "brighten": (Gate("mean", 0.0, 225.0, "near white"),),
        "darken": (Gate("mean", 30.0, 255.0, "near black"),),
        "noise.speckle": (Gate("mean", 38.0, 255.0, "near black"),),
    }
)


def gate(scene: Scene, name: str) -> str | None:
    """Why a distortion (`family.variant`) cannot show in this region, or None: known before anything is drawn."""
    for rule in (*GATES.get(name.partition(".")[0], ()), *GATES.get(name, ())):
        if not rule.low <= getattr(scene, rule.stat) <= rule.high:
            return rule.reason
    return None


def verdict(seen: Visibility, name: str, minimum: float) -> str | None:
    """Why an edit must not become a label, or None."""
    way = trend_of(name)
    if seen.v < minimum:
        return "not visible"
    if way and seen.trend < way.least:
        return "wrong direction"
    return None
