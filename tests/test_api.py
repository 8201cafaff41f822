"""`distortlab.distort` as a user calls it, what it refuses, and what importing costs."""

import pkgutil
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from samples import NAMES, Pixels, blob, difference

import distortlab
from distortlab import UserError, distort, render
from distortlab.distortions.base import TARGETS

HEAVY = ("numpy", "cv2", "PIL", "scipy", "skimage", "pyarrow", "torch", "pycocotools", "albumentations", "pydantic")


# --- what it gives -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_distortion_by_name(name: str, photograph: Pixels, blob_mask: Pixels) -> None:
    out = distort(photograph, name, mask=blob_mask)
    changed = (out.image != photograph).any(axis=2)
    assert changed.any()
    assert not (changed & (blob_mask == 0)).any()
    assert out.edit.distortion == name
    assert out.edit.severity == 3
    assert out.edit.visibility is not None
    assert out.edit.visibility.v > 0
    assert np.array_equal(render(photograph, [out.edit]), out.image)
    assert out.image.flags.writeable


def test_an_image_and_the_edit_come_back(photograph: Pixels, blob_mask: Pixels) -> None:
    image, edit = distort(photograph, "contrast_weaken.scale", 4, mask=blob_mask, seed=5)
    rows, columns = np.nonzero(blob_mask)
    assert edit.bbox == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert edit.region.area == blob_mask.sum()
    assert edit.amount == 0.278
    assert edit.scale == 200 / 512
    assert edit.address == (5, "contrast_weaken.scale")
    assert image.dtype == np.uint8


@pytest.mark.parametrize("severity", [1, 3, 5])
@pytest.mark.parametrize("name", ["noise.gaussian_rgb", "blur.gaussian", "contrast_weaken.scale"])
def test_equalize_comes_within_a_factor_of_the_target(
    name: str, severity: int, photograph: Pixels, blob_mask: Pixels
) -> None:
    out = distort(photograph, name, severity, mask=blob_mask, equalize=True)
    assert out.edit.visibility is not None
    assert 1 / 1.2 <= out.edit.visibility.v / TARGETS[severity - 1] <= 1.2
    assert np.array_equal(render(photograph, [out.edit]), out.image)


@pytest.mark.parametrize("more", [{"amount": 2.0}, {"profile": "dq"}])
def test_equalize_finds_the_setting_itself(more: dict[str, Any], small: Pixels) -> None:
    with pytest.raises(UserError, match="equalize = True finds the setting itself"):
        distort(small, "blur.gaussian", equalize=True, **more)


def test_neither_mask_nor_box_is_the_whole_image(small: Pixels) -> None:
    everywhere = distort(small, "darken.shift_rgb")
    assert everywhere.edit.bbox == (0, 0, 128, 96)
    for same in ({"box": (0, 0, 128, 96)}, {"mask": np.ones((96, 128), bool)}):
        assert np.array_equal(distort(small, "darken.shift_rgb", **same).image, everywhere.image)


def test_a_box_is_x1_y1_x2_y2_without_its_last_row_and_column(small: Pixels) -> None:
    out = distort(small, "brighten.shift_rgb", 5, box=(10, 20, 50, 60), feather=0).image
    rows, columns = np.nonzero((out != small).any(axis=2))
    assert (columns.min(), rows.min(), columns.max(), rows.max()) == (10, 20, 49, 59)


@pytest.mark.parametrize("kind", [list, np.array])
def test_a_box_may_be_a_list_or_an_array(kind: object, small: Pixels) -> None:
    """As it comes out of COCO's or of NumPy's hands."""
    expected = distort(small, "brighten.shift_rgb", box=(10, 20, 50, 60)).image
    out = distort(small, "brighten.shift_rgb", box=kind([10, 20, 50, 60]))  # type: ignore[operator]
    assert np.array_equal(out.image, expected)


@pytest.mark.parametrize("value", [True, 1, 255, 0.5])
def test_anything_but_0_in_a_mask_is_distorted(value: object, small: Pixels) -> None:
    mask = blob((96, 128)).astype(type(value)) * value
    expected = distort(small, "darken.gamma_rgb", mask=blob((96, 128))).image
    assert np.array_equal(distort(small, "darken.gamma_rgb", mask=mask).image, expected)


def test_severity_and_profile_and_amount_set_the_dial(small: Pixels) -> None:
    def amount(*args: object, **options: object) -> float:
        return distort(small, "noise.impulse", *args, **options).edit.amount  # type: ignore[arg-type]

    assert amount() == 0.0056
    assert amount(5) == 0.032
    assert amount(5, profile="dq") == 0.10
    assert amount(amount=0.4) == 0.4
    assert distort(small, "quantization.palette", profile="dq", amount=3).edit.amount == 3


def test_the_seed_is_the_only_chance(small: Pixels) -> None:
    first, again, other = (distort(small, "noise.speckle", seed=seed).image for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert difference(first, other) > 1


def test_an_integer_from_numpy_is_a_seed_like_any_other(small: Pixels) -> None:
    expected = distort(small, "noise.speckle", seed=7).image
    assert np.array_equal(distort(small, "noise.speckle", seed=np.int64(7)).image, expected)  # type: ignore[arg-type]


def test_stronger_is_more_visible(photograph: Pixels) -> None:
    seen = [distort(photograph, "compression.jpeg", severity).edit.visibility for severity in (1, 3, 5)]
    values = [one.v for one in seen if one]
    assert values == sorted(values)
    assert len(values) == 3


# --- what it refuses -----------------------------------------------------------------------------------------------

BAD_IMAGES = [
    (np.zeros((5, 7, 3), np.float32), r"uint8 array of \(rows, columns, 3\), not float32 \(5, 7, 3\)"),
    (np.zeros((5, 7), np.uint8), r"not uint8 \(5, 7\)"),
    (np.zeros((5, 7, 4), np.uint8), r"not uint8 \(5, 7, 4\)"),
    (np.zeros((2, 5, 7, 3), np.uint8), r"not uint8 \(2, 5, 7, 3\)"),
    (np.zeros((5, 7, 3), np.uint16), "not uint16"),
    (np.zeros((0, 7, 3), np.uint8), r"no pixels: shape \(0, 7, 3\)"),
    ([[1, 2, 3]], "not list"),
    ("photo.jpg", "not str"),
    (None, "not NoneType"),
]


@pytest.mark.parametrize(("image", "sentence"), BAD_IMAGES)
def test_what_is_not_an_image_is_refused(image: object, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        distort(image, "blur.gaussian")  # type: ignore[arg-type]


BAD_PLACES = [
    ({"box": (0, 0, 129, 96)}, "0,0,129,96 does not lie in the image, which is 128 wide and 96 high"),
    ({"box": (-1, 0, 10, 10)}, "-1,0,10,10 does not lie"),
    ({"box": (10, 10, 10, 20)}, "x1 < x2 and y1 < y2"),
    ({"box": (20, 10, 10, 20)}, "x1 < x2 and y1 < y2"),
    ({"box": (0, 0, 10**12, 10**12)}, "does not lie in the image"),
    ({"box": (1, 2, 3)}, "x1,y1,x2,y2"),
    ({"box": (0, 0, 10, float("nan"))}, "x1,y1,x2,y2"),
    ({"box": "1,2,30,40"}, "x1,y1,x2,y2"),
    ({"box": ()}, "x1,y1,x2,y2"),
    ({"mask": np.zeros((96, 128))}, "the mask is empty"),
    ({"mask": np.ones((128, 96))}, r"the mask has shape \(128, 96\), the image \(96, 128\) \(rows, columns\)"),
    ({"mask": np.ones((96, 128, 3))}, r"the mask has shape \(96, 128, 3\)"),
    ({"mask": np.ones((96, 128)), "box": (0, 0, 9, 9)}, "a mask or a box, not both"),
]


@pytest.mark.parametrize(("place", "sentence"), BAD_PLACES)
def test_places_outside_the_image_are_refused(place: dict[str, object], sentence: str, small: Pixels) -> None:
    with pytest.raises(UserError, match=sentence):
        distort(small, "blur.gaussian", **place)  # type: ignore[arg-type]


BAD_SETTINGS = [
    ({"severity": 0}, "severity 0 is not one of 1, 2, 3, 4, 5"),
    ({"severity": 6}, "severity 6 is not one of 1, 2, 3, 4, 5"),
    ({"severity": 2.5}, "severity 2.5"),
    ({"severity": "3"}, "severity"),
    ({"profile": "dp"}, "profile.*'dp'.*'dq'"),
    ({"profile": ""}, "profile"),
    ({"amount": float("nan")}, "amount"),
    ({"amount": float("inf")}, "amount"),
    ({"amount": -3.0}, "amount"),
    ({"feather": -1}, "feather"),
]


@pytest.mark.parametrize(("setting", "sentence"), BAD_SETTINGS)
def test_settings_that_do_not_exist_are_refused(setting: dict[str, object], sentence: str, small: Pixels) -> None:
    with pytest.raises(UserError, match=sentence):
        distort(small, "blur.gaussian", **setting)  # type: ignore[arg-type]


def test_unknown_names_are_refused_with_the_nearest(small: Pixels) -> None:
    with pytest.raises(UserError, match=r"no distortion called 'blur\.gausian'; did you mean 'blur\.gaussian'\?"):
        distort(small, "blur.gausian")


def test_a_variant_without_a_dq_ladder_names_those_that_have_one(small: Pixels) -> None:
    with pytest.raises(UserError, match=r"compression\.webp has no 'dq' ladder.*compression\.jpeg"):
        distort(small, "compression.webp", profile="dq")


# --- the package ---------------------------------------------------------------------------------------------------


def test_every_public_name_can_be_had() -> None:
    for name in distortlab.__all__:
        assert getattr(distortlab, name) is not None
        assert name in dir(distortlab)


def test_no_public_name_is_that_of_a_module() -> None:
    """Which of the two one got would depend on what was imported first."""
    modules = {module.name for module in pkgutil.iter_modules(distortlab.__path__)}
    assert not modules & set(distortlab.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'distortlab' has no attribute 'dsitort'"):
        distortlab.dsitort  # noqa: B018


def loaded(code: str) -> set[str]:
    """The heavy modules that a fresh Python holds after some code."""
    end = f"import sys; print(*[m for m in {HEAVY} if m in sys.modules], file=sys.stderr)"
    script = f"import sys, atexit\natexit.register(lambda: exec({end!r}))\n{code}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


HELP = "import sys; sys.argv = ['distortlab', '--help']; from distortlab.cli import main; main()"


@pytest.mark.parametrize(
    "code",
    [
        "import distortlab",
        "import distortlab; dir(distortlab); distortlab.UserError",
        "import distortlab.tasks",
        "import distortlab.tasks.recognition, distortlab.tasks.grounding, distortlab.tasks.object",
        "import distortlab.core.errors",
        "import distortlab.cli",
        HELP,
    ],
)
def test_importing_is_cheap(code: str) -> None:
    assert loaded(code) == set()


def test_the_import_budget_can_be_exceeded() -> None:
    assert loaded("import distortlab; distortlab.distort") >= {"numpy", "cv2"}


def test_distorting_loads_no_toolkit() -> None:
    code = "import distortlab, numpy; distortlab.distort(numpy.zeros((9, 9, 3), 'uint8'), 'noise.poisson')"
    assert not loaded(code) & {"torch", "albumentations", "pyarrow", "skimage", "scipy", "pydantic"}
