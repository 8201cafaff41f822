"""Which names of an image can be offered beside each other: what lies inside a region is no wrong answer.

Where more than half of a name's pixels lie inside the distorted region (the bowl on the dining table, the same thing
annotated twice), it was distorted as well. It may not be offered, and neither may the table when the bowl is the
answer: a pair that comes up with one of the two answers only would give it away. So names are kept or left out in
pairs, and for an image as a whole, before anybody knows which of them is the answer.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from distortlab.core.region import Box, Region
from distortlab.references.base import Annotation, Reference

__all__ = ["NameGroups", "count_instances", "select_compatible_names"]

Pairs = frozenset[frozenset[str]]
_MOST = 0.5


def select_compatible_names(names: Iterable[str], pairs: Pairs) -> frozenset[str]:
    """As many of the names as can stand together, the first ones first."""
    kept: set[str] = set()
    for name in names:
        if not any(frozenset((name, other)) in pairs for other in kept):
            kept.add(name)
    return frozenset(kept)


def count_instances(reference: Reference) -> Mapping[str, int]:
    """How often each name is annotated in an image, whether it could be distorted there or not."""
    return Counter(place.object for place in reference.annotated or reference.regions if place.object is not None)


@dataclass(frozen=True)
class _Group:
    """The annotations of one name."""

    places: list[Annotation]

    @cached_property
    def pixels(self) -> Region:
        return Region.union([place.region for place in self.places])

    def lies_inside(self, region: Region) -> bool:
        """Whether more than half of all pixels lie inside a region. Nothing is drawn where no box meets that of it, and
        no pixels are compared where the region, or what of its box is within the boxes, is too small for half of them.
        """
        most = sum(_count_common(place.reach, region.bbox) for place in self.places)
        if not most or min(most, region.area) <= _MOST * self.pixels.area:
            return False
        return self.pixels.count_common(region) > _MOST * self.pixels.area


class NameGroups:
    """The annotations of a reference by name, and which of the names lie inside its regions: found out once each."""

    def __init__(self, reference: Reference) -> None:
        self._regions = reference.regions
        self._groups: dict[str, _Group] = {}
        self._known: dict[tuple[str, Region], bool] = {}
        for place in reference.annotated or reference.regions:
            if place.object is not None:
                self._groups.setdefault(place.object, _Group([])).places.append(place)

    def find_names_inside(self, region: Region) -> frozenset[str]:
        """The names of which more than half of all pixels lie inside a region; its own name may be among them."""
        return frozenset(name for name in self._groups if self._lies_inside(name, region))

    @cached_property
    def conflicting_pairs(self) -> Pairs:
        """Pairs of names of which one lies inside a region of the other."""
        return frozenset(
            frozenset((place.object, name))
            for place in self._regions
            if place.object is not None
            for name in self._groups
            if name != place.object and self._lies_inside(name, place.region)
        )

    def _lies_inside(self, name: str, region: Region) -> bool:
        key = (name, region)
        if key not in self._known:
            self._known[key] = self._groups[name].lies_inside(region)
        return self._known[key]


def _count_common(a: Box, b: Box) -> int:
    """How many pixels are in both boxes."""
    return max(min(a.x2, b.x2) - max(a.x1, b.x1), 0) * max(min(a.y2, b.y2) - max(a.y1, b.y1), 0)
