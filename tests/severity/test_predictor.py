"""First settings: predicted for any region, from coefficients that belong to the catalogue as it is."""

import json
import math
from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import NAMES, SEVERITIES, Pixels, blob, photograph
from skimage import data

from distortlab.core.errors import UserError
from distortlab.core.region import Region
from distortlab.distortions.base import TARGETS, Distortion
from distortlab.distortions.catalog import CATALOG, find
from distortlab.distortions.edit import Edit, compute_spatial_scale, render_edit
from distortlab.severity import predictor
from distortlab.severity.predictor import (
    ALL_STATISTICS,
    STATISTICS,
    Predictor,
    load_predictor,
    parse_predictor,
    predict_amount,
    predict_curve,
)
from distortlab.severity.scene import Scene
from distortlab.severity.visibility import find_region_fault, measure_visibility

ROWS = st.sampled_from(CATALOG)


def file_values() -> dict[str, Any]:
    return json.loads((resources.files("distortlab.severity") / "predictor.json").read_text())


@pytest.fixture
def committed() -> dict[str, Any]:
    return file_values()


# --- the committed coefficients -------------------------------------------------------------------------------------


def test_the_coefficients_fit_the_catalogue() -> None:
    fitted = {name: model.version for name, model in load_predictor().models.items()}
    assert fitted == {row.name: row.version for row in CATALOG}


def test_the_file_says_what_it_was_fitted_on_and_is_small(committed: dict[str, Any]) -> None:
    assert "train2017" in committed["photographs"]
    assert len((resources.files("distortlab.severity") / "predictor.json").read_bytes()) < 60_000


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("format", 1),
        ("format", None),
        ("measure", 1),
        ("targets", [2, 3, 4, 5, 6]),
        ("statistics", ["detail"]),
        ("statistics", {"blur": ["detail"]}),
    ],
)
def test_a_file_of_another_version_is_one_sentence(committed: dict[str, Any], key: str, value: object) -> None:
    with pytest.raises(UserError, match=f"^p.json has {key} = .*, this version of distortlab needs .*make predictor"):
        parse_predictor({**committed, key: value}, "p.json")


def test_a_file_without_a_version_is_one_sentence(committed: dict[str, Any]) -> None:
    del committed["format"]
    with pytest.raises(UserError, match=r"^p\.json has format = None"):
        parse_predictor(committed, "p.json")


@pytest.mark.parametrize("broken", [{"variants": None}, {"variants": {"blur.gaussian": {}}}, {"center": "x"}])
def test_a_damaged_file_is_one_sentence(committed: dict[str, Any], broken: Mapping[str, object]) -> None:
    with pytest.raises(UserError, match=r"^p\.json is damaged"):
        parse_predictor({**committed, **broken}, "p.json")


def test_an_operator_of_another_version_takes_the_ladder(
    committed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    committed["variants"]["blur.gaussian"]["version"] += 1
    del committed["variants"]["blur.lens"]
    _install(monkeypatch, parse_predictor(committed, "p.json"))
    scene = scene_of(photograph(), blob(photograph().shape[:2]))
    for name in ("blur.gaussian", "blur.lens"):
        for severity, amount in zip(SEVERITIES, find(name).matched.values, strict=True):
            predicted = predict_amount(find(name), severity, scene)
            assert (predicted.amount, predicted.is_reachable, predicted.curve.basis) == (amount, True, "ladder")
    assert predict_amount(find("blur.motion"), 3, scene).curve.basis in ("predicted", "clamped")


def _install(monkeypatch: pytest.MonkeyPatch, given: Predictor) -> None:
    monkeypatch.setattr(predictor, "load_predictor", lambda: given)


# --- any region -----------------------------------------------------------------------------------------------------


def scene_of(image: Pixels, mask: Pixels) -> Scene:
    region = Region.from_mask(mask)
    return Scene(np.ascontiguousarray(image[region.bbox.slices]), region.mask)


@st.composite
def any_scene(draw: st.DrawFn) -> Scene:
    """Any mask over noise, a plain color, black, or a photograph; also of one pixel, one row, one column."""
    rows, columns = draw(st.tuples(st.integers(1, 70), st.integers(1, 70)))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["noise", "plain", "black", "photograph", "two colors"]))
    image = {
        "noise": lambda: random.integers(0, 256, (rows, columns, 3)),
        "plain": lambda: np.full((rows, columns, 3), random.integers(0, 256, 3)),
        "black": lambda: np.zeros((rows, columns, 3)),
        "photograph": lambda: photograph()[:rows, :columns],
        "two colors": lambda: random.integers(0, 2, (rows, columns, 1)) * random.integers(0, 256, 3),
    }[kind]()
    mask = (random.random((rows, columns)) < draw(st.sampled_from([0.05, 0.5, 1.0]))).astype(np.uint8)
    mask[random.integers(rows), random.integers(columns)] = 1
    return scene_of(np.ascontiguousarray(image, np.uint8), mask)


@settings(max_examples=150)
@given(any_scene(), ROWS, st.sampled_from(SEVERITIES), st.floats(0.2, 4))
def test_any_region_gets_a_setting_of_the_dial(scene: Scene, row: Distortion, severity: int, scale: float) -> None:
    predicted = predict_amount(row, severity, scene, scale)
    assert row.dial.contains(round(predicted.amount, 12))
    assert isinstance(predicted.is_reachable, bool)
    curve = predicted.curve
    assert np.isfinite(curve.log_v).all()
    assert (np.diff(curve.log_v) >= 0).all()
    assert (np.diff(curve.places) > 0).all()
    assert 0 <= curve.places[0] <= curve.places[-1] <= 1
    if scene.statistics is None:
        assert (predicted.amount, curve.basis) == (row.matched.values[severity - 1], "undefined")


@pytest.mark.parametrize("kind", ["flat", "black", "one row", "one column", "one pixel"])
def test_where_statistics_are_undefined_the_ladder_is_taken(kind: str) -> None:
    image, mask = photograph().copy(), np.zeros(photograph().shape[:2], np.uint8)
    mask[20:120, 30:140] = 1
    if kind in ("flat", "black"):
        image[mask != 0] = 90 if kind == "flat" else 0
    keep = {"one row": np.s_[60:61, 30:140], "one column": np.s_[20:120, 70:71], "one pixel": np.s_[60:61, 70:71]}
    if kind in keep:
        mask[:] = 0
        mask[keep[kind]] = 1
    scene = scene_of(image, mask)
    assert scene.statistics is None
    for row in CATALOG:
        predicted = [predict_amount(row, severity, scene) for severity in SEVERITIES]
        assert tuple(one.amount for one in predicted) == row.matched.values
        assert all(one.is_reachable and one.curve.basis == "undefined" for one in predicted)


def test_statistics_beyond_those_fitted_are_moved_to_the_edge() -> None:
    scene = scene_of(photograph(), blob(photograph().shape[:2]))
    assert scene.statistics is not None
    known = load_predictor()
    for family, names in STATISTICS.items():
        own = [ALL_STATISTICS.index(name) for name in names]
        moved, is_clamped = known.standardize(family, known.high[own] + 500)
        assert is_clamped
        assert np.allclose(moved, ((known.high - known.center) / known.spread)[own])
        assert not known.standardize(family, np.floor(known.high)[own])[1]
    checkers = np.kron(np.indices((60, 60)).sum(axis=0) % 2, np.ones((2, 2))).astype(np.uint8) * 255
    strange = scene_of(np.repeat(checkers[..., None], 3, axis=2), np.ones((120, 120), np.uint8))
    assert predict_curve(find("blur.gaussian"), strange).basis == "clamped"


# --- how near it comes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("picture", ["astronaut", "coffee", "chelsea"])
def test_on_a_photograph_it_comes_nearer_than_the_ladder(picture: str) -> None:
    """Of all variants that the region can have, at two severities: the factor by which V is off its target."""
    image = getattr(data, picture)()
    region = Region.from_mask(blob(image.shape[:2]))
    scene, scale = scene_of(image, blob(image.shape[:2])), compute_spatial_scale(image.shape[:2])

    def off(row: Distortion, severity: int, amount: float) -> float:
        edit = Edit(region, row.name, severity, amount, scale, 2, (0, row.name))
        v = measure_visibility(scene, render_edit(image, edit), row.name).v
        return abs(math.log(max(v, 1e-3) / TARGETS[severity - 1]))

    pairs = []
    for row in CATALOG:
        if find_region_fault(scene, row.name):
            continue
        for severity in (2, 4):
            predicted = predict_amount(row, severity, scene, scale)
            if predicted.is_reachable:
                ladder = off(row, severity, row.matched.values[severity - 1])
                pairs.append((off(row, severity, predicted.amount), ladder))
    errors = np.array(pairs)
    assert len(errors) > 50
    assert (errors[:, 0] <= math.log(1.4)).mean() > 0.8
    assert np.median(errors[:, 0]) < np.median(errors[:, 1])


@pytest.mark.parametrize("name", [name for name in NAMES if find(name).spatial])
def test_a_length_is_predicted_in_pixels(name: str) -> None:
    """The same pixels in an image of twice the size: the same number of pixels, half the setting."""
    scene, row = scene_of(photograph(), blob(photograph().shape[:2])), find(name)
    small, large = (predict_amount(row, 3, scene, scale).amount * scale for scale in (0.6, 1.2))
    assert small == pytest.approx(large, rel=0.04)
