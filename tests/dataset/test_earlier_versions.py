"""Data sets that were made before some columns were there: everything that reads data sets reads them."""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from bench_scores import answer_items
from dataset_samples import Gallery, edit_manifest, published, rows_of, small_recipe
from set_samples import SETS

from distortlab import generate
from distortlab.analysis.findings import check_balance, list_findings
from distortlab.analysis.statistics import collect_statistics
from distortlab.analysis.tables import print_statistics, statistics_to_dict
from distortlab.core.errors import UserError
from distortlab.dataset import schema
from distortlab.dataset.reader import open_data
from distortlab.generation import rows
from distortlab.sharing.export import export
from distortlab.sharing.export_formats import FORMATS
from distortlab.sharing.materialize import materialize
from distortlab.storage.atomic import add_seal, write_json
from distortlab.verification.verify import verify
from distortlab.visualization.viewer import write_page
from refine_bench.scoring.local import score_tasks
from refine_bench.scoring.task_totals import UNMEASURED
from refine_iqa_train.config.schema import DataRules
from refine_iqa_train.data.perception import load_perception

SET_COLUMNS = ("boxes", "other_image_id")
"""Columns of questions that came with those about sets."""


@contextmanager
def without_column(table: Any, name: str) -> Iterator[None]:
    """Features of a table without a column; afterwards with it in its place."""
    kept = dict(table)
    del table[name]
    try:
        yield
    finally:
        table.clear()
        table.update(kept)


def make_earlier(folder: Path, store: str) -> Path:
    """A data set as the version before `difficulty` wrote it, and before `boxes`."""
    tables = (schema.RFT, schema.SAMPLES, schema.IMAGES["regions"]["feature"])
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        for table in tables[:2]:
            for name in SET_COLUMNS:
                stack.enter_context(without_column(table, name))
        for table in tables:
            stack.enter_context(without_column(table, "difficulty"))
        patch.setattr(rows, "find_difficulty", lambda *about: None)
        generate(small_recipe(), Gallery(), folder, workers=1, store=store)
    edit_manifest(folder, lambda manifest: manifest["counts"].pop("difficulties"))
    return folder


def make_without_boxes(folder: Path, store: str) -> Path:
    """A data set as the version before `boxes` wrote it."""
    with ExitStack() as stack:
        for table in (schema.RFT, schema.SAMPLES):
            for name in SET_COLUMNS:
                stack.enter_context(without_column(table, name))
        generate(small_recipe(), Gallery(), folder, workers=1, store=store)
    return folder


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_earlier(tmp_path_factory.mktemp("earlier") / "data", "full")


@pytest.fixture(scope="module")
def without_boxes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_without_boxes(tmp_path_factory.mktemp("without_boxes") / "data", "full")


def test_its_rows_lack_the_column(earlier: Path) -> None:
    (row, *_) = open_data(earlier).rows("rft", ["image_id", "difficulty", "boxes"])
    assert list(row) == ["image_id"]
    (image, *_) = rows_of(earlier, "images")
    assert "difficulty" not in image["regions"][0]


def test_it_is_verified(earlier: Path) -> None:
    report = verify(earlier, workers=1)
    assert report.problems == []
    assert (report.images, report.questions) == (12, len(rows_of(earlier, "rft")))


def test_any_other_column_that_is_missing_is_a_fault(tmp_path: Path) -> None:
    with without_column(schema.IMAGES, "reference_source"):
        generate(small_recipe(n=4), Gallery(), tmp_path / "d", workers=1)
    assert any("columns are not those of images" in problem for problem in verify(tmp_path / "d", workers=1).problems)
    with pytest.raises(UserError, match="no column reference_source"):
        list(open_data(tmp_path / "d").rows("images", ["reference_source"]))


def test_its_statistics_say_nothing_of_difficulty(earlier: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = collect_statistics(open_data(earlier))
    checks = check_balance(found)
    values = statistics_to_dict(found, checks, list_findings(found, checks))
    assert {entry["difficulty"] for entry in values["difficulties"]} == {None}
    assert sum(entry["images"] for entry in values["difficulties"]) == 12
    print_statistics(found, checks, ())
    assert "difficulty" not in capsys.readouterr().out


def test_it_is_shown(earlier: Path, tmp_path: Path) -> None:
    write_page(earlier, tmp_path / "view.html", sample=4)
    assert (tmp_path / "view.html").stat().st_size > 10_000


@pytest.mark.parametrize("form", FORMATS)
def test_it_is_exported(earlier: Path, tmp_path: Path, form: str) -> None:
    assert sum(export(earlier, tmp_path / "out", form).rows.values()) > 0


def test_its_archive_becomes_a_data_set_of_today(tmp_path: Path) -> None:
    archive = make_earlier(tmp_path / "archive", "patch")
    assert verify(archive, workers=1).problems == []
    materialize(archive, tmp_path / "data", workers=1)
    assert verify(tmp_path / "data", workers=1).problems == []
    assert {row["difficulty"] for row in rows_of(tmp_path / "data", "rft")} == {None}
    assert [row["boxes"] for row in rows_of(tmp_path / "data", "rft") if row["boxes"] is not None] == []


def test_it_is_trained_on(earlier: Path) -> None:
    questions = load_perception(DataRules(perception=str(earlier)), "train")
    assert len(questions) == open_data(earlier).count("rft", "train")


def test_models_are_scored_on_it(earlier: Path) -> None:
    found = score_tasks(answer_items(earlier, "tasks", lambda truth: f"<answer>{truth['solution']}</answer>"))
    for table in found["tasks"].values():
        assert table["by"]["difficulty"] == {UNMEASURED: {"n": table["n"], "score": 1.0}}
    assert json.dumps(found)


# --- before questions about sets ------------------------------------------------------------------------------------


def test_a_data_set_without_boxes_is_read(without_boxes: Path, tmp_path: Path) -> None:
    assert "boxes" not in rows_of(without_boxes, "rft")[0]
    assert verify(without_boxes, workers=1).problems == []
    found = collect_statistics(open_data(without_boxes))
    assert found.questions == sum(found.asked.values()) == len(rows_of(without_boxes, "rft"))
    assert len(load_perception(DataRules(perception=str(without_boxes)), "train")) > 0
    for form in FORMATS:
        assert sum(export(without_boxes, tmp_path / form, form).rows.values()) > 0


def test_an_archive_without_boxes_becomes_a_data_set_of_today(tmp_path: Path) -> None:
    archive = make_without_boxes(tmp_path / "archive", "patch")
    assert verify(archive, workers=1).problems == []
    materialize(archive, tmp_path / "data", workers=1)
    generate(small_recipe(), Gallery(), tmp_path / "again", workers=1)
    assert rows_of(tmp_path / "data", "rft") == rows_of(tmp_path / "again", "rft")


@pytest.mark.parametrize("store", ["full", "patch"])
def test_a_data_set_that_was_begun_without_boxes_is_of_today_where_it_is_continued(store: str, tmp_path: Path) -> None:
    """Nothing else of a plan says which columns a shard has."""
    recipe, folder = small_recipe(), tmp_path / "begun"
    make_without_boxes(folder, store)
    removed = sorted((folder / "_distortlab" / "done").iterdir())[-1]
    removed.unlink()
    (folder / "MANIFEST.json").unlink()
    generate(recipe, Gallery(), folder, workers=1, store=store)
    generate(recipe, Gallery(), tmp_path / "again", workers=1, store=store)
    assert published(folder) == published(tmp_path / "again")


def test_an_archive_that_was_turned_into_a_data_set_without_boxes_is_turned_into_one_of_today(tmp_path: Path) -> None:
    archive, folder = tmp_path / "archive", tmp_path / "data"
    generate(small_recipe(), Gallery(), archive, workers=1, store="patch")
    make_without_boxes(folder, "full")
    materialize(archive, folder, workers=1)
    generate(small_recipe(), Gallery(), tmp_path / "again", workers=1)
    assert rows_of(folder, "rft") == rows_of(tmp_path / "again", "rft")
    assert verify(folder, workers=1).problems == []


def test_a_data_set_that_was_begun_without_counts_of_kinds_is_continued_with_them(tmp_path: Path) -> None:
    generate(SETS, Gallery(), tmp_path / "whole", workers=1)
    folder = Path(shutil.copytree(tmp_path / "whole", tmp_path / "begun"))
    receipt = folder / "_distortlab" / "done" / "00000.json"
    values = json.loads(receipt.read_text())
    del values["counts"]["kinds"], values["seal"]
    write_json(receipt, add_seal(values))
    (folder / "MANIFEST.json").unlink()
    generate(SETS, Gallery(), folder, workers=1)
    assert published(folder) == published(tmp_path / "whole")
