"""Which regions may be distorted: one logic, for rendered masks and for annotations nobody has drawn yet."""

from distortlab.core.region import Box, Region
from distortlab.recipe import RegionRules

__all__ = ["TOO_SMALL", "find_box_violation", "find_rule_violation", "find_size_violation", "is_surely_too_small"]

TOO_SMALL = "too small"


def find_rule_violation(region: Region, rules: RegionRules) -> str | None:
    """Why a region may not be distorted.

    Parameters
    ----------
    region
        In the image that would be distorted. Its mask is decoded last, if at all.
    rules
        Of the recipe.

    Returns
    -------
    str or None
        The reason in a word or three; None where the region may be distorted.
    """
    if reason := find_size_violation(region, rules):
        return reason
    return "in pieces" if rules.min_largest_part and region.largest_part < rules.min_largest_part else None


def find_size_violation(region: Region, rules: RegionRules) -> str | None:
    """Why a region may not be distorted, whatever its shape: `find_rule_violation` without decoding its mask."""
    box = region.bbox
    return find_box_violation(region.area, (box.width, box.height), region.size, rules)


def find_box_violation(
    area: float, box: tuple[float, float] | None, size: tuple[int, int], rules: RegionRules
) -> str | None:
    """Why a region may not be distorted, from numbers alone.

    Parameters
    ----------
    area
        Of the region, in pixels.
    box
        Width and height of its box in pixels; None where they are not known.
    size
        (rows, columns) of the image.
    rules
        Of the recipe.

    Returns
    -------
    str or None
        The reason in a word or three; None where nothing speaks against it.
    """
    frame = size[0] * size[1]
    if area <= 0:
        return "empty"
    if area < rules.min_area * frame:
        return TOO_SMALL
    if area > rules.max_area * frame:
        return "too large"
    if box is None:
        return None
    if min(box) < rules.min_side:
        return "too thin"
    if box[0] * box[1] > rules.max_box * frame:
        return "covers the frame"
    return None


def is_surely_too_small(reach: Box, size: tuple[int, int], rules: RegionRules) -> bool:
    """Whether no region within a box (`reach`) of an image of `size` (rows, columns) is large enough."""
    return reach.width * reach.height < rules.min_area * (size[0] * size[1])
