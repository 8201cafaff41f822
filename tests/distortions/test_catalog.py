"""Laws that every row of the catalogue obeys. A new row is tested on arrival."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from samples import (
    DQ_NAMES,
    MASKS,
    NAMES,
    PROFILES,
    RANDOM,
    SEVERITIES,
    Pixels,
    blob,
    difference,
    distorted,
    edit_of,
    small_photograph,
    steps,
)

from distortlab.distortions.base import Profile
from distortlab.distortions.catalog import find
from distortlab.distortions.edit import render, render_edit

LADDERS = [("matched", name) for name in NAMES] + [("dq", name) for name in DQ_NAMES]


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("name", NAMES)
def test_result_is_an_image_and_the_input_is_untouched(name: str, severity: int, small: Pixels) -> None:
    writable = small.copy()
    edit = edit_of(find(name), severity, blob(small.shape[:2]), feather=2)
    after = render_edit(writable, edit)
    assert after.dtype == np.uint8
    assert after.shape == (edit.bbox.height, edit.bbox.width, 3)
    assert after.flags.c_contiguous
    assert np.array_equal(writable, small)
    assert np.array_equal(render_edit(small, edit), after), "a read-only image gives other pixels"
    assert not np.shares_memory(after, writable)


@pytest.mark.parametrize("name", NAMES)
def test_operator_gives_a_new_contiguous_array(name: str, small: Pixels) -> None:
    """On the whole frame too, where no crop has been copied for it."""
    everything = distorted(small, find(name), 3, MASKS["whole"](small.shape[:2]))
    assert everything.shape == small.shape
    assert everything.flags.c_contiguous
    assert not np.shares_memory(everything, small)


@pytest.mark.parametrize("name", NAMES)
def test_views_of_larger_images_are_accepted(name: str, photograph: Pixels) -> None:
    """Columns cut out of an image are not contiguous in memory."""
    view = photograph[20:116, 30:158]
    mask = blob(view.shape[:2])
    assert np.array_equal(distorted(view, find(name), 4, mask), distorted(view.copy(), find(name), 4, mask))


@pytest.mark.parametrize("name", NAMES)
def test_same_address_same_pixels_and_another_seed_changes_the_random_ones_only(name: str, small: Pixels) -> None:
    row, mask = find(name), blob(small.shape[:2])
    for severity in (1, 5):
        first, again, other = (distorted(small, row, severity, mask, seed=seed) for seed in (3, 3, 4))
        assert np.array_equal(first, again)
        assert np.array_equal(first, other) == (name not in RANDOM) == (not find(name).random)


@pytest.mark.parametrize(("profile", "name"), LADDERS)
def test_severity_1_changes_the_picture_and_each_next_step_changes_it_more(
    profile: Profile, name: str, photograph: Pixels, blob_mask: Pixels
) -> None:
    """Strictly, on this photograph; not one row needs a tolerance. Impulses change few pixels, by 80 levels or more."""
    images = [distorted(photograph, find(name), s, blob_mask, profile=profile) for s in SEVERITIES]
    share = blob_mask.mean()
    changes = [difference(image, photograph) / share for image in images]
    assert changes[0] > (80 * find(name).matched.values[0] if name == "noise.impulse" else 2.5)
    assert all(weak < strong for weak, strong in steps(changes)), changes


@pytest.mark.parametrize(("profile", "name"), LADDERS)
def test_more_is_more_on_another_photograph(profile: Profile, name: str, small: Pixels) -> None:
    """A quantiser may tie or dip where its levels happen to fall on this picture's peaks, and a lossy codec or a
    resampling by a little; 5 % is allowed for each step, nothing from 1 to 3 and from 3 to 5."""
    mask = MASKS["whole"](small.shape[:2])
    images = [distorted(small, find(name), s, mask, profile=profile) for s in SEVERITIES]
    changes = [difference(image, small) for image in images]
    assert all(strong > 0.95 * weak for weak, strong in steps(changes)), changes
    assert 0 < changes[0] < changes[2] < changes[4], changes


@pytest.mark.parametrize("kind", MASKS)
@pytest.mark.parametrize("name", NAMES)
def test_outside_the_mask_nothing_changes(name: str, kind: str, small: Pixels) -> None:
    mask = MASKS[kind](small.shape[:2])
    for severity, feather in ((5, 0), (3, 1), (5, 2), (4, 5)):
        out = distorted(small, find(name), severity, mask, feather=feather)
        changed = (out != small).any(axis=2)
        assert not (changed & (mask == 0)).any()


@pytest.mark.parametrize("name", NAMES)
def test_the_change_reaches_every_part_of_the_region(name: str, photograph: Pixels, touching_mask: Pixels) -> None:
    """Not only the middle of the box: with no feather, all four quarters of the region are changed."""
    changed = (distorted(photograph, find(name), 5, touching_mask) != photograph).any(axis=2)
    rows, columns = np.nonzero(touching_mask)
    low, left = rows > np.median(rows), columns > np.median(columns)
    share = 0.01 if name == "noise.impulse" else 0.2
    for quarter in (low & left, low & ~left, ~low & left, ~low & ~left):
        assert changed[rows[quarter], columns[quarter]].mean() > share


def test_impulses_of_a_weak_setting_are_among_those_of_a_strong_one(small: Pixels) -> None:
    mask = MASKS["whole"](small.shape[:2])
    images = [distorted(small, find("noise.impulse"), s, mask) for s in SEVERITIES]
    hit = [(image != small).any(axis=2) for image in images]
    assert all(weak.sum() < strong.sum() for weak, strong in steps(hit))
    for where, (weak, strong) in zip(hit, steps(images), strict=False):
        assert np.array_equal(strong[where], weak[where]), "an impulse is gone, or black where it was white"


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("noise.") and name != "noise.impulse"])
def test_severities_share_one_noise_field(name: str) -> None:
    grey = np.full((64, 64, 3), 128, np.uint8)
    mask = MASKS["whole"]((64, 64))
    fields = [distorted(grey, find(name), s, mask).astype(float) - 128 for s in SEVERITIES]
    for weak, strong in steps(fields):
        assert np.corrcoef(weak.ravel(), strong.ravel())[0, 1] > 0.9


@pytest.mark.parametrize("variant", ["gaussian_rgb", "speckle", "correlated", "poisson"])
def test_the_channels_of_a_noise_are_independent(variant: str) -> None:
    out = distorted(np.full((96, 96, 3), 128, np.uint8), find(f"noise.{variant}"), 3, MASKS["whole"]((96, 96)))
    matrix = np.corrcoef(out.reshape(-1, 3).T.astype(float))
    assert np.abs(matrix - np.eye(3)).max() < 0.12


def test_severities_share_the_angle_of_a_motion() -> None:
    dot = np.zeros((81, 81, 3), np.uint8)
    dot[40, 40] = 255
    mask = MASKS["whole"]((81, 81))
    for seed in range(4):
        angles = [_angle(distorted(dot, find("blur.motion"), s, mask, seed=seed)) for s in SEVERITIES]
        turned = np.abs(np.exp(2j * np.array(angles)) - np.exp(2j * angles[-1]))
        assert turned.max() < 0.2, angles


def _angle(image: Pixels) -> float:
    """The direction of the longest axis of what is bright, radians in a half turn."""
    weight = image[..., 0].astype(float)
    y, x = np.mgrid[: weight.shape[0], : weight.shape[1]] - 40.0
    xx, yy, xy = ((weight * a * b).sum() for a, b in ((x, x), (y, y), (x, y)))
    return float(0.5 * np.arctan2(2 * xy, xx - yy))


def test_angles_of_different_seeds_differ() -> None:
    dot = np.zeros((41, 41, 3), np.uint8)
    dot[20, 20] = 255
    mask = MASKS["whole"]((41, 41))
    seen = {distorted(dot, find("blur.motion"), 5, mask, seed=seed).tobytes() for seed in range(8)}
    assert len(seen) == 8


def digest() -> str:
    """SHA-256 over every variant, severity and profile on a small photograph."""
    image, total = small_photograph(), hashlib.sha256()
    mask = blob(image.shape[:2])
    for profile in PROFILES:
        for name in NAMES if profile == "matched" else DQ_NAMES:
            for severity in SEVERITIES:
                total.update(distorted(image, find(name), severity, mask, feather=1, profile=profile))
    return total.hexdigest()


def per_variant() -> dict[str, str]:
    """A digest for every variant, at severities 2 and 4 and at settings between: says which one differs."""
    image, out = small_photograph(), {}
    mask = MASKS["whole"](image.shape[:2])
    for name in NAMES:
        row = find(name)
        edits = [edit_of(row, severity, mask) for severity in (2, 4)]
        edits += [replace(edits[0], amount=row.dial.interpolate(place)) for place in (0.137, 0.381, 0.619, 0.853)]
        out[name] = hashlib.sha256(np.stack([render(image, [edit]) for edit in edits])).hexdigest()
    return out


def _elsewhere(code: str, **environment: str) -> str:
    """What a fresh Python prints, with another hash seed."""
    here = Path(__file__).parent
    paths = os.pathsep.join([str(here), os.environ.get("PYTHONPATH", ""), *filter(None, sys.path)])
    env = {**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": "271", **environment}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_fresh_process_makes_the_same_pixels() -> None:
    """Nor does it matter what was computed before: the second process starts with nothing cached."""
    assert _elsewhere("from test_catalog import digest; print(digest())") == digest()


SIMPLE = {
    "OPENCV_CPU_DISABLE": "SSE4_1,SSE4_2,AVX,AVX2,FP16,FMA3,AVX512_SKX,AVX512_ICL",
    "OPENCV_IPP": "disabled",
    "JSIMD_FORCENONE": "1",
}


def test_a_plainer_processor_makes_the_same_pixels() -> None:
    """OpenCV and libjpeg without their wide instructions, on one thread, unoptimised."""
    code = (
        "import cv2, json; cv2.setUseOptimized(False); cv2.setNumThreads(1); "
        "from test_catalog import per_variant; print(json.dumps(per_variant()))"
    )
    plain, here = json.loads(_elsewhere(code, **SIMPLE)), per_variant()
    assert [name for name in NAMES if plain[name] != here[name]] == []
