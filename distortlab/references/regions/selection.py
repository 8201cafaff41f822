"""Which of the regions that were annotated in an image may be distorted."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from distortlab.core.region import Box, Region
from distortlab.recipe import RegionRules
from distortlab.references.base import Annotation, NamedRegion
from distortlab.references.regions.outlines import Drawing, draw_regions
from distortlab.references.regions.rules import (
    TOO_SMALL,
    find_rule_violation,
    find_size_violation,
    is_surely_too_small,
)

__all__ = ["AnnotatedRegion", "RegionSelection", "UndrawnRegion", "select_regions"]


@dataclass(frozen=True, slots=True)
class AnnotatedRegion:
    """A region that was annotated in an image.

    Parameters
    ----------
    name
        What it shows; None where nobody said.
    region
        The region at the size of the image, or what draws it; or in a few words why it cannot be drawn.
    crowd
        Whether it shows several objects under one name.
    """

    name: str | None
    region: Region | Drawing | str
    crowd: bool = False


@dataclass(frozen=True, slots=True)
class UndrawnRegion:
    """An annotation whose region is drawn when it is first wanted."""

    drawing: Drawing
    object: str | None

    @property
    def reach(self) -> Box:
        """A box that holds the region."""
        return self.drawing.reach

    @property
    def region(self) -> Region:
        """The region."""
        return self.drawing.region


@dataclass(frozen=True, slots=True)
class RegionSelection:
    """The regions that may be distorted, all that could be drawn, and counts of those left out, by reason."""

    regions: tuple[NamedRegion, ...]
    annotated: tuple[Annotation, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)


def select_regions(candidates: Iterable[AnnotatedRegion], rules: RegionRules) -> RegionSelection:
    """Select the regions that pass the rules of a recipe, in the order they come.

    What is left out for being in a crowd, or is too small whatever is in its box, is not drawn. That a single outline
    is in one piece is taken for granted here, and looked at when its region is to be changed.
    """
    known = [(candidate, _find_early_violation(candidate, rules)) for candidate in candidates]
    draw_regions([one.region for one, reason in known if isinstance(one.region, Drawing) and not reason])
    selected: list[NamedRegion] = []
    annotated: list[Annotation] = []
    skipped: Counter[str] = Counter()
    for candidate, reason in known:
        region, name = candidate.region, candidate.name
        if isinstance(region, str):
            skipped[region] += 1
            continue
        annotated.append(UndrawnRegion(region, name) if isinstance(region, Drawing) else NamedRegion(region, name))
        if reason := reason or _find_violation(region, rules):
            skipped[reason] += 1
        else:
            selected.append(NamedRegion(annotated[-1].region, name))
    return RegionSelection(tuple(selected), tuple(annotated), dict(skipped))


def _find_early_violation(candidate: AnnotatedRegion, rules: RegionRules) -> str | None:
    """Why a region may not be distorted, as far as can be told without drawing it."""
    if candidate.crowd and not rules.crowd:
        return "crowd"
    region = candidate.region
    is_too_small = isinstance(region, Drawing) and is_surely_too_small(region.reach, region.size, rules)
    return TOO_SMALL if is_too_small else None


def _find_violation(region: Region | Drawing, rules: RegionRules) -> str | None:
    """Why a region may not be distorted, or None."""
    if isinstance(region, Drawing):
        return (find_size_violation if region.is_one_outline else find_rule_violation)(region.region, rules)
    return find_rule_violation(region, rules)
