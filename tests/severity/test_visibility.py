"""V against an independent measurement, what it sees and does not see, and its gates."""

import cv2
import numpy as np
import pytest
from samples import NAMES, Pixels, distorted, whole
from scipy import ndimage, stats
from skimage import color

from distortlab.core.region import Mask, Region
from distortlab.distortions.catalog import find
from distortlab.distortions.edit import Visibility
from distortlab.severity.scene import Scene
from distortlab.severity.visibility import GATES, find_label_fault, find_region_fault, measure_visibility


def flat(level: int, size: int = 64) -> Pixels:
    return np.full((size, size, 3), level, np.uint8)


def scene_of(image: Pixels) -> Scene:
    return Scene(image, whole(image.shape[:2]))


# --- the independent measurement -----------------------------------------------------------------------------------


def structure_of(before: Pixels, after: Pixels, inside: Mask) -> float:
    """GMSD as Xue et al. write it, but for 300, in float64 with SciPy: 2x2 means, Prewitt / 3, deviation."""
    gradients = []
    for image in (before, after):
        half = ndimage.uniform_filter(image @ [0.299, 0.587, 0.114], 2, origin=-1)[::2, ::2]
        gradients.append(np.hypot(ndimage.prewitt(half, 0) / 3, ndimage.prewitt(half, 1) / 3))
    first, second = gradients
    similarity = (2 * first * second + 300) / (first**2 + second**2 + 300)
    return float(similarity[inside[::2, ::2]].std())


def colour_of(before: Pixels, after: Pixels, inside: Mask) -> float:
    """Mean CIEDE2000 2:1:1 (scikit-image) after a blur of sigma 1.5 in linear light."""
    pair = []
    for image in (before, after):
        level = image / 255
        linear = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
        soft = ndimage.gaussian_filter(linear, (1.5, 1.5, 0))
        back = np.where(soft <= 0.0031308, soft * 12.92, 1.055 * np.maximum(soft, 0) ** (1 / 2.4) - 0.055)
        pair.append(color.rgb2lab(back))
    return float(color.deltaE_ciede2000(*pair, kL=2)[inside].mean())


MASKED = ("brighten", "darken", "contrast_strengthen", "contrast_weaken", "oversharpen")


def independent_v(before: Pixels, after: Pixels, inside: Mask, name: str) -> float:
    structure = structure_of(before, after, inside) / 0.02
    if name.startswith(MASKED):
        structure = structure**2 / (structure + 3)
    return max(colour_of(before, after, inside) / 2.3, structure)


def test_v_agrees_with_an_independent_measurement(photograph: Pixels, blob_mask: Pixels) -> None:
    """Over the catalogue at severities 1, 3 and 5: rank correlation above 0.95, the median within 25 %."""
    region = Region.from_mask(blob_mask)
    cut, inside = region.bbox.slices, blob_mask != 0
    scene = Scene(np.ascontiguousarray(photograph[cut]), region.mask)
    ours, theirs = [], []
    for name in NAMES:
        for severity in (1, 3, 5):
            out = distorted(photograph, find(name), severity, blob_mask)
            ours.append(measure_visibility(scene, np.ascontiguousarray(out[cut]), name).v)
            theirs.append(independent_v(photograph, out, inside, name))
    ratio = np.array(ours) / np.array(theirs)
    assert stats.spearmanr(ours, theirs).statistic > 0.95
    assert 0.8 < np.median(ratio) < 1.25
    assert np.quantile(ratio, 0.02) > 0.5
    assert np.quantile(ratio, 0.98) < 2


# --- the measurement -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_nothing_changed_is_not_visible(name: str, small: Pixels) -> None:
    seen = measure_visibility(scene_of(small), small.copy(), name)
    assert seen == Visibility(0, 0, 0, 0)
    assert find_label_fault(seen, name, 1.0) == "not visible"


def test_v_is_the_larger_of_its_parts(small: Pixels) -> None:
    for name, severity in (("blur.gaussian", 5), ("saturate_weaken.ycbcr", 5)):
        seen = measure_visibility(scene_of(small), distorted(small, find(name), severity, whole((96, 128))), name)
        parts = (seen.colour / 2.3, seen.structure / 0.02)
        # The parts are rounded to 4 decimals, V is not made of the rounded ones.
        assert seen.v == pytest.approx(max(parts), abs=0.5e-4 / 0.02 + 1e-4)
        assert (parts[0] > parts[1]) == name.startswith("saturate_")


@pytest.mark.parametrize("name", NAMES)
def test_structure_counts_less_where_gradients_only_became_steeper_or_flatter(name: str, small: Pixels) -> None:
    """The same pixels as a tone curve or as anything else: from hardly anything to nearly all of it."""
    for severity in (1, 5):
        out = distorted(small, find(name), severity, whole((96, 128)))
        seen, plain = (measure_visibility(scene_of(small), out, label) for label in (name, "compression.jpeg"))
        assert (seen.structure, seen.colour) == (plain.structure, plain.colour)
        structure = seen.structure / 0.02
        counted = structure**2 / (structure + 3) if name.startswith(MASKED) else structure
        assert seen.v == pytest.approx(max(counted, seen.colour / 2.3), rel=0.01)
        assert plain.v >= seen.v


def test_luma_is_blind_to_saturation_and_colour_is_not(photograph: Pixels) -> None:
    """Chroma scaled at constant luma: gradients of luma see next to nothing."""
    out = distorted(photograph, find("saturate_weaken.ycbcr"), 4, whole((200, 260)))
    seen = measure_visibility(scene_of(photograph), out, "saturate_weaken.ycbcr")
    assert seen.structure / 0.02 < 0.5
    assert seen.v == pytest.approx(seen.colour / 2.3, abs=1e-3)
    assert seen.v > 2


def test_colour_is_blind_to_fine_noise_and_structure_is_not() -> None:
    noise = np.random.default_rng(5).normal(0, 12, (64, 64, 1))
    image = np.clip(np.rint(128 + noise), 0, 255).astype(np.uint8).repeat(3, axis=2)
    seen = measure_visibility(scene_of(flat(128)), image, "noise.gaussian_rgb")
    assert seen.colour < 2.3
    assert seen.v > 2


def test_only_pixels_of_the_region_are_measured(photograph: Pixels) -> None:
    """A region of whole blocks: what happens further off than a gradient at half size sees (4 px) has no weight."""
    image = photograph[:160, :160].copy()
    mask = np.zeros((160, 160), np.uint8)
    mask[40:120, 40:80] = 1
    after = 255 - image
    after[36:124, 36:84] = image[36:124, 36:84]
    seen = measure_visibility(Scene(image, mask), after, "blur.gaussian")
    assert (seen.v, seen.structure, seen.colour) == (0, 0, 0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (7, 5), (8, 8), (9, 41), (33, 17)])
@pytest.mark.parametrize("name", ["blur.gaussian", "pixelate.block", "brighten.gamma_rgb", "saturate_weaken.hsv"])
def test_regions_of_every_size_are_measured(shape: tuple[int, int], name: str) -> None:
    rng = np.random.default_rng(1)
    image, after = (rng.integers(0, 256, (*shape, 3)).astype(np.uint8) for _ in range(2))
    scene = scene_of(image)
    assert np.isfinite([*_numbers(measure_visibility(scene, after, name))]).all()
    find_region_fault(scene, name)
    constant = np.full_like(image, 90)
    assert np.isfinite([*_numbers(measure_visibility(scene_of(constant), constant + np.uint8(20), name))]).all()


def _numbers(seen: Visibility) -> tuple[float, ...]:
    return seen.v, seen.structure, seen.colour, seen.trend


def test_large_regions_are_measured_as_well_in_parts() -> None:
    """A region of a million pixels may be sampled; the numbers stay within a tenth."""
    from skimage import data

    image = np.ascontiguousarray(np.tile(data.astronaut(), (2, 2, 1)))
    for name in ("blur.gaussian", "brighten.shift_rgb", "noise.gaussian_rgb", "pixelate.block"):
        after = distorted(image, find(name), 3, whole((1024, 1024)))
        large = measure_visibility(scene_of(image), after, name)
        small = measure_visibility(scene_of(image[:512, :512].copy()), after[:512, :512].copy(), name)
        assert large.v == pytest.approx(small.v, rel=0.1)
        assert large.trend == pytest.approx(small.trend, rel=0.15)


def test_measuring_leaves_the_pictures_alone(small: Pixels) -> None:
    before, after = small.copy(), 255 - small
    for name in NAMES:
        measure_visibility(scene_of(before), after, name)
    assert np.array_equal(before, small)
    assert np.array_equal(after, 255 - small)


# --- gates ---------------------------------------------------------------------------------------------------------

NEEDS_DETAIL = {"blur", "oversharpen", "pixelate", "contrast_strengthen", "contrast_weaken"}
NEEDS_COLOUR = {"saturate_strengthen", "saturate_weaken"}


@pytest.mark.parametrize("name", NAMES)
def test_gates(name: str, small: Pixels) -> None:
    family = name.partition(".")[0]
    grey = np.repeat(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    colourful_flat = flat(0)
    colourful_flat[:] = (200, 90, 40)
    cases = {
        "photograph": (small, None),
        "grey": (grey, "grey region" if family in NEEDS_COLOUR else None),
        "flat": (colourful_flat, "flat region" if family in NEEDS_DETAIL else None),
        "white": (np.clip(small // 16 + 240, 0, 255).astype(np.uint8), "near white" if family == "brighten" else ...),
        "black": (small // 12, "near black" if family == "darken" or name == "noise.speckle" else ...),
    }
    for case, (image, expected) in cases.items():
        if expected is not ...:
            assert find_region_fault(scene_of(image), name) == expected, case


def test_a_ramp_is_too_flat_for_a_blur() -> None:
    """A wide spread alone is not enough: a sky has it, and a blur of a sky is not seen."""
    ramp = np.repeat(np.linspace(60, 200, 256).astype(np.uint8)[None, :, None], 64, axis=0).repeat(3, axis=2)
    assert find_region_fault(scene_of(np.ascontiguousarray(ramp)), "blur.gaussian") == "flat region"


@pytest.mark.parametrize("name", [name for name in NAMES if name.partition(".")[0] in GATES])
def test_what_a_gate_turns_away_would_not_show_or_be_wrong(name: str) -> None:
    """On flat grey nothing of the gated families is ever labelled, gate or not."""
    image = flat(254 if name.startswith("brighten") else 2 if name.startswith("darken") else 128)
    out = distorted(image, find(name), 1, whole((64, 64)))
    assert find_label_fault(measure_visibility(scene_of(image), out, name), name, 1.0) is not None


# --- labels --------------------------------------------------------------------------------------------------------


def test_a_verdict_asks_for_the_least_visibility() -> None:
    seen = Visibility(v=1.5, structure=0.0675, colour=1, trend=9)
    assert find_label_fault(seen, "brighten.shift_rgb", 1.5) is None
    assert find_label_fault(seen, "brighten.shift_rgb", 1.51) == "not visible"
    assert find_label_fault(Visibility(2, 0, 4.6, 2.9), "brighten.shift_rgb", 1) == "wrong direction"
    assert find_label_fault(Visibility(2, 0, 4.6, 0), "compression.jpeg", 1) is None
