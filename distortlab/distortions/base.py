"""A distortion: an operator with one dial, and two ladders of five settings for it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from distortlab.core.image import Image
from distortlab.core.region import Box, Mask
from distortlab.core.seeds import Stream, stream

__all__ = [
    "TARGETS",
    "Dial",
    "Distortion",
    "Ladder",
    "Operator",
    "Profile",
    "Shares",
    "Site",
    "depictqa_ladder",
    "fixed_extent",
    "matched_ladder",
    "no_halo",
]

Profile = Literal["matched", "dq"]


@dataclass(frozen=True)
class Site:
    """What an operator is told about the region that it distorts.

    `frame` is the (rows, columns) of the whole image, `crop` the part of it that the operator is given, `region` the
    box of the pixels that will be kept, all in image coordinates. `address` names the randomness; it does not hold the
    severity, so that every severity of one edit has the same noise and the same angle. `scale` is the short side of
    the image over 512: lengths in a ladder are meant for a short side of 512 pixels.
    """

    frame: tuple[int, int]
    crop: Box
    region: Box
    mask: Mask
    image: Image
    address: tuple[str | int, ...]
    scale: float = 1.0

    @cached_property
    def pixels(self) -> Image:
        """The region's own pixels, uint8 (N, 3): what a pivot, a palette or a quantiser is computed from."""
        inner = np.ascontiguousarray(self.image[self.region.relative_to(self.crop).slices])
        # As values of 3 bytes: many times as fast as by a mask.
        own = inner.reshape(-1).view("V3").take(np.flatnonzero(self.mask))
        return np.asarray(own.view(np.uint8).reshape(-1, 3), np.uint8)

    def count_levels(self, plane: NDArray[np.uint8]) -> NDArray[np.float64]:
        """How many of the region's pixels have each of the 256 levels of a plane of the crop, (rows, columns)."""
        inner = np.ascontiguousarray(plane[self.region.relative_to(self.crop).slices])
        return cv2.calcHist([inner], [0], self.mask, [256], [0, 256]).ravel().astype(np.float64)

    @property
    def center(self) -> tuple[float, float]:
        """(x, y) of the middle of the region's box, in image coordinates."""
        return (self.region.x1 + self.region.x2 - 1) / 2, (self.region.y1 + self.region.y2 - 1) / 2

    def stream(self, name: str) -> Stream:
        """A stream of this edit for single numbers."""
        return stream(*self.address, name)

    def draw_field(self, name: str, depth: int) -> NDArray[np.uint16]:
        """Uniform 16-bit noise for the crop, (rows, columns, depth).

        The field belongs to the whole image and is addressed by pixel: a crop sees the same values that the whole
        image would. Only the rows of the crop are drawn.
        """
        rows, columns = self.crop.height, self.frame[1]
        words = -(-columns * depth // 4)
        source = self.stream(name)
        source.skip(self.crop.y1 * words)
        values = source.uint16((rows, words * 4))[:, : columns * depth]
        return values.reshape(rows, columns, depth)[:, self.crop.x1 : self.crop.x2]


# (image, amount, site) -> image: pure, input untouched, same shape. `image` is `site.image`.
Operator = Callable[[Image, float, Site], Image]
# Of severities 1 to 5.
Shares = tuple[float, float, float, float, float]
# (amount, scale) -> pixels
Extent = Callable[[float, float], int]


def no_halo(amount: float, scale: float) -> int:
    """The halo of operators that read one pixel at a time: 0 pixels."""
    return 0


def no_grid(amount: float, scale: float) -> int:
    """The grid of operators whose result does not depend on where the crop begins: 1 pixel."""
    return 1


def fixed_extent(pixels: int) -> Extent:
    """So many pixels, whatever the amount and the scale."""
    return lambda amount, scale: pixels


@dataclass(frozen=True, slots=True)
class Dial:
    """The range of a setting, from the weakest to the strongest that makes sense (either may be the larger number).

    `whole` settings are whole numbers. `step`: settings that are searched for are multiples of it, a power of two whose
    products with 8-bit pixels are exact in float32, so that every processor rounds them alike; 0: any number.
    """

    weakest: float
    strongest: float
    whole: bool = False
    step: float = 0.0

    def contains(self, amount: float) -> bool:
        """Whether `amount` lies between the ends (a NaN does not)."""
        low, high = sorted((self.weakest, self.strongest))
        return low <= amount <= high

    def interpolate(self, place: float) -> float:
        """The setting at `place` 0 (weakest) .. 1 (strongest): geometric where both ends have one sign."""
        place = min(max(place, 0.0), 1.0)
        if self._geometric:
            value = self.weakest * (self.strongest / self.weakest) ** place
        else:
            value = self.weakest + (self.strongest - self.weakest) * place
        if self.step:
            low, high = sorted((self.weakest, self.strongest))
            first, last = math.ceil(low / self.step), math.floor(high / self.step)
            return min(max(round(value / self.step), first), last) * self.step
        return float(round(value)) if self.whole else value

    def locate(self, amount: float) -> float:
        """Where on the dial `amount` is, 0..1: the inverse of `at`, but for rounding."""
        if self._geometric:
            place = math.log(amount / self.weakest) / math.log(self.strongest / self.weakest)
        else:
            place = (amount - self.weakest) / (self.strongest - self.weakest)
        return min(max(place, 0.0), 1.0)

    @property
    def _geometric(self) -> bool:
        return self.weakest * self.strongest > 0


@dataclass(frozen=True, slots=True)
class Ladder:
    """Five settings of a dial, weak to strong, where they come from, and how they differ from that source."""

    values: tuple[float, float, float, float, float]
    source: str
    deviation: str = ""


TARGETS: tuple[float, float, float, float, float] = (1.8, 2.6, 3.8, 5.5, 8.0)
"""V of severities 1 to 5. Each is at least 1.44 times the one below: two edits within a factor of 1.2 of their targets
are in the order of their severities.
"""


def matched_ladder(*values: float) -> Ladder:
    """Settings tuned so that the median region changes by about `TARGETS` (docs/ladders.md)."""
    return Ladder(values, "tuned on photographs, benchmarks/severity/ladders.py")  # type: ignore[arg-type]


def depictqa_ladder(*values: float, deviation: str = "") -> Ladder:
    """DepictQA's settings, for data to be compared with DQ-495K; `deviation` is how the operator differs."""
    return Ladder(values, "DepictQA x_distortion 59aea4a (Apache-2.0)", deviation)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Distortion:
    """A row of the catalogue.

    `name` is `family.variant` and never changes once a data set carries it; a change of behaviour raises `version`.
    `halo` is how far the operator looks beyond a pixel, `grid` what the crop must be aligned to. A `spatial` dial is
    multiplied by `Site.scale`. `local` operators give the same pixels on the crop as on the whole image; the others
    (codecs) are defined on the aligned crop. `random` operators give other pixels at another address.

    `reach` is the share of regions, of those that the gates let through, in which some setting gives severities 1 to 5
    (`benchmarks/severity/ladders.py --reach`). `declined` are severities that the `matched` profile leaves to other
    variants whatever the reach, because there it looks like another family; `docs/distortions.md` says which.
    """

    name: str
    operator: Operator
    unit: str
    dial: Dial
    matched: Ladder
    dq: Ladder | None
    halo: Extent = no_halo
    grid: Extent = no_grid
    spatial: bool = False
    local: bool = True
    random: bool = False
    version: int = 1
    reach: Shares = (1.0, 1.0, 1.0, 1.0, 1.0)
    declined: tuple[int, ...] = ()

    @property
    def family(self) -> str:
        """The family: the part of the name before the dot."""
        return self.name.partition(".")[0]

    @property
    def variant(self) -> str:
        """The part of the name after the dot."""
        return self.name.partition(".")[2]

    def get_ladder(self, profile: Profile) -> Ladder | None:
        """The ladder of a profile, or None where the profile has no such variant."""
        return self.matched if profile == "matched" else self.dq
