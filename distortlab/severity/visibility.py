"""How visible a change of a region is, and whether it may bear its label.

V is the larger of a structural and a colour change, each divided by what is just noticeable:
`V = max(colour / 2.3, structure / 0.02)`. `structure` is the gradient magnitude similarity deviation of luma at half
size (GMSD: Xue, Zhang, Mou and Bovik 2014, doi:10.1109/TIP.2013.2293423); `colour` is the mean CIEDE2000, with CIE's
parametric factors 2:1:1, between 5x5 means taken in linear light (what is left of a colour from a little distance).
Both are weighted by how much of a block belongs to the region. Where a family makes gradients steeper or flatter and
leaves them where they are, s just-noticeable differences of structure count as s^2 / (s + 3).

V is about 1 where a change is just visible. It is a model; docs/people.md holds it against what people said of
distorted photographs, docs/visibility.md says what it is blind to.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from distortlab.core.image import Image
from distortlab.distortions.edit import Visibility
from distortlab.severity.ciede2000 import ciede2000
from distortlab.severity.direction import find_trend
from distortlab.severity.scene import Floats, Scene, compute_gradient, compute_luma, weighted_mean

__all__ = [
    "GATES",
    "GRADIENT_FLOOR",
    "STEEPNESS",
    "combine_changes",
    "find_label_fault",
    "find_region_fault",
    "measure_visibility",
]

_COLOR_UNIT, _STRUCTURE_UNIT = 2.3, 0.02
STEEPNESS = frozenset({"brighten", "darken", "contrast_strengthen", "contrast_weaken", "oversharpen"})
"""Families that make gradients steeper or flatter and leave them where they are."""
# Such a change is masked by the contrast that was there: a response that accelerates from nothing, and is proportional
# where it is strong (Legge and Foley 1980, doi:10.1364/JOSA.70.001458). docs/people.md: so people's scores have it.
_MASKED = 3.0
# Of these choices (docs/people.md): a change of lightness annoys people about half as much as one of chroma or hue, and
# gradients well below 17 levels (squared, Xue et al. have 170) count little.
_K_LIGHTNESS = 2.0
GRADIENT_FLOOR = 300.0


def measure_visibility(scene: Scene, after: Image, name: str) -> Visibility:
    """Measure how visible a change is.

    Parameters
    ----------
    scene
        The region before the change.
    after
        The region's box after it, uint8 RGB, of the shape of the image that `scene` was made from.
    name
        The distortion, "family.variant": it decides what `trend` measures, and how structure counts.

    Returns
    -------
    Visibility
        Each number rounded to 4 decimals.
    """
    luma, lab, direction = compute_luma(after), scene.compute_lab(after), find_trend(name)
    structure, colour = _measure_structure(scene, luma), _measure_color(scene, lab)
    trend = direction.measure(scene, luma, lab) if direction else 0.0
    v = combine_changes(structure, colour, name)
    return Visibility(*(round(float(x), 4) for x in (v, structure, colour, trend)))


def combine_changes(structure: float, colour: float, name: str) -> float:
    """V of a change of structure and one of colour by the distortion `name`."""
    seen = structure / _STRUCTURE_UNIT
    if name.partition(".")[0] in STEEPNESS:
        seen *= seen / (seen + _MASKED)
    return max(colour / _COLOR_UNIT, seen)


def _measure_structure(scene: Scene, luma: NDArray[np.uint8]) -> float:
    """The weighted standard deviation of the similarity of gradients."""
    weight, before = scene.gradient
    after = compute_gradient(luma)
    similarity, below = 2 * before, before * before
    similarity *= after
    similarity += GRADIENT_FLOOR
    below += after * after
    below += GRADIENT_FLOOR
    similarity /= below
    similarity -= np.float32(weighted_mean(similarity, weight, scene.gradient_total))
    similarity *= similarity
    return weighted_mean(similarity, weight, scene.gradient_total) ** 0.5


def _measure_color(scene: Scene, after: Floats) -> float:
    weight, before = scene.colors
    return weighted_mean(ciede2000(before, after, _K_LIGHTNESS), weight)


@dataclass(frozen=True, slots=True)
class Gate:
    """What a region must have for a distortion to show: `measure` within `low`..`high`, else `reason` is counted.

    `stat` is the name of the measure in the docs.
    """

    stat: str
    measure: Callable[[Scene], float]
    low: float
    high: float
    reason: str


_FLAT = (
    Gate("spread", lambda scene: scene.spread, 6.0, np.inf, "flat region"),
    Gate("detail", lambda scene: scene.detail, 1.5, np.inf, "flat region"),
)
_GREY = (Gate("chroma", lambda scene: scene.chroma, 6.0, np.inf, "grey region"),)
_NOT_WHITE = (Gate("mean", lambda scene: scene.mean, 0.0, 225.0, "near white"),)
_NOT_BLACK = (Gate("mean", lambda scene: scene.mean, 30.0, 255.0, "near black"),)
_NOT_DARK = (Gate("mean", lambda scene: scene.mean, 38.0, 255.0, "near black"),)
GATES: Mapping[str, tuple[Gate, ...]] = MappingProxyType(
    {
        "blur": _FLAT,
        "oversharpen": _FLAT,
        "pixelate": _FLAT,
        "contrast_strengthen": _FLAT,
        "contrast_weaken": _FLAT,
        "saturate_strengthen": _GREY,
        "saturate_weaken": _GREY,
        "brighten": _NOT_WHITE,
        "darken": _NOT_BLACK,
        "noise.speckle": _NOT_DARK,
    }
)


def find_region_fault(scene: Scene, name: str) -> str | None:
    """Why a distortion (`family.variant`) could not show in this region, or None. Nothing needs to be rendered."""
    for gate in (*GATES.get(name.partition(".")[0], ()), *GATES.get(name, ())):
        if not gate.low <= gate.measure(scene) <= gate.high:
            return gate.reason
    return None


def find_label_fault(visibility: Visibility, name: str, minimum: float) -> str | None:
    """Why an edit must not be labelled as the distortion `name`, or None: V below `minimum`, or the wrong direction."""
    direction = find_trend(name)
    if visibility.v < minimum:
        return "not visible"
    if direction and visibility.trend < direction.least:
        return "wrong direction"
    return None
