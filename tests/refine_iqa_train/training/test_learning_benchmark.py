"""The learning benchmark: what it shows the model, how it counts, and that it runs."""

import importlib
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from scipy.stats import binomtest

from distortlab.tasks.answer import format_completion

FOLDER = Path(__file__).parents[3] / "benchmarks" / "learning"


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Its modules, which are scripts beside each other and no package."""
    monkeypatch.syspath_prepend(str(FOLDER))
    names = ("data", "measure", "run")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    found = {name: importlib.import_module(name) for name in names}
    yield found.__getitem__
    for name in names:
        del sys.modules[name]


def test_windows_are_distorted_and_their_scenes_are_held_out_whole(part: Any, tmp_path: Path) -> None:
    data = part("data")
    data.make_data(tmp_path / "data", images=128)
    train, held = (
        pq.read_table(tmp_path / "data" / f"{split}.parquet").to_pylist() for split in ("train", "validation")
    )
    assert (len(train), len(held)) == (112, 16)
    scenes = [{row["image_id"].partition("-")[0] for row in rows} for rows in (train, held)]
    assert not scenes[0] & scenes[1]
    assert {row["distortion"] for row in train} == {name.partition(".")[0] for name in data.VARIANTS}
    for row in held:
        pixels = np.asarray(Image.open(BytesIO(row["images"][0]["bytes"])))
        assert pixels.shape == (data.SIDE, data.SIDE, 3)
        assert pixels.std() > 0
    assert (
        data.make_data(tmp_path / "again", images=128).joinpath("train.parquet").read_bytes()
        == (tmp_path / "data" / "train.parquet").read_bytes()
    )


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (format_completion("Noise, Severe", "Random grain or specks are added: noise, 4 of 5."), (1, 1, 1, 1)),
        (format_completion("Noise, Slight", "Edges are soft: blur, 4 of 5."), (1, 1, 0, 0)),
        (format_completion("Blur, Severe", "Edges are soft: blur, 4 of 5."), (1, 0, 0, 1)),
        (format_completion("Noise, Severe", "who knows"), (1, 1, 0, 0)),
        ("Noise, Severe", (0, 0, 0, 0)),
        ("<think>: noise, 4", (0, 0, 1, 0)),
    ],
)
def test_what_is_right_about_a_completion(part: Any, text: str, right: tuple[int, ...]) -> None:
    assert tuple(map(int, part("measure").mark_completion(text, "Noise, Severe").values())) == right


@pytest.mark.parametrize(("right", "total"), [(0, 7), (3, 7), (7, 7), (270, 512)])
def test_intervals_are_wilsons(part: Any, right: int, total: int) -> None:
    low, high = part("measure").wilson_interval(right, total)
    exact = binomtest(right, total).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((exact.low, exact.high), abs=1e-4)


@pytest.mark.slow
def test_it_runs(part: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = part("run")
    for settings, rows in ((run.COLD, 4), (run.GRPO, 8)):
        monkeypatch.setitem(settings, "max_steps", 5)
        monkeypatch.setitem(settings, "per_device_train_batch_size", rows)
    found = run.train_seed(0, str(part("data").make_data(tmp_path, 128)), str(tmp_path), 8)
    assert found["n"] == 8
    assert set(found["counts"]) == {"cold", "grpo"}
    assert len(found["curve"]["reward"]) == 5
    assert run.format_table([found, found]).count("\n") == 1 + 3 * 8
    run.draw_curves([found], tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as curves:
        assert curves.width > 1000
