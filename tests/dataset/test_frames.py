"""Tables as pandas data frames: everything but the pictures."""

import sys
from pathlib import Path

import pandas as pd
import pytest
from dataset_samples import rows_of

from distortlab import open_dataset
from distortlab.core.errors import UserError
from distortlab.dataset.columns import COLUMNS
from distortlab.dataset.schema import LABELS, SAMPLES


def test_a_row_per_image(data: Path) -> None:
    frame, rows = open_dataset(data).to_pandas(), rows_of(data, "images")
    assert list(frame.columns) == ["split", *LABELS]
    assert list(frame.image_id) == [row["image_id"] for row in rows]
    assert [list(map(dict, regions)) for regions in frame.regions] == [row["regions"] for row in rows]
    assert frame.width.dtype == "Int32"


def test_a_row_per_region(data: Path) -> None:
    frame = open_dataset(data).to_pandas("regions")
    regions = [(row["image_id"], region) for row in rows_of(data, "images") for region in row["regions"]]
    assert list(zip(frame.image_id, frame.variant, frame.severity, frame.v, strict=True)) == [
        (name, region["variant"], region["severity"], region["visibility"]["v"]) for name, region in regions
    ]
    assert frame.groupby("distortion").v.mean().gt(1).all()
    known = {path.rpartition(".")[2] for path in COLUMNS["images"]} | {"split", "region", "mask_rle"}
    assert set(frame.columns) <= known


def test_a_row_per_question(data: Path) -> None:
    frame, rows = open_dataset(data).to_pandas("questions", "train"), rows_of(data, "samples")
    rows = [row for row in rows if row["image_id"].startswith("train")]
    assert list(frame.columns) == ["split", *SAMPLES]
    assert list(frame.prompt) == [row["prompt"][0]["content"] for row in rows]
    assert set(frame.split) == {"train"}
    assert [None if pd.isna(value) else value for value in frame.severity] == [row["severity"] for row in rows]


@pytest.mark.parametrize(
    ("words", "says"), [(("image",), "no table called 'image'"), (("images", "test"), "no split called 'test'")]
)
def test_what_there_is_not(data: Path, words: tuple[str, ...], says: str) -> None:
    with pytest.raises(UserError, match=says):
        open_dataset(data).to_pandas(*words)


def test_without_pandas(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UserError, match=r"^to_pandas needs pandas: pip install 'refine-iqa\[pandas\]'$"):
        open_dataset(data).to_pandas()


def test_a_folder_without_a_manifest(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is no data set: it has no MANIFEST\.json"):
        open_dataset(tmp_path)
