"""Rows that cannot be asked are one sentence before the model is loaded; in a stream they stop the run."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from refusals import read_refusal

from distortlab.core.errors import UserError
from distortlab.tasks import TASKS
from refine_iqa_train.config.loading import load_config
from refine_iqa_train.training.prepare import prepare


@pytest.fixture
def file(run_file: Callable[..., Path]) -> Path:
    return run_file({"max_steps": 2, "per_device_train_batch_size": 8})


Change = Callable[[Any, str], Any]


def changed(
    column: str, value: Any, part: str = "train", task: str | None = None
) -> Callable[[pa.Table, str], pa.Table]:
    """A table in which one column has another value, in all rows of a split, or of one task in it."""

    def change(table: pa.Table, name: str) -> pa.Table:
        if not name.startswith(part):
            return table
        tasks = table.column("task").to_pylist()
        values = [
            value if task in (None, asked) else old
            for asked, old in zip(tasks, table.column(column).to_pylist(), strict=True)
        ]
        place = table.schema.get_field_index(column)
        return table.set_column(place, column, pa.array(values, type=table.schema.field(column).type))

    return change


def emptied(part: str) -> Callable[[pa.Table, str], pa.Table]:
    return lambda table, name: table.slice(0, 0) if name.startswith(part) else table


def without(column: str, part: str) -> Callable[[pa.Table, str], pa.Table]:
    return lambda table, name: table.drop_columns([column]) if name.startswith(part) else table


DAMAGE = {
    "train is empty": (emptied("train"), "is not whole: one of its files holds no rows"),
    "validation is empty": (emptied("validation"), "is not whole: one of its files holds no rows"),
    "a column is missing in validation": (without("solution", "validation"), "the row validation-"),
    "a column is missing in train": (without("prompt", "train"), "prompt is None"),
    "no images": (changed("images", []), "there are 0 images, and a question of"),
    "images are null": (changed("images", None, "validation"), "there are 0 images"),
    "grounding without a box": (changed("bbox", None, task="grounding"), "bbox is None, and a question of grounding"),
    "a box outside": (changed("bbox", [5, 5, 900, 20], task="grounding"), "and the image has 160 x"),
    "a box without area": (changed("bbox", [5, 5, 5, 20], task="grounding"), "bbox is [5, 5, 5, 20]"),
    "prompt is null": (changed("prompt", None), "prompt is None"),
    "prompt is empty": (changed("prompt", [], "validation"), "prompt is []"),
    "prompt has no text": (changed("prompt", [{"role": "user", "content": None}]), "the last of them with text"),
    "solution is null": (changed("solution", None), "solution is None"),
    "solution is no answer": (changed("solution", "who knows", task="recognition"), "that is no answer to a question"),
    "task is null": (changed("task", None), "no task called None"),
    "sample_id is null": (changed("sample_id", None), "sample_id is None"),
    "distortion is unknown": (changed("distortion", "moire"), "distortion is 'moire', and it is one of blur, noise"),
    "one image of two": (changed("task", "recognition_reference", task="recognition"), "shows 2"),
}


DAMAGE_OF_SETS = {
    "diagnosis without boxes": (changed("boxes", None, task="diagnosis"), "boxes is None, and a question of diagnosis"),
    "one region to compare": (
        changed("boxes", [[0, 0, 9, 9]], task="comparison_regions"),
        "a question of comparison_regions needs two boxes",
    ),
    "a box without area": (changed("boxes", [[5, 5, 5, 9]], task="diagnosis"), "needs a list of boxes"),
    "a box outside": (changed("boxes", [[5, 5, 900, 20]], task="diagnosis"), "and the image has 160 x"),
    "boxes of another image": (
        changed("boxes", [[5, 5, 9, 9]], task="diagnosis"),
        "boxes have [[5, 5, 9, 9]]",
    ),
    "a distortion without a name": (
        changed("solution", '[{"box": [0, 0, 9, 9], "type": "Rain", "severity": "Slight"}]', task="diagnosis"),
        "that is no answer to a question of diagnosis",
    ),
    "one image of two": (changed("task", "comparison", task="comparison_regions"), "a question of comparison shows 2"),
}


@pytest.mark.parametrize("damage", DAMAGE_OF_SETS)
def test_sets_that_cannot_be_asked(file: Path, sets: Path, tmp_path: Path, damage: str) -> None:
    change, sentence = DAMAGE_OF_SETS[damage]
    folder = Path(shutil.copytree(sets, tmp_path / "data", ignore=shutil.ignore_patterns("MANIFEST.json")))
    for path in (folder / "rft").glob("*.parquet"):
        pq.write_table(change(pq.read_table(path), path.name).replace_schema_metadata(None), path)
    keys = {"data.perception": str(folder), "rewards.weights": dict.fromkeys(TASKS, 1.0)}
    assert sentence in read_refusal(load_config(file, keys))


@pytest.mark.parametrize("damage", DAMAGE)
def test_rows_that_cannot_be_asked(file: Path, perception: Path, tmp_path: Path, damage: str) -> None:
    change, sentence = DAMAGE[damage]
    folder = Path(shutil.copytree(perception, tmp_path / "data", ignore=shutil.ignore_patterns("MANIFEST.json")))
    for path in (folder / "rft").glob("*.parquet"):
        pq.write_table(change(pq.read_table(path), path.name).replace_schema_metadata(None), path)
    assert sentence in read_refusal(load_config(file, {"data.perception": str(folder)}))


def test_in_a_stream_they_stop_the_run(file: Path, perception: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(perception, tmp_path / "data", ignore=shutil.ignore_patterns("MANIFEST.json")))
    for path in (folder / "rft").glob("train-*.parquet"):
        table = changed("images", [])(pq.read_table(path), path.name)
        pq.write_table(table.replace_schema_metadata(None), path)
    run = prepare(load_config(file, {"data.perception": str(folder), "data.streaming": True}), "stage1")
    with pytest.raises(UserError, match="there are 0 images"):
        next(iter(run.data.train))
