"""Image sizes: nothing is resized twice, padding resamples nothing."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from transformers.utils import is_torchvision_available

from distortlab.core.errors import UserError
from refine_iqa_train.config.schema import ImageRules
from refine_iqa_train.data.image_sizes import ImagePolicy, make_image_policy, measure_resampling, save_image_policy
from refine_iqa_train.models.processors import load_processor

QWEN25 = ImagePolicy(28, 3136, 12_845_056)
QWEN3 = ImagePolicy(32, 65_536, 16_777_216)
ODD = [(512, 384), (1024, 768), (1920, 1080), (333, 517), (97, 1211), (4032, 3024)]
sizes = st.tuples(st.integers(60, 1500), st.integers(60, 1500))


def noise(size: tuple[int, int]) -> Image.Image:
    width, height = size
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    ("size", "qwen25", "qwen3"),
    [
        ((512, 384), (504, 392), (512, 384)),
        ((1024, 768), (1036, 756), (1024, 768)),
        ((1920, 1080), (1932, 1092), (1920, 1088)),
    ],
)
def test_frames_are_those_that_were_measured(size: Any, qwen25: Any, qwen3: Any) -> None:
    assert QWEN25.frame_size(size) == qwen25
    assert QWEN3.frame_size(size) == qwen3


@pytest.mark.parametrize("family", ["qwen2_5_vl", "qwen3_vl"])
@pytest.mark.parametrize("align", [None, 32, 224])
@pytest.mark.parametrize("size", [(100, 75), (161, 333), (640, 97)])
def test_the_processor_finds_nothing_left_to_resize(tiny: Any, family: str, align: int | None, size: Any) -> None:
    processor, _ = load_processor(str(tiny(family)))
    policy = make_image_policy(ImageRules(min_pixels=1024, max_pixels=90_000, align=align), processor)
    save_image_policy(policy, processor)
    image = policy.fit(noise(size))
    seen = processor.image_processor(images=[image], return_tensors="np")
    _, rows, columns = seen["image_grid_thw"][0]
    assert (columns * 8, rows * 8) == image.size == policy.frame_size(size)
    # the raw image, given to the saved processor, comes out the same where nothing is padded; torchvision's
    # resizing differs from Pillow's by a grey level
    if align is None:
        raw = processor.image_processor(images=[noise(size)], return_tensors="np")
        level = 1.01 / 127.5 if is_torchvision_available() else 1e-6
        assert np.allclose(raw["pixel_values"], seen["pixel_values"], rtol=0, atol=level)


def test_the_policy_is_saved_with_the_processor(tiny: Any, tmp_path: Any) -> None:
    processor, _ = load_processor(str(tiny("qwen3_vl")))
    save_image_policy(make_image_policy(ImageRules(max_pixels=40_000), processor), processor)
    processor.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text((tiny("qwen3_vl") / "config.json").read_text())
    again, _ = load_processor(str(tmp_path))
    assert again.image_processor.size["longest_edge"] == 40_000


@given(sizes)
def test_padding_to_224_resamples_nothing_for_either_family(size: Any) -> None:
    for factor in (28, 32):
        policy = ImagePolicy(factor, 3136, 16_777_216, 224)
        assert policy.frame_size(size) == policy.padded_size(size)
        assert all(side % 224 == 0 for side in policy.frame_size(size))
    assert measure_resampling(ImagePolicy(32, 3136, 16_777_216, 224), [size]) == (0.0, 1.0)


def test_padding_keeps_the_pixels() -> None:
    policy = ImagePolicy(32, 3136, 16_777_216, 224, (1, 2, 3))
    image = noise((100, 230))
    fitted = np.asarray(policy.fit(image))
    assert fitted.shape == (448, 224, 3)
    assert np.array_equal(fitted[:230, :100], np.asarray(image))
    assert (fitted[230:] == (1, 2, 3)).all()


def test_what_is_resized_is_said() -> None:
    share, change = measure_resampling(QWEN25, [(224, 224), (512, 384), (1024, 768)])
    assert share == pytest.approx(2 / 3)
    assert change == pytest.approx(392 / 384)
    assert measure_resampling(QWEN25, []) == (0.0, 1.0)


def test_grey_and_transparent_pictures_are_shown_in_colour() -> None:
    assert QWEN3.fit(Image.new("L", (256, 256))).mode == "RGB"


# --- what is refused ------------------------------------------------------------------------------------------------


def processor(factor: bool = True) -> Any:
    part = SimpleNamespace(patch_size=16, size={"shortest_edge": 65536, "longest_edge": 10**7}, image_mean=[0.5] * 3)
    if factor:
        part.merge_size = 2
    return SimpleNamespace(image_processor=part)


def test_rules_that_do_not_fit_the_model() -> None:
    with pytest.raises(UserError, match=r"no multiple of 32, the model's factor; give e\.g\. 32 or 224"):
        make_image_policy(ImageRules(align=100), processor())
    with pytest.raises(UserError, match="shows all images at one size"):
        make_image_policy(ImageRules(align=224), processor(factor=False))
    with pytest.raises(UserError, match="below the least"):
        make_image_policy(ImageRules(max_pixels=100), processor())
    with pytest.raises(UserError, match="cannot be shown"):
        QWEN3.frame_size((10_000, 20))
