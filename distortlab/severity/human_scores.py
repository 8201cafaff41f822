"""The mean score that people would give to a change, from how visible it is.

The curve was fitted to KADID-10k (Lin, Hosu and Saupe 2019): 70 cells (14 distortions at 5 levels) whose settings were
made again on photographs, V measured on the whole image, and the mean score that some thirty people gave to each of 81
pictures. `make people` fits it anew (docs/people.md), and a test holds the numbers here to that fit.

People judged whole pictures. Nobody judged regions: a change of a part has an edge that a change of the whole has not.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from distortlab.distortions.base import TARGETS

__all__ = [
    "BEST",
    "ERROR",
    "ERROR_OUTSIDE",
    "JUDGED",
    "KADID_MEANS",
    "SCALE",
    "HumanScore",
    "describe_basis",
    "describe_severities",
    "estimate_score",
    "find_human_score",
]

SCALE: Mapping[int, str] = MappingProxyType(
    {5: "imperceptible", 4: "perceptible but not annoying", 3: "slightly annoying", 2: "annoying", 1: "very annoying"}
)
"""What people answered: the wording of KADID-10k (degradation category rating)."""

BEST, _WORST = 4.65, 1.0
"""The score of no change: a little more than what people gave to unchanged pictures (4.61)."""
_MIDDLE, _SLOPE, _OFFSET = 1.0641, 1.5234, 0.2422

ERROR = 0.25
"""Points of a score: how far the curve is off for a distortion that it was not fitted on (root mean square)."""
ERROR_OUTSIDE = 0.85
"""The same for changes of tone and for pixelation, which people forgive more than V does."""

JUDGED: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "blur.gaussian": (0.00, 10.44),
        "blur.lens": (0.72, 10.56),
        "blur.motion": (0.00, 6.48),
        "blur.jitter": (0.25, 6.87),
        "noise.gaussian_rgb": (0.73, 4.52),
        "noise.gaussian_ycbcr": (0.34, 4.24),
        "noise.speckle": (0.29, 5.65),
        "noise.impulse": (1.03, 5.55),
        "compression.jpeg": (0.77, 8.13),
        "compression.jpeg2000": (0.42, 7.60),
        "saturate_strengthen.ycbcr": (0.01, 7.15),
        "saturate_weaken.hsv": (2.46, 6.81),
        "quantization.uniform": (0.62, 3.62),
    }
)
"""Variants that KADID-10k has too, and the range of V over which its people judged them. Sharpening is not among them:
with which radius KADID sharpened is not documented.
"""

KADID_MEANS: Mapping[str, tuple[tuple[float, float], ...]] = MappingProxyType(
    {
        "blur.gaussian": ((0.00, 4.61), (0.24, 4.38), (1.85, 2.91), (5.27, 1.87), (10.44, 1.30)),
        "blur.lens": ((0.72, 3.86), (2.39, 2.65), (6.51, 1.76), (9.27, 1.44), (10.56, 1.30)),
        "blur.motion": ((0.00, 4.60), (0.19, 4.09), (1.67, 2.85), (3.44, 2.17), (6.48, 1.67)),
        "blur.jitter": ((0.25, 4.42), (0.73, 4.09), (1.70, 3.23), (3.97, 1.85), (6.87, 1.34)),
        "noise.gaussian_rgb": ((0.73, 3.89), (1.34, 3.39), (1.88, 3.04), (2.81, 2.71), (4.52, 2.30)),
        "noise.gaussian_ycbcr": ((0.34, 4.47), (1.06, 3.68), (1.90, 3.17), (3.22, 2.69), (4.24, 2.38)),
        "noise.speckle": ((0.29, 4.40), (1.14, 3.58), (2.00, 3.08), (3.30, 2.64), (5.65, 2.12)),
        "noise.impulse": ((1.03, 3.58), (2.31, 2.93), (3.26, 2.61), (4.58, 2.31), (5.55, 2.13)),
        "compression.jpeg": ((0.77, 4.34), (0.85, 4.25), (1.12, 3.87), (4.82, 1.95), (8.13, 1.35)),
        "compression.jpeg2000": ((0.42, 4.55), (1.06, 4.21), (1.61, 3.87), (3.97, 2.44), (7.60, 1.39)),
        "brighten.gamma_rgb": ((0.68, 4.51), (1.35, 4.29), (2.65, 3.63), (4.90, 2.70), (7.56, 1.81)),
        "darken.gamma_rgb": ((0.37, 4.60), (0.75, 4.53), (1.50, 4.23), (3.05, 3.54), (7.75, 2.22)),
        "saturate_strengthen.ycbcr": ((0.01, 4.58), (2.36, 3.33), (3.73, 2.65), (5.93, 1.82), (7.15, 1.52)),
        "saturate_weaken.hsv": ((2.46, 2.75), (3.43, 2.33), (3.97, 2.26), (4.52, 2.24), (6.81, 2.03)),
        "oversharpen.unsharp_mask": ((2.20, 3.58), (4.80, 2.64), (6.48, 2.14), (8.89, 1.61), (10.31, 1.34)),
        "pixelate.block": ((6.75, 3.89), (7.17, 3.10), (7.46, 2.90), (7.87, 2.79), (9.82, 1.50)),
        "quantization.uniform": ((0.62, 4.17), (0.89, 3.93), (1.32, 3.69), (2.11, 3.37), (3.62, 2.80)),
    }
)
"""(V, mean score) of KADID-10k's levels 1 to 5, for the variants of `JUDGED` and those that are most like another of
its distortions: brightening, darkening, sharpening (of a radius that is not known), pixelation (by the nearest pixel).
"""

_OUTSIDE = ("brighten", "darken", "contrast_strengthen", "contrast_weaken", "pixelate")


@dataclass(frozen=True, slots=True)
class HumanScore:
    """The expected mean score of a variant at a severity.

    Parameters
    ----------
    score
        1 (very annoying) to 5 (imperceptible).
    error
        Root mean square, in points of a score.
    basis
        "measured" where KADID's people judged this distortion at this V, else "extrapolated": the variant is not in
        KADID-10k, or weaker or stronger there.
    """

    score: float
    error: float
    basis: Literal["measured", "extrapolated"]


def estimate_score(v: float) -> float:
    """Estimate the mean score that people give to a change.

    Parameters
    ----------
    v
        How visible it is (`distortlab.severity.visibility`), 0 or more.

    Returns
    -------
    float
        1 (very annoying) to 4.65 (no change), falling as `v` grows.

    Examples
    --------
    >>> from distortlab.severity.human_scores import estimate_score
    >>> estimate_score(0) > estimate_score(3) > estimate_score(9) > 1
    True
    """
    power = _SLOPE * (math.log(max(v, 0.0) + _OFFSET) - _MIDDLE)
    return _WORST + (BEST - _WORST) / (1 + math.exp(min(power, 700.0)))


def find_human_score(name: str, severity: int) -> HumanScore:
    """The expected mean score of the variant `name` ("family.variant") at `severity` 1..5 of the `matched` ladder."""
    target = TARGETS[severity - 1]
    low, high = JUDGED.get(name, (math.inf, -math.inf))
    error = ERROR_OUTSIDE if name.partition(".")[0] in _OUTSIDE else ERROR
    return HumanScore(round(estimate_score(target), 2), error, "measured" if low <= target <= high else "extrapolated")


def describe_severities() -> str:
    """What people would say of severities 1 to 5, in a sentence."""
    scores = [estimate_score(target) for target in TARGETS]
    return (
        f"People would give severities 1 to 5 a mean score of {', '.join(f'{score:.1f}' for score in scores)} "
        f"(5 {SCALE[5]}, 4 {SCALE[4]}, 3 {SCALE[3]}, 2 {SCALE[2]}, 1 {SCALE[1]}), give or take {ERROR:.1f}; "
        f"for changes of tone and pixelation, which people forgive more, {ERROR_OUTSIDE:.1f}."
    )


def describe_basis(name: str) -> str:
    """The severities of a variant at which people judged the same distortion, as "1-4"; "-": none."""
    measured = [severity for severity in range(1, 6) if find_human_score(name, severity).basis == "measured"]
    if not measured:
        return "-"
    return f"{measured[0]}-{measured[-1]}" if len(measured) > 1 else f"{measured[0]}"
