"""Which of the regions that were annotated in an image may be distorted."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from distortlab.core.region import Region
from distortlab.recipe import RegionRules
from distortlab.references.base import NamedRegion
from distortlab.references.regions.rules import find_rule_violation

__all__ = ["AnnotatedRegion", "RegionSelection", "select_regions"]


@dataclass(frozen=True, slots=True)
class AnnotatedRegion:
    """A region that was annotated in an image.

    Parameters
    ----------
    name
        What it shows; None where nobody said.
    region
        The region at the size of the image, or in a few words why it cannot be drawn.
    crowd
        Whether it shows several objects under one name.
    """

    name: str | None
    region: Region | str
    crowd: bool = False


@dataclass(frozen=True, slots=True)
class RegionSelection:
    """The regions that may be distorted, all that could be drawn, and counts of those left out, by reason."""

    regions: tuple[NamedRegion, ...]
    annotated: tuple[NamedRegion, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)


def select_regions(candidates: Iterable[AnnotatedRegion], rules: RegionRules) -> RegionSelection:
    """Select the regions that pass the rules of a recipe, in the order they come."""
    selected: list[NamedRegion] = []
    annotated: list[NamedRegion] = []
    skipped: Counter[str] = Counter()
    for candidate in candidates:
        if isinstance(candidate.region, str):
            skipped[candidate.region] += 1
            continue
        named = NamedRegion(candidate.region, candidate.name)
        annotated.append(named)
        reason = "crowd" if candidate.crowd and not rules.crowd else find_rule_violation(candidate.region, rules)
        if reason is None:
            selected.append(named)
        else:
            skipped[reason] += 1
    return RegionSelection(tuple(selected), tuple(annotated), dict(skipped))
