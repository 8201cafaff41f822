"""The direction in which a distortion must change a region: brightening adds luma, blur takes detail away."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from distortlab.severity.scene import Floats, Scene, compute_mean, compute_spread, weighted_mean

__all__ = ["TRENDS", "Trend", "find_trend"]


def _luma_rise(scene: Scene, luma: NDArray[np.uint8], lab: Floats) -> float:
    return compute_mean(luma, scene.mask) - scene.mean


def _luma_fall(scene: Scene, luma: NDArray[np.uint8], lab: Floats) -> float:
    return -_luma_rise(scene, luma, lab)


def _spread_gain(scene: Scene, luma: NDArray[np.uint8], lab: Floats) -> float:
    return compute_spread(luma, scene.mask) / max(scene.spread, 1e-6) - 1


def _spread_loss(scene: Scene, luma: NDArray[np.uint8], lab: Floats) -> float:
    return -_spread_gain(scene, luma, lab)


def _chroma_gain(scene: Scene, luma: NDArray[np.uint8], lab: Floats) -> float:
    return weighted_mean(np.hypot(lab[..., 1], lab[..., 2]), scene.colors[0]) - scene.chroma


def _chroma_loss(scene: Scene, luma: NDArray[np.uint8], lab: Floats) -> float:
    return -_chroma_gain(scene, luma, lab)


def _detail_gain(scene: Scene, luma: NDArray[np.uint8], lab: Floats) -> float:
    return scene.compute_detail(luma) / max(scene.detail, 1e-6) - 1


def _detail_loss(scene: Scene, luma: NDArray[np.uint8], lab: Floats) -> float:
    return -_detail_gain(scene, luma, lab)


def _tiling(scene: Scene, luma: NDArray[np.uint8], lab: Floats) -> float:
    inside = scene.mask[:, 1:] & scene.mask[:, :-1]

    def equal(plane: NDArray[np.uint8]) -> float:
        alike = (plane[:, 1:] == plane[:, :-1]).view(np.uint8)
        return int(np.count_nonzero(alike & inside)) / max(int(np.count_nonzero(inside)), 1)

    return equal(luma) - equal(scene.luma)


@dataclass(frozen=True, slots=True)
class Trend:
    """The direction of a family: `measure(scene, luma, lab)` must reach `least`, in `unit`; luma and CIELAB, as
    `Scene.compute_lab` has it, are those of the region after the change.
    """

    measure: Callable[[Scene, NDArray[np.uint8], Floats], float]
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
        # Below, the person of docs/observers.md is right in a third of the draws, above in four of five.
        "quantization": Trend(_tiling, 0.25, "share of equal neighbours"),
    }
)


def find_trend(name: str) -> "Trend | None":
    """The direction of a distortion (`family.variant`), or None where it has none."""
    return TRENDS.get(name, TRENDS.get(name.partition(".")[0]))
