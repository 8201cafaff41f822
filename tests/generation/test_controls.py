"""Shortcut controls: which images of a data set are, that nobody sees a seam, and that a data set of them holds."""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from dataset_samples import Gallery, Painting, edit_manifest, picture, published, rows_of, small_recipe

from distortlab.core.errors import BadRecipe
from distortlab.core.image import pixels_sha256
from distortlab.dataset.reader import open_data
from distortlab.dataset.schema import IMAGES, render_row
from distortlab.distortions.controls import OPERATIONS, SEAM
from distortlab.generation.controls import assign_controls
from distortlab.generation.generate import generate
from distortlab.generation.plan import make_plan
from distortlab.generation.stream import SampleStream
from distortlab.imaging.decode import decode_image
from distortlab.recipe import ControlRules, Recipe, default_recipe, read_stored_recipe
from distortlab.references.natural import find_natural_kind, measure_natural_kind
from distortlab.sharing.materialize import materialize
from distortlab.verification.pixels import check_pixels
from distortlab.verification.rows import check_image_row
from distortlab.verification.verify import verify
from distortlab.visualization.contact_sheet import make_dataset_tiles

LISTED = {"bokeh": [Painting(n).id for n in (1, 5, 9, 13)], "motion": [Painting(n).id for n in (3, 7)]}
SETS: dict[str, Any] = {
    "n": 16,
    "images_per_reference": 1,
    "images_per_shard": 8,
    "splits": {"train": 1},
    "composition": {"pristine": 3, "local": 1, "negatives": ["recognition", "recognition_reference", "grounding"]},
    "controls": {"natural": 0.25, "seam": 0.5, "references": LISTED},
    "tasks": {"diagnosis": 1, "recognition": 1, "recognition_reference": 1, "grounding": 1},
    "samples_per_image": 2,
}


def controls_recipe(**changes: Any) -> Recipe:
    return small_recipe(**{**SETS, **changes})


GALLERY = Gallery(limit=24)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("controls") / "data"
    generate(controls_recipe(), GALLERY, out, workers=1)
    return out


def control_kinds(folder: Path) -> Counter[str]:
    return Counter(row["control"]["kind"] for row in rows_of(folder, "images") if row["control"])


# --- what is made ---------------------------------------------------------------------------------------------------


def test_a_data_set_has_the_controls_that_were_asked_for_and_verifies(data: Path) -> None:
    found = control_kinds(data)
    assert found[SEAM] == 6
    assert found["bokeh"] + found["motion"] >= 3
    assert open_data(data).images == 16
    assert open_data(data).manifest["counts"]["controls"] == dict(sorted(found.items()))
    report = verify(data)
    assert report.problems == []
    assert report.rendered == 16
    assert '"images/control/operation"' in (data / "croissant.json").read_text()


def test_a_natural_control_is_its_photograph(data: Path) -> None:
    for row in rows_of(data, "images"):
        if row["control"] and row["control"]["kind"] != SEAM:
            assert row["reference_id"] in LISTED[row["control"]["kind"]]
            assert not row["regions"]
            pixels = [decode_image(row[name]["bytes"]).image for name in ("image", "reference")]
            assert np.array_equal(*pixels)


def test_a_seam_changes_its_region_alone_and_cannot_be_seen(data: Path) -> None:
    seams = [row for row in rows_of(data, "images") if row["control"] and row["control"]["kind"] == SEAM]
    assert {row["control"]["operation"] for row in seams} == set(OPERATIONS)
    for row in seams:
        image, reference = (decode_image(row[name]["bytes"]).image for name in ("image", "reference"))
        x1, y1, x2, y2 = row["control"]["bbox"]
        differs = (image != reference).any(axis=2)
        assert differs[y1:y2, x1:x2].any()
        differs[y1:y2, x1:x2] = False
        assert not differs.any()
        assert row["control"]["v"] < 1
        assert np.abs(image.astype(int) - reference)[y1:y2, x1:x2].mean() < 4
        assert pixels_sha256(render_row(reference, row)) == row["pixels_sha256"]


def test_controls_are_asked_about_as_any_pristine_image_is(data: Path) -> None:
    controls = {row["image_id"] for row in rows_of(data, "images") if row["control"]}
    asked = [row for row in rows_of(data, "rft") if row["image_id"] in controls]
    assert {row["task"] for row in asked} == set(SETS["tasks"])
    assert {row["solution"] for row in asked} == {"[]", "None"}


def test_without_controls_nothing_of_a_data_set_changes(tmp_path: Path) -> None:
    recipe = controls_recipe(controls={}, n=4)
    assert "controls" not in recipe.as_dict()
    assert read_stored_recipe(recipe.as_dict(), "the recipe") == recipe
    generate(recipe, GALLERY, tmp_path / "data", workers=1)
    path = next((tmp_path / "data" / "images").iterdir())
    assert pq.read_schema(path).names == list(IMAGES)
    assert "controls" not in open_data(tmp_path / "data").manifest["counts"]
    assert "control" not in (tmp_path / "data" / "README.md").read_text()


def test_shares_are_of_the_pristine_images_of_every_split() -> None:
    recipe = default_recipe(
        composition={"pristine": 1, "local": 1},
        tasks={"diagnosis": 1},
        samples_per_image=1,
        controls={"natural": 0.2, "seam": 0.5},
    )
    edits = [() if at % 2 else (object(),) for at in range(200)]
    ids = [str(at) for at in range(200)]
    found = assign_controls(recipe, "train", edits, ids)  # type: ignore[arg-type]
    assert Counter(found) == {None: 130, "natural": 20, "seam": 50}
    assert all(edits[at] == () for at, control in enumerate(found) if control)
    assert found != assign_controls(recipe, "validation", edits, ids)  # type: ignore[arg-type]


def test_named_photographs_are_spread_over_the_shards() -> None:
    names = [Painting(n).id for n in range(40, 60)]
    recipe = controls_recipe(n=64, images_per_shard=8, controls={"natural": 0.25, "references": {"motion": names}})
    plan = make_plan(recipe, Gallery(limit=100))
    per_shard = [sum(entry.id in names for entry in shard.entries[: shard.primary]) for shard in plan.shards]
    assert len(per_shard) == 8
    assert min(per_shard) >= 2


# --- other ways -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_archive_becomes_the_same_data_set(data: Path, tmp_path: Path) -> None:
    generate(controls_recipe(), GALLERY, tmp_path / "archive", workers=1, store="patch")
    assert verify(tmp_path / "archive").problems == []
    materialize(tmp_path / "archive", tmp_path / "data", workers=1)
    assert published(tmp_path / "data") == published(data)


@pytest.mark.slow
def test_a_data_set_of_questions_alone_says_which_images_are_controls(data: Path, tmp_path: Path) -> None:
    generate(controls_recipe(tables=["rft"]), GALLERY, tmp_path / "data", workers=1)
    assert verify(tmp_path / "data").problems == []
    labels = {row["image_id"]: row["control"] for row in rows_of(tmp_path / "data", "labels")}
    assert labels == {row["image_id"]: row["control"] for row in rows_of(data, "images")}


@pytest.mark.slow
def test_a_stream_has_seams_whose_files_are_their_pixels() -> None:
    controls = {"natural": 0.3, "seam": 0.7}
    recipe = controls_recipe(
        composition={"pristine": 1, "local": 0}, controls=controls, tasks={"diagnosis": 1}, samples_per_image=1
    )
    stream = SampleStream(recipe, Gallery(limit=24))
    samples = list(islice(stream, 6))
    seams = [sample for sample in samples if not np.array_equal(sample.image, sample.reference)]
    assert len(seams) >= 2
    for sample in seams:
        assert not sample.edits
        assert np.array_equal(decode_image(sample.encode()[0]["images"][-1]["bytes"]).image, sample.image)


def test_the_sheet_says_what_a_control_is(data: Path) -> None:
    texts = " ".join(tile.note for tile in make_dataset_tiles(data, 16))
    assert "control: seam, " in texts
    assert "as it was taken" in texts


# --- what a photograph is as it was taken ---------------------------------------------------------------------------


def test_low_light_and_bokeh_are_measured() -> None:
    image = picture(2, 480, 600)
    assert measure_natural_kind(image) is None
    assert measure_natural_kind((image * 0.3).astype(np.uint8)) == "low_light"
    half = image.copy()
    half[:, :300] = cv2.GaussianBlur(image, (0, 0), 9)[:, :300]
    assert measure_natural_kind(half) == "bokeh"
    assert measure_natural_kind(np.full((300, 300, 3), 200, np.uint8)) is None


def test_what_is_named_takes_the_place_of_what_is_measured() -> None:
    dark = np.zeros((64, 64, 3), np.uint8)
    assert find_natural_kind("a", dark, {}) == "low_light"
    assert find_natural_kind("a", dark, {"motion": ["b"]}) is None
    assert find_natural_kind("b", dark, {"motion": ["b"]}) == "motion"


# --- what cannot be, and what was changed ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"controls": {"natural": 0.6, "seam": 0.6}}, "are shares of the pristine images, together at most 1"),
        ({"controls": {"seam": 2}}, "controls.seam = 2.0 is outside 0 .. 1"),
        ({"controls": {"seams": 1}}, "did you mean 'controls.seam'?"),
        ({"composition": {}, "tasks": {"grounding": 1}, "samples_per_image": 1}, "give composition.pristine a share"),
        ({"controls": {"natural": 1, "references": {"boke": ["a"]}}}, "did you mean 'bokeh'?"),
        ({"controls": {"natural": 1, "references": {"bokeh": []}}}, "controls.references names no photograph"),
        ({"controls": {"natural": 1, "references": {"bokeh": ["a"]}}}, "asks for 12 images, and 0 of these references"),
    ],
)
def test_what_cannot_be_is_one_sentence(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadRecipe) as error:
        make_plan(controls_recipe(**changes), GALLERY)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_photographs_that_are_not_natural_are_said_to_be_lacking(tmp_path: Path) -> None:
    account = generate(
        controls_recipe(n=8, controls={"natural": 1}, max_failures=1), Gallery(limit=8), tmp_path / "data", workers=1
    )
    assert account.unfilled == 6
    assert "too few of these photographs are blurred in parts or dark" in " ".join(account.warnings)


def _set_params(row: dict[str, Any], **values: Any) -> None:
    row["control"]["params"] = json.dumps({**json.loads(row["control"]["params"]), **values})


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda row: row["control"].update(operation="polish"), "the operation of its seam is 'polish'"),
        (lambda row: row["control"].update(kind="fog"), "its control is 'fog'; there are seam, bokeh"),
        (lambda row: row["control"].update(v=3.0), "V of its seam is 3.0, which can be seen"),
        (lambda row: row["control"].update(v=0.9), "0.900 is stored"),
        (lambda row: row["control"].update(bbox=[0, 0, 4, 4]), "the box of its seam is [0, 0, 4, 4]"),
        (lambda row: _set_params(row, address=["x"]), "the randomness of its seam has the address ['x']"),
        (lambda row: _set_params(row, feather=7), "its recipe does not give its pixels"),
        (lambda row: row.update(control=None), "pixels outside its regions are not the reference's"),
        (lambda row: row["control"].update(kind="bokeh"), "pixels outside its regions are not the reference's"),
        (lambda row: row.update(image=row["reference"]), "nothing is changed inside its seam"),
    ],
)
def test_verify_finds_what_was_changed(data: Path, change: Callable[[dict[str, Any]], None], fault: str) -> None:
    recipe = controls_recipe()
    row = next(row for row in rows_of(data, "images") if row["control"] and row["control"]["kind"] == SEAM)
    assert [*check_image_row(row, recipe), *check_pixels(row, recipe).faults] == []  # type: ignore[arg-type]
    change(row)
    faults = [*check_image_row(row, recipe)] or check_pixels(row, recipe).faults  # type: ignore[arg-type]
    assert fault in "\n".join(faults)


def test_verify_holds_the_shares_against_the_recipe(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(data, folder)
    plan = json.loads((folder / "_distortlab" / "plan.json").read_text())
    rules = read_stored_recipe(plan["recipe"], "the recipe").controls
    assert rules == ControlRules(0.25, 0.5, {kind: tuple(names) for kind, names in LISTED.items()})
    edit_manifest(folder, lambda manifest: manifest["counts"]["controls"].update(seam=99))
    assert "MANIFEST.json: counts.controls is not what the tables hold" in verify(folder).problems
