"""Data sets without the table `images`: every picture once, all else as in full, a sentence for what needs it."""

import pickle
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from dataset_samples import Gallery, flip_byte, published, rows_of, small_recipe

from distortlab.analysis.statistics import collect_statistics
from distortlab.core.errors import BadRecipe, UserError
from distortlab.dataset.layout import FULL, QUESTIONS, choose_layout
from distortlab.dataset.reader import open_data
from distortlab.dataset.schema import LABELS
from distortlab.dataset.writer import make_table, open_writer
from distortlab.generation.generate import generate
from distortlab.recipe import Recipe
from distortlab.sharing.export import export
from distortlab.storage.atomic import read_json
from distortlab.verification import groups
from distortlab.verification.verify import verify
from distortlab.visualization.contact_sheet import draw_dataset_sheet
from refine_bench.datasets.local import list_items, load_images
from refine_iqa_train.data.mock_ratings import mock_ratings

HALF = small_recipe(tables=("rft",))
NEEDS_IMAGES = re.escape('was made without the table images (tables = ["rft"]), whose pictures this needs')


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same data set in full, and without `images`."""
    folders = tmp_path_factory.mktemp("full"), tmp_path_factory.mktemp("half")
    for folder, recipe in zip(folders, (small_recipe(), HALF), strict=True):
        generate(recipe, Gallery(), folder, workers=1)
    return folders


def test_questions_are_the_same_and_labels_are_the_rows_without_pictures(both: tuple[Path, Path]) -> None:
    full, half = both
    assert rows_of(half, "rft") == rows_of(full, "rft")
    assert rows_of(half, "samples") == rows_of(full, "samples")
    bare = [{name: value for name, value in row.items() if name in LABELS} for row in rows_of(full, "images")]
    assert rows_of(half, "labels") == bare
    assert not (half / "images").exists()
    assert read_json(half / "MANIFEST.json")["store"] == "rft"  # type: ignore[index, call-overload]
    assert sum(path.stat().st_size for path in half.rglob("*.parquet")) < 0.7 * sum(
        path.stat().st_size for path in full.rglob("*.parquet")
    )


def test_the_card_names_the_tables_that_are_there(both: tuple[Path, Path]) -> None:
    full, half = ((folder / "README.md").read_text(encoding="utf-8") for folder in both)
    assert re.findall(r"^- config_name: (\w+)$", full, re.MULTILINE) == ["rft", "images", "samples"] * 2
    assert re.findall(r"^- config_name: (\w+)$", half, re.MULTILINE) == ["rft", "samples", "labels"] * 2
    assert "`images` holds the recipe" not in half


def test_it_is_read_as_a_data_set_in_full(both: tuple[Path, Path]) -> None:
    full, half = (open_data(folder) for folder in both)
    columns = ["image_id", "regions", "reference_license"]
    assert list(half.rows("images", columns)) == list(full.rows("images", columns))
    assert half.count("images") == full.count("images") == 12
    assert half._repr_html_().count("12") == full._repr_html_().count("12")
    assert collect_statistics(half).cells == collect_statistics(full).cells


def test_it_is_verified_by_the_pictures_of_its_questions(both: tuple[Path, Path]) -> None:
    report = verify(both[1])
    assert report.problems == []
    paired = {row["image_id"] for row in rows_of(both[1], "rft") if len(row["images"]) == 2}
    assert (report.images, report.questions) == (12, len(rows_of(both[1], "rft")))
    assert report.rendered == len(paired)
    assert 0 < len(paired) < 12
    assert report.not_rendered == {"no reference stored": 12 - len(paired)}


def test_what_is_wrong_with_a_picture_or_a_label_is_found(both: tuple[Path, Path], tmp_path: Path) -> None:
    generate(HALF, Gallery(), tmp_path, workers=1)
    path = min((tmp_path / "labels").iterdir())
    rows = pq.read_table(path).to_pylist()
    rows[0]["pixels_sha256"] = "0" * 64
    with open_writer(path, LABELS) as writer:
        writer.write_table(make_table(rows, LABELS))
    assert any("its SHA-256 is not" in problem or "bytes" in problem for problem in verify(tmp_path).problems)
    generate(HALF, Gallery(), tmp_path, workers=1)
    assert verify(tmp_path).problems == []
    flip_byte(min((tmp_path / "rft").iterdir()))
    assert verify(tmp_path).problems != []


def test_an_image_without_a_question_has_no_picture_to_check(
    both: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    add_pictures = groups._add_pictures
    monkeypatch.setattr(groups, "_add_pictures", lambda rows, questions: add_pictures(rows, []))
    monkeypatch.setattr(groups, "_check_question", lambda *arguments: iter(()))
    reason = "nothing is asked about it, and images is left out: its picture is not stored"
    assert verify(both[1]).not_rendered == {reason: 12}


def test_what_needs_the_pictures_says_so(both: tuple[Path, Path], tmp_path: Path) -> None:
    half = both[1]
    with pytest.raises(UserError, match=NEEDS_IMAGES):
        next(open_data(half).rows("images", ["image_id", "reference"]))
    with pytest.raises(UserError, match=NEEDS_IMAGES):
        draw_dataset_sheet(half, 4)
    with pytest.raises(UserError, match=NEEDS_IMAGES):
        mock_ratings(half, tmp_path / "rated")
    with pytest.raises(UserError, match=NEEDS_IMAGES):
        list(load_images(half, "all", "severity"))


def test_questions_are_exported_and_asked(both: tuple[Path, Path], tmp_path: Path) -> None:
    full, half = both
    results = [export(folder, tmp_path / folder.name, "llava") for folder in both]
    assert [result.images for result in results] == [results[0].images] * 2
    assert list_items(half, "all", "tasks") == list_items(full, "all", "tasks")
    assert list(load_images(half, "all", "tasks")) == list(load_images(full, "all", "tasks"))


def test_a_run_is_gone_on_with_and_no_other_layout_is_written_over(tmp_path: Path) -> None:
    generate(HALF, Gallery(), tmp_path, workers=1, shard=(1, 2))
    generate(HALF, Gallery(), tmp_path, workers=1)
    whole = published(tmp_path)
    other = tmp_path / "other"
    generate(HALF, Gallery(), other, workers=1)
    assert published(other) == {path: digest for path, digest in whole.items() if not path.startswith("other/")}
    with pytest.raises(BadRecipe, match="without the table images, and this would be a data set in full"):
        generate(small_recipe(), Gallery(), other, workers=1)
    generate(small_recipe(), Gallery(), other, workers=1, overwrite=True)
    assert not (other / "labels").exists()
    assert verify(other).problems == []


@pytest.mark.parametrize("tables", [(), ("images",), ("images", "rft", "samples"), ("rft", "rft"), ("rtf",)])
def test_other_tables_are_refused(tables: tuple[str, ...]) -> None:
    with pytest.raises(BadRecipe, match=re.escape('there are ["images", "rft"] and ["rft"]')):
        small_recipe(tables=tables)


def test_an_archive_holds_both() -> None:
    assert Recipe().tables == ("images", "rft")
    assert choose_layout("full", ("rft", "images")) is FULL
    assert choose_layout("full", ("rft",)) is QUESTIONS
    assert pickle.loads(pickle.dumps(QUESTIONS)) is QUESTIONS
    with pytest.raises(BadRecipe, match="which an archive cannot"):
        choose_layout("patch", ("rft",))
