"""References that are bad already are found; photographs are not blamed."""

import io
import time

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow
from reference_samples import encoded, photograph

from distortlab.recipe import ReferenceRules
from distortlab.references.screening import _is_sharp, blockiness, chroma, screen, sharpness

RULES = ReferenceRules()


def luma(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def squeezed(image: np.ndarray, quality: int) -> np.ndarray:
    return np.asarray(Pillow.open(io.BytesIO(encoded(image, "JPEG", quality=quality))))


def smooth(seed: int) -> np.ndarray:
    """Soft shapes, as in a portrait: what shows blocks best."""
    return cv2.GaussianBlur(photograph(300, 400, seed), (0, 0), 1.2)


@pytest.mark.parametrize("seed", range(5))
def test_each_fault_is_found(seed: int) -> None:
    image = photograph(seed=seed)
    grey = np.repeat(luma(image)[..., None], 3, axis=2)
    sepia = np.clip(grey * np.array([1.0, 0.9, 0.75]), 0, 255).astype(np.uint8)
    assert screen(image, RULES) is None
    assert screen(image[:255], RULES) == "too small"
    assert screen(cv2.GaussianBlur(image, (0, 0), 3), RULES) == "blurred"
    assert screen(squeezed(smooth(seed), 10), RULES) == "blocky"
    assert screen(grey, RULES) == "grey"
    assert chroma(sepia) < chroma(image) / 2


def test_a_spot_of_colour_is_not_grey() -> None:
    image = np.repeat(luma(photograph())[..., None], 3, axis=2)
    image[100:160, 100:160] = (200, 30, 30)
    assert chroma(image) > RULES.min_chroma


def test_sharpness_is_the_variance_of_the_laplacian() -> None:
    plane = luma(photograph())
    assert sharpness(plane) == pytest.approx(cv2.Laplacian(plane, cv2.CV_64F).var(), rel=1e-9)


@pytest.mark.parametrize("rows", [40, 63, 64, 101, 300])
def test_an_image_is_sharp_exactly_where_its_sharpness_says_so(rows: int) -> None:
    """A strip in the middle decides most images; none may be decided otherwise than by the whole."""
    noise = np.random.default_rng(rows).integers(0, 256, (rows, 80)).astype(np.uint8)
    middle, sides = np.full_like(noise, 90), noise.copy()
    middle[rows * 7 // 16 : rows * 9 // 16] = noise[rows * 7 // 16 : rows * 9 // 16]
    sides[rows // 3 : -(rows // 3)] = 90
    for plane in (noise, middle, sides, np.full_like(noise, 90)):
        value = sharpness(plane)
        for least in (0.5 * value, value, value * (1 + 1e-9) + 1e-9, 7.0 * value + 1, 8.1 * value + 1):
            assert _is_sharp(plane, least) == (value >= least)


@pytest.mark.parametrize("axis", [0, 1])
def test_blockiness_is_one_without_blocks_and_grows_with_them(axis: int) -> None:
    noise = np.random.default_rng(0).integers(60, 190, (256, 320)).astype(np.uint8)
    assert blockiness(noise) == pytest.approx(1.0, abs=0.05)
    steps = (np.arange(noise.shape[axis]) // 8 % 2 * 60).astype(np.uint8)
    blocks = noise // 8 + (steps[:, None] if axis == 0 else steps[None])
    assert blockiness(blocks) > 3
    ratios = [blockiness(luma(squeezed(smooth(1), quality))) for quality in (95, 60, 30, 15, 5)]
    assert ratios == sorted(ratios)


def test_flat_pictures_are_judged_without_a_warning() -> None:
    flat = np.full((300, 300, 3), 128, np.uint8)
    assert screen(flat, RULES) == "grey"
    assert (sharpness(luma(flat)), blockiness(luma(flat)), chroma(flat)) == (0.0, 0.0, 0.0)


def test_screening_is_cheap_and_leaves_its_input_alone() -> None:
    image = photograph(480, 640)
    before = image.copy()
    screen(image, RULES)
    start = time.process_time()
    for _ in range(20):
        screen(image, RULES)
    # A tenth of what it may take on a bad day: the budget is 0.6 ms.
    assert (time.process_time() - start) / 20 < 0.006
    assert np.array_equal(image, before)
