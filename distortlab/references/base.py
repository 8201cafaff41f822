"""What a source of reference images must offer.

A source lists *entries*: small, picklable, found without opening an image. An entry is loaded where it is used, in
whatever process that is, so an annotation file is read once and no worker ever sees more of it than its share.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from distortlab.core.image import Image
from distortlab.core.region import Box, Region
from distortlab.recipe import ReferenceRules, RegionRules

__all__ = ["Annotation", "Entry", "NamedRegion", "Reference", "References"]


class Annotation(Protocol):
    """Something that was annotated in an image, whether it may be distorted or not."""

    @property
    def object(self) -> str | None:
        """What it shows; None where nobody said."""
        ...

    @property
    def reach(self) -> Box:
        """A box that holds its region: known without drawing it."""
        ...

    @property
    def region(self) -> Region:
        """Its pixels, drawn when they are first wanted."""
        ...


@dataclass(frozen=True, slots=True)
class NamedRegion:
    """A region that may be distorted, and what it shows (None where nobody said)."""

    region: Region
    object: str | None

    @property
    def reach(self) -> Box:
        """The box of the region."""
        return self.region.bbox


@dataclass(frozen=True, slots=True)
class Reference:
    """A clean image with its regions, ready to be distorted.

    `encoded` is a file (JPEG or PNG, `extension` without the dot) that decodes to exactly `image` in any reader:
    the original bytes where they do, else a lossless copy (EXIF-rotated, grey, CMYK, 16-bit, RGBA or shrunk originals).
    `regions` have passed the rules, but for whether a single outline is in one piece: that is looked at when its region
    is to be changed; `objects` are the distinct names of everything annotated in the image, `annotated`
    all that could be drawn of it, `skipped` counts annotations that were left out, by reason. `drawn_by_hand`: the
    outlines are people's, and may hold some of the background.
    """

    id: str
    image: Image
    encoded: bytes
    extension: str
    source: str
    license: str
    regions: tuple[NamedRegion, ...]
    objects: tuple[str, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    annotated: tuple[Annotation, ...] = ()
    drawn_by_hand: bool = False


class Entry(Protocol):
    """One reference that can be loaded. Instances are small, frozen and picklable."""

    @property
    def id(self) -> str:
        """Unique in its source and the same on every machine."""
        ...

    @property
    def name_count(self) -> int:
        """How many names its regions have to choose from, as far as can be told without opening it; 0: not known."""
        ...

    @property
    def region_count(self) -> int:
        """How many regions could be distorted, as far as can be told without opening it; 0: not known."""
        ...

    def load(self, references: ReferenceRules, regions: RegionRules) -> Reference:
        """Read, turn upright, convert, shrink, find the regions.

        Raises `BadReference` (with the reason) where the file or its annotation cannot be used. Does not screen:
        `screening.screen` does that. Pure: the same entry gives the same reference in every process.
        """
        ...


class References(Protocol):
    """A source of references."""

    @property
    def name(self) -> str:
        """The kind of source: `scenes`, `coco`, `folder`; of the Hub, which data set at which commit."""
        ...

    @property
    def license(self) -> str:
        """A sentence for the card of the data set: whose the images are and what may be done with them."""
        ...

    @property
    def fingerprint(self) -> str:
        """SHA-256 over everything that decides the entries: the same data set continues only on the same references."""
        ...

    @property
    def count(self) -> int | None:
        """How many entries could pass the region rules, judged without opening an image; None: as many as you like."""
        ...

    @property
    def vocabulary(self) -> Mapping[str, float]:
        """Object names with the share of entries that hold them; empty where regions have no names."""
        ...

    @property
    def alone(self) -> Mapping[str, float]:
        """Object names with the share of entries in which nothing of another name could be distorted; names that are
        never alone may be left out.
        """
        ...

    @property
    def skipped(self) -> Mapping[str, int]:
        """Entries and annotations left out while listing, by reason."""
        ...

    def entries(self, count: int) -> Sequence[Entry]:
        """The first `count` entries (all, where there are fewer), in an order that is the same everywhere."""
        ...
