"""The file of a study, without a browser: what is in it, what is not, how large it gets, and what is refused."""

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dataset_samples import Gallery, small_recipe
from view_samples import HOSTILE, decoded, read_page, rewrite, stored_images

from distortlab import generate
from distortlab.analysis.study.stimuli import TASKS, Stimuli
from distortlab.core.errors import UserError
from distortlab.visualization.study import StudySummary, write_study


def test_every_pixel_is_in_the_page(written: StudySummary, study_data: Path) -> None:
    page, stored = read_page(written.out), stored_images(study_data)
    clean = {f"reference:{row['reference_id']}": row["before"] for row in stored.values()}
    assert len(page.data["images"]) == written.images + written.references == 66
    for entry in page.data["images"]:
        shown = decoded(page.files[entry["base"]]).copy()
        if entry["after"] is not None:
            top, (x, y) = decoded(page.files[entry["after"]]), entry["corner"]
            shown[y : y + top.shape[0], x : x + top.shape[1]] = top
        wanted = clean[entry["name"]] if entry["name"] in clean else stored[entry["name"]]["after"]
        assert np.array_equal(shown, wanted), entry["name"]
        assert (entry["width"], entry["height"]) == shown.shape[1::-1]


def test_no_label_is_in_the_page_but_for_the_training(written: StudySummary, stimuli: Stimuli) -> None:
    facts = read_page(written.out).data
    names = [image["name"] for image in facts["images"]]
    trained = {names[k] for trials in facts["training"].values() for trial in trials for k in trial["images"]}
    shown = {names[k] for order in facts["orders"] for _, block in order for trial in block for k in trial}
    assert set(facts["images"][0]) == {"name", "width", "height", "base", "corner", "after"}
    assert not {name for name in shown & trained if name in stimuli.distorted}
    for trials in facts["training"].values():
        for trial in trials:
            one = next((stimuli.distorted[names[k]] for k in trial["images"] if names[k] in stimuli.distorted), None)
            assert (trial["says"] == "Nothing was done to it") == (one is None)
    assert [sum(len(block) for _, block in order) for order in facts["orders"]] == [80] * 12


def test_the_page_needs_nothing_else(written: StudySummary) -> None:
    page = read_page(written.out)
    around = re.sub(r'<script type="(text/plain|application/json)".*?</script>', "", page.text, flags=re.DOTALL)
    assert not re.search(r"https?:|//[a-z]|@import|url\(|src=|href=|\bfetch\b|XMLHttpRequest|innerHTML|eval\(", around)
    assert "default-src 'none'" in around
    assert "unsafe" not in around
    assert page.text.count("<script") == page.text.count("</script>") == len(page.files) + 2
    assert written.bytes == written.out.stat().st_size


def test_hostile_words_stay_in_their_place(study_data: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(study_data, tmp_path / "odd <b>&amp;"))
    rewrite(folder, "images", lambda row, number: row.update(image_id=f"{HOSTILE}{number}", reference_id=HOSTILE))
    write_study(folder, tmp_path / "study.html", trials=8, orders=1, images=6)
    page = read_page(tmp_path / "study.html")
    assert page.text.count("<script") == page.text.count("</script>") == len(page.files) + 2
    assert {image["name"] for image in page.data["images"]} >= {f"{HOSTILE}0", f"reference:{HOSTILE}"}
    assert page.data["data"]["name"] == folder.name


def test_the_same_seed_makes_the_same_study(study_data: Path, tmp_path: Path) -> None:
    pages = [
        write_study(study_data, tmp_path / f"{number}.html", trials=8, orders=2, images=10, seed=seed)
        for number, seed in enumerate((0, 0, 1))
    ]
    assert pages[0].study == pages[1].study != pages[2].study
    assert pages[0].out.read_bytes() == pages[1].out.read_bytes()
    assert [page.images for page in pages] == [10, 10, 10]


def test_what_has_no_room_is_left_out_and_counted(study_data: Path, tmp_path: Path) -> None:
    small = write_study(study_data, tmp_path / "study.html", trials=8, images=20, megabytes=0.5)
    assert small.bytes < 0.5e6 + 100_000
    assert 0 < small.images == 20 - small.left_out < 20
    with pytest.raises(UserError, match=r"no image fits into 0\.001 MB"):
        write_study(study_data, tmp_path / "none.html", images=5, megabytes=0.001)
    assert not (tmp_path / "none.html").exists()


def test_tasks(study_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "study.html"
    some = write_study(study_data, out, tasks=["comparison", "detection"], trials=9, images=10)
    assert some.trials == {"detection": 6, "comparison": 3}
    with pytest.raises(UserError, match="no task of a study called 'detect'; did you mean 'detection'"):
        write_study(study_data, out, tasks=["detect"])
    with pytest.raises(UserError, match=r"no split of .* called 'tets'"):
        write_study(study_data, out, split="tets")
    with pytest.raises(UserError, match="there is no folder"):
        write_study(study_data, tmp_path / "no" / "study.html")


def test_without_references_there_is_nothing_untouched(tmp_path: Path) -> None:
    generate(small_recipe(n=4, keep_references=False), Gallery(), tmp_path / "data", workers=1)
    found = write_study(tmp_path / "data", tmp_path / "study.html", trials=8)
    assert set(found.skipped) == {"detection"} | set(TASKS) - set(found.trials)
    assert found.references == 0
    with pytest.raises(UserError, match="cannot be asked about in detection: its images are there without their ref"):
        write_study(tmp_path / "data", tmp_path / "study.html", tasks=["detection"])


def test_a_data_set_without_single_distortions(study_data: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(study_data, tmp_path / "data"))

    def change(row: dict[str, Any], number: int) -> None:
        row["regions"] = [] if number % 2 else [row["regions"][0] | {"distortion": "mystery"}]

    rewrite(folder, "images", change)
    with pytest.raises(UserError, match=r"no image with one distortion to ask about \(30 with labels without a known"):
        write_study(folder, tmp_path / "study.html")
