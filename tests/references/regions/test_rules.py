"""Which regions may be distorted."""

import numpy as np
import pytest
from coco_samples import REGIONS

from distortlab.core.region import Box, Region
from distortlab.references.regions.outlines import (
    Rectangle,
)
from distortlab.references.regions.rules import find_box_violation, find_rule_violation

# pycocotools 2.0.11 has not followed NumPy 2 in how an array is copied.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        (Box(10, 10, 110, 110), None),
        (Box(10, 10, 40, 40), "too small"),
        (Box(0, 0, 400, 160), "too large"),
        (Box(10, 10, 300, 40), "too thin"),
        (Box(10, 10, 10, 10), "empty"),
    ],
)
def test_rules_agree_for_regions_and_for_numbers(box: Box, reason: str | None) -> None:
    region = Region.from_box(box, (300, 400))
    assert find_rule_violation(region, REGIONS) == reason
    assert find_box_violation(box.width * box.height, (box.width, box.height), (300, 400), REGIONS) == reason


def test_a_frame_around_the_picture_covers_it() -> None:
    mask = np.ones((300, 400), np.uint8)
    mask[30:-30, 30:-30] = 0
    assert find_rule_violation(Region.from_mask(mask), REGIONS) == "covers the frame"
    assert Rectangle(-5, -5, 10, 10).clip((300, 400)) == (0, 0, 5, 5)
