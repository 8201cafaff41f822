"""Choosing images: filters mean what they say, samples are what was asked for, and little is read."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from dataset_samples import Gallery, rows_of, small_recipe
from hypothesis import given
from hypothesis import strategies as st
from set_samples import SETS

from distortlab import generate
from distortlab.core.errors import UserError
from distortlab.dataset.reader import open_data
from distortlab.dataset.selection import Filter, find_images, read_images, read_questions, sample_images
from distortlab.distortions.catalog import FAMILIES
from distortlab.tasks import TASKS


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("selection") / "data"
    generate(small_recipe(n=24), Gallery(), out, workers=1)
    return out


@pytest.fixture(scope="module")
def rows(finished: Path) -> dict[str, list[dict[str, Any]]]:
    return {kind: rows_of(finished, kind) for kind in ("images", "samples")}


@given(
    families=st.lists(st.sampled_from(FAMILIES), max_size=3),
    severities=st.lists(st.integers(1, 5), max_size=3),
    tasks=st.lists(st.sampled_from(sorted(TASKS)), max_size=2),
    ends=st.lists(st.floats(0, 15), max_size=2).map(sorted),
)
def test_a_filter_finds_what_it_says(
    finished: Path,
    rows: dict[str, list[dict[str, Any]]],
    families: list[str],
    severities: list[int],
    tasks: list[str],
    ends: list[float],
) -> None:
    least, most = [*ends, None, None][:2]
    wanted = Filter(families, severities, tasks, least, most)
    asked = {row["image_id"] for row in rows["samples"] if not tasks or row["task"] in tasks}
    expected = [
        row["image_id"]
        for row in rows["images"]
        if row["image_id"] in asked
        for region in row["regions"]
        if (not families or region["distortion"] in families)
        and (not severities or region["severity"] in severities)
        and (least is None or region["visibility"]["v"] >= least)
        and (most is None or region["visibility"]["v"] <= most)
    ]
    stored = open_data(finished)
    if not expected:
        with pytest.raises(UserError, match="has no image"):
            find_images(stored, wanted)
        return
    found = find_images(stored, wanted)
    assert [place.image_id for place in found.places] == expected
    assert [row["image_id"] for _, row in read_images(stored, found.places)] == expected
    assert found.total == 24


def test_images_with_so_many_distortions(tmp_path: Path) -> None:
    generate(SETS, Gallery(), tmp_path / "sets", workers=1)
    stored, images = open_data(tmp_path / "sets"), rows_of(tmp_path / "sets", "images")
    for edits in ((0,), (2,), (0, 3), ()):
        expected = [row["image_id"] for row in images if not edits or len(row["regions"]) in edits]
        assert [place.image_id for place in find_images(stored, Filter(edits=edits)).places] == expected != []
    noisy = find_images(stored, Filter(families=("noise",), edits=(0, 1, 2, 3))).places
    assert {place.image_id for place in noisy} == {
        row["image_id"] for row in images if any(region["distortion"] == "noise" for region in row["regions"])
    }
    counts = r"distortions 0 \(\d+\), 1 \(\d+\), 2 \(\d+\), 3 \(\d+\)"
    with pytest.raises(UserError, match=rf"has no image with 4 or 5 distortions; it has .*{counts}; V"):
        find_images(stored, Filter(edits=(4, 5)))


@given(count=st.integers(1, 30), seed=st.integers(0, 2**40), whole=st.booleans())
def test_a_sample(finished: Path, count: int, seed: int, whole: bool) -> None:
    places = find_images(open_data(finished), Filter()).places
    drawn = sample_images(places, count, seed, whole)
    assert len(drawn) == len(set(drawn)) == min(count, 24)
    assert drawn == sorted(drawn)
    assert set(drawn) <= set(places)
    assert drawn == sample_images(places, count, seed, whole)
    if whole:
        assert len({place.reference_id for place in drawn}) == -(-min(count, 24) // 2)


def test_only_the_row_groups_of_a_sample_are_read(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = open_data(finished)
    read: list[tuple[int, object]] = []
    true = pq.ParquetFile.read_row_group

    def counted(self: pq.ParquetFile, number: int, columns: object = None, **options: object) -> object:
        read.append((number, columns))
        return true(self, number, columns=columns, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", counted)
    places = find_images(stored, Filter(tasks=("object",))).places
    assert all(columns and not any("bytes" in name or name == "image" for name in columns) for _, columns in read)
    read.clear()
    assert len(list(read_images(stored, places[:1]))) == 1
    assert len(read) == 1


def test_questions(finished: Path, rows: dict[str, list[dict[str, Any]]]) -> None:
    samples = rows["samples"]
    ids = {samples[0]["image_id"], samples[-1]["image_id"]}
    found = read_questions(open_data(finished), ids)
    assert found.keys() == ids
    for name, questions in found.items():
        assert [q["prompt"] for q in questions] == [row["prompt"] for row in samples if row["image_id"] == name]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"families": ("blurr",)}, "did you mean 'blur'"),
        ({"tasks": ("grounded",)}, "did you mean 'grounding'"),
        ({"severities": (0,)}, "severity 0 is not one of"),
        ({"edits": (13,)}, r"an image has 0 \(pristine\) to 12 distortions, not 13"),
        ({"least": 3.0, "most": 1.0}, "at least 3 and at most 1"),
        ({"least": float("nan"), "most": 1.0}, "at least nan"),
    ],
)
def test_a_filter_that_cannot_be(given: dict[str, tuple[str, ...]], said: str) -> None:
    with pytest.raises(UserError, match=said):
        Filter(**given)  # type: ignore[arg-type]
