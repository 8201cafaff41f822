"""CIELAB and CIEDE2000 against scikit-image and the published test pairs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import Pixels
from skimage import color

from distortlab.severity.ciede2000 import _rotation, ciede2000, convert_linear_to_lab

# Sharma, Wu and Dalal 2005, table 1: the pairs that find mistakes in the hue, at the angle of 180 degrees, and in grey.
SHARMA = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, 3.1571, -77.2803), (50.0, 0.0, -82.7485), 2.8615),
    ((50.0, 2.8361, -74.0200), (50.0, 0.0, -82.7485), 3.4412),
    ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
    ((50.0, -1.1848, -84.8006), (50.0, 0.0, -82.7485), 1.0000),
    ((50.0, -0.9009, -85.5211), (50.0, 0.0, -82.7485), 1.0000),
    ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
    ((50.0, -1.0, 2.0), (50.0, 0.0, 0.0), 2.3669),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0009), 7.1792),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0011), 7.2195),
    ((50.0, 2.5, 0.0), (50.0, 0.0, -2.5), 4.3065),
    ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((50.0, 2.5, 0.0), (61.0, -5.0, 29.0), 22.8977),
    ((50.0, 2.5, 0.0), (56.0, -27.0, -3.0), 31.9030),
    ((50.0, 2.5, 0.0), (58.0, 24.0, 15.0), 19.4535),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


def lab(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


@pytest.mark.parametrize(("first", "second", "expected"), SHARMA)
def test_published_pairs(first: tuple[float, ...], second: tuple[float, ...], expected: float) -> None:
    assert float(ciede2000(lab(*first), lab(*second))) == pytest.approx(expected, abs=3e-4)


@pytest.mark.parametrize(("first", "second", "expected"), SHARMA)
def test_the_order_does_not_matter(first: tuple[float, ...], second: tuple[float, ...], expected: float) -> None:
    assert float(ciede2000(lab(*second), lab(*first))) == pytest.approx(expected, abs=3e-4)


def test_the_pair_at_the_jump() -> None:
    """Hues exactly 180 degrees apart have two mean hues. The table's 7.1792 hangs on the last bit of a float64."""
    value = float(ciede2000(lab(50.0, 2.4900, -0.0010), lab(50.0, -2.4900, 0.0010)))
    assert min(abs(value - 7.1792), abs(value - 7.2195)) < 3e-4


@pytest.mark.parametrize("k_lightness", [1.0, 2.0])
def test_random_colours_agree_with_scikit_image(k_lightness: float) -> None:
    rng = np.random.default_rng(0)
    first = rng.uniform((0, -100, -100), (100, 100, 100), (200, 200, 3)).astype(np.float32)
    second = (first + rng.normal(0, 12, first.shape)).astype(np.float32)
    ours, theirs = ciede2000(first, second, k_lightness), color.deltaE_ciede2000(first, second, kL=k_lightness)
    assert ours.dtype == np.float32
    assert ours.shape == (200, 200)
    # At hues 180 degrees apart the formula jumps; float32 may land on the other side of it.
    assert np.quantile(np.abs(ours - theirs), 0.9995) < 2e-3
    assert np.abs(ours - theirs).mean() < 1e-4


COLOURS = st.tuples(st.floats(0, 100), st.floats(-110, 110), st.floats(-110, 110))


@given(COLOURS)
def test_a_colour_does_not_differ_from_itself(colour: tuple[float, float, float]) -> None:
    assert float(ciede2000(lab(*colour), lab(*colour))) == 0


@given(COLOURS, COLOURS)
def test_differences_are_numbers_above_zero(
    first: tuple[float, float, float], second: tuple[float, float, float]
) -> None:
    assert float(ciede2000(lab(*first), lab(*second))) >= 0


def test_lab_agrees_with_scikit_image(photograph: Pixels) -> None:
    levels = photograph / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4).astype(np.float32)
    ours = convert_linear_to_lab(linear)
    assert ours.dtype == np.float32
    assert ours.shape == photograph.shape
    assert np.abs(ours - color.rgb2lab(photograph)).max() < 0.02


@pytest.mark.parametrize(
    ("rgb", "expected"), [((0, 0, 0), (0, 0, 0)), ((1, 1, 1), (100, 0, 0)), ((1, 0, 0), (53.24, 80.09, 67.20))]
)
def test_lab_of_corners(rgb: tuple[float, ...], expected: tuple[float, ...]) -> None:
    assert convert_linear_to_lab(lab(*rgb)[None, None])[0, 0] == pytest.approx(expected, abs=0.02)


def test_the_arguments_stay_as_they_are() -> None:
    first, second = lab(50, 20, -30)[None], lab(40, -10, 3)[None]
    kept = first.copy(), second.copy()
    ciede2000(first, second)
    assert np.array_equal(first, kept[0])
    assert np.array_equal(second, kept[1])


def test_hues_are_taken_modulo_a_whole_turn() -> None:
    """To the last bit, without a division by 360, which takes as long as all else."""
    hues = np.linspace(-2 * np.pi, 2 * np.pi, 100_001, dtype=np.float32)[1:-1]
    degrees = np.degrees(hues) % 360
    expected = np.sin(np.float32(np.pi / 3) * np.exp(-(((degrees - 275) / 25) ** 2)))
    assert np.array_equal(_rotation(hues), expected)
