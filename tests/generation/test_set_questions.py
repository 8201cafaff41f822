"""Questions about sets: the truth is what was done, whatever the order in which it was done."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from dataset_samples import Gallery, jobs_of, rows_of, small_recipe

from distortlab import generate
from distortlab.core.region import Box, Region
from distortlab.dataset.composition import find_kind
from distortlab.dataset.schema import ImageRecord, Picture
from distortlab.distortions.edit import Edit, Visibility
from distortlab.generation.plan import make_plan
from distortlab.generation.set_questions import ask_about_set
from distortlab.generation.shard import run_shard
from distortlab.generation.task_balance import PairBalance
from distortlab.imaging.decode import decode_image
from distortlab.recipe import Recipe
from distortlab.tasks import comparison, diagnosis, recognition, score
from distortlab.verification.rows import check_question_row
from distortlab.verification.verify import verify

SIZE = (100, 200)
BOXES = (Box(10, 20, 60, 80), Box(100, 10, 180, 90), Box(0, 0, 200, 100))
SETS = {"pristine": 1, "whole": 2, "local": 2, "regions": {"1": 1, "2": 1, "3": 1}}
TASKS = {"diagnosis": 10.0, "comparison": 2.0, "comparison_regions": 1.0}
RECIPE = small_recipe(tasks=TASKS, composition=SETS, samples_per_image=1.3)


def edit(box: Box = BOXES[0], name: str = "noise.poisson", severity: int = 3, v: float = 3.8) -> Edit:
    region = Region.from_box(box, SIZE)
    return Edit(region, name, severity, 1.0, 1.0, 2, (0, "i", 0, name), visibility=Visibility(v, 0.1, 1.0, 1.0))


def record(*edits: Edit, image_id: str = "train-000001", reference: str = "r") -> ImageRecord:
    file = Picture(image_id.encode(), "i.png")
    names = (None,) * len(edits)
    return ImageRecord(image_id, file, 200, 100, "", reference, file, "", "", edits, names, names, 0, "")


def ask(task: str, *edits: Edit, before: ImageRecord | None = None, recipe: Recipe = RECIPE, **about: str) -> Any:
    return ask_about_set(task, record(*edits, **about), recipe, before)


# --- diagnosis ------------------------------------------------------------------------------------------------------


def test_the_truth_of_a_diagnosis_is_every_edit() -> None:
    found = ask("diagnosis", edit(BOXES[1], "blur.gaussian", 5), edit())
    assert found.solution == (
        '[{"box": [500, 100, 900, 900], "type": "Blur", "severity": "Extreme"}, '
        '{"box": [50, 200, 300, 800], "type": "Noise", "severity": "Obvious"}]'
    )
    assert found.boxes == (BOXES[1], BOXES[0])
    assert score("diagnosis", f"<answer>{found.solution}</answer>", found.solution).value == 1.0
    form = diagnosis.find_form(found.prompt, (200, 100))
    assert form is not None
    assert form.coordinates == "thousandths"
    assert len(form.families) == 12


def test_a_pristine_image_has_the_empty_list() -> None:
    found = ask("diagnosis")
    assert (found.solution, found.boxes) == ("[]", ())


def test_the_order_of_edits_changes_nothing() -> None:
    edits = [edit(), edit(BOXES[1], "blur.gaussian", 5)]
    assert ask("diagnosis", *edits) == ask("diagnosis", *edits[::-1])


def test_the_question_says_nothing_about_the_image() -> None:
    """The same words whatever was done to it, but for an order of names and a wording that depend on the id alone."""
    assert ask("diagnosis").prompt == ask("diagnosis", edit(), edit(BOXES[1])).prompt
    assert ask("diagnosis").prompt != ask("diagnosis", image_id="train-000002").prompt


def test_only_families_of_the_data_set_are_offered() -> None:
    recipe = replace(RECIPE, families={"noise": 1.0, "blur": 2.0, "darken": 0.0})
    form = diagnosis.find_form(ask("diagnosis", edit(), recipe=recipe).prompt, (200, 100))
    assert form is not None
    assert sorted(form.families) == ["blur", "noise"]


# --- regions compared -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "least"), [("noise.poisson", 1.5), ("blur.gaussian", 3.0)])
def test_regions_are_compared_from_a_margin_on(name: str, least: float) -> None:
    other = edit(BOXES[1], name, v=2.0 * least)
    assert ask("comparison_regions", edit(v=2.0), replace(other, visibility=Visibility(1.98 * least, 0, 0, 0))) is None
    found = ask("comparison_regions", edit(v=2.0), other)
    form = comparison.find_form(found.prompt, (200, 100))
    assert form is not None
    stronger = form.first if found.solution == "First" else form.second
    assert stronger == (500, 100, 900, 900)
    assert found.boxes[0 if found.solution == "First" else 1] == BOXES[1]


def test_either_region_may_be_the_first() -> None:
    found = [
        ask("comparison_regions", edit(v=2.0), edit(BOXES[1], v=8.0), image_id=f"train-{number:06d}").solution
        for number in range(100)
    ]
    assert 30 <= found.count("First") <= 70


@pytest.mark.parametrize("edits", [[], [edit()], [edit(v=2.0), edit(Box(12, 22, 62, 82), v=8.0)]])
def test_there_must_be_two_places_to_compare(edits: Sequence[Edit]) -> None:
    assert ask("comparison_regions", *edits) is None


# --- images compared ------------------------------------------------------------------------------------------------

WHOLE, STRONG = edit(BOXES[2], v=2.0), edit(BOXES[2], v=8.0)


@pytest.mark.parametrize(
    ("first", "second", "solution"),
    [
        ([WHOLE], [STRONG], "Second"),
        ([STRONG], [WHOLE], "First"),
        ([], [WHOLE], "Second"),
        ([edit(), edit(BOXES[1])], [], "First"),
        ([], [], None),
        ([WHOLE], [WHOLE], None),
        ([WHOLE], [edit(v=8.0)], None),
        ([edit(v=2.0)], [edit(v=8.0)], None),
        ([WHOLE], [edit(BOXES[2], "blur.gaussian", v=5.9)], None),
        ([WHOLE], [edit(BOXES[2], "blur.gaussian", v=6.0)], "Second"),
    ],
)
def test_images_are_compared_where_people_would_agree(
    first: list[Edit], second: list[Edit], solution: str | None
) -> None:
    found = ask("comparison", *second, before=record(*first, image_id="train-000000"))
    assert (found and found.solution) == solution


def test_images_of_two_references_are_not_compared() -> None:
    assert ask("comparison", STRONG, before=record(WHOLE, reference="other")) is None
    assert ask("comparison", STRONG) is None


def test_questions_that_cannot_be_asked_are_made_up_for_later() -> None:
    balance = PairBalance(["comparison", "comparison_regions"])
    assert balance.settle(["diagnosis", "comparison"], lambda task: False) == []
    assert balance.left_out == {"comparison: nothing far enough apart to compare": 1}
    assert balance.settle(["diagnosis"], lambda task: True) == ["comparison"]
    assert balance.settle(["comparison_regions"], lambda task: True) == ["comparison_regions"]
    assert balance.settle(["diagnosis"], lambda task: True) == []
    assert balance.left_out == {}


# --- a data set -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets")
    recipe = replace(
        RECIPE,
        n=70,
        images_per_shard=100,
        splits={"train": 1.0},
        families={"noise": 1.0, "darken": 1.0, "compression": 1.0},
    )
    for job in jobs_of(make_plan(recipe, Gallery()), folder):
        run_shard(job)
    return folder


def test_the_rows_of_questions_about_sets(made: Path) -> None:
    images = {row["image_id"]: row for row in rows_of(made, "images")}
    rows = rows_of(made, "rft")
    counts = Counter(row["task"] for row in rows)
    assert counts["diagnosis"] == 70 == len(images)
    assert min(counts["comparison"], counts["comparison_regions"]) > 2
    for row in rows:
        image = images[row["image_id"]]
        assert row["bbox"] == [0, 0, image["width"], image["height"]]
        assert row["distortion"] is row["severity"] is row["difficulty"] is None
        boxes = [region["bbox"] for region in image["regions"]]
        if row["task"] == "diagnosis":
            assert sorted(row["boxes"]) == sorted(boxes)
        elif row["task"] == "comparison_regions":
            assert len(row["boxes"]) == 2
            assert all(box in boxes for box in row["boxes"])
        assert (row["boxes"] is None) == (row["other_image_id"] is not None) == (row["task"] == "comparison")


def test_a_pair_is_of_one_reference_and_in_one_row_group(made: Path) -> None:
    pairs = 0
    for path in sorted((made / "rft").glob("*.parquet")):
        questions, images = pq.ParquetFile(path), pq.ParquetFile(made / "images" / path.name)
        assert questions.num_row_groups == images.num_row_groups
        for group in range(images.num_row_groups):
            own = {row["image_id"]: row for row in images.read_row_group(group).to_pylist()}
            for row in questions.read_row_group(group).to_pylist():
                if row["task"] != "comparison":
                    continue
                pairs += 1
                both = [own[row["other_image_id"]], own[row["image_id"]]]
                assert both[0]["reference_id"] == both[1]["reference_id"]
                assert [picture["bytes"] for picture in row["images"]] == [image["image"]["bytes"] for image in both]
                vs = [max((r["visibility"]["v"] for r in image["regions"]), default=0.0) for image in both]
                assert row["solution"] == ("First" if vs[0] > vs[1] else "Second")
    assert pairs > 2


def test_row_groups_are_full_beside_pairs(made: Path) -> None:
    sizes = [
        pq.ParquetFile(path).metadata.row_group(0).num_rows for path in sorted((made / "images").glob("train*.parquet"))
    ]
    assert sizes[0] in range(50, 55)


def test_pristine_rows_have_no_regions_and_the_pixels_of_their_reference(made: Path) -> None:
    pristine = [row for row in rows_of(made, "images") if not row["regions"]]
    assert len(pristine) == 14
    for row in pristine:
        assert row["regions"] == []
        image, reference = (decode_image(row[name]["bytes"]).image for name in ("image", "reference"))
        assert (image == reference).all()


# --- pristine images asked about a region ---------------------------------------------------------------------------


_TASKS = {"recognition": 1.0, "recognition_reference": 1.0, "grounding": 1.0}
NEGATIVES = small_recipe(
    n=60,
    tasks=_TASKS,
    composition={"pristine": 1, "local": 2, "whole": 1, "negatives": [*_TASKS]},
    samples_per_image=1.5,
)


@pytest.fixture(scope="module")
def with_negatives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("negatives") / "data"
    generate(NEGATIVES, Gallery(), folder, workers=1)
    return folder


def test_questions_that_may_have_no_answer_look_like_all_others(with_negatives: Path) -> None:
    rows = rows_of(with_negatives, "rft")
    pristine = {row["image_id"] for row in rows_of(with_negatives, "images") if not row["regions"]}
    none = [row for row in rows if row["solution"] == "None"]
    assert {row["image_id"] for row in none} == pristine
    assert {row["task"] for row in none} == {"recognition", "recognition_reference", "grounding"}
    for row in rows:
        prompt = row["prompt"][0]["content"]
        assert prompt.count("None") >= 1
        assert (row["distortion"] is None) == (row in none)
        if row["task"] != "grounding":
            assert len(recognition.read_candidates(prompt)) == 4
    assert verify(with_negatives, workers=1).problems == []
    asked, counts = Counter(row["task"] for row in rows), Counter(row["task"] for row in none)
    manifest = json.loads((with_negatives / "MANIFEST.json").read_text())
    assert manifest["counts"]["negatives"] == counts
    shares = ", ".join(f"{counts[task]} of {asked[task]} of {task}" for task in sorted(counts))
    assert f"the answer is None: {shares} questions." in (with_negatives / "README.md").read_text()


def is_about_frame(row: dict[str, Any]) -> bool:
    """Whether a question about the type is put to an image that may be distorted as a whole."""
    prompt, paired = row["prompt"][0]["content"], row["task"] == "recognition_reference"
    offered = recognition.read_candidates(prompt)
    found = [
        whole
        for whole in (False, True)
        for wording in range(recognition.WORDINGS)
        if recognition.question(offered, paired, wording, may_be_none=True, is_whole=whole) == prompt
    ]
    assert len(found) == 1
    return found[0]


def test_the_wording_says_whether_a_region_or_the_frame_was_distorted(with_negatives: Path) -> None:
    """And of a pristine image now this, now that: it is not the answer."""
    images = {row["image_id"]: row for row in rows_of(with_negatives, "images")}
    found = defaultdict(list)
    for row in rows_of(with_negatives, "rft"):
        if row["task"].startswith("recognition"):
            image = images[row["image_id"]]
            found[find_kind(image)].append(is_about_frame(row))
            if find_kind(image) == "whole":
                assert row["bbox"] == [0, 0, image["width"], image["height"]]
                assert row["distortion"] == image["regions"][0]["distortion"]
                assert row["solution"] == recognition.truth(row["distortion"], row["severity"])
    assert (set(found["whole"]), set(found["1"]), set(found["pristine"])) == ({True}, {False}, {True, False})
    assert 0.1 < np.mean(found["pristine"]) < 0.8


def test_verify_knows_which_wording_an_image_has(with_negatives: Path) -> None:
    images = {row["image_id"]: row for row in rows_of(with_negatives, "images")}
    for row in rows_of(with_negatives, "rft"):
        image = images[row["image_id"]]
        if row["task"] == "recognition" and image["regions"]:
            offered, whole = recognition.read_candidates(row["prompt"][0]["content"]), find_kind(image) == "whole"
            other = recognition.question(offered, False, 0, may_be_none=True, is_whole=not whole)
            changed = {**row, "prompt": [{"role": "user", "content": other}]}
            assert list(check_question_row(row, image, NEGATIVES)) == []
            assert "its prompt is none that this version would write" in check_question_row(changed, image, NEGATIVES)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"solution": "Noise, Severe"}, "its solution is 'Noise, Severe', and nothing was distorted"),
        ({"boxes": None}, "its boxes are None; there is nothing in its image"),
        ({"distortion": "noise"}, "its distortion is noise; a question about a set has none"),
        (
            {"prompt": [{"role": "user", "content": "Is there any?"}]},
            "its prompt is none that this version would write",
        ),
    ],
)
def test_verify_remakes_questions_about_nothing(with_negatives: Path, change: dict[str, Any], fault: str) -> None:
    recipe = NEGATIVES
    images = {row["image_id"]: row for row in rows_of(with_negatives, "images")}
    for row in rows_of(with_negatives, "samples"):
        image = images[row["image_id"]]
        assert list(check_question_row(row, image, recipe)) == []
        if row["solution"] == "None":
            assert fault in list(check_question_row({**row, **change}, image, recipe))
            unasked = replace(recipe, composition=replace(recipe.composition, negatives=()))
            assert any("composition.negatives" in found for found in check_question_row(row, image, unasked))
