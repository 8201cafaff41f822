"""What `verify` finds in images of several edits, of the whole frame, and of none, and in questions about them."""

import copy
import json
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from dataset_samples import Gallery, Painting, edit_manifest, published, rows_of, small_recipe
from forging import Rows, rewrite
from reference_samples import encoded
from set_samples import ALL_KINDS, SETS, Nested, Row, make_row

from distortlab import generate
from distortlab.core.image import pixels_sha256
from distortlab.generation.plan import EditRequest
from distortlab.imaging.decode import decode_image
from distortlab.recipe import Recipe
from distortlab.sharing.materialize import materialize
from distortlab.verification.composition import check_shares
from distortlab.verification.pixels import check_pixels
from distortlab.verification.rows import check_image_row
from distortlab.verification.verify import verify

RECIPE = small_recipe(composition=ALL_KINDS)
NESTED = small_recipe(composition={**ALL_KINDS, "overlap": True})
THREE = (EditRequest("noise", 3), EditRequest("darken", 4), EditRequest("compression", 2))
TWO = (EditRequest("noise", 3), EditRequest("blur", 4))


@pytest.fixture(scope="module")
def three() -> Row:
    return make_row(THREE, RECIPE, Painting(1))


@pytest.fixture(scope="module")
def nested() -> Row:
    """The second region lies in the first one."""
    return make_row(TWO, NESTED, Nested(1))


@pytest.fixture(scope="module")
def whole() -> Row:
    return make_row([EditRequest("noise", 3, "whole")], RECIPE, Painting(1))


@pytest.fixture(scope="module")
def pristine() -> Row:
    return make_row([], RECIPE, Painting(1))


def find_faults(row: Row, recipe: Recipe | None = RECIPE) -> list[str]:
    return [*check_image_row(row, recipe)] or check_pixels(row, recipe).faults  # type: ignore[arg-type]


def test_images_of_every_kind_pass(three: Row, nested: Row, whole: Row, pristine: Row) -> None:
    for row in (three, whole, pristine):
        assert find_faults(row) == []
        assert find_faults(row, None) == []
    assert find_faults(nested, NESTED) == []
    assert [len(row["regions"]) for row in (three, nested, whole, pristine)] == [3, 2, 1, 0]


def change_params(name: str, value: Any) -> Callable[[Row], None]:
    def change(region: Row) -> None:
        region["params"] = json.dumps(json.loads(region["params"]) | {name: value}, sort_keys=True)

    return change


LIES: dict[str, Callable[[Row], Any]] = {
    "family": lambda region: region.update(distortion="quantization"),
    "variant": lambda region: region.update(variant="impulse"),
    "severity": lambda region: region.update(severity=region["severity"] % 5 + 1),
    "v": lambda region: region["visibility"].update(v=region["visibility"]["v"] * 1.06),
    "trend": lambda region: region["visibility"].update(trend=1.0 + 2 * region["visibility"]["trend"]),
    "left": lambda region: region["bbox"].__setitem__(0, region["bbox"][0] + 1),
    "bottom": lambda region: region["bbox"].__setitem__(3, region["bbox"][3] - 1),
    "area": lambda region: region.update(area=region["area"] * 0.9),
    "mask": lambda region: region["mask_rle"].update(counts=region["mask_rle"]["counts"][:-2]),
    "order": change_params("address", [0, "train-000000", 7, "noise.gaussian_rgb"]),
    "amount": change_params("amount", 0.5),
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize(("kind", "number"), [("three", 0), ("three", 1), ("three", 2), ("nested", 0), ("nested", 1)])
def test_a_lie_about_any_one_region_is_found(kind: str, number: int, lie: str, request: Any) -> None:
    row = copy.deepcopy(request.getfixturevalue(kind))
    LIES[lie](row["regions"][number])
    assert find_faults(row, NESTED if kind == "nested" else RECIPE)


@pytest.mark.parametrize("kind", ["three", "nested"])
def test_the_order_of_regions_is_that_of_the_edits(kind: str, request: Any) -> None:
    row = copy.deepcopy(request.getfixturevalue(kind))
    row["regions"].reverse()
    assert any("its randomness has the address" in fault for fault in find_faults(row, None))


def test_v_is_that_beside_the_image_without_the_edit(nested: Row) -> None:
    """The stored V of the region below, as if the one that lies in it were not there, is found to be another one."""
    alone = make_row(TWO[:1], NESTED, Nested(1))["regions"][0]["visibility"]
    row = copy.deepcopy(nested)
    assert abs(alone["v"] / row["regions"][0]["visibility"]["v"] - 1) > 0.03
    row["regions"][0]["visibility"] = alone
    assert any(fault.startswith("region 1: its v is") for fault in find_faults(row, None))


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_region_in_which_nothing_was_done_is_named(three: Row, number: int) -> None:
    """Also where the other regions of the image are as they should be."""
    row = copy.deepcopy(three)
    x1, y1, x2, y2 = row["regions"][number]["bbox"]
    image = decode_image(row["image"]["bytes"]).image.copy()
    image[y1:y2, x1:x2] = decode_image(row["reference"]["bytes"]).image[y1:y2, x1:x2]
    repaint(row, image)
    assert f"region {number + 1}: nothing is changed inside its region" in find_faults(row)


def repaint(row: Row, image: Any) -> None:
    row["image"]["bytes"] = encoded(image, "PNG")
    row["pixels_sha256"] = pixels_sha256(image)


def test_a_pristine_image_is_its_reference_to_the_last_pixel(pristine: Row) -> None:
    row = copy.deepcopy(pristine)
    image = decode_image(row["image"]["bytes"]).image.copy()
    image[-1, -1, 0] ^= 1
    repaint(row, image)
    assert find_faults(row) == [
        "1 pixels outside its regions are not the reference's",
        "its recipe does not give its pixels",
    ]


@pytest.mark.parametrize(
    ("kind", "rules", "expected"),
    [
        ("pristine", {"local": 1}, "it has no regions, and the recipe asks for no such image"),
        ("pristine", {"whole": 1, "local": 0}, "it has no regions, and the recipe asks for no such image"),
        ("whole", {"local": 1}, "breaks the recipe's rules: too large"),
        ("three", {"regions": {"1": 1, "2": 1}}, "it has 3 regions, and the recipe asks for no such image"),
        ("three", {"whole": 1, "local": 0, "regions": {"3": 1}}, "it has 3 regions, and the recipe asks for no such"),
        ("nested", ALL_KINDS, "its regions 1 and 2 have 7,200 pixels in common"),
    ],
)
def test_what_the_recipe_does_not_ask_for_is_found(kind: str, rules: Any, expected: str, request: Any) -> None:
    faults = find_faults(request.getfixturevalue(kind), small_recipe(composition=rules))
    assert any(expected in fault for fault in faults), faults


def test_a_family_comes_twice_where_that_is_asked_for_only() -> None:
    twice = small_recipe(composition={"regions": {"2": 1}, "repeat_families": True})
    row = make_row([EditRequest("noise", 3), EditRequest("noise", 4)], twice, Painting(1))
    assert find_faults(row, twice) == []
    once = replace(twice, composition=replace(twice.composition, repeat_families=False))
    assert find_faults(row, once) == ["noise is in it 2 times"]


@pytest.mark.parametrize(
    ("counts", "unfilled", "expected"),
    [
        ((4, 8, 4, 4), 0, []),
        ((3, 8, 5, 4), 0, []),
        (
            (2, 10, 4, 4),
            0,
            [
                "train: 2 of 20 images are pristine, 4.0 by the shares of the recipe",
                "train: 10 of 20 images are distorted as a whole",
            ],
        ),
        ((2, 10, 4, 4), 1, []),
        (
            (0, 8, 8, 4),
            1,
            ["train: 0 of 20 images are pristine", "train: 8 of 20 images are distorted in 1 region, 4.0"],
        ),
    ],
)
def test_the_kinds_of_images_have_their_shares(counts: Sequence[int], unfilled: int, expected: list[str]) -> None:
    recipe = small_recipe(composition={"pristine": 1, "whole": 2, "local": 2, "regions": {"1": 1, "2": 1}})
    kinds = dict(zip([("train", kind) for kind in ("pristine", "whole", "1", "2")], counts, strict=True))
    found = list(check_shares(kinds, recipe, unfilled))
    assert len(found) == len(expected)
    assert all(said.startswith(words) for said, words in zip(found, expected, strict=True)), found


def test_without_composition_shares_are_not_asked_about() -> None:
    assert list(check_shares({("train", "1"): 3}, small_recipe(), 0)) == []


def test_only_the_whole_is_rendered_where_edits_do_not_meet(three: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    from distortlab.verification import pixels

    rendered: list[int] = []
    original = pixels.render
    monkeypatch.setattr(pixels, "render", lambda image, edits: rendered.append(len(edits)) or original(image, edits))
    assert check_pixels(three, RECIPE).faults == []  # type: ignore[arg-type]
    assert rendered == [3]


# --- whole data sets ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sets") / "data"
    generate(SETS, Gallery(), out, workers=1)
    asked = Counter(row["task"] for row in rows_of(out, "samples"))
    assert asked["diagnosis"] == 16
    assert min(asked["comparison"], asked["comparison_regions"]) >= 1
    return out


@pytest.fixture
def own_copy(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def test_a_data_set_of_sets_is_as_it_should_be(finished: Path, own_copy: Path) -> None:
    report = verify(finished)
    assert (report.problems, report.not_checked, report.not_rendered) == ([], [], {})
    assert (report.images, report.rendered) == (16, 16)
    shutil.rmtree(own_copy / "_distortlab")
    assert not verify(own_copy).problems


@pytest.mark.parametrize("store", ["patch", "rft"])
def test_all_of_it_comes_back_from_an_archive_or_without_the_table_images(
    finished: Path, tmp_path: Path, store: str
) -> None:
    if store == "rft":
        generate(replace(SETS, tables=("rft",)), Gallery(), tmp_path / "half", workers=1)
        assert not verify(tmp_path / "half").problems
        assert rows_of(tmp_path / "half", "rft") == rows_of(finished, "rft")
        return
    generate(SETS, Gallery(), tmp_path / "archive", workers=1, store=store)
    report = verify(tmp_path / "archive")
    assert (report.problems, report.images, report.rendered) == ([], 16, 16)
    materialize(tmp_path / "archive", tmp_path / "data", workers=1)
    assert published(tmp_path / "data") == published(finished)


def test_a_pair_is_never_torn_apart(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With row groups as small as can be, both images of a comparison are in one, also out of an archive."""
    monkeypatch.setattr("distortlab.dataset.writer._GROUP_IMAGES", 1)
    generate(SETS, Gallery(), tmp_path / "data", workers=1)
    generate(SETS, Gallery(), tmp_path / "archive", workers=1, store="patch")
    materialize(tmp_path / "archive", tmp_path / "back", workers=1)
    assert published(tmp_path / "back") == published(tmp_path / "data")
    assert not verify(tmp_path / "data").problems
    sizes = [
        file.metadata.row_group(group).num_rows
        for file in map(pq.ParquetFile, sorted((tmp_path / "data" / "images").iterdir()))
        for group in range(file.num_row_groups)
    ]
    pairs = sum(row["task"] == "comparison" for row in rows_of(finished, "rft"))
    assert sum(size - 1 for size in sizes) == pairs > 0


def test_counts_of_kinds_and_of_questions_about_nothing_are_those_of_the_tables(tmp_path: Path) -> None:
    rules = {"pristine": 1, "local": 1, "negatives": ["recognition"]}
    recipe = small_recipe(n=6, composition=rules, tasks={"recognition": 1}, samples_per_image=1, splits={"train": 1})
    generate(recipe, Gallery(), tmp_path / "data", workers=1)
    assert not verify(tmp_path / "data").problems
    for name, value in (("kinds", {"pristine": 2, "1": 4}), ("negatives", {"recognition": 2})):
        lying = Path(shutil.copytree(tmp_path / "data", tmp_path / name))
        edit_manifest(lying, lambda manifest, name=name, value=value: manifest["counts"].update({name: value}))
        assert verify(lying).problems == [f"MANIFEST.json: counts.{name} is not what the tables hold"]


def of_task(task: str, change: Callable[[Row], Any]) -> Callable[[Rows], Any]:
    return lambda rows: change(next(row for row in rows if row["task"] == task))


def of_kind(count: int, change: Callable[[Row], Any]) -> Callable[[Rows], Any]:
    return lambda rows: change(next(row for row in rows if len(row["regions"]) == count))


def swap_choice(row: Row) -> None:
    row["solution"] = "First" if row["solution"] == "Second" else "Second"


def reword(row: Row, *change: str) -> None:
    row["prompt"][0]["content"] = row["prompt"][0]["content"].replace(*change)


def swap_types(row: Row) -> None:
    """The order of the types that are offered is free; other types than those of the recipe are not."""
    reword(row, "Blur", "Haze")


def drop_region(row: Row) -> None:
    row["regions"].pop()


def call_about_region(row: Row) -> None:
    row.update(task="grounding", sample_id=f"{row['image_id']}-grounding")


DATASET_LIES = {
    "a region less": ("images", of_kind(3, drop_region), "pixels outside its regions are not the reference's"),
    "no region": ("images", of_kind(1, lambda row: row.update(regions=[])), "pixels outside its regions"),
    "a region of a pristine image": ("images", lambda rows: borrow_region(rows), "its randomness has the address"),
    "another truth": ("rft", of_task("diagnosis", lambda r: r.update(solution="[{}]")), "its solution is '[{}]'"),
    "a family": ("rft", of_task("diagnosis", lambda r: r.update(distortion="blur")), "its distortion is blur"),
    "a severity": ("rft", of_task("comparison", lambda r: r.update(severity=2)), "its severity is 2"),
    "a box": ("rft", of_task("diagnosis", lambda r: r.update(bbox=[0, 0, 5, 5])), "its bbox is [0, 0, 5, 5]"),
    "boxes": ("rft", of_task("diagnosis", lambda r: r.update(boxes=[[0, 0, 5, 5]])), "its boxes are [[0, 0, 5, 5]]"),
    "no boxes": ("rft", of_task("diagnosis", lambda r: r.update(boxes=None)), "its boxes are None"),
    "other types": ("rft", of_task("diagnosis", swap_types), "its prompt is none that this version would write"),
    "a hint": ("rft", of_task("diagnosis", lambda r: reword(r, "\n\nFirst", " One.\n\nFirst")), "its prompt is none"),
    "another pair": ("rft", of_task("diagnosis", lambda r: r.update(other_image_id="x")), "its other image is 'x'"),
    "the other one": ("rft", of_task("comparison", swap_choice), "its solution is"),
    "another word": ("rft", of_task("comparison", lambda r: reword(r, "image", "picture")), "its prompt is none"),
    "no first image": ("rft", of_task("comparison", lambda r: r.update(other_image_id="x")), "its first image is 'x'"),
    "itself": ("rft", of_task("comparison", lambda r: r.update(other_image_id=r["image_id"])), "is not another one"),
    "one picture": ("rft", of_task("comparison", lambda r: r["images"].pop(0)), "its pictures are not those"),
    "turned pictures": ("rft", of_task("comparison", lambda r: r["images"].reverse()), "its pictures are not those"),
    "the other region": ("rft", of_task("comparison_regions", swap_choice), "its solution is"),
    "turned boxes": ("rft", of_task("comparison_regions", lambda r: r["boxes"].reverse()), "its prompt has other"),
    "no such box": ("rft", of_task("comparison_regions", lambda r: r["boxes"][0].reverse()), "not those of two"),
    "a region task": ("rft", of_task("comparison_regions", call_about_region), "it is about one region"),
}


def borrow_region(rows: Rows) -> None:
    """A pristine image with the label of another one."""
    pristine = next(row for row in rows if not row["regions"])
    pristine["regions"] = next(row["regions"] for row in rows if len(row["regions"]) == 1)


@pytest.mark.parametrize("name", DATASET_LIES)
def test_a_lie_that_fits_every_hash_is_found(own_copy: Path, name: str) -> None:
    kind, change, expected = DATASET_LIES[name]
    rewrite(own_copy, kind, change)
    problems = verify(own_copy).problems
    assert any(expected in problem for problem in problems), problems
