"""The gallery: everything in the catalogue is in it; and the one in the docs is found out when it is stale."""

import importlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from samples import Pixels
from script_modules import isolate_scripts

from distortlab.api import distort
from distortlab.core.errors import UserError
from distortlab.core.region import Region
from distortlab.distortions.catalog import CATALOG, FAMILIES
from distortlab.visualization.gallery import (
    draw_catalog_sheet,
    load_photograph,
    load_sample_photograph,
    render_steps,
    select_rows,
)

DOCS = Path(__file__).parents[2] / "docs"


def test_every_variant_at_every_severity() -> None:
    image, mask = load_sample_photograph()
    rows = [row for row in CATALOG if row.family in ("pixelate", "saturate_weaken")]
    shown = list(render_steps(image, mask, rows))
    assert [(step.row.name, step.severity) for step in shown] == [(row.name, k) for row in rows for k in range(1, 6)]
    box = Region.from_mask(mask).bbox.grow(16, (image.shape[0], image.shape[1]))
    for step in shown:
        out = distort(image, step.row.name, step.severity, mask=mask)
        assert step.amount == step.row.matched.values[step.severity - 1]
        assert out.edit.visibility is not None
        assert step.v == out.edit.visibility.v
        assert np.array_equal(step.image, out.image[box.slices])


def test_small_regions_are_not_resampled(small: Pixels) -> None:
    mask = np.zeros(small.shape[:2], np.uint8)
    mask[20:60, 30:90] = 1
    shown = list(render_steps(small, mask, select_rows(["oversharpen"], "matched")))
    sheet = draw_catalog_sheet(small, mask, shown)
    first = small[4:76, 14:106]
    width = max(96, first.shape[1])
    left = 8 + (width - first.shape[1]) // 2
    assert np.array_equal(sheet[8:80, left : left + first.shape[1]], first)
    fifth = 8 + 5 * (width + 8) + (width - first.shape[1]) // 2
    assert np.array_equal(sheet[8:80, fifth : fifth + first.shape[1]], shown[4].image)


def test_what_there_is() -> None:
    assert select_rows([], "matched") == list(CATALOG)
    assert [row.family for row in select_rows(["noise"], "dq")] == ["noise"] * len(select_rows(["noise"], "dq"))
    assert all(row.dq for row in select_rows([], "dq"))
    with pytest.raises(UserError, match="did you mean 'noise'"):
        select_rows(["noize"], "matched")
    image, mask = load_photograph()
    assert mask.any()
    assert not mask.all()
    assert load_photograph(box=(1, 2, 30, 40))[1].sum() == 29 * 38
    assert image.shape[:2] == mask.shape


# --- the docs -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def docs() -> Iterator[ModuleType]:
    with isolate_scripts(DOCS):
        yield importlib.import_module("generate")


@pytest.fixture
def pictures(docs: ModuleType) -> ModuleType:
    return importlib.import_module("pictures")


def known() -> dict[str, Any]:
    return dict(json.loads((DOCS / "images" / "facts.json").read_text(encoding="utf-8")))


def test_the_gallery_in_the_docs_is_not_stale(docs: ModuleType, pictures: ModuleType) -> None:
    """It is: run `make docs`."""
    assert not docs.is_page_stale("gallery.md", docs.make_gallery_page())
    for family in FAMILIES:
        assert not pictures.is_picture_stale(pictures.name_sheet(family), pictures.draw_family(family), known()), family


@pytest.mark.parametrize(
    ("key", "value"), [("amount", 1.01), ("version", 99), ("name", "blur.other"), ("unit", "mm"), ("v", 1e9)]
)
def test_other_settings_are_stale(pictures: ModuleType, key: str, value: object) -> None:
    made = pictures.draw_family("pixelate")
    name = pictures.name_sheet("pixelate")
    assert not pictures.is_picture_stale(name, made, known())
    changed = [{**made.facts[0], key: value}, *made.facts[1:]]
    assert pictures.is_picture_stale(name, made._replace(facts=changed), known())
    assert pictures.is_picture_stale(name, made._replace(facts=made.facts[:-1]), known())


def test_other_pixels_are_stale(pictures: ModuleType) -> None:
    made, name = pictures.draw_family("pixelate"), pictures.name_sheet("pixelate")
    fact = made.facts[2]
    for by, stale in ((1, False), (4, True)):
        moved = {**fact, "colours": [min(level + by, 255) for level in fact["colours"]]}
        assert (
            pictures.is_picture_stale(name, made._replace(facts=[*made.facts[:2], moved, *made.facts[3:]]), known())
            == stale
        )
    assert pictures.is_picture_stale(name, made._replace(image=made.image[:-1]), known())


def test_another_file_is_stale(pictures: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, name = pictures.draw_family("pixelate"), pictures.name_sheet("pixelate")
    (tmp_path / name).parent.mkdir(parents=True)
    shutil.copy(DOCS / name, tmp_path / name)
    monkeypatch.setattr(pictures, "DOCS", tmp_path)
    assert not pictures.is_picture_stale(name, made, known())
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes() + b"\0")
    assert pictures.is_picture_stale(name, made, known())
    (tmp_path / name).unlink()
    assert pictures.is_picture_stale(name, made, known())
    assert pictures.is_picture_stale(name, made, {})


def test_the_scores_in_the_docs_are_those_of_the_task(docs: ModuleType) -> None:
    assert not docs.is_page_stale("diagnosis.md", docs.make_diagnosis_page())
    table = docs.make_scores_table()
    assert "| three regions | the truth | 1.00 | 1.00 | 1.00 | 1.00 | 1.00 | 1.00 |" in table
    with pytest.raises(SystemExit, match=r"docs/x\.md has lost the marks around the table of here"):
        docs.replace_table("no marks", "x.md", "here", table)


def test_the_picture_of_sets_shows_every_kind(pictures: ModuleType) -> None:
    titles = {fact["title"] for fact in known()["images/diagnosis.jpg"]["facts"]}
    assert {"Pristine", "2 regions", "3 regions"} < titles
    assert "nothing was done" in {fact["note"] for fact in known()["images/diagnosis.jpg"]["facts"]}
    assert known()["images/diagnosis.jpg"]["sha256"] == pictures.hash_file(DOCS / "images" / "diagnosis.jpg")
