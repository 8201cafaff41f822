"""Which regions may be distorted: one logic, for rendered masks and for annotations nobody has drawn yet."""

from distortlab.core.region import Region
from distortlab.recipe import RegionRules

__all__ = ["eligible", "eligible_box"]


def eligible(region: Region, rules: RegionRules) -> str | None:
    """None where `region` may be distorted, else why not, in a word or three. Decodes the mask last of all."""
    box = region.bbox
    if reason := eligible_box(region.area, (box.width, box.height), region.size, rules):
        return reason
    return "in pieces" if rules.min_largest_part and region.largest_part < rules.min_largest_part else None


def eligible_box(area: float, box: tuple[float, float] | None, size: tuple[int, int], rules: RegionRules) -> str | None:
    """The same from numbers: `area` in pixels, `box` (columns, rows) or None, `size` (rows, columns)."""
    frame = size[0] * size[1]
    if area <= 0:
        return "empty"
    if area < rules.min_area * frame:
        return "too small"
    if area > rules.max_area * frame:
        return "too large"
    if box is None:
        return None
    if min(box) < rules.min_side:
        return "too thin"
    if box[0] * box[1] > rules.max_box * frame:
        return "covers the frame"
    return None
