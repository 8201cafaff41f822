"""The distortions inside a real albumentations pipeline."""

import os
import pickle

import numpy as np
import pytest
from samples import NAMES, Pixels, difference

from distortlab import UserError, distort

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
A = pytest.importorskip("albumentations")
from distortlab.albumentations import as_transform  # noqa: E402


def pipeline(*transforms: object, seed: int | None = 7) -> object:
    return A.Compose(list(transforms), seed=seed)


@pytest.mark.parametrize("name", NAMES)
def test_every_distortion_works_in_a_pipeline(name: str, photograph: Pixels) -> None:
    image = photograph.copy()
    out = pipeline(as_transform(name, severity=5))(image=image)["image"]
    assert out.shape == image.shape
    assert out.dtype == np.uint8
    assert difference(out, image) > 0
    assert np.array_equal(image, photograph)


def test_a_transform_is_the_distortion_of_the_whole_image(photograph: Pixels) -> None:
    out = pipeline(as_transform("darken.gamma_rgb", severity=2))(image=photograph.copy())["image"]
    assert np.array_equal(out, distort(photograph, "darken.gamma_rgb", 2).image)


def test_the_profile_is_used(photograph: Pixels) -> None:
    out = as_transform("darken.shift_rgb", 5, profile="dq")(image=photograph.copy())["image"]
    assert np.array_equal(out, distort(photograph, "darken.shift_rgb", 5, profile="dq").image)


def test_a_pipeline_with_a_seed_can_be_repeated(small: Pixels) -> None:
    def run(seed: int) -> list[Pixels]:
        made = pipeline(A.HorizontalFlip(p=0.5), as_transform("noise.gaussian_rgb", 3), seed=seed)
        return [made(image=small.copy())["image"] for _ in range(4)]

    first, again, other = run(7), run(7), run(8)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    assert len({image.tobytes() for image in first}) == 4, "one pipeline repeats itself"


def test_global_seeds_have_no_effect(small: Pixels) -> None:
    import random

    out = []
    for seed in (1, 2):
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        out.append(pipeline(as_transform("noise.impulse", (1, 5)))(image=small.copy())["image"])
    assert np.array_equal(*out)


def test_a_range_of_severities_is_drawn_from_with_both_ends(small: Pixels) -> None:
    made = pipeline(as_transform("brighten.shift_rgb", (2, 4)))
    levels = {severity: distort(small, "brighten.shift_rgb", severity).image.tobytes() for severity in range(1, 6)}
    seen = {made(image=small.copy())["image"].tobytes() for _ in range(40)}
    assert seen == {levels[2], levels[3], levels[4]}


def test_probability(small: Pixels) -> None:
    made = pipeline(as_transform("pixelate.block", 5, p=0.5))
    changed = [difference(made(image=small.copy())["image"], small) > 0 for _ in range(60)]
    assert 15 < sum(changed) < 45
    never = as_transform("pixelate.block", 5, p=0.0)
    assert np.array_equal(never(image=small.copy())["image"], small)


def test_masks_and_boxes_stay(small: Pixels) -> None:
    made = A.Compose(
        [A.HorizontalFlip(p=0.0), as_transform("blur.motion", 5)],
        bbox_params=A.BboxParams(format="pascal_voc", label_fields=["labels"]),
        seed=1,
    )
    mask = (small[..., 0] > 90).astype(np.uint8)
    out = made(image=small.copy(), mask=mask, bboxes=[(3, 4, 50, 60)], labels=[1])
    assert np.array_equal(out["mask"], mask)
    assert np.allclose(np.array(out["bboxes"])[:, :4], [(3, 4, 50, 60)])


def test_pipelines_can_be_described_and_made_again(small: Pixels) -> None:
    transform = as_transform("blur.motion", (1, 3), p=0.5)
    assert transform.get_transform_init_args_names() == ("name", "severity", "profile")
    described = A.to_dict(pipeline(transform))["transform"]["transforms"][0]
    assert described["name"] == "blur.motion"
    assert tuple(described["severity"]) == (1, 3)
    assert described["profile"] == "matched"
    assert described["p"] == 0.5
    again = A.from_dict(A.to_dict(A.Compose([as_transform("darken.gamma_rgb", 4)])))
    out = again(image=small.copy())["image"]
    assert np.array_equal(out, distort(small, "darken.gamma_rgb", 4).image)


def test_pipelines_can_be_sent_to_other_processes(small: Pixels) -> None:
    """A DataLoader with the `spawn` method pickles its data set."""
    made = pickle.loads(pickle.dumps(as_transform("darken.gamma_rgb", 4)))
    assert np.array_equal(made(image=small.copy())["image"], distort(small, "darken.gamma_rgb", 4).image)


WRONG = [
    (("blur.gausian",), {}, "did you mean 'blur.gaussian'"),
    (("blur.gaussian", 0), {}, "severity 0 is not one of"),
    (("blur.gaussian", (1, 6)), {}, "severity 6 is not one of"),
    (("blur.gaussian", (4, 2)), {}, "4 to 2 are the wrong way round"),
    (("blur.gaussian", 2.5), {}, "severity"),
    (("blur.gaussian", (1, 2, 3)), {}, "severit"),
    (("quantization.uniform",), {"profile": "dq"}, "no 'dq' ladder"),
]


@pytest.mark.parametrize(("args", "options", "sentence"), WRONG)
def test_errors_come_when_the_pipeline_is_made(args: tuple, options: dict, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        as_transform(*args, **options)


def test_float_images_are_refused(small: Pixels) -> None:
    with pytest.raises(UserError, match="not float32"):
        as_transform("blur.gaussian")(image=small.astype(np.float32) / 255)
