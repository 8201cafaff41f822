"""Data sets as TRL gets them: columns, order of images, mixing, streaming, and everything that is refused."""

import itertools
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dataset_samples import flip_byte
from PIL import Image

from distortlab.core.errors import UserError
from distortlab.recipe import DEFAULT_TASKS
from distortlab.tasks import TASKS, quality, score
from distortlab.tasks.answer import format_completion
from distortlab.tasks.grounding import Coordinates
from distortlab.tasks.region_lists import parse_regions
from refine_iqa_train.config.schema import PERCEPTION, Config, DataRules, ImageRules, ValidationRules
from refine_iqa_train.data.image_sizes import ImagePolicy
from refine_iqa_train.data.mixture import TrainingData, load_training_data
from refine_iqa_train.data.row_checks import BOX_TASKS

POLICY = ImagePolicy(16, 256, 65_536)


@pytest.fixture
def config(perception: Path) -> Config:
    return Config("m", "out", data=DataRules(perception=str(perception)))


def with_data(config: Config, **keys: Any) -> Config:
    return replace(config, data=replace(config.data, **keys))


def load(config: Config, stage: str = "stage1") -> TrainingData:
    return load_training_data(config, stage, POLICY, "thousandths")


@pytest.fixture
def scoring(config: Config, rated: Path) -> Config:
    return with_data(
        config,
        rated=f"meta:{rated / 'train.json'}+norm",
        rated_validation=f"meta:{rated / 'validation.json'}+norm",
        rated_root=str(rated),
    )


def test_rows_have_what_trl_and_the_rewards_need(config: Config, perception: Path) -> None:
    data = load(config)
    rows = [data.train[place] for place in range(len(data.train))]
    assert Counter(row["task"] for row in rows) == data.counts
    assert set(data.counts) == set(DEFAULT_TASKS)
    for row in rows:
        assert len(row["images"]) == TASKS[row["task"]].images
        assert all(image.mode == "RGB" and image.size == POLICY.frame_size(image.size) for image in row["images"])
        assert [message["role"] for message in row["prompt"]] == ["user"]
        assert score(row["task"], format_completion(row["solution"], "."), row["solution"]).value == 1.0
        assert row["family"]
        assert row["mos"] is None
    assert not {row["sample_id"] for row in rows} & {row["sample_id"] for row in data.validation}


def test_the_reference_comes_first(config: Config, perception: Path) -> None:
    stored = pq.read_table(next((perception / "rft").glob("train-*.parquet"))).to_pylist()
    pairs = [row for row in stored if row["task"] == "recognition_reference"]
    assert pairs
    for row in pairs:
        assert row["images"][1]["path"].startswith(row["image_id"])


def test_tasks_and_families_can_be_left_out(config: Config) -> None:
    data = load(with_data(config, tasks=("object",), families=("noise", "blur", "compression", "darken", "brighten")))
    assert set(data.counts) == {"object"}
    assert {row["family"] for row in data.train} <= {"noise", "blur", "compression", "darken", "brighten"}


def test_a_stream_gives_the_same_rows_in_another_order(config: Config) -> None:
    stored = load(config)
    streamed = list(load(with_data(config, streaming=True, buffer=16)).train)
    names = [row["sample_id"] for row in streamed]
    assert sorted(names) == sorted(row["sample_id"] for row in stored.train)
    assert names != [row["sample_id"] for row in stored.train]
    by_name = {row["sample_id"]: row for row in stored.train}
    for row in streamed[:5]:
        twin = by_name[row["sample_id"]]
        assert row["prompt"] == twin["prompt"]
        assert row["solution"] == twin["solution"]
        assert [image.tobytes() for image in row["images"]] == [image.tobytes() for image in twin["images"]]


@pytest.mark.parametrize("streaming", [False, True])
def test_a_batch_is_about_several_images(config: Config, streaming: bool) -> None:
    """Questions about one image stand together on disk; TRL's sampler, or the buffer, takes them apart."""
    from trl.trainer.utils import RepeatSampler

    data = load(with_data(config, streaming=streaming))
    if streaming:
        images = [row["image_id"] for row in itertools.islice(data.train, 24)]
    else:
        order = list(RepeatSampler(data.train, mini_repeat_count=1, batch_size=8, seed=0))[:24]
        images = [data.files[place]["image_id"] for place in order]
    batches = [images[start : start + 8] for start in range(0, 24, 8)]
    assert all(len(set(batch)) >= 4 for batch in batches)


@pytest.mark.parametrize("coordinates", ["thousandths", "pixels"])
def test_questions_of_all_tasks_together(config: Config, sets: Path, coordinates: Coordinates) -> None:
    data = load_training_data(with_data(config, perception=str(sets)), "stage1", POLICY, coordinates)
    assert set(data.counts) == set(PERCEPTION)
    for row in (data.train[place] for place in range(len(data.train))):
        completion = format_completion(row["solution"], ".", 10_000)
        assert score(row["task"], completion, row["solution"]).value == 1.0
        assert (row["family"] is None) == (row["severity"] is None) == (TASKS[row["task"]].subject != "region")
        assert (row["frame"] is not None) == (row["task"] in ("grounding", "diagnosis"))
        boxes = {"comparison": 0, "comparison_regions": 2, "diagnosis": row["solution"].count("box")}
        assert len(row["boxes"]) == boxes.get(row["task"], 1)
        assert len(row["images"]) == TASKS[row["task"]].images
        text = row["prompt"][0]["content"]
        assert ("in thousandths" in text) == (coordinates == "thousandths" and row["task"] in BOX_TASKS)


def test_sets_can_be_streamed_and_mixed_with_rated_images(scoring: Config, sets: Path) -> None:
    mixed = with_data(scoring, perception=str(sets), streaming=True, perception_share=0.9)
    rows = list(itertools.islice(load(mixed, "stage2").train, 24))
    assert {"diagnosis", "quality"} < {row["task"] for row in rows}
    for row in rows:
        right = f"Score:{row['solution']}" if row["task"] == "quality" else row["solution"]
        assert score(row["task"], format_completion(right, ".", 10_000), row["solution"]).value == 1.0


def test_families_of_sets_can_be_chosen(config: Config, sets: Path) -> None:
    """All of an image's distortions are of them, pristine images are there, and nothing is compared."""
    chosen = {"noise", "blur", "compression", "darken", "brighten", "contrast_weaken", "contrast_strengthen"}
    for streaming in (False, True):
        keys = {"perception": str(sets), "families": tuple(chosen), "streaming": streaming}
        rows = list(load(with_data(config, **keys)).train)
        assert not {row["task"] for row in rows} & {"comparison", "comparison_regions"}
        solutions = [row["solution"] for row in rows if row["task"] == "diagnosis"]
        assert {region.family for text in solutions for region in parse_regions(text).regions} <= chosen
        assert "[]" in solutions
        assert len(set(solutions)) > 1


@pytest.mark.parametrize("streaming", [False, True])
def test_data_sets_of_earlier_versions_have_no_column_for_sets(
    config: Config, perception: Path, tmp_path: Path, streaming: bool
) -> None:
    folder = copied(perception, tmp_path / "data")
    for path in (folder / "rft").glob("*.parquet"):
        table = pq.read_table(path).drop_columns(["boxes"])
        pq.write_table(table.replace_schema_metadata(None), path)
    old = load(with_data(config, perception=str(folder), streaming=streaming)).train
    new = load(with_data(config, streaming=streaming)).train
    for one, other in itertools.islice(zip(old, new, strict=True), 8):
        assert one.pop("images")[0].tobytes() == other.pop("images")[0].tobytes()
        assert one == other


def test_a_data_set_made_again_under_the_same_name_is_read_anew(
    config: Config, perception: Path, tmp_path: Path
) -> None:
    folder = copied(perception, tmp_path / "data")
    before = load(with_data(config, perception=str(folder)))
    first = min((folder / "rft").glob("train-*.parquet"))
    table = pq.read_table(first)
    pq.write_table(table.take(list(reversed(range(len(table))))), first)
    after = load(with_data(config, perception=str(folder)))
    names, again = before.files["sample_id"][:], after.files["sample_id"][:]
    assert again != names
    assert sorted(again) == sorted(names)


# --- rated images ---------------------------------------------------------------------------------------------------


def test_rated_images_and_perception_in_their_shares(scoring: Config) -> None:
    alone = load(with_data(scoring, perception=None), "stage2")
    assert set(alone.counts) == {"quality"}
    mixed = load(with_data(scoring, perception_share=0.25), "stage2")
    rest = sum(mixed.counts.values()) - mixed.counts["quality"]
    assert mixed.counts["quality"] == alone.counts["quality"]
    assert rest / sum(mixed.counts.values()) == pytest.approx(0.25, abs=0.03)
    row = next(row for row in alone.train if row["task"] == "quality")
    assert row["prompt"][0]["content"] == quality.question()
    assert quality.truth(row["mos"]) == row["solution"]


def test_both_can_be_streamed(scoring: Config) -> None:
    data = load(with_data(scoring, streaming=True, perception_share=0.5), "stage2")
    tasks = Counter(row["task"] for row in itertools.islice(data.train, 16))
    assert tasks["quality"]
    assert len(tasks) > 1


def test_scores_are_mapped_by_the_range_that_is_declared_or_found(tmp_path: Path, config: Config) -> None:
    import json

    for number in range(3):
        Image.new("RGB", (64, 64)).save(tmp_path / f"{number}.png")
    listed = [{"image": f"{number}.png", "gt_score": score} for number, score in enumerate((20.0, 30.0, 60.0))]
    (tmp_path / "a.json").write_text(json.dumps(listed))
    keys = {"rated": f"meta:{tmp_path / 'a.json'}+score", "rated_root": str(tmp_path), "perception": None}
    config = replace(with_data(config, **keys), validation=ValidationRules(every=0))
    found = load(with_data(config, mos_range="observed"), "stage2")
    assert [row["mos"] for row in found.train] == [1.0, 2.0, 5.0]


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "stage", "sentence"),
    [
        ({"perception": None}, "stage1", "give data.perception"),
        ({}, "stage2", "give data.rated"),
        ({"perception": None}, "sft", "nothing to learn from"),
        ({"perception": "./nowhere"}, "stage1", "there is no data set in ./nowhere"),
        ({"perception": "nobody/nothing-at-all"}, "stage1", "cannot be opened"),
        ({"split": "training"}, "stage1", "no split called 'training'; did you mean 'train'"),
        ({"validation_split": "test"}, "stage1", "no split called 'test'"),
        ({"families": ("moire",)}, "stage1", "no question is left in train"),
    ],
)
def test_data_that_are_not_there(config: Config, keys: dict[str, Any], stage: str, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        load(with_data(config, **keys), stage)
    assert sentence in str(caught.value)


def copied(perception: Path, out: Path) -> Path:
    """A copy that may be changed: without the manifest nothing says what it was."""
    shutil.copytree(perception, out, ignore=shutil.ignore_patterns("MANIFEST.json"))
    return out


def test_a_column_is_missing(config: Config, perception: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    table = pa.table({"prompt": ["a"], "answer": ["b"]})
    pq.write_table(table, tmp_path / "data" / "train.parquet")
    with pytest.raises(UserError, match=r"has no column sample_id, image_id, images, .*; it has prompt, answer"):
        load(with_data(config, perception=str(tmp_path / "data")))


@pytest.mark.parametrize("damage", ["cut", "noise", "missing"])
def test_an_image_that_does_not_open_is_named_before_training(
    scoring: Config, rated: Path, tmp_path: Path, damage: str
) -> None:
    folder = copied(rated, tmp_path / "rated")
    victim = sorted((folder / "images").glob("train-*.png"))[3]
    data = victim.read_bytes()
    if damage == "missing":
        victim.unlink()
    else:
        victim.write_bytes(data[: len(data) // 2] if damage == "cut" else b"not a picture")
    keys = {"rated": f"meta:{folder / 'train.json'}+norm", "rated_root": str(folder), "perception": None}
    with pytest.raises(UserError, match=victim.name):
        load(with_data(scoring, **keys), "stage2")


def test_a_score_outside_its_range(tmp_path: Path, config: Config) -> None:
    import json

    Image.new("RGB", (64, 64)).save(tmp_path / "0.png")
    (tmp_path / "a.json").write_text(json.dumps([{"image": "0.png", "gt_score_norm": 7.5}]))
    keys = {"rated": f"meta:{tmp_path / 'a.json'}+norm", "rated_root": str(tmp_path), "perception": None}
    with pytest.raises(UserError, match=r"the score 7\.5 of 0\.png is outside of 1 to 5"):
        load(with_data(config, **keys), "stage2")


def test_nothing_to_validate_on(scoring: Config) -> None:
    with pytest.raises(UserError, match=r"give data\.rated_validation"):
        load(with_data(scoring, rated_validation=None), "stage2")


def test_rules_of_images_are_those_of_the_policy() -> None:
    assert ImageRules() == ImageRules(None, None, None)


def test_damaged_questions_are_named_before_training(config: Config, perception: Path, tmp_path: Path) -> None:
    """`datasets` would pass on another picture."""
    folder = Path(shutil.copytree(perception, tmp_path / "damaged"))
    table = next((folder / "rft").glob("train-*.parquet"))
    flip_byte(table)
    with pytest.raises(UserError, match=f"{table.name} is damaged"):
        load(with_data(config, perception=str(folder)))
