"""Every variant goes the way of its family, and its opposite does not."""

import numpy as np
import pytest
from samples import NAMES, SEVERITIES, Pixels, blob, distorted, whole

from distortlab.core.region import Region
from distortlab.distortions.catalog import FAMILIES, find
from distortlab.severity.direction import TRENDS, find_trend
from distortlab.severity.scene import Scene
from distortlab.severity.visibility import find_label_fault, measure_visibility


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("name", NAMES)
def test_every_variant_goes_its_way_on_a_photograph(name: str, severity: int, photograph: Pixels) -> None:
    # From odd coordinates on: at half size a mosaic of 2 x 2 on even ones is the same picture.
    mask = np.roll(blob(photograph.shape[:2]), (1, 1), axis=(0, 1))
    cut = Region.from_mask(mask)
    out = distorted(photograph, find(name), severity, mask, feather=2)
    scene = Scene(np.ascontiguousarray(photograph[cut.bbox.slices]), cut.mask)
    seen = measure_visibility(scene, np.ascontiguousarray(out[cut.bbox.slices]), name)
    assert find_label_fault(seen, name, 1.0) is None, seen


OPPOSITES = [
    ("blur.gaussian", "oversharpen.unsharp_mask"),
    ("oversharpen.unsharp_mask", "blur.gaussian"),
    ("noise.gaussian_rgb", "blur.gaussian"),
    ("blur.jitter", "blur.gaussian"),
    ("brighten.shift_rgb", "darken.shift_rgb"),
    ("darken.gamma_value", "brighten.gamma_value"),
    ("contrast_strengthen.scale", "contrast_weaken.scale"),
    ("contrast_weaken.compress", "contrast_strengthen.sigmoid"),
    ("saturate_strengthen.hsv", "saturate_weaken.hsv"),
    ("saturate_weaken.ycbcr", "saturate_strengthen.ycbcr"),
    ("pixelate.block", "noise.gaussian_rgb"),
    ("quantization.median", "noise.gaussian_rgb"),
]


@pytest.mark.parametrize(("label", "done"), OPPOSITES)
def test_the_opposite_is_the_wrong_direction(label: str, done: str, small: Pixels) -> None:
    out = distorted(small, find(done), 4, whole((96, 128)))
    seen = measure_visibility(Scene(small, whole((96, 128))), out, label)
    assert seen.trend < 0
    assert find_label_fault(seen, label, 1.0) == "wrong direction"


def test_a_quantization_shows_its_levels(photograph: Pixels) -> None:
    """Where noise hides the levels, few neighbors become equal: no label, whatever V is."""
    noise = np.random.default_rng(3).normal(0, 12, photograph.shape)
    noisy = np.clip(photograph + noise, 0, 255).astype(np.uint8)
    inside = whole(photograph.shape[:2])
    for image, fault in ((photograph, None), (noisy, "wrong direction")):
        out = distorted(image, find("quantization.median"), 1, inside)
        seen = measure_visibility(Scene(image, inside), out, "quantization.median")
        assert (find_label_fault(seen, "quantization.median", 0.5), seen.v > 1) == (fault, True), seen


def test_every_family_but_compression_has_a_direction() -> None:
    for family in FAMILIES:
        assert (find_trend(f"{family}.any") is None) == (family == "compression")
    assert find_trend("blur.jitter") is not find_trend("blur.gaussian")
    assert all(way.unit for way in TRENDS.values())
