"""`scenes`: reference images composed on the spot, for when there is no data set of photographs at hand.

Each is a collage of three to seven textured shapes over a photograph of scikit-image's wheel or a material;
every shape has an exact mask and a name ("brick star").
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import simplejpeg

from distortlab.core.region import Region
from distortlab.recipe import ReferenceRules, RegionRules
from distortlab.references.base import Reference
from distortlab.references.loading import EncodedImage, make_reference
from distortlab.references.regions.selection import AnnotatedRegion, select_regions
from distortlab.references.scenes.collage import BACKDROPS, PIECES, Collage, compose_scene
from distortlab.references.scenes.photographs import PHOTOGRAPHS
from distortlab.references.scenes.shapes import SHAPES
from distortlab.references.scenes.textures import MATERIALS

__all__ = ["LICENSE", "VERSION", "SceneEntry", "Scenes"]

VERSION = "2"
"""Raised whenever a scene comes out with other pixels or other names."""

QUALITY = 93

LICENSE = (
    "Composed by distortlab from sample photographs in the wheel of scikit-image, which describes them as "
    "public domain, CC0 or without known copyright restrictions ("
    + "; ".join(f"{name}: {photo.terms}" for name, photo in PHOTOGRAPHS.items())
    + "), and from textures drawn by formula; they may be reused freely."
)


@dataclass(frozen=True, slots=True)
class SceneEntry:
    """One scene: number `index` of a seed, composed at `size` (rows, columns)."""

    seed: int
    index: int
    size: tuple[int, int]

    @property
    def id(self) -> str:
        """`scene-000000` and on."""
        return f"scene-{self.index:06d}"

    @property
    def name_count(self) -> int:
        """A scene has at least so many pieces."""
        return min(PIECES)

    @property
    def region_count(self) -> int:
        """A scene has at least so many pieces."""
        return min(PIECES)

    def load(self, references: ReferenceRules, regions: RegionRules) -> Reference:
        """Compose the scene, at a smaller size where `references.max_side` asks for it."""
        collage = compose_scene(self.seed, self.index, _fit_size(self.size, references.max_side))
        # Decoded again: the image is what the file holds for any reader.
        encoded = collage.planes.encode_jpeg(QUALITY)
        image = np.asarray(simplejpeg.decode_jpeg(encoded, "RGB"), dtype=np.uint8)
        selection = select_regions(_label_regions(collage), regions)
        return make_reference(self.id, EncodedImage(image, encoded, "jpg"), selection, "scenes", LICENSE, collage.names)


def _fit_size(size: tuple[int, int], max_side: int) -> tuple[int, int]:
    """`size` shrunk so that no side is longer than `max_side`."""
    longest = max(size)
    if longest <= max_side:
        return size
    rows, columns = (max(1, round(side * max_side / longest)) for side in size)
    return rows, columns


def _label_regions(collage: Collage) -> Iterator[AnnotatedRegion]:
    """The region of every piece."""
    rows, columns = collage.labels.shape
    for number, (name, box) in enumerate(zip(collage.names, collage.boxes, strict=True), start=1):
        part = collage.labels[box.slices] == number
        yield AnnotatedRegion(name, Region.from_part(part, box, (rows, columns)))


@dataclass(frozen=True, slots=True)
class _SceneEntries(Sequence[SceneEntry]):
    """The scenes of some numbers, made when they are taken: a stream may ask for the millionth."""

    seed: int
    size: tuple[int, int]
    numbers: range

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, at: int) -> SceneEntry: ...
    @overload
    def __getitem__(self, at: slice) -> "_SceneEntries": ...
    def __getitem__(self, at: int | slice) -> "SceneEntry | _SceneEntries":
        if isinstance(at, slice):
            return _SceneEntries(self.seed, self.size, self.numbers[at])
        return SceneEntry(self.seed, self.numbers[at], self.size)


@dataclass(frozen=True)
class Scenes:
    """Composed scenes of `size` (rows, columns), different for every seed."""

    seed: int = 0
    size: tuple[int, int] = (480, 640)

    @property
    def name(self) -> str:
        """`scenes`."""
        return "scenes"

    @property
    def license(self) -> str:
        """Whose the photographs are."""
        return LICENSE

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the version of this code, the seed and the size."""
        text = f"{self.name}|{VERSION}|{self.seed}|{self.size[0]}x{self.size[1]}"
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def count(self) -> None:
        """As many as one likes."""
        return None

    @property
    def vocabulary(self) -> Mapping[str, float]:
        """Every name with the probability that a scene holds it.

        Shapes and materials are drawn without repetition: a pair comes up in `pieces / (shapes * materials)`
        of the scenes. A material is never laid on itself, so those that serve as backdrops are rarer.
        """
        shares = _material_shares()
        return {f"{m.name} {s.name}": shares[m.name] / len(SHAPES) for m in MATERIALS for s in SHAPES}

    @property
    def alone(self) -> Mapping[str, float]:
        """Nothing: a scene has three pieces or more."""
        return {}

    @property
    def skipped(self) -> Mapping[str, int]:
        """Nothing is left out while listing."""
        return {}

    def entries(self, count: int) -> Sequence[SceneEntry]:
        """The first `count` scenes."""
        return _SceneEntries(self.seed, self.size, range(count))


def _material_shares() -> dict[str, float]:
    """The expected number of pieces of each material in a scene."""
    names = [material.name for material in MATERIALS]
    pieces, weights = sum(PIECES) / 2, sum(BACKDROPS.values())
    shares = dict.fromkeys(names, 0.0)
    for backdrop, weight in BACKDROPS.items():
        others = [name for name in names if name != backdrop]
        for name in others:
            shares[name] += weight / weights * pieces / len(others)
    return shares
