"""A mosaic that a blur looks the same as is not labelled as a mosaic."""

import dataclasses

import cv2
import numpy as np
import pytest
from samples import Pixels, blob, edit_of, whole

from distortlab.distortions.catalog import find
from distortlab.distortions.edit import Edit, render_edit
from distortlab.severity.lookalike import LEAST_FROM_BLUR, find_lookalike_fault, measure_against_blur


def pixelation(image: Pixels, block: float, severity: int = 1, scale: float = 1.0) -> Edit:
    edit = edit_of(find("pixelate.block"), severity, whole(image.shape[:2]), scale=scale)
    return dataclasses.replace(edit, amount=block)


def test_a_blur_itself_is_no_different_from_a_blur(photograph: Pixels) -> None:
    """In place of the mosaic comes what it is compared with."""
    edit = pixelation(photograph, 4)
    blurred = render_edit(photograph, dataclasses.replace(edit, distortion="blur.gaussian", amount=0.36 * 4))
    assert measure_against_blur(photograph, edit, blurred) == pytest.approx(0, abs=1e-4)
    assert measure_against_blur(photograph, edit, render_edit(photograph, edit)) > LEAST_FROM_BLUR


@pytest.mark.parametrize("width", [0.25, 0.33, 0.4, 0.5])
def test_blurs_between_the_candidates_are_found_too(width: float, photograph: Pixels) -> None:
    edit = pixelation(photograph, 3)
    blurred = render_edit(photograph, dataclasses.replace(edit, distortion="blur.gaussian", amount=width * 3))
    assert measure_against_blur(photograph, edit, blurred) < LEAST_FROM_BLUR / 2


def test_mosaics_of_a_soft_picture_look_like_blur_and_those_of_texture_do_not(photograph: Pixels) -> None:
    soft = cv2.GaussianBlur(photograph, (0, 0), 2.5)
    texture = np.random.default_rng(0).integers(60, 200, (96, 96, 3)).astype(np.uint8)
    for image, reason in ((soft, "looks like blur"), (texture, None)):
        edit = pixelation(image, 2)
        assert find_lookalike_fault(image, edit, render_edit(image, edit)) == reason


def test_only_pixelations_of_severity_1_are_looked_at(photograph: Pixels) -> None:
    soft = cv2.GaussianBlur(photograph, (0, 0), 2.5)
    for edit in (pixelation(soft, 2, severity=2), edit_of(find("blur.gaussian"), 1, blob(soft.shape[:2]))):
        assert find_lookalike_fault(soft, edit, render_edit(soft, edit)) is None


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_the_blurs_are_as_wide_as_the_blocks_whatever_the_scale(scale: float, photograph: Pixels) -> None:
    """A block of 4 pixels that comes from another scale is compared with the same blurs."""
    plain = pixelation(photograph, 4)
    scaled = dataclasses.replace(pixelation(photograph, 4 / max(1, scale), scale=scale))
    after = render_edit(photograph, plain)
    assert np.array_equal(render_edit(photograph, scaled), after)
    wanted = measure_against_blur(photograph, plain, after)
    assert measure_against_blur(photograph, scaled, after) == pytest.approx(wanted, rel=1e-3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (5, 7)])
def test_tiny_regions_are_compared(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    edit = pixelation(image, 2)
    assert np.isfinite(measure_against_blur(image, edit, render_edit(image, edit)))
