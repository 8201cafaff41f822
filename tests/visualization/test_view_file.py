"""The file of a page, without a browser: what is in it, what is not, and how large it gets."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from dataset_samples import Gallery, rows_of, small_recipe
from view_samples import HOSTILE, read_page, rewrite, stored_images

from distortlab import generate
from distortlab.core.errors import BadReference, UserError
from distortlab.dataset.selection import Filter
from distortlab.tasks import recognition
from distortlab.tasks.terms import LEVELS
from distortlab.visualization.viewer import write_page
from distortlab.visualization.viewer.entries import make_entry
from distortlab.visualization.viewer.packing import find_changed_box


@pytest.mark.parametrize("which", ["usual", "odd"])
def test_every_pixel_is_in_the_page(request: pytest.FixtureRequest, which: str) -> None:
    folder, page = request.getfixturevalue(which), read_page(request.getfixturevalue(f"{which}_page"))
    stored = stored_images(folder)
    assert len(page.data["images"]) == 12
    for number, entry in enumerate(page.data["images"]):
        row = stored[entry["image_id"]]
        assert entry["pictures"]["exact"]
        assert np.array_equal(page.pixels(number), row["after"])
        if not entry["pictures"]["why"]:
            assert np.array_equal(page.pixels(number, "before"), row["before"])


def test_a_reference_is_stored_once(usual_page: Path) -> None:
    page = read_page(usual_page)
    bases = [entry["pictures"]["base"] for entry in page.data["images"]]
    assert len(set(bases)) == len({entry["reference_id"] for entry in page.data["images"]}) == 6
    assert len(page.files) == 6 + 12


def test_questions_are_those_of_the_image(usual: Path, usual_page: Path) -> None:
    samples = rows_of(usual, "samples")
    for entry in read_page(usual_page).data["images"]:
        mine = [row for row in samples if row["image_id"] == entry["image_id"]]
        assert [q["solution"] for q in entry["questions"]] == [row["solution"] for row in mine]
        assert [q["prompt"] for q in entry["questions"]] == [row["prompt"][0]["content"] for row in mine]
        for question in entry["questions"]:
            parts = [question["solution"]] if question["task"] == "object" else question["solution"].split(", ")
            assert all(part in names for part, names in zip(parts, question["candidates"], strict=False))


@pytest.mark.parametrize("may_be_none", [True, False])
def test_none_is_among_what_is_offered_where_the_question_says_so(may_be_none: bool) -> None:
    names = ("image_id", "width", "height", "pixels_sha256", "reference_id", "reference_source", "reference_license")
    row = {**dict.fromkeys((*names, "seed", "generator_version"), 1), "regions": []}
    for wording in range(recognition.WORDINGS):
        text = recognition.question(("blur", "noise"), False, wording, may_be_none=may_be_none)
        asked = {"task": "recognition", "prompt": [{"content": text}], "solution": "None"}
        (types, levels) = make_entry(row, "train", [asked])["questions"][0]["candidates"]
        assert types == ["Blur", "Noise", *(["None"] if may_be_none else [])]
        assert levels == [*LEVELS]


def test_without_references(tmp_path: Path) -> None:
    generate(small_recipe(n=4, keep_references=False), Gallery(), tmp_path / "data", workers=1)
    write_page(tmp_path / "data", tmp_path / "view.html")
    page, stored = read_page(tmp_path / "view.html"), stored_images(tmp_path / "data")
    for number, entry in enumerate(page.data["images"]):
        assert entry["pictures"]["why"] == "The data set was made without its references."
        assert np.array_equal(page.pixels(number), stored[entry["image_id"]]["after"])


# --- nothing gets out -----------------------------------------------------------------------------------------------


def test_hostile_words_stay_in_their_place(odd_page: Path) -> None:
    page = read_page(odd_page)
    assert page.text.count("<script") == page.text.count("</script>") == len(page.files) + 2
    assert "\u2028" not in page.text
    assert "<img" not in page.text
    entry = next(entry for entry in page.data["images"] if entry["image_id"].endswith("000005"))
    assert entry["regions"][0]["object"] == entry["questions"][0]["solution"] == HOSTILE
    assert entry["regions"][0]["params"][HOSTILE] == HOSTILE


def test_the_page_needs_nothing_else(usual_page: Path) -> None:
    page = read_page(usual_page)
    around = re.sub(r'<script type="(text/plain|application/json)".*?</script>', "", page.text, flags=re.DOTALL)
    assert not re.search(r"https?:|//[a-z]|@import|url\(|src=|href=|\bfetch\b|XMLHttpRequest|innerHTML|eval\(", around)
    assert "default-src 'none'" in around
    assert "unsafe" not in around


# --- how large ------------------------------------------------------------------------------------------------------


def test_what_does_not_fit_is_said(usual: Path, usual_page: Path, tmp_path: Path) -> None:
    whole = usual_page.stat().st_size / 1e6
    out = tmp_path / "view.html"
    written = write_page(usual, out, megabytes=0.8 * whole)
    page, stored = read_page(out), stored_images(usual)
    assert written.bytes == out.stat().st_size < 0.85 * whole * 1e6
    assert 0 < written.reencoded == sum(not entry["pictures"]["exact"] for entry in page.data["images"]) < 12
    for number, entry in enumerate(page.data["images"]):
        row = stored[entry["image_id"]]
        x1, y1, x2, y2 = entry["regions"][0]["bbox"]
        for kind in ("after", "before"):
            mine, true = page.pixels(number, kind), row[kind]
            assert np.array_equal(mine[y1:y2, x1:x2], true[y1:y2, x1:x2])
            assert np.array_equal(mine, true) == entry["pictures"]["exact"]
            assert np.abs(mine.astype(int) - true).mean() < 6


def test_what_has_no_room_is_left_out_and_counted(usual: Path, tmp_path: Path) -> None:
    out = tmp_path / "view.html"
    written = write_page(usual, out, megabytes=0.6)
    assert 0 < written.images == 12 - written.left_out < 12
    assert read_page(out).data["left_out"] == written.left_out
    assert out.stat().st_size < 0.6e6 + 100_000 + sum(len(json.dumps(e)) for e in read_page(out).data["images"])
    with pytest.raises(UserError, match=r"no image fits into 0\.001 MB"):
        write_page(usual, tmp_path / "none.html", megabytes=0.001)
    assert not (tmp_path / "none.html").exists()


def test_the_sample(usual: Path, tmp_path: Path) -> None:
    def ids(**options: int) -> list[str]:
        write_page(usual, tmp_path / "view.html", **options)
        return [entry["image_id"] for entry in read_page(tmp_path / "view.html").data["images"]]

    assert ids(sample=4) == ids(sample=4)
    assert len(ids(sample=5)) == 5
    assert len({tuple(ids(sample=2, seed=seed)) for seed in range(3)}) > 1
    four = ids(sample=4)
    pairs = [row["reference_id"] for row in rows_of(usual, "images") if row["image_id"] in four]
    assert len(set(pairs)) == 2, "what was made from one reference stays together"


# --- what is refused ------------------------------------------------------------------------------------------------


def test_a_row_that_is_damaged(usual: Path, tmp_path: Path) -> None:
    for name, value in (("image", {"bytes": b"no picture", "path": "x"}), ("regions", None)):
        folder = Path(shutil.copytree(usual, tmp_path / name))

        def damage(row: dict[str, object], number: int, name: str = name, value: object = value) -> None:
            row |= {name: value} if number == 3 else {}

        rewrite(folder, "images", damage)
        kind = BadReference if name == "image" else UserError
        with pytest.raises(kind, match=r"images/train-0000.-of-0000.\.parquet"):
            write_page(folder, tmp_path / "view.html")
    assert not (tmp_path / "view.html").exists()


def test_an_empty_choice_says_what_there_is(usual: Path, tmp_path: Path) -> None:
    wanted = Filter(families=("blur",), severities=(5,), least=99)
    with pytest.raises(UserError, match=r"has no image of blur at severity 5 with V from 99; it has families .*V from"):
        write_page(usual, tmp_path / "view.html", wanted=wanted)


def test_the_changed_box() -> None:
    before = np.zeros((9, 7, 3), np.uint8)
    assert find_changed_box(before, before) is None
    for channel in range(3):
        after = before.copy()
        after[2, 3, channel] = after[7, 5, channel] = 1
        assert find_changed_box(after, before) == (3, 2, 6, 8)
