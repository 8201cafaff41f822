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
