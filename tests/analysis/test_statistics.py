"""Statistics: counted as anybody would count, said where something is off, drawn so that it can be opened."""

import sys
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from dataset_samples import Gallery, rows_of, small_recipe
from set_samples import SETS

from distortlab import generate
from distortlab.analysis.findings import check_balance, count_rejections, list_findings
from distortlab.analysis.plots.write import write_plots
from distortlab.analysis.statistics import (
    GRID,
    Statistics,
    collect_statistics,
    get_local_areas,
    get_visibility_values,
    name_things,
)
from distortlab.analysis.tables import print_statistics, statistics_to_dict
from distortlab.core.errors import UserError
from distortlab.dataset.reader import open_data
from distortlab.imaging.decode import read_image
from distortlab.recipe import default_recipe
from distortlab.tasks.terms import FAMILIES


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("counted") / "data"
    generate(small_recipe(n=24, images_per_shard=8), Gallery(), out, workers=1)
    return out


@pytest.fixture(scope="session")
def counted(finished: Path) -> Statistics:
    return collect_statistics(open_data(finished))


def test_it_counts_what_is_there(finished: Path, counted: Statistics) -> None:
    images, questions = rows_of(finished, "images"), rows_of(finished, "rft")
    regions = [row["regions"][0] for row in images]
    assert (counted.images, counted.questions) == (len(images), len(questions))
    assert counted.references == {row["reference_id"] for row in images}
    assert counted.cells == Counter((region["distortion"], region["severity"]) for region in regions)
    assert counted.tasks == Counter(row["task"] for row in questions)
    assert counted.asked == Counter((row["distortion"], row["severity"], row["task"]) for row in questions)
    assert counted.difficulties == Counter((region["difficulty"], region["distortion"]) for region in regions)
    assert counted.asked_difficulties == Counter((row["difficulty"], row["task"]) for row in questions)
    assert counted.objects == Counter(region["object"] for region in regions)
    assert sorted(counted.areas) == sorted(np.float32(region["area"]) for region in regions)
    for family, severity in counted.cells:
        own = [r["visibility"]["v"] for r in regions if (r["distortion"], r["severity"]) == (family, severity)]
        assert sorted(get_visibility_values(counted, family, severity)) == sorted(np.float32(v) for v in own)
    assert sum(counted.places.values()) == sum(row["task"] != "grounding" for row in questions)


def test_the_map_of_boxes_covers_what_boxes_cover(finished: Path, counted: Statistics) -> None:
    cover = np.zeros((GRID, GRID))
    for row in rows_of(finished, "images"):
        x1, y1, x2, y2 = row["regions"][0]["bbox"]
        xs, ys = ((np.arange(GRID) + 0.5) * side / GRID for side in (row["width"], row["height"]))
        cover += ((ys >= y1) & (ys < y2))[:, None] & ((xs >= x1) & (xs < x2))[None]
    assert np.abs(cover - counted.cover).sum() <= 0.05 * cover.sum()  # cells that a box cuts


def test_a_split_by_itself(finished: Path) -> None:
    stored = open_data(finished)
    parts = [collect_statistics(stored, split) for split in stored.splits]
    assert sum(part.images for part in parts) == 24
    assert sum((part.asked for part in parts), Counter()) == collect_statistics(stored).asked
    assert all(part.blind is None and not part.rejected for part in parts)
    with pytest.raises(UserError, match="has no split 'test'; it has train, validation"):
        collect_statistics(stored, "test")


def test_nothing_at_all_is_a_sentence(tmp_path: Path) -> None:
    generate(small_recipe(n=4), Gallery(kinds=("empty",), limit=4), tmp_path / "data", workers=1)
    with pytest.raises(UserError, match="holds no images"):
        collect_statistics(open_data(tmp_path / "data"))


# --- images of several kinds ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sets") / "data"
    generate(SETS, Gallery(), out, workers=1)
    return out


def test_sets_of_distortions_are_counted_by_image_and_by_region(sets: Path) -> None:
    counted, rows = collect_statistics(open_data(sets)), rows_of(sets, "images")
    families = [[region["distortion"] for region in row["regions"]] for row in rows]
    assert counted.kinds == Counter(
        "whole" if row["regions"] and row["regions"][0]["area"] == 1 else str(len(row["regions"]) or "pristine")
        for row in rows
    )
    assert set(counted.kinds) == {"pristine", "whole", "1", "2", "3"}
    both = Counter(frozenset(pair) for own in families for pair in combinations(own, 2))
    assert {frozenset(pair): count for pair, count in counted.pairs.items()} == both
    assert all(FAMILIES.index(one) < FAMILIES.index(other) for one, other in counted.pairs)
    assert sum(counted.cells.values()) == len(counted.areas) == sum(map(len, families))
    local = [region for row in rows for region in row["regions"] if region["area"] < 1]
    assert counted.covering == len(get_local_areas(counted)) == len(local) > 0
    assert name_things(counted) == "regions"
    assert not counted.asked
    pairs = [row for row in rows_of(sets, "rft") if row["task"].startswith("comparison")]
    assert counted.places == Counter((row["task"], 2, int(row["solution"] == "Second")) for row in pairs)


def test_sets_are_shown_and_drawn(sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counted = collect_statistics(open_data(sets))
    checks = check_balance(counted)
    print_statistics(counted, checks, list_findings(counted, checks))
    shown = capsys.readouterr().out
    assert "distorted in 3 regions │      2 │ 12.5 │        11.1" in shown
    assert "images by two families that are both in them" in shown
    assert "diagnosis │ " not in shown
    values = statistics_to_dict(counted, checks, [])
    assert values["kinds"] == dict(counted.kinds)
    assert sum(pair["images"] for pair in values["pairs"]) == counted.pairs.total()
    assert [path.stem for path in write_plots(counted, tmp_path, only=("composition", "areas"))] == [
        "composition",
        "areas",
    ]


def test_kinds_that_are_off_are_found() -> None:
    found = balanced()
    found.recipe = default_recipe(composition={"pristine": 1, "whole": 2, "local": 2})
    found.kinds.update({"pristine": 2000, "whole": 2000, "1": 2000})
    found.images = 6000
    assert "33 % of 6,000 images are pristine; expected 20 %" in said(found)
    found.kinds.update({"whole": 2000, "1": 2000})
    assert not any("pristine" in sentence for sentence in said(found))


def test_of_pristine_images_alone_nothing_is_drawn_that_is_not_there(tmp_path: Path) -> None:
    found = Statistics("data", None, images=2)
    found.kinds["pristine"] = 2
    written = write_plots(found, tmp_path)
    assert [path.stem for path in written] == ["composition", "counts"]
    print_statistics(found, check_balance(found), [])
    assert statistics_to_dict(found, (), [])["area"] == {}


# --- findings -------------------------------------------------------------------------------------------------------


def balanced(each: int = 100, **changes: float) -> Statistics:
    """A data set as the recipe asks for it."""
    found = Statistics("data", None, recipe=default_recipe(families=changes) if changes else None)
    for family in FAMILIES:
        for severity in range(1, 6):
            found.cells[family, severity] = each
            found.asked[family, severity, "grounding"] = each
            found.tasks["grounding"] += each
            for _ in range(each):
                found.v.append(2.0**severity)
                found.families.append(FAMILIES.index(family))
                found.severities.append(severity)
    return found


def said(found: Statistics) -> list[str]:
    return list_findings(found, check_balance(found))


def test_what_is_even_is_not_mentioned() -> None:
    found = balanced()
    for task in ("recognition", "recognition_reference", "object"):
        for family, severity in found.cells:
            found.asked[family, severity, task] = 100
            found.tasks[task] += 100
    assert said(found) == []


def test_a_recipe_has_its_own_shares() -> None:
    """What is even is out of balance where the recipe asks for three times as much blur."""
    found = balanced(**dict.fromkeys(FAMILIES, 1.0) | {"blur": 3.0})
    assert "blur is the family of 8.3 % of 6,000 images; expected 21 %" in said(found)


def test_difficulties_are_compared_with_the_shares_that_were_asked_for() -> None:
    found = balanced()
    found.difficulties.update({("easy", "blur"): 3000, ("hard", "noise"): 3000})
    sentence = "50 % of 6,000 images are easy; expected 25 %"
    assert sentence not in said(found)
    found.recipe = default_recipe(difficulties={"easy": 1, "hard": 3})
    assert sentence in said(found)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("tasks", "100 % of 6,000 questions are grounding; expected 33 %"),
        ("cells", "blur, severity 1 is 15 % of 6,900 images; expected 3.3 %"),
        ("places", "answers stand in first place in 31 % of 5,000 object questions with 4 candidates; expected 25 %"),
        ("visibility", "noise: severity 4 is no more visible than 3 (median V 5.0 and 8.0)"),
        ("rejected", "90 of 140 draws of blur.lens at severity 1 were rejected"),
        ("objects", "person is 60 % of all named regions"),
    ],
)
def test_what_is_off_is_said(name: str, sentence: str) -> None:
    found = balanced()
    if name == "cells":
        found.cells["blur", 1] = 1000
    if name == "places":
        found.places.update({("object", 4, 0): 1550, **{("object", 4, place): 1150 for place in (1, 2, 3)}})
    if name == "visibility":
        at = zip(found.families, found.severities, strict=True)
        for index, (family, severity) in enumerate(at):
            if (FAMILIES[family], severity) == ("noise", 4):
                found.v[index] = 5.0
    if name == "rejected":
        found.rejected = {"blur.lens 1: not visible": 60, "blur.lens 1: wrong direction": 30, "blur: flat region": 9999}
        found.settings["blur.lens", 1] = 50
    if name == "objects":
        found.objects.update({"person": 60, "dog": 40, "": 10_000})
    assert any(line.startswith(sentence.partition(" is 15 %")[0]) for line in said(found)), said(found)
    if name != "cells":
        assert sentence in said(found)


def test_rejections_are_of_draws_that_were_made() -> None:
    found = Statistics("data", None, rejected={"blur.lens 2: not visible": 3, "the same picture again": 5, "x: y": 1})
    found.settings["blur.lens", 2] = 7
    assert list(count_rejections(found)) == [("blur.lens", 2, 10, 3)]


# --- showing --------------------------------------------------------------------------------------------------------


def test_pictures_can_be_opened_and_come_out_the_same(counted: Statistics, tmp_path: Path) -> None:
    written = write_plots(counted, tmp_path / "one")
    names = {path.stem for path in written}
    assert names >= {"counts", "objects", "areas", "boxes", "visibility", "places", "shortcuts"}
    for path in written:
        rows, columns, _ = read_image(path).shape
        assert columns > 500
        assert rows > 200
    (again,) = write_plots(counted, tmp_path / "two", only=("boxes",))
    assert again.read_bytes() == (tmp_path / "one" / "boxes.png").read_bytes()


def test_pictures_of_next_to_nothing(tmp_path: Path) -> None:
    """One image without a name, of a split: what there is nothing of is left out."""
    gallery = Gallery(kinds=("nameless",), vocabulary={})
    generate(small_recipe(n=1, splits={"train": 1.0}, samples_per_image=1.0), gallery, tmp_path / "data", workers=1)
    found = collect_statistics(open_data(tmp_path / "data"), "train")
    assert write_plots(found, tmp_path / "none", only=("objects", "shortcuts", "rejected")) == []
    assert len(write_plots(found, tmp_path / "some", only=("counts", "areas", "visibility"))) == 3


def test_without_matplotlib_there_is_a_sentence(
    counted: Statistics, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UserError, match=r"pip install 'refine-iqa\[plots\]'; --no-plots"):
        write_plots(counted, tmp_path)


def test_the_values_are_plain(counted: Statistics) -> None:
    import json

    values = statistics_to_dict(counted, check_balance(counted), [])
    assert json.loads(json.dumps(values)) == values
    assert sum(cell["images"] for cell in values["cells"]) == values["images"] == 24
