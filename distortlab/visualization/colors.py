"""The color of a family, wherever regions of several are outlined in one picture."""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["DARK", "FAMILY_COLORS", "MARK", "Color", "get_color"]

Color = tuple[int, int, int]

MARK: Color = (255, 210, 0)
"""Of a region where there is only one."""
DARK: Color = (17, 17, 17)
"""Of what lies under a mark, and of figures on one."""

FAMILY_COLORS: Mapping[str, Color] = MappingProxyType(
    {
        "blur": (77, 166, 255),
        "noise": (255, 154, 31),
        "compression": (47, 224, 198),
        "brighten": (255, 241, 77),
        "darken": (157, 139, 255),
        "contrast_strengthen": (255, 90, 77),
        "contrast_weaken": (255, 184, 168),
        "saturate_strengthen": (82, 224, 82),
        "saturate_weaken": (216, 240, 200),
        "oversharpen": (255, 255, 255),
        "pixelate": (255, 99, 216),
        "quantization": (184, 166, 144),
    }
)
"""Light enough for dark figures. Any two are 17 CIEDE2000 apart or more; figures tell apart what a viewer cannot."""


def get_color(family: str) -> Color:
    """The color of a family; that of a single region for a name that is none."""
    return FAMILY_COLORS.get(family, MARK)
