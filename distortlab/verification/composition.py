"""What an image consists of: whether that is something its recipe asks for, and whether shares of a data set are met.

Nothing here looks at pixels.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from distortlab.core.region import Region
from distortlab.recipe import CompositionRules, Recipe

__all__ = ["check_composition", "check_shares", "describe_kind", "is_whole"]

Row = Mapping[str, Any]


def is_whole(row: Row, rules: CompositionRules) -> bool:
    """Whether a row of `images` is of an image that was distorted as a whole, where there are such."""
    return rules.whole > 0 and [region["area"] for region in row["regions"]] == [1.0]


def describe_kind(row: Row, rules: CompositionRules) -> str:
    """What a row of `images` is: "pristine", "whole", or the number of its regions."""
    count = len(row["regions"])
    return "pristine" if not count else "whole" if is_whole(row, rules) else str(count)


def check_composition(row: Row, recipe: Recipe | None) -> Iterator[str]:
    """What is wrong with the regions of a row of `images` together: their number, families and places."""
    if recipe is None:
        return
    rules = recipe.composition
    kind = describe_kind(row, rules)
    if kind not in _share_kinds(rules):
        yield f"it has {'no' if kind == 'pristine' else kind} regions, and the recipe asks for no such image"
    families = Counter(region["distortion"] for region in row["regions"])
    if not rules.repeat_families:
        yield from (f"{family} is in it {count} times" for family, count in families.items() if count > 1)
    if not rules.overlap and len(row["regions"]) > 1:
        yield from _check_disjoint([Region.from_rle(region["mask_rle"]) for region in row["regions"]])


def _check_disjoint(regions: Sequence[Region]) -> Iterator[str]:
    for (one, first), (other, second) in combinations(enumerate(regions, 1), 2):
        if first.size == second.size and (common := first.count_common(second)):
            yield f"its regions {one} and {other} have {common:,} pixels in common"


def _share_kinds(rules: CompositionRules) -> dict[str, float]:
    """The share of every kind of image, of 1."""
    whole, local = sum(rules.kinds.values()), sum(rules.regions.values())
    regions = {count: rules.local / whole * share / local for count, share in rules.regions.items()}
    shares = {"pristine": rules.pristine / whole, "whole": rules.whole / whole, **regions}
    return {kind: share for kind, share in shares.items() if share > 0}


def check_shares(kinds: Mapping[tuple[str, str], int], recipe: Recipe, unfilled: int) -> Iterator[str]:
    """Whether the images of every split are of the kinds that the recipe asks for.

    Parameters
    ----------
    kinds
        How many images there are of (split, kind).
    recipe
        Has the shares, which a plan meets to one image.
    unfilled
        How many images of the plan could not be made, whichever they were.
    """
    shares = _share_kinds(recipe.composition)
    if set(shares) in ({"1"}, {"whole"}):
        return
    for split in sorted({split for split, _ in kinds}):
        images = sum(count for (of, _), count in kinds.items() if of == split)
        for kind, share in shares.items():
            count = kinds.get((split, kind), 0)
            if abs(count - share * images) > 1 + unfilled:
                asked = f"{share * images:.1f} by the shares of the recipe"
                yield f"{split}: {count:,} images of {images:,} are {_name_kind(kind)}, {asked}"


def _name_kind(kind: str) -> str:
    if not kind.isdecimal():
        return kind if kind == "pristine" else "distorted as a whole"
    return f"images of {kind} region{'s' if kind != '1' else ''}"
