"""A change as a model sees it, after the image was shrunk for it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as pillow
from samples import NAMES, photograph

from distortlab.api import distort
from distortlab.core.errors import UserError
from distortlab.core.region import Region
from distortlab.severity.model_size import compute_model_shape, measure_at_model_size
from distortlab.severity.scene import Scene
from distortlab.severity.visibility import measure_visibility


@pytest.mark.parametrize(
    ("shape", "max_pixels", "factor", "expected"),
    [  # transformers 5.23, smart_resize
        ((384, 512), 12_845_056, 28, (392, 504)),
        ((384, 512), 12_845_056, 32, (384, 512)),
        ((768, 1024), 12_845_056, 28, (756, 1036)),
        ((768, 1024), 12_845_056, 32, (768, 1024)),
        ((1080, 1920), 12_845_056, 28, (1092, 1932)),
        ((1080, 1920), 12_845_056, 32, (1088, 1920)),
        ((1536, 2048), 1280 * 28 * 28, 28, (840, 1148)),
        ((2048, 1365), 1280 * 28 * 28, 28, (1204, 812)),
        ((480, 640), 1280 * 28 * 28, 28, (476, 644)),
    ],
)
def test_the_frame_of_the_processor(
    shape: tuple[int, int], max_pixels: int, factor: int, expected: tuple[int, int]
) -> None:
    assert compute_model_shape(shape, max_pixels, factor) == expected


@given(st.tuples(st.integers(28, 5000), st.integers(28, 5000)), st.integers(28 * 28 * 64, 4_000_000))
def test_frames_are_whole_tokens_and_small_enough(shape: tuple[int, int], max_pixels: int) -> None:
    rows, columns = compute_model_shape(shape, max_pixels)
    assert rows % 28 == columns % 28 == 0
    assert rows * columns <= max_pixels or min(rows, columns) == 28


def test_less_than_a_token_is_refused() -> None:
    with pytest.raises(UserError, match="less than one token"):
        compute_model_shape((100, 100), 783)


@pytest.mark.parametrize("box", [(60, 40, 200, 150), (0, 0, 90, 80), (150, 100, 260, 200), (0, 0, 260, 200)])
@pytest.mark.parametrize("name", NAMES[::6])
def test_the_same_as_shrinking_the_whole_image(name: str, box: tuple[int, int, int, int]) -> None:
    image = photograph()
    out = distort(image, name, 5, box=box)
    region = out.edit.region
    x1, y1, x2, y2 = box
    seen = measure_at_model_size(image, out.image[y1:y2, x1:x2], region, name, 28 * 28 * 16)
    rows, columns = compute_model_shape(image.shape[:2], 28 * 28 * 16)
    assert rows < image.shape[0]

    def small(pixels: np.ndarray) -> np.ndarray:
        return np.asarray(pillow.fromarray(pixels).resize((columns, rows), pillow.Resampling.BICUBIC))

    mask = np.zeros(image.shape[:2], np.uint8)
    mask[y1:y2, x1:x2] = 255
    place = Region.from_mask(small(mask) > 127)
    cut = place.bbox.slices
    whole = measure_visibility(
        Scene(np.ascontiguousarray(small(image)[cut]), place.mask), np.ascontiguousarray(small(out.image)[cut]), name
    )
    assert seen.v == pytest.approx(whole.v, rel=0.01)


def test_fine_noise_is_lost_and_brightness_is_not() -> None:
    image = photograph()
    lost, kept = (
        distort(image, name, amount=amount, box=(40, 30, 220, 170))
        for name, amount in (("noise.gaussian_rgb", 0.03), ("brighten.shift_rgb", 0.06))
    )
    values, colors = [], []
    for out in (lost, kept):
        box = out.edit.bbox
        small = measure_at_model_size(image, out.image[box.slices], out.edit.region, out.edit.distortion, 28 * 28 * 8)
        assert out.edit.visibility is not None
        values.append(small.v / out.edit.visibility.v)
        colors.append(small.colour / out.edit.visibility.colour)
    assert values[0] < 0.5 < values[1]
    assert colors[0] < 0.5 < 0.95 < colors[1], "the structure of a brightening is where it clips, which is fine detail"


def test_a_region_thinner_than_a_pixel_is_not_seen() -> None:
    image = photograph()
    out = distort(image, "brighten.shift_rgb", 5, box=(50, 40, 51, 41))
    box = out.edit.bbox
    assert (
        measure_at_model_size(image, out.image[box.slices], out.edit.region, "brighten.shift_rgb", 28 * 28 * 4).v == 0
    )
