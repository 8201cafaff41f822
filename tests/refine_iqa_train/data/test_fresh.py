"""Images made fresh as training data: questions, mixing with files, what two runs are compared by, and refusals."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sampler_runs import SETS, write_sampler_keys

from distortlab.core.errors import UserError
from distortlab.tasks import TASKS, score
from distortlab.tasks.answer import format_completion
from refine_iqa_train.config.schema import Config, DataRules, ValidationRules
from refine_iqa_train.data.image_sizes import ImagePolicy
from refine_iqa_train.data.items import Generations
from refine_iqa_train.data.mixture import TrainingData, load_training_data

POLICY = ImagePolicy(16, 256, 65_536)
NEVER = ValidationRules(every=0)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    keys = write_sampler_keys(tmp_path)
    rules = DataRules(perception=keys["perception"], references="scenes")
    return Config("m", "out", data=rules, validation=NEVER)


def with_data(config: Config, **keys: Any) -> Config:
    return replace(config, data=replace(config.data, **keys))


def load(config: Config, stage: str = "stage1", generations: int = 3) -> TrainingData:
    return load_training_data(config, stage, POLICY, "thousandths", Generations(generations, 8))


def rated_keys(rated: Path) -> dict[str, str]:
    return {
        "rated": f"meta:{rated / 'train.json'}+norm",
        "rated_validation": f"meta:{rated / 'validation.json'}+norm",
        "rated_root": str(rated),
    }


def test_rows_have_what_trl_and_the_rewards_need(config: Config) -> None:
    data = load(config)
    assert data.files is None
    rows = [data.train[place] for place in range(len(data.train))]
    assert len(rows) == 24
    assert len({row["task"] for row in rows}) > 2
    for row in rows:
        assert len(row["images"]) == TASKS[row["task"]].images
        assert all(image.mode == "RGB" and image.size == POLICY.frame_size(image.size) for image in row["images"])
        assert score(row["task"], format_completion(row["solution"], "."), row["solution"]).value == 1.0
        assert row["family"]
    assert len({row["image_id"] for row in rows}) == 24, "one question about each image"


def test_questions_about_sets(config: Config, tmp_path: Path) -> None:
    """Also about images that are pristine."""
    path = tmp_path / "sets.toml"
    path.write_text(SETS)
    rows = load(with_data(config, perception=f"stream:{path}"), generations=4).train[:]
    assert set(rows["task"]) == {"diagnosis"}
    assert set(rows["family"]) == {None}
    assert "[]" in rows["solution"]
    counts = {len(json.loads(solution)) for solution in rows["solution"]}
    assert {0, 1} < counts


def test_comparisons_show_both_images_and_types_are_asked_of_whole_ones(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "sets.toml"
    path.write_text(SETS + "comparison = 2\nrecognition = 1\n")
    data = load(with_data(config, perception=f"stream:{path}"), generations=3).train
    rows = {task: [row for row in data if row["task"] == task] for task in ("diagnosis", "comparison", "recognition")}
    assert sum(map(len, rows.values())) == 24
    assert {row["solution"] for row in rows["comparison"]} == {"First", "Second"}
    for row in rows["comparison"]:
        first, second = row["images"]
        assert first.size == second.size
        assert first.tobytes() != second.tobytes()
    assert all(row["family"] for row in rows["recognition"])
    assert [[0.0, 0.0, 1.0, 1.0]] in [row["boxes"] for row in rows["recognition"]]


def test_several_questions_about_an_image(config: Config) -> None:
    config = with_data(config, questions_per_image=3)
    rows = load(config).train[:]
    assert len(set(rows["sample_id"])) == 24
    names = [name.split("-")[1] for name in rows["image_id"]]
    assert names == [f"{n:09d}" for n in range(8) for _ in range(3)]
    for start in range(0, 24, 3):
        assert len({*zip(rows["image_id"][start : start + 3], rows["task"][start : start + 3], strict=True)}) == 3
    assert [load(config, generations=1).train[place]["sample_id"] for place in (7, 2)] == [
        rows["sample_id"][7],
        rows["sample_id"][2],
    ]
    with pytest.raises(UserError, match=r"data.questions_per_image = 5: the recipe .* asks 4 tasks \(recognition, "):
        load(with_data(config, questions_per_image=5))


def test_a_longer_run_begins_with_the_same_prompts(config: Config) -> None:
    short, long = load(config, generations=1).train, load(config, generations=2).train
    for place in range(8):
        assert short[place]["prompt"] == long[place]["prompt"]
        assert short[place]["images"] == long[place]["images"]


def test_tasks_and_families_that_are_asked_for(config: Config) -> None:
    rows = load(with_data(config, tasks=("grounding",), families=("blur", "noise"))).train[:]
    assert set(rows["task"]) == {"grounding"}
    assert set(rows["family"]) == {"blur", "noise"}
    assert load(with_data(config, families=("blur", "noise"))).fresh.families == ("blur", "noise")  # type: ignore[union-attr]


def test_fresh_images_between_rows_of_files(config: Config, perception: Path) -> None:
    config = with_data(config, perception_files=str(perception), stream_share=0.25)
    data = load(replace(config, validation=ValidationRules(samples=4)), generations=8)
    rows = data.train[:]
    counts = Counter(name.startswith("stream-") for name in rows["image_id"])
    assert counts[True] in range(4, 29)
    assert data.validation is not None
    assert len(data.validation) == 4
    assert str(perception) in data.names
    assert len([name for name in data.names if "scenes" in name]) == 1


def test_fresh_images_between_rated_ones(config: Config, rated: Path, perception: Path) -> None:
    config = with_data(config, **rated_keys(rated), perception_share=0.5)
    tasks = Counter(load(config, "stage2", generations=8).train[:]["task"])
    assert 16 <= tasks["quality"] <= 48
    held_out = ValidationRules(samples=64)
    alone = load(replace(config, validation=held_out), "stage2").validation
    assert alone is not None
    assert {row["task"] for row in alone} == {"quality"}
    both = load(replace(with_data(config, perception_files=str(perception)), validation=held_out), "stage2").validation
    assert both is not None
    assert len({row["task"] for row in both}) > 1


def test_what_two_runs_are_compared_by(config: Config, perception: Path, tmp_path: Path) -> None:
    """A recipe may be moved; what is in it may not change, nor the references, nor the files beside it."""
    identity = load(config).identity
    assert identity is not None
    (tmp_path / "moved.toml").write_bytes((tmp_path / "small.toml").read_bytes())
    assert load(with_data(config, perception=f"stream:{tmp_path / 'moved.toml'}"), generations=5).identity == identity
    with (tmp_path / "moved.toml").open("a") as file:
        file.write("min_sharpness = 10.0\n")
    others = [
        with_data(config, perception=f"stream:{tmp_path / 'moved.toml'}"),
        with_data(config, references="scenes:7"),
        with_data(config, tasks=("object",)),
        with_data(config, perception_files=str(perception), stream_share=0.5),
    ]
    assert len({identity, *(load(other).identity for other in others)}) == 5


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"references": "scene"}, "no kind of references called 'scene'"),
        ({"references": "folder:/nowhere"}, "nowhere"),
        ({"perception": "stream:smok"}, "did you mean 'smoke'"),
        ({"perception": "stream:nowhere.toml"}, "cannot be read"),
    ],
)
def test_what_cannot_be_opened(config: Config, keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        load(with_data(config, **keys))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_is_left_of_the_recipe(config: Config, tmp_path: Path) -> None:
    (tmp_path / "blur.toml").write_text(
        'name = "blur"\nsamples_per_image = 1\n[families]\nblur = 1\n[tasks]\nobject = 1\n'
    )
    config = with_data(config, perception=f"stream:{tmp_path / 'blur.toml'}")
    with pytest.raises(UserError, match=r"data.families = noise: the recipe .* has none of them, but blur"):
        load(with_data(config, families=("noise",)))
    with pytest.raises(UserError, match=r"data.tasks = grounding: the recipe .* has none of them, but object"):
        load(with_data(config, tasks=("grounding",)))


def test_references_that_all_fail_the_screen(config: Config, tmp_path: Path) -> None:
    """An end, before the model is loaded, and no endless search."""
    from PIL import Image

    (tmp_path / "grey").mkdir()
    for number in range(5):
        Image.new("RGB", (200, 200), (number, number, number)).save(tmp_path / "grey" / f"{number}.png")
    with pytest.raises(UserError) as caught:
        load(with_data(config, references=f"folder:{tmp_path / 'grey'}"))
    assert "can be used" in str(caught.value)
