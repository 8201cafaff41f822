"""Faults that other distortion generators have, each with the test that it is not one of ours.

DepictQA's and ARNIQA's generators, imagecorruptions and KADID-10k were run to find them. Most look right at first
sight: a wrong rounding, a loop on array views, a random angle.
"""

import cv2
import numpy as np
import pytest
from samples import (
    DQ_NAMES,
    NAMES,
    SEVERITIES,
    Pixels,
    corner,
    difference,
    distorted,
    edit_of,
    steps,
    touching,
    whole,
)

from distortlab.api import distort
from distortlab.core.region import Box, Region
from distortlab.distortions.catalog import CATALOG, find
from distortlab.distortions.edit import render_edit
from distortlab.distortions.families.blur import _disc, _line
from distortlab.severity.scene import Scene
from distortlab.severity.visibility import measure_visibility

PAIRS = [(name, severity) for name in NAMES for severity in (1, 5)]


def flat(*colour: int, shape: tuple[int, int] = (80, 96)) -> Pixels:
    return np.full((*shape, 3), colour, np.uint8)


def everywhere(image: Pixels, name: str, severity: int, **options: object) -> Pixels:
    return distorted(image, find(name), severity, whole(image.shape[:2]), **options)


# 1. Random numbers from somewhere else


@pytest.mark.parametrize("name", NAMES)
def test_trap_unseeded_randomness(name: str, small: Pixels) -> None:
    """Glass, jitter and impulses drew from a generator of their own. Global seeds have no effect, and stay alone."""
    np.random.seed(1)  # noqa: NPY002
    first = everywhere(small, name, 3)
    np.random.seed(2)  # noqa: NPY002
    before = np.random.get_state()[2]  # noqa: NPY002
    assert np.array_equal(everywhere(small, name, 3), first)
    assert np.random.get_state()[2] == before  # noqa: NPY002


# 2. A swap on views that is a copy

MOVED = [("blur.glass", severity) for severity in SEVERITIES] + [("blur.jitter", severity) for severity in SEVERITIES]


@pytest.mark.parametrize(("name", "severity"), MOVED)
def test_trap_swap_on_views_keeps_mean_and_place(name: str, severity: int) -> None:
    """Content stays in the middle: no drift of a disc, no drift of the mean."""
    y, x = np.mgrid[:121, :121] - 60.0
    image = np.repeat(((x * x + y * y < 30**2) * 200 + 20).astype(np.uint8)[..., None], 3, axis=2)
    drifts, shifts = [], []
    for seed in range(10):
        out = everywhere(image, name, severity, seed=seed)
        shifts.append(float(out.mean()) - float(image.mean()))
        weight = out[..., 0] - 20.0
        drifts.append(((weight * x).sum() / weight.sum(), (weight * y).sum() / weight.sum()))
    assert np.abs(shifts).max() < 1.2
    assert abs(np.mean(shifts)) < 0.4
    assert np.abs(drifts).max() < 0.9
    assert np.abs(np.mean(drifts, axis=0)).max() < 0.25


@pytest.mark.parametrize(("name", "severity"), MOVED)
def test_trap_swap_on_views_moves_no_further_than_the_halo(name: str, severity: int) -> None:
    image = flat(0, 0, 0, shape=(101, 101))
    image[50, 50] = 255
    row = find(name)
    edit = edit_of(row, severity, whole((101, 101)))
    found = np.argwhere(distorted(image, row, severity, whole((101, 101)))[..., 0])
    assert np.abs(found - 50).max(initial=0) <= row.halo(edit.amount, 1.0)


@pytest.mark.parametrize("name", ["blur.glass", "blur.jitter"])
def test_trap_swap_on_views_reaches_the_corners(name: str) -> None:
    """DepictQA's leave a border as wide as the displacement."""
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    for severity in (3, 5):
        often = np.mean([everywhere(noise, name, severity, seed=seed) != noise for seed in range(8)], axis=0)
        for piece in (often[:3, :3], often[:3, -3:], often[-3:, :3], often[-3:, -3:]):
            assert piece.mean() > 0.3


def test_trap_swap_on_views_loses_few_pixels() -> None:
    """A gather leaves 37 % of the sources unread when all move; the copy on views loses 46 %, and piles them up."""
    numbers = np.arange(64 * 64)
    image = np.stack([numbers >> 8, numbers & 255, numbers * 0], axis=-1).reshape(64, 64, 3).astype(np.uint8)
    out = everywhere(image, "blur.jitter", 5).astype(int)
    counts = np.bincount((out[..., 0] * 256 + out[..., 1]).ravel(), minlength=4096)
    assert (counts == 0).mean() < 0.41
    assert counts.max() <= 9


def test_trap_displacements_are_symmetric() -> None:
    """`randint(-d, d)` leaves out +d: a mean step of -0.5."""
    x = np.arange(256, dtype=np.uint8)
    ramp = np.repeat(np.broadcast_to(x[None, :, None], (64, 256, 1)), 3, axis=2).copy()
    for image, axis in ((ramp, 1), (ramp.transpose(1, 0, 2).copy(), 0)):
        out = everywhere(image, "blur.jitter", 5).astype(int) - image
        inner = out[:, 8:-8] if axis == 1 else out[8:-8]
        assert abs(inner.mean()) < 0.1
        assert inner.max() == -inner.min() > 0


# 3. The caller's array


@pytest.mark.parametrize("name", NAMES)
def test_trap_input_mutated(name: str, small: Pixels) -> None:
    """By the operator itself, on the very array that it is given (a whole image is not copied for it)."""
    image, row = small.copy(), find(name)
    edit = edit_of(row, 4, whole(image.shape[:2]))
    render_edit(image, edit)
    distort(image, name, 4)
    assert np.array_equal(image, small)


# 4. Truncation

UNBIASED = [name for name in NAMES if name.startswith(("blur.", "noise.", "oversharpen.", "pixelate."))]


@pytest.mark.parametrize("name", UNBIASED)
def test_trap_truncation(name: str) -> None:
    """Truncation darkens by 0.43 to 0.54 levels. On noisy mid-grey the mean stays within a tenth of a level.

    The mean of noise itself is allowed four standard errors on top; severity 1 keeps clear of clipping.
    """
    rng = np.random.default_rng(1)
    image = np.clip(np.rint(rng.normal(128, 12, (160, 160, 3))), 0, 255).astype(np.uint8)
    out = everywhere(image, name, 1).astype(float)
    error = float((out - image).std()) / np.sqrt(out.size / (3 if name == "noise.impulse" else 1))
    # Filters average what they move, and grains of noise count for fewer draws.
    grains = 6 if name == "noise.correlated" else 1
    assert abs(float(out.mean() - image.mean())) < 0.1 + 4 * error * grains


@pytest.mark.parametrize("name", [n for n in NAMES if n.startswith(("brighten.", "darken.", "contrast_", "saturate_"))])
def test_trap_truncation_of_tones(name: str) -> None:
    """A tone curve rounds: the operator agrees with its formula to half a level at every level."""
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    amount = find(name).matched.values[0]
    out = everywhere(ramp, name, 1)[0, :, 0].astype(float)
    x, mean = np.arange(256.0), 127.5
    formula = {
        "shift_rgb": lambda: x + 255 * amount,
        "gamma_rgb": lambda: 255 * (x / 255) ** amount,
        "shift_value": lambda: x + 255 * amount,
        "gamma_value": lambda: 255 * (x / 255) ** amount,
        "scale": lambda: mean + (x - mean) * amount,
        "compress": lambda: mean + (x - mean) / (1 + np.abs(x - mean) / amount),
        "sigmoid": lambda: _sigmoid(x / 255, amount) * 255,
        "ycbcr": lambda: x,
        "hsv": lambda: x,
    }[find(name).variant]()
    error = out - np.clip(formula, 0, 255)
    assert np.abs(error).max() <= 0.502


def _sigmoid(x: np.ndarray, gain: float) -> np.ndarray:
    """A logistic curve about one half that sends 0 to 0 and 1 to 1."""
    s = np.tanh(gain * (x - 0.5) / 2)
    return 0.5 + 0.5 * s / np.tanh(gain / 4)


SPREADS = [("gaussian_rgb", 255), ("speckle", 128), ("correlated", 255)]


@pytest.mark.parametrize(("variant", "unit"), SPREADS)
def test_trap_truncated_noise_is_weaker_than_it_says(variant: str, unit: int) -> None:
    """Towards zero, the mean stays and 5 % of the spread are lost. Sigma is what the ladder says, to 2 %."""
    out = everywhere(flat(128, 128, 128, shape=(256, 256)), f"noise.{variant}", 1)
    sigma = find(f"noise.{variant}").matched.values[0]
    assert float(out.std()) == pytest.approx(sigma * unit, rel=0.02)


def test_noise_in_ycbcr_has_the_spread_it_says_in_luma() -> None:
    out = everywhere(flat(128, 128, 128, shape=(256, 256)), "noise.gaussian_ycbcr", 1)
    sigma = find("noise.gaussian_ycbcr").matched.values[0]
    assert float((out @ np.array([0.299, 0.587, 0.114])).std()) == pytest.approx(sigma * 255, rel=0.02)


# 5. JPEG 2000 that empties flat components


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("compression.")])
@pytest.mark.parametrize("colour", [(30, 60, 200), (240, 240, 20), (128, 128, 128), (250, 10, 10), (0, 0, 0)])
def test_trap_flat_colours_lost_in_compression(name: str, colour: tuple[int, int, int]) -> None:
    """By target PSNR, OpenJPEG turns (30, 60, 200) into (28, 128, 200). By rate it keeps it.

    JPEG and WebP quantise the mean of a block: at their strongest they may be off by 40 levels, not by 100.
    """
    for severity in (1, 3, 5):
        out = everywhere(flat(*colour), name, severity)
        most = 2 if name == "compression.jpeg2000" else (16, 30, 40)[severity // 2]
        assert np.abs(out.astype(int) - colour).max() <= most


def test_trap_flat_component_beside_a_busy_one(small: Pixels) -> None:
    """Texture in red alone: green and blue keep their level."""
    image = small.copy()
    image[..., 1], image[..., 2] = 60, 200
    out = everywhere(image, "compression.jpeg2000", 1)
    assert abs(float(out[..., 1].mean()) - 60) < 3
    assert abs(float(out[..., 2].mean()) - 200) < 3


# 6. Quantisers and few levels


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("quantization.")])
@pytest.mark.parametrize("levels", [(7,), (0, 255), (100, 101), (10, 128, 250)])
def test_trap_quantisers_on_few_levels(name: str, levels: tuple[int, ...]) -> None:
    """Multi-Otsu raises on fewer levels than classes. Ours leave as many levels as there were, or fewer."""
    choice = np.random.default_rng(0).integers(0, len(levels), (40, 50))
    image = np.repeat(np.array(levels, np.uint8)[choice][..., None], 3, axis=2)
    for severity in SEVERITIES:
        out = everywhere(image, name, severity)
        assert len(np.unique(out)) <= len(levels)
        if name != "quantization.uniform" and len(levels) <= find(name).matched.values[severity - 1]:
            assert np.array_equal(out, image), "every level could have been kept"


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("quantization.")])
def test_trap_quantisers_give_no_more_levels_than_asked(name: str, photograph: Pixels) -> None:
    for severity in SEVERITIES:
        most = find(name).matched.values[severity - 1]
        out = everywhere(photograph, name, severity)
        counts = [len(np.unique(out[..., channel])) for channel in range(3)]
        if name == "quantization.palette":
            counts = [len(np.unique(out.reshape(-1, 3), axis=0))]
        assert max(counts) <= most
        assert max(counts) >= most - 1


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("quantization.")])
def test_trap_quantisers_keep_the_mean(name: str, photograph: Pixels) -> None:
    """DepictQA's Otsu darkens by more than 25 levels in 59 % of regions; bins become their means here."""
    for severity in SEVERITIES:
        out = everywhere(photograph, name, severity)
        shifts = np.abs(out.mean(axis=(0, 1)) - photograph.mean(axis=(0, 1)))
        assert shifts.max() < (8 if name == "quantization.palette" else 0.5)


@pytest.mark.parametrize("levels", [2, 3, 5, 9])
@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (3, 130, 250)])
def test_trap_uniform_levels_of_one_colour_are_that_colour(levels: int, colour: tuple[int, int, int]) -> None:
    """With fixed levels a dark region turns black, which reads as darkened."""
    out = distort(flat(*colour), "quantization.uniform", amount=levels).image
    assert np.array_equal(out, flat(*colour))


def test_trap_uniform_levels_are_evenly_spaced_and_keep_the_contrast(photograph: Pixels) -> None:
    """The steps between neighbouring levels of a channel are equal but for rounding, and the spread stays."""
    for levels in (3, 5, 9):
        out = distort(photograph, "quantization.uniform", amount=levels).image
        for channel in range(3):
            steps_of_it = np.diff(np.unique(out[..., channel]).astype(float))
            assert len(steps_of_it) == levels - 1
            assert np.ptp(steps_of_it) <= 1
            assert float(out[..., channel].std() / photograph[..., channel].std()) == pytest.approx(1, abs=0.03)


def test_trap_otsu_is_otsu(photograph: Pixels) -> None:
    """Two and three classes explain as much variance as scikit-image's exhaustive search, to one per cent."""
    from skimage.filters import threshold_multiotsu

    for severity, classes in ((5, 2), (4, 3)):
        out = everywhere(photograph, "quantization.otsu", severity)
        for channel in range(3):
            plane = photograph[..., channel]
            bins = np.digitize(plane, threshold_multiotsu(plane, classes=classes) + 1)
            best = np.array([plane[bins == k].mean() for k in range(classes)])[bins]
            ours = ((plane - out[..., channel].astype(float)) ** 2).mean()
            assert ours < 1.01 * ((plane - best) ** 2).mean() + 0.3


# 7. Contrast that goes the wrong way

SCALE = "contrast_strengthen.scale"
CONTRAST = [
    (name, s, p) for name in NAMES if name.startswith("contrast_") for s in (1, 3, 5) for p in ("matched", "dq")
]
CONTRAST = [case for case in CONTRAST if case[2] == "matched" or case[0] in DQ_NAMES]


@pytest.mark.parametrize("mean", [0.1, 0.3, 0.5, 0.8, 0.9])
@pytest.mark.parametrize(("name", "severity", "profile"), CONTRAST)
def test_trap_contrast_direction_at_every_mean(name: str, severity: int, profile: str, mean: float) -> None:
    """DepictQA's `stretch` strengthens dark regions by up to 2.5 when it means to weaken, and weakens light ones."""
    rng = np.random.default_rng(7)
    plane = np.clip(np.rint(rng.normal(255 * mean, 9, (90, 90))), 0, 255).astype(np.uint8)
    out = everywhere(np.repeat(plane[..., None], 3, axis=2), name, severity, profile=profile)[..., 0]
    ratio = float(out.std()) / float(plane.std())
    assert ratio > 1.1 if name.startswith("contrast_strengthen") else ratio < 0.97
    shift, gain = abs(float(out.mean()) - float(plane.mean())), abs(float(out.std()) - float(plane.std()))
    # An S-curve that keeps black and white rises more steeply on one side of a pivot that is not in the middle.
    assert shift < (1 + 0.8 * gain if name.endswith("sigmoid") else 6 if severity == 5 else 2.5)


@pytest.mark.parametrize(("name", "severity", "profile"), CONTRAST)
def test_trap_contrast_pivots_on_the_region(name: str, severity: int, profile: str, photograph: Pixels) -> None:
    """The mean of a region moves by less than 25 levels wherever it lies; about mid-grey it would, in 31 to 58 %."""
    for kind in (touching, corner):
        mask = kind(photograph.shape[:2])
        out = distorted(photograph, find(name), severity, mask, profile=profile)
        inside = mask != 0
        before, after = photograph[inside].astype(float), out[inside].astype(float)
        assert abs(after.mean() - before.mean()) < 25
        wider = after.std() / before.std()
        assert wider > 1.05 if name.startswith("contrast_strengthen") else wider < 0.97


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("contrast_")])
def test_trap_contrast_changes_saturation(name: str, photograph: Pixels) -> None:
    """The same curve on every channel makes colours gaudy where it is steep, and pale where it is flat.

    The differences between channels stay, but for what clips; at severity 3 that is little of this photograph.
    """
    out = everywhere(photograph, name, 3).astype(int)
    spans = [image[..., k] - image[..., 1] for image in (photograph.astype(int), out) for k in (0, 2)]
    kept = (out.min(axis=2) > 0) & (out.max(axis=2) < 255)
    assert kept.mean() > 0.5
    assert np.array_equal(spans[0][kept], spans[2][kept])
    assert np.array_equal(spans[1][kept], spans[3][kept])
    # A region without clipping keeps its chroma in the eye too.
    scene = Scene(photograph, whole(photograph.shape[:2]))
    after = Scene(out.astype(np.uint8), whole(photograph.shape[:2]))
    assert abs(after.chroma - scene.chroma) < 4


def test_trap_contrast_that_clips_darkens(small: Pixels) -> None:
    """A region whose highlights clip would lose mean luma: the curve is shifted until it stays."""
    for light in (0.0, 0.7):
        image = (small * (1 - light) * 0.5 + 255 * light).astype(np.uint8)
        luma = [float(cv2.cvtColor(i, cv2.COLOR_RGB2GRAY).mean()) for i in (image, everywhere(image, SCALE, 5))]
        assert abs(luma[1] - luma[0]) < 2


# 8. Saturation of what has no colour

SATURATION = [(name, s) for name in NAMES if name.startswith("saturate_") for s in SEVERITIES]


@pytest.mark.parametrize(("name", "severity"), SATURATION)
def test_trap_saturation_of_grey_stays_grey(name: str, severity: int) -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    assert np.array_equal(everywhere(ramp, name, severity), ramp)


@pytest.mark.parametrize(("name", "severity"), SATURATION)
def test_trap_saturation_of_near_grey_is_bounded_by_its_gain(name: str, severity: int) -> None:
    """(128, 129, 128) became (64, 129, 64) by 8-bit HSV. A span of 1 becomes one of the gain, plus a level's rounding.

    The wall that a gain of 40 does colour is kept out by the gate on grey regions: see the next test.
    """
    gain = find(name).matched.values[severity - 1]
    out = everywhere(flat(128, 129, 128), name, severity).astype(int)
    assert np.ptp(out, axis=2).max() <= np.ceil(gain) + 1
    assert np.abs(out - (128, 129, 128)).max() <= max(1, np.ceil(gain))


def test_trap_near_grey_regions_are_not_saturated() -> None:
    from distortlab.severity.visibility import find_region_fault

    rng = np.random.default_rng(0)
    image = (128 + rng.integers(-1, 2, (64, 64, 3))).astype(np.uint8)
    scene = Scene(image, whole((64, 64)))
    for name in NAMES:
        assert (find_region_fault(scene, name) == "grey region") == name.startswith("saturate_")


@pytest.mark.parametrize("name", ["saturate_weaken.ycbcr", "saturate_weaken.hsv"])
def test_saturation_0_is_grey(name: str, small: Pixels) -> None:
    assert np.ptp(everywhere(small, name, 5), axis=2).max() == 0


@pytest.mark.parametrize("name", ["saturate_strengthen.hsv", "saturate_weaken.hsv"])
def test_hsv_saturation_keeps_hue_and_value(name: str, small: Pixels) -> None:
    out = everywhere(small, name, 2)
    assert np.array_equal(out.max(axis=2), small.max(axis=2))
    assert hue_error(small, out, least=30) < 4


@pytest.mark.parametrize("name", ["saturate_strengthen.ycbcr", "saturate_weaken.ycbcr"])
def test_chroma_keeps_luma(name: str, small: Pixels) -> None:
    out = everywhere(small, name, 1)
    kept = (out.min(axis=2) > 0) & (out.max(axis=2) < 255)
    weights = np.array([0.299, 0.587, 0.114])
    assert np.abs(out[kept] @ weights - small[kept] @ weights).max() <= 0.51


# 9. Motion to one side


@pytest.mark.parametrize("severity", SEVERITIES)
def test_trap_one_sided_motion(severity: int) -> None:
    """DepictQA's shifts the picture by 2 to 9 px. A dot's centroid stays within a twentieth of a pixel here."""
    dot = flat(0, 0, 0, shape=(81, 81))
    dot[38:43, 38:43] = 255
    y, x = np.mgrid[:81, :81] - 40.0
    for seed in range(4):
        weight = everywhere(dot, "blur.motion", severity, seed=seed)[..., 0].astype(float)
        assert abs((weight * x).sum() / weight.sum()) < 0.05
        assert abs((weight * y).sum() / weight.sum()) < 0.05


@pytest.mark.parametrize("length", [1.0, 3.5, 8.0, 21.3])
def test_motion_kernels_are_symmetric_and_as_long_as_they_say(length: float) -> None:
    for angle in np.linspace(0, np.pi, 7):
        kernel = _line(length, float(angle))
        assert np.allclose(kernel, kernel[::-1, ::-1], atol=1e-9)
        y, x = np.mgrid[: kernel.shape[0], : kernel.shape[1]] - kernel.shape[0] // 2
        along = x * np.cos(angle) + y * np.sin(angle)
        spread = np.sqrt((kernel * along**2).sum() / kernel.sum())
        assert spread == pytest.approx(length / np.sqrt(12), rel=0.15, abs=0.35)


@pytest.mark.parametrize("radius", [0.8, 1.8, 3.3, 7.9])
def test_lens_kernels_are_discs(radius: float) -> None:
    kernel = _disc(radius)
    assert np.allclose(kernel, kernel[::-1, ::-1])
    assert np.allclose(kernel, kernel.T)
    assert kernel.sum() == pytest.approx(np.pi * radius**2, rel=0.05)


# 10. A codec on a crop


@pytest.mark.parametrize("severity", SEVERITIES)
def test_trap_jpeg_on_a_crop(severity: int, photograph: Pixels) -> None:
    """Not aligned it differs from the frame by 54 to 222 levels. Every offset of a box gives the frame's pixels."""
    frame = everywhere(photograph, "compression.jpeg", severity)
    for x, y in ((0, 0), (1, 1), (7, 9), (15, 16), (33, 30), (120, 90)):
        mask = Region.from_box(Box(x, y, x + 77, y + 83), (200, 260))
        edit = edit_of(find("compression.jpeg"), severity, whole((200, 260)))
        local = render_edit(photograph, type(edit)(mask, edit.distortion, severity, edit.amount, 1.0, 0, edit.address))
        assert np.array_equal(local, frame[mask.bbox.slices])


@pytest.mark.parametrize("severity", SEVERITIES)
def test_trap_pixelation_on_a_crop(severity: int, photograph: Pixels) -> None:
    """Tiles lie on the grid of the image: two regions side by side have no seam."""
    frame = everywhere(photograph, "pixelate.block", severity)
    for x in (0, 3, 50, 131):
        mask = np.zeros((200, 260), np.uint8)
        mask[11:111, x : x + 100] = 1
        out = distorted(photograph, find("pixelate.block"), severity, mask)
        assert np.array_equal(out[11:111, x : x + 100], frame[11:111, x : x + 100])


@pytest.mark.parametrize("block", [2, 2.5, 3, 3.3, 7, 64])
def test_pixelation_is_of_means_of_blocks(block: float, small: Pixels) -> None:
    """Also where the side is not whole: blocks of the next whole sizes, each of its own mean, rounded."""
    out = distort(small, "pixelate.block", amount=block).image
    rows, columns = (np.rint(np.arange(int(size / block) + 2) * block).astype(int) for size in small.shape[:2])
    for top, bottom in steps(rows):
        for left, right in steps(columns):
            tile, before = (image[top:bottom, left:right].reshape(-1, 3) for image in (out, small))
            if len(tile):
                assert (tile == tile[0]).all()
                assert np.abs(tile[0] - before.mean(axis=0)).max() <= 0.5
    sizes = set(np.diff(rows)[:-1])
    assert sizes <= {int(np.floor(block)), int(np.ceil(block))}


# 11, 13. Settings that do nothing, and severities out of order


@pytest.mark.parametrize("name", NAMES)
def test_trap_no_op_levels(name: str, photograph: Pixels) -> None:
    """gaublur 0.1, motionblur 1, colorsat x1, meanshift 0 leave the picture as it is, at a severity with a number."""
    share = (everywhere(photograph, name, 1) != photograph).any(axis=2).mean()
    assert share > (0.9 * find(name).matched.values[0] if name == "noise.impulse" else 0.3)


@pytest.mark.parametrize("name", NAMES)
def test_trap_severities_out_of_order(name: str, photograph: Pixels) -> None:
    """KADID's mean shift and contrast go up and down; "saturate" of imagecorruptions turns round after severity 2.

    The visibility grows with every step, and the trend keeps its sign.
    """
    scene = Scene(photograph, whole(photograph.shape[:2]))
    seen = [measure_visibility(scene, everywhere(photograph, name, s), name) for s in SEVERITIES]
    assert all(weak.v < strong.v for weak, strong in steps(seen))
    assert all(one.trend >= 0 for one in seen)


# 12. Subsampling left to the library


def test_trap_jpeg_subsampling_is_said(photograph: Pixels) -> None:
    """Chroma at half the resolution, luma at full, whatever the library's default for the quality is."""
    image = flat(90, 90, 90, shape=(64, 64))
    image[:, 31] = (200, 60, 60)
    out = everywhere(image, "compression.jpeg", 1).astype(float)
    red = (out[..., 0] - out[..., 1]).mean(axis=0)
    assert red[30] == pytest.approx(red[31], rel=0.35), "the neighbour in the same pair shares the colour"


# 14. Clipping after RGB is formed


@pytest.mark.parametrize("name", [n for n in NAMES if n.endswith(("shift_value", "gamma_value"))])
def test_trap_hue_changed_by_clipping(name: str, photograph: Pixels) -> None:
    for severity in (3, 4):  # at 5 hardly a pixel of a darkened picture keeps a hue
        out = everywhere(photograph, name, severity)
        assert hue_error(photograph, out, least=40) < 6
        top = photograph.max(axis=2)
        order = np.argsort(top.ravel(), kind="stable")
        assert (np.diff(out.max(axis=2).ravel()[order].astype(int)) >= 0).all(), "value is one curve of value"


def hue_error(before: Pixels, after: Pixels, least: int) -> float:
    """The largest change of hue, degrees, among pixels whose span is at least `least` in both."""
    spans = [np.ptp(image.astype(int), axis=2) for image in (before, after)]
    clear = (spans[0] >= least) & (spans[1] >= least)
    assert clear.sum() > 100
    first, second = (hue(image)[clear] for image in (before, after))
    return float(np.abs((first - second + 180) % 360 - 180).max())


def hue(image: Pixels) -> np.ndarray:
    """Degrees, by the two-dimensional formula."""
    red, green, blue = (image[..., k].astype(float) for k in range(3))
    return np.degrees(np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue))


# 15. Lengths that do not know the resolution


SPATIAL = [row.name for row in CATALOG if row.spatial or row.name == "oversharpen.unsharp_mask"]
SCATTERED = ["blur.glass", "blur.jitter"]


@pytest.mark.parametrize("name", [name for name in SPATIAL if name not in SCATTERED])
def test_trap_resolution_blind_lengths(name: str, photograph: Pixels) -> None:
    """The same picture at twice the size, distorted and shrunk again, looks like the small one distorted.

    "Like": it differs from it by less than half of what the distortion does.
    """
    large = cv2.resize(photograph, (520, 400), interpolation=cv2.INTER_CUBIC)
    small = cv2.resize(large, (260, 200), interpolation=cv2.INTER_AREA)
    one = distorted(small, find(name), 4, whole((200, 260)), scale=1.0)
    two = distorted(large, find(name), 4, whole((400, 520)), scale=2.0)
    again = cv2.resize(two, (260, 200), interpolation=cv2.INTER_AREA)
    assert difference(one, again) < 0.5 * difference(one, small)


@pytest.mark.parametrize("name", SCATTERED)
@pytest.mark.parametrize("severity", [1, 3, 5])
def test_trap_resolution_blind_displacements(name: str, severity: int) -> None:
    """At twice the size a line spreads about twice as far, as whole steps allow."""
    line = flat(0, 0, 0, shape=(200, 81))
    line[:, 40] = 255
    spread = []
    for scale in (1.0, 2.0):
        weight = distorted(line, find(name), severity, whole((200, 81)), scale=scale)[..., 0].sum(axis=0)
        spread.append(np.sqrt((weight * (np.arange(81) - 40.0) ** 2).sum() / weight.sum()))
    assert 1.3 < spread[1] / spread[0] < 3.0


# Small images


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (4, 1), (1, 4), (2, 2), (5, 7), (3, 40)])
def test_trap_small_images(name: str, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    for severity in (1, 5):
        out = distort(image, name, severity).image
        assert out.shape == image.shape
        assert everywhere(image, name, severity).shape == image.shape


@pytest.mark.parametrize(("name", "severity"), PAIRS)
def test_trap_black_and_white(name: str, severity: int) -> None:
    """Nothing wraps round at the ends: black and white halves stay on their side of the middle."""
    image = flat(0, 0, 0)
    image[:, 48:] = 255
    out = everywhere(image, name, severity)
    if not name.startswith(("brighten.", "darken.", "noise.", "contrast_weaken.")):
        assert out[:, :20].mean() < 60
        assert out[:, -20:].mean() > 195
    assert out[:, :20].mean() <= out[:, -20:].mean()
