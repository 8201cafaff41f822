"""Trials: an operator on a part of a region at half its size, to tell what its family does to the region."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from distortlab.core.image import Image
from distortlab.core.region import Box, Mask
from distortlab.distortions.base import Site
from distortlab.distortions.catalog import find
from distortlab.severity.half_size import HalfSize, choose_rows, shrink_mask, shrink_pixels
from distortlab.severity.scene import Floats, Scene
from distortlab.severity.visibility import combine_changes

__all__ = ["Trial", "TrialSample"]

_ENOUGH = 16384
"""Pixels of the region's box at full size that a trial is made on, to twice as many."""
_COLORS = 256
# Of 8-bit CIELAB.
_LAB_OFFSET, _LAB_UNIT = np.array([0, 128, 128], np.float32), np.array([100 / 255, 1, 1], np.float32)
_LEAST = 0.2


@dataclass(frozen=True, slots=True)
class Trial:
    """A variant, the setting it is tried with, and the version of its operator that coefficients were fitted with."""

    variant: str
    amount: float
    version: int


class TrialSample:
    """The part of a region on which operators are tried.

    Parameters
    ----------
    scene
        The region before it is changed.
    """

    def __init__(self, scene: Scene) -> None:
        rows = choose_rows(scene.mask, _ENOUGH)
        chosen = slice(None) if rows is None else rows
        covered = shrink_mask(scene.mask[chosen])
        self.image: Image = shrink_pixels(scene.image[chosen])
        self.mask = (covered >= min(2, int(covered.max()))).astype(np.uint8)
        self._half = HalfSize(_compute_luma(self.image), covered, rows)
        self._picked = _pick_places(self.mask)
        self._colors = self._pick_colors(self.image)

    def measure(self, trial: Trial) -> float:
        """The logarithm of about the V that a trial has."""
        rows, columns = self.mask.shape
        box = Box(0, 0, columns, rows)
        site = Site((rows, columns), box, box, self.mask, self.image, ("statistics",))
        after = find(trial.variant).operator(self.image, trial.amount, site)
        structure = self._half.measure_structure(_compute_luma(after))
        color = float(_compare_colors(self._colors, self._pick_colors(after)).mean())
        return math.log(combine_changes(structure, color, trial.variant) + _LEAST)

    def _pick_colors(self, image: Image) -> Floats:
        """CIELAB of some hundred pixels of the sample, (n, 3)."""
        picked = image.reshape(-1, 3).take(self._picked, axis=0)
        lab = np.asarray(cv2.cvtColor(picked[None], cv2.COLOR_RGB2LAB)[0], np.float32)
        return (lab - _LAB_OFFSET) * _LAB_UNIT


def _pick_places(mask: Mask) -> NDArray[np.intp]:
    """Some hundred pixels of a mask, in a grid, as places in the flat image."""
    step = max(1, math.isqrt(cv2.countNonZero(mask) // _COLORS))
    grid = np.arange(mask.size).reshape(mask.shape)[step // 2 :: step, step // 2 :: step]
    picked = grid[mask[step // 2 :: step, step // 2 :: step] != 0]
    return picked if picked.size else np.flatnonzero(mask)


def _compute_luma(image: Image) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def _compare_colors(before: Floats, after: Floats) -> Floats:
    """CIE94 differences with parametric factors 2:1:1, (n,): nearly what V has, at a fraction of the time."""
    away = before - after
    chroma = np.hypot(before[:, 1], before[:, 2])
    gain = chroma - np.hypot(after[:, 1], after[:, 2])
    hue = np.maximum(away[:, 1] ** 2 + away[:, 2] ** 2 - gain * gain, 0)
    light, gain = away[:, 0] / 2, gain / (1 + np.float32(0.045) * chroma)
    return np.asarray(np.sqrt(light * light + gain * gain + hue / (1 + np.float32(0.015) * chroma) ** 2), np.float32)
