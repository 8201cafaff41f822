"""What an image consists of: whether its recipe asks for that, and whether a data set has the shares of kinds.

Nothing here looks at pixels.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from distortlab.core.region import Region
from distortlab.dataset.composition import describe_kind, find_kind, share_kinds
from distortlab.recipe import Recipe

__all__ = ["check_composition", "check_shares"]

Row = Mapping[str, Any]


def check_composition(row: Row, recipe: Recipe | None) -> Iterator[str]:
    """What is wrong with the regions of a row of `images` together: their number, families and places."""
    if recipe is None:
        return
    rules = recipe.composition
    kind = find_kind(row, rules)
    if kind not in share_kinds(rules):
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
    shares = share_kinds(recipe.composition)
    if len(shares) == 1:
        return
    for split in sorted({split for split, _ in kinds}):
        images = sum(count for (of, _), count in kinds.items() if of == split)
        for kind, share in shares.items():
            count = kinds.get((split, kind), 0)
            if abs(count - share * images) > 1 + unfilled:
                asked = f"{share * images:.1f} by the shares of the recipe"
                yield f"{split}: {count:,} of {images:,} images are {describe_kind(kind)}, {asked}"
