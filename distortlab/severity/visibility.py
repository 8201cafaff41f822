"""How far a region changed, whether a person could see it, and whether it went the way its label says.

V is the larger of a structural and a colour change, each divided by what is just noticeable:
`V = max(colour / 2.3, structure / 0.045)`. `structure` is 1 - SSIM of luma over 8x8 blocks; `colour` is the mean
CIEDE2000 between 5x5 means taken in linear light (what is left of a colour from a little distance). Both are weighted
by how much of a block belongs to the region. V is about 1 where a change is just visible. It is a model, not a study
with people; docs/visibility.md compares it with Gaussian SSIM and full-resolution CIEDE2000 and says what it is blind
to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from distortlab.core.image import Image
from distortlab.distortions.edit import Visibility
from distortlab.severity.ciede2000 import ciede2000
from distortlab.severity.direction import find_trend
from distortlab.severity.scene import SSIM_BLOCK, Scene, average_blocks, compute_lab, compute_luma, weighted_mean

__all__ = ["GATES", "find_label_fault", "find_region_fault", "measure_visibility"]

_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def measure_visibility(scene: Scene, after: Image, name: str) -> Visibility:
    """Compare a region with what `name` (`family.variant`) made of it; `after` has the shape of `scene.image`."""
    after = scene.part(after)
    luma, way = compute_luma(after), find_trend(name)
    structure, colour = _structure(scene, luma), _colour(scene, after)
    trend = way.measure(scene, after, luma) if way else 0.0
    v = max(colour / 2.3, structure / 0.045)
    return Visibility(*(round(float(x), 4) for x in (v, structure, colour, trend)))


def _structure(scene: Scene, luma: NDArray[np.uint8]) -> float:
    weight, mx, xx = scene.moments
    before, plane = scene.luma.astype(np.float32), luma.astype(np.float32)
    my = average_blocks(plane, SSIM_BLOCK)
    yy, xy = average_blocks(plane * plane, SSIM_BLOCK) - my * my, average_blocks(before * plane, SSIM_BLOCK) - mx * my
    ssim = (2 * mx * my + _C1) * (2 * xy + _C2) / ((mx * mx + my * my + _C1) * (xx - mx * mx + yy + _C2))
    return 1 - weighted_mean(ssim, weight)


def _colour(scene: Scene, after: Image) -> float:
    weight, before = scene.colours
    return weighted_mean(ciede2000(before, compute_lab(after)), weight)


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


def find_region_fault(scene: Scene, name: str) -> str | None:
    """Why a distortion (`family.variant`) cannot show in this region, or None: known before anything is drawn."""
    for rule in (*GATES.get(name.partition(".")[0], ()), *GATES.get(name, ())):
        if not rule.low <= getattr(scene, rule.stat) <= rule.high:
            return rule.reason
    return None


def find_label_fault(seen: Visibility, name: str, minimum: float) -> str | None:
    """Why an edit must not become a label, or None."""
    way = find_trend(name)
    if seen.v < minimum:
        return "not visible"
    if way and seen.trend < way.least:
        return "wrong direction"
    return None
