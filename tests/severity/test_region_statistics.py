"""Statistics of a region: whole numbers that say what they are called, the same for the same pixels."""

import time

import cv2
import numpy as np
import pytest
from samples import Pixels, blob, photograph

from distortlab.core.region import Region
from distortlab.distortions.catalog import FAMILIES, find
from distortlab.severity.half_size import HalfSize, choose_rows, shrink_mask, shrink_pixels
from distortlab.severity.region_statistics import NAMES, STEPS, TRIALS, list_statistics, measure_statistics
from distortlab.severity.scene import Scene


def compute_all(scene: Scene) -> tuple[int, ...] | None:
    statistics = measure_statistics(scene)
    return statistics and statistics.compute(NAMES)


def statistics(image: Pixels, mask: Pixels | None = None) -> dict[str, float]:
    mask = np.ones(image.shape[:2], np.uint8) if mask is None else mask
    values = compute_all(Scene(image, mask))
    assert values is not None
    assert all(type(value) is int for value in values)
    return dict(zip(NAMES, (value / STEPS for value in values), strict=True))


def test_they_are_kept_by_the_scene(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(photograph(), blob(photograph().shape[:2]))
    assert scene.statistics is not None
    assert scene.statistics is scene.statistics
    known = scene.statistics.compute(NAMES)
    monkeypatch.setattr(HalfSize, "measure_structure", None)  # nothing is measured twice
    assert scene.statistics.compute(NAMES) == known


def test_a_family_makes_its_own_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials and experiments cost the most: they are for the families that they tell something of."""
    assert set(NAMES) == {name for family in FAMILIES for name in list_statistics(family)}
    for family in FAMILIES:
        trials = {name for name in list_statistics(family) if name in TRIALS}
        assert trials == {name for name, trial in TRIALS.items() if find(trial.variant).family == family}
    monkeypatch.setattr(HalfSize, "measure_structure", None)
    scene = Scene(photograph(), blob(photograph().shape[:2]))
    assert scene.statistics is not None
    assert len(scene.statistics.compute(list_statistics("noise"))) == len(list_statistics("noise"))
    with pytest.raises(TypeError):
        scene.statistics.compute(list_statistics("blur"))


@pytest.mark.parametrize("name", TRIALS)
def test_trials_are_of_operators_as_they_are(name: str) -> None:
    """If this fails, the coefficients were fitted with another operator: set the version and run `make predictor`."""
    assert find(TRIALS[name].variant).version == TRIALS[name].version
    assert find(TRIALS[name].variant).dial.contains(TRIALS[name].amount)


@pytest.mark.parametrize("shape", [(300, 440), (900, 160), (1000, 1000)])
def test_a_large_region_is_measured_on_strips(shape: tuple[int, int]) -> None:
    """They say nearly what all of it does, and cost no more than that of a smaller region."""
    noise = np.random.default_rng(3).integers(0, 256, (*shape, 3)).astype(np.uint8)
    image, mask = cv2.GaussianBlur(noise, (0, 0), 1.5), np.ones(shape, np.uint8)
    rows = choose_rows(mask, 16384)
    assert rows is not None
    assert max(16384, 40 * shape[1]) * 0.7 <= len(rows) * shape[1] <= max(16384, 40 * shape[1]) * 2
    part = statistics(image, mask)
    scene = Scene(image, mask)
    known = measure_statistics(scene)
    assert known is not None
    known.half = HalfSize(shrink_pixels(scene.luma), shrink_mask(mask), None)
    whole = dict(zip(NAMES, (value / STEPS for value in known.compute(NAMES)), strict=True))
    for name in NAMES:
        assert part[name] == pytest.approx(whole[name], abs=0.1)


def test_strips_that_miss_the_region_are_not_taken() -> None:
    mask = np.zeros((400, 400), np.uint8)
    mask[0:30, 0:200] = 1
    assert choose_rows(mask, 16384) is None
    image = np.random.default_rng(5).integers(0, 256, (400, 400, 3)).astype(np.uint8)
    assert compute_all(Scene(image, mask)) is not None


def test_where_strips_meet_nothing_counts() -> None:
    """Two flat strips of different luma have no gradient."""
    rows = np.concatenate([np.arange(40), np.arange(80, 120)])
    luma = np.repeat(np.where(rows < 40, 50, 200).astype(np.uint8)[:, None], 100, axis=1)
    half = HalfSize(shrink_pixels(luma), shrink_mask(np.ones_like(luma)), rows)
    assert half.squares.max() > 0
    assert (half.squares[half.weight > 0] == 0).all()


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
    soft = statistics(cv2.GaussianBlur(image, (0, 0), 2))
    assert soft["gradient"] < whole["gradient"]
    assert soft["coarse gradient"] < whole["coarse gradient"]
    assert soft["coarse flatness"] > whole["coarse flatness"]
    assert statistics(grey)["saturate_strengthen.hsv 14"] < whole["saturate_strengthen.hsv 14"]
    assert statistics(grey)["saturate_weaken.hsv 0.3"] < whole["saturate_weaken.hsv 0.3"]
    assert whole["saturate_strengthen.hsv 2.5"] < whole["saturate_strengthen.hsv 14"]
    two = np.where(image < 128, 40, 200).astype(np.uint8)
    assert statistics(two)["structure lost by three levels"] < whole["structure lost by three levels"]
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
    assert scene.statistics.compute(["odd corner"]) == (odd * STEPS,)


@pytest.mark.parametrize("shape", [(1, 40), (40, 1), (3, 40), (40, 3), (1, 1)])
def test_a_region_a_few_pixels_thin_has_none(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    assert measure_statistics(Scene(image, np.ones(shape, np.uint8))) is None


def test_what_is_outside_of_the_mask_does_not_count_but_at_its_edge() -> None:
    image, mask = photograph().copy(), np.zeros(photograph().shape[:2], np.uint8)
    mask[40:160, 40:200] = 1
    before = compute_all(Scene(image, mask))
    image[:20], image[180:], image[:, :20], image[:, 220:] = 0, 255, 255, 0
    assert compute_all(Scene(image, mask)) == before


@pytest.mark.slow
@pytest.mark.parametrize(("family", "bound"), [("noise", 0.8e-3), ("blur", 1.2e-3), ("saturate_strengthen", 4e-3)])
def test_they_cost_a_fraction_of_a_millisecond(family: str, bound: float) -> None:
    times = []
    for _ in range(50):
        scene = Scene(np.ascontiguousarray(photograph()[:160, :160]), blob((160, 160)))
        start = time.thread_time()
        assert scene.statistics
        scene.statistics.compute(list_statistics(family))
        times.append(time.thread_time() - start)
    assert min(times) < bound
