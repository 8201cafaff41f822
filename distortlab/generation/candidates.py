"""Which names of an image can be offered beside each other: what lies inside a region is no wrong answer.

Where more than half of a name's pixels lie inside the distorted region (the bowl on the dining table, the same thing
annotated twice), it was distorted as well. It may not be offered, and neither may the table when the bowl is the
answer: a pair that comes up with one of the two answers only would give it away. So names are kept or left out in
pairs, and for an image as a whole, before anybody knows which of them is the answer.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from distortlab.core.region import Region
from distortlab.references.base import NamedRegion, Reference

__all__ = ["count_instances", "find_conflicting_pairs", "find_names_inside", "select_compatible_names"]

Pairs = frozenset[frozenset[str]]
_MOST = 0.5


def find_names_inside(region: Region, reference: Reference) -> frozenset[str]:
    """The names of which more than half of all pixels lie inside a region; its own name may be among them."""
    pixels = _pixels_by_name(reference.annotated or reference.regions)
    return frozenset(name for name, own in pixels.items() if _is_inside(own, region))


def find_conflicting_pairs(reference: Reference) -> Pairs:
    """Pairs of names of which one lies inside a region of the other."""
    pixels = _pixels_by_name(reference.annotated or reference.regions)
    return frozenset(
        frozenset((place.object, name))
        for place in reference.regions
        if place.object is not None
        for name, own in pixels.items()
        if name != place.object and _is_inside(own, place.region)
    )


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


def _pixels_by_name(places: Iterable[NamedRegion]) -> dict[str, Region]:
    by_name: dict[str, list[Region]] = {}
    for place in places:
        if place.object is not None:
            by_name.setdefault(place.object, []).append(place.region)
    return {name: Region.union(regions) for name, regions in by_name.items()}


def _is_inside(pixels: Region, region: Region) -> bool:
    return pixels.count_common(region) > _MOST * pixels.area
