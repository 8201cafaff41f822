"""What was published is loaded as people load it: datasets whole and streamed, pandas, polars, pyarrow."""

import io
from pathlib import Path
from typing import Any

import datasets
import pytest
from dataset_samples import Gallery, rows_of, small_recipe
from set_samples import SETS
from stand_in_hub import StandInHub

from distortlab import generate
from distortlab.sharing.push import push

REPO = "user/name"
CONFIGS = ("rft", "images", "samples")


@pytest.fixture
def connected(hub: StandInHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandInHub:
    """The Hub that `datasets` loads from."""
    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", hub.endpoint)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_OFFLINE", False, raising=False)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False, raising=False)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return hub


@pytest.fixture
def published(connected: StandInHub, data: Path) -> StandInHub:
    push(data, REPO)
    return connected


def rows(data: Path, config: str, split: str) -> list[dict[str, Any]]:
    return [row for row in rows_of(data, config) if row["image_id"].startswith(split)]


@pytest.mark.parametrize("config", CONFIGS)
def test_load_dataset(published: StandInHub, data: Path, config: str) -> None:
    loaded = datasets.load_dataset(REPO, config)
    assert set(loaded) == {"train", "validation"}
    for split, table in loaded.items():
        plain = table.with_format("arrow")[:].to_pylist()
        assert plain == rows(data, config, split)


def test_the_default_is_the_questions_and_images_decode(published: StandInHub, data: Path) -> None:
    loaded = datasets.load_dataset(REPO, split="validation")
    assert loaded.column_names[:2] == ["sample_id", "image_id"]
    assert all(image.mode == "RGB" for row in loaded for image in row["images"])


@pytest.mark.parametrize("config", CONFIGS)
def test_streaming(published: StandInHub, data: Path, config: str) -> None:
    streamed = datasets.load_dataset(REPO, config, split="train", streaming=True)
    names = [row["image_id"] for row in streamed.decode(False)]
    assert names == [row["image_id"] for row in rows(data, config, "train")]


def test_sets_of_distortions(connected: StandInHub, tmp_path: Path) -> None:
    """Questions without family, images without regions: whole, streamed, and after those of one region."""
    generate(SETS, Gallery(), tmp_path / "sets", workers=1)
    generate(small_recipe(n=4, splits={"train": 1}), Gallery(), tmp_path / "usual", workers=1)
    push(tmp_path / "sets", "user/sets")
    push(tmp_path / "usual", "user/usual")
    for config in CONFIGS:
        expected = rows_of(tmp_path / "sets", config)
        loaded = datasets.load_dataset("user/sets", config, split="train")
        assert loaded.with_format("arrow")[:].to_pylist() == expected
        streamed = datasets.load_dataset("user/sets", config, split="train", streaming=True)
        assert [row["image_id"] for row in streamed.decode(False)] == [row["image_id"] for row in expected]
        both = datasets.concatenate_datasets([datasets.load_dataset("user/usual", config, split="train"), loaded])
        assert both.with_format("arrow")[4:].to_pylist()[-len(expected) :] == expected


def test_pandas_and_polars(published: StandInHub, data: Path) -> None:
    import pandas
    import polars

    path = "rft/train-00000-of-00003.parquet"
    content = published.data(published.dataset(REPO).tree()[path])
    expected = [row["sample_id"] for row in rows_of(data, "rft")][: len(pandas.read_parquet(io.BytesIO(content)))]
    frame = pandas.read_parquet(f"hf://datasets/{REPO}/{path}", storage_options={"endpoint": published.endpoint})
    assert list(frame["sample_id"]) == expected
    assert frame["images"][0][0]["bytes"][:4] == b"\x89PNG"
    assert polars.read_parquet(io.BytesIO(content))["sample_id"].to_list() == expected


def test_a_tag_is_loaded(published: StandInHub, data: Path, smaller: Path) -> None:
    push(data, REPO, tag="v1")
    push(smaller, REPO)
    counts = [len(datasets.load_dataset(REPO, "images", split="train", revision=name)) for name in ("v1", "main")]
    assert counts == [len(rows(folder, "images", "train")) for folder in (data, smaller)]
