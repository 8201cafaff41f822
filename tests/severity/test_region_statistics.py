"""Statistics of a region: whole numbers that say what they are called, the same for the same pixels."""

import time

import cv2
import numpy as np
import pytest
from samples import Pixels, blob, photograph

from distortlab.core.region import Region
from distortlab.severity.region_statistics import NAMES, STEPS, compute_statistics
from distortlab.severity.scene import Scene


def statistics(image: Pixels, mask: Pixels | None = None) -> dict[str, float]:
    mask = np.ones(image.shape[:2], np.uint8) if mask is None else mask
    values = compute_statistics(Scene(image, mask))
    assert values is not None
    assert all(type(value) is int for value in values)
    return dict(zip(NAMES, (value / STEPS for value in values), strict=True))


def test_they_are_kept_by_the_scene() -> None:
    scene = Scene(photograph(), blob(photograph().shape[:2]))
    assert scene.statistics is scene.statistics
    assert scene.statistics == compute_statistics(scene)


def test_they_grow_with_what_they_are_called() -> None:
    image = photograph()
    whole = statistics(image)
    assert statistics(cv2.GaussianBlur(image, (0, 0), 2))["detail"] < whole["detail"]
    weak = (128 + (image.astype(np.int16) - 128) // 2).astype(np.uint8)
    assert statistics(weak)["spread"] < whole["spread"]
    assert statistics(weak)["flatness"] > whole["flatness"]
    assert statistics(weak)["near black"] == 0 < whole["near black"]
    light = np.minimum(image.astype(np.int16) + 80, 255).astype(np.uint8)
    assert statistics(light)["mean luma"] > whole["mean luma"]
    assert statistics(light)["near white"] > whole["near white"]
    assert statistics(light)["bright"] > whole["bright"]
    grey = np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    assert statistics(grey)["colorfulness"] < 0.1 < whole["colorfulness"]
    assert statistics(grey)["spread of chroma"] < 0.5 < whole["spread of chroma"]
    assert statistics(image[:100, :130])["size"] < whole["size"]
    assert statistics(image, blob(image.shape[:2]))["edge"] > whole["edge"]
    assert statistics(light)["upper quarter"] > whole["upper quarter"] > statistics(weak // 2)["upper quarter"]
    assert statistics(weak)["structure gained by sharpening"] < whole["structure gained by sharpening"]
    noise = np.random.default_rng(1).integers(0, 256, image.shape).astype(np.uint8)
    assert (
        statistics(noise)["structure lost by a blur"]
        > statistics(cv2.blur(noise, (15, 15)))["structure lost by a blur"]
    )


@pytest.mark.parametrize(("corner", "odd"), [((4, 8), 0), ((3, 8), 1), ((4, 9), 1), ((3, 9), 2)])
def test_it_counts_where_a_region_lies_between_the_blocks_of_the_measure(corner: tuple[int, int], odd: int) -> None:
    mask = np.zeros(photograph().shape[:2], np.uint8)
    mask[corner[1] : corner[1] + 60, corner[0] : corner[0] + 80] = 1
    scene = Scene.of_region(photograph(), Region.from_mask(mask))
    assert scene.image.shape == (60, 80, 3)
    assert np.array_equal(scene.image[0, 0], photograph()[corner[1], corner[0]])
    assert scene.statistics is not None
    assert scene.statistics[NAMES.index("odd corner")] == odd * STEPS


@pytest.mark.parametrize("shape", [(1, 40), (40, 1), (3, 40), (40, 3), (1, 1)])
def test_a_region_a_few_pixels_thin_has_none(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    assert compute_statistics(Scene(image, np.ones(shape, np.uint8))) is None


def test_what_is_outside_of_the_mask_does_not_count_but_at_its_edge() -> None:
    image, mask = photograph().copy(), np.zeros(photograph().shape[:2], np.uint8)
    mask[40:160, 40:200] = 1
    before = compute_statistics(Scene(image, mask))
    image[:20], image[180:], image[:, :20], image[:, 220:] = 0, 255, 255, 0
    assert compute_statistics(Scene(image, mask)) == before


@pytest.mark.slow
def test_they_cost_a_fraction_of_a_millisecond() -> None:
    scene = Scene(np.ascontiguousarray(photograph()[:160, :160]), blob((160, 160)))
    assert compute_statistics(scene)  # what the scene keeps is not counted
    times = []
    for _ in range(50):
        start = time.thread_time()
        compute_statistics(scene)
        times.append(time.thread_time() - start)
    assert min(times) < 1.5e-3
