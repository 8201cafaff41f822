"""`verify`, `stats`, `sheet`, `gallery` and `view`: what they print, what they refuse and how."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cli_outcomes import assert_refused
from dataset_samples import (
    Gallery,
    edit_json,
    rows_of,
    small_recipe,
)
from in_process import Cli
from reference_samples import encoded

from distortlab.generation.generate import generate
from distortlab.imaging.decode import read_image


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("finished")
    generate(small_recipe(n=6), Gallery(), out, workers=1)
    return out


@pytest.fixture
def own_copy(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def test_verify(cli: Cli, finished: Path) -> None:
    outcome = cli("verify", finished, "--workers", 1)
    assert (outcome.code, outcome.err) == (0, "")
    assert "6 images, 6 recipes rendered again: all as it should be" in outcome.out
    told = json.loads(cli("verify", finished, "--workers", 1, "--json").out)
    assert (told["images"], told["rendered"], told["problems"]) == (6, 6, [])


def test_verify_names_what_is_wrong(cli: Cli, own_copy: Path) -> None:
    (own_copy / "README.md").write_text("short")
    outcome = cli("verify", own_copy, "--workers", 1)
    assert outcome.code == 1
    assert "wrong: README.md: 5 bytes" in outcome.out
    assert json.loads(cli("verify", own_copy, "--workers", 1, "--json").out)["problems"]


def test_verify_does_not_print_without_end(cli: Cli, own_copy: Path) -> None:
    absent = {f"rft/{number}.parquet": {} for number in range(50)}
    edit_json(own_copy / "MANIFEST.json", lambda manifest: manifest["files"].update(absent))
    outcome = cli("verify", own_copy, "--workers", 1)
    assert outcome.code == 1
    assert outcome.out.count("wrong:") == 20
    assert "31 more" in outcome.out  # a changed manifest does not fit its seal either


def unfinished(folder: Path) -> None:
    (folder / "MANIFEST.json").unlink()


def newer(folder: Path) -> None:
    edit_json(folder / "MANIFEST.json", lambda manifest: manifest.update(format=2))


def without_totals(folder: Path) -> None:
    edit_json(folder / "MANIFEST.json", lambda manifest: manifest.update(totals=None, format=9))


@pytest.mark.parametrize("name", ["verify", "sheet", "stats", "view"])
@pytest.mark.parametrize(
    ("change", "said"),
    [(unfinished, "begun and not finished"), (newer, "format 2"), (without_totals, "format 9")],
)
def test_what_is_not_ready(
    cli: Cli, own_copy: Path, tmp_path: Path, name: str, change: Callable[[Path], None], said: str
) -> None:
    change(own_copy)
    more = () if name == "verify" else ("-o", tmp_path / "out")
    assert_refused(cli(name, own_copy, *more), str(own_copy), said)


@pytest.mark.parametrize("name", ["verify", "sheet", "stats", "view"])
def test_what_is_no_data_set(cli: Cli, tmp_path: Path, jpeg: Path, name: str) -> None:
    more = () if name == "verify" else ("-o", tmp_path / "out")
    for folder in (tmp_path, tmp_path / "absent", jpeg):
        assert_refused(cli(name, folder, *more), str(folder))


def test_a_sheet_of_a_data_set(cli: Cli, finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "sheet.png"
    outcome = cli("sheet", finished, "-o", out, "--count", 4)
    assert (outcome.code, outcome.err) == (0, "")
    rows, columns = read_image(out).shape[:2]
    assert f"{columns} x {rows}" in outcome.out
    assert rows > 200
    again = tmp_path / "again.png"
    cli("sheet", finished, "-o", again, "--count", 4)
    assert again.read_bytes() == out.read_bytes()
    cli("sheet", finished, "-o", again, "--count", 4, "--seed", 1)
    assert again.read_bytes() != out.read_bytes()
    cli("sheet", finished, "-o", again, "--count", 4, "--edits", 1)
    assert again.read_bytes() == out.read_bytes()
    assert_refused(cli("sheet", finished, "-o", again, "--edits", 2), "no image with 2 distortions")


def test_a_gallery(cli: Cli, tmp_path: Path, jpeg: Path) -> None:
    out = tmp_path / "gallery.png"
    few = ("--family", "pixelate", "--family", "oversharpen")
    outcome = cli("gallery", "-o", out, *few)
    assert (outcome.code, outcome.err) == (0, "")
    usual = read_image(out)
    assert f"{usual.shape[1]} x {usual.shape[0]}" in outcome.out
    assert cli("gallery", "-o", out, *few, "--profile", "dq").code == 0
    assert not np.array_equal(read_image(out), usual)
    assert cli("gallery", "-o", out, *few, "--image", jpeg, "--box", "40,30,140,130").code == 0
    assert np.array_equal(read_image(out)[8:140, 8:140], read_image(jpeg)[14:146, 24:156]), (
        "first of all the photograph"
    )


def test_a_gallery_of_a_masked_picture(cli: Cli, tmp_path: Path, jpeg: Path) -> None:
    mask = np.zeros(read_image(jpeg).shape, np.uint8)
    mask[30:130, 40:140] = 255
    (tmp_path / "mask.png").write_bytes(encoded(mask, "PNG"))
    for name, area in (("mask", tmp_path / "mask.png"), ("box", "40,30,140,130")):
        few = ("--family", "pixelate", "--image", jpeg, f"--{name}", area)
        assert cli("gallery", "-o", tmp_path / f"by-{name}.png", *few).code == 0
    assert (tmp_path / "by-mask.png").read_bytes() == (tmp_path / "by-box.png").read_bytes()


def test_galleries_that_cannot_be(cli: Cli, tmp_path: Path, jpeg: Path) -> None:
    out = ("-o", tmp_path / "gallery.png")
    (tmp_path / "black.png").write_bytes(encoded(np.zeros(read_image(jpeg).shape, np.uint8), "PNG"))
    assert_refused(cli("gallery", *out, "--family", "pixelat"), "did you mean 'pixelate'")
    assert_refused(cli("gallery", *out, "--image", tmp_path / "no.jpg"), "no.jpg")
    assert_refused(cli("gallery", *out, "--image", jpeg, "--box", "0,0,9999,9"), "does not lie in the image")
    assert_refused(cli("gallery", *out, "--image", jpeg, "--mask", tmp_path / "black.png"), "the mask is empty")
    assert_refused(cli("gallery", *out, "--mask", tmp_path / "black.png"), "the mask has shape")
    assert_refused(cli("gallery", *out, "--box", "0,0,9,9", "--mask", jpeg), "a mask or a box")
    assert not (tmp_path / "gallery.png").exists()


def test_a_page(cli: Cli, finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "view.html"
    outcome = cli("view", finished, "-o", out)
    assert (outcome.code, outcome.err) == (0, "")
    assert "6 of 6 images" in outcome.out
    told = json.loads(cli("view", finished, "-o", out, "--sample", 2, "--json").out)
    assert (told["images"], told["total"], told["left_out"]) == (2, 6, 0)
    assert told["bytes"] == out.stat().st_size
    family = rows_of(finished, "images")[0]["regions"][0]["distortion"]
    assert "of 6" in cli("view", finished, "-o", out, "--family", family, "--min-visibility", 0.5).out


def test_pages_that_cannot_be(cli: Cli, finished: Path, own_copy: Path, tmp_path: Path, jpeg: Path) -> None:
    out = ("-o", tmp_path / "view.html")
    assert_refused(cli("view", finished, *out, "--family", "blurr"), "did you mean 'blur'")
    assert_refused(cli("view", finished, *out, "--task", "wheel"), "no task called 'wheel'")
    assert_refused(cli("view", finished, *out, "--severity", 9), "severity 9")
    assert_refused(cli("view", finished, *out, "--min-visibility", 9, "--max-visibility", 2), "at least 9")
    assert_refused(cli("view", finished, *out, "--min-visibility", 999), "with V from 999", "it has families")
    assert_refused(cli("view", finished, "-o", tmp_path / "absent" / "view.html"), "there is no folder")
    assert_refused(cli("view", finished, "-o", jpeg / "view.html"), "there is no folder")
    assert_refused(cli("view", finished, "-o", tmp_path), "cannot be written")
    next((own_copy / "images").glob("*.parquet")).unlink()
    assert_refused(cli("view", own_copy, *out), "is missing")
    assert list(tmp_path.glob("*.html")) == []


def test_a_sheet_that_cannot_be_written(cli: Cli, finished: Path, jpeg: Path) -> None:
    assert_refused(cli("sheet", finished, "-o", jpeg / "sheet.png"), "sheet.png")


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "abc", "120%", "nan", "inf", ""])
def test_a_sample_that_is_none(cli: Cli, finished: Path, text: str) -> None:
    assert_refused(cli("verify", finished, "--sample", text), "--sample", "neither a number of images")


@pytest.mark.parametrize(("text", "rendered"), [("1", 1), ("1%", 1), ("100%", 6), ("0.999", 6), ("9", 6)])
def test_verify_of_a_sample(cli: Cli, finished: Path, text: str, rendered: int) -> None:
    told = json.loads(cli("verify", finished, "--workers", 1, "--sample", text, "--json").out)
    assert told["problems"] == []
    assert told["rendered"] >= rendered
    assert bool(told["not_checked"]) == (told["rendered"] < 6)


@pytest.mark.parametrize("name", ["sheet", "stats"])
def test_a_missing_shard(cli: Cli, own_copy: Path, tmp_path: Path, name: str) -> None:
    shard = sorted((own_copy / "images").glob("*.parquet"))[0]
    shard.unlink()
    assert_refused(cli(name, own_copy, "-o", tmp_path / "out.png"), f"images/{shard.name} is missing")


def test_verify_names_a_missing_shard(cli: Cli, own_copy: Path) -> None:
    shard = sorted((own_copy / "images").glob("*.parquet"))[0]
    shard.unlink()
    outcome = cli("verify", own_copy, "--workers", 1)
    assert outcome.code == 1
    assert f"wrong: images/{shard.name}: missing" in outcome.out


def test_stats(cli: Cli, finished: Path, tmp_path: Path) -> None:
    outcome = cli("stats", finished, "--no-plots")
    assert (outcome.code, outcome.err) == (0, "")
    assert "6 images (train" in outcome.out
    assert "out of balance (" in outcome.out
    assert "difficulty of telling the family" in outcome.out
    told = json.loads(cli("stats", finished, "--json", "--no-plots").out)
    assert (told["images"], told["pictures"]) == (6, [])
    assert sum(cell["images"] for cell in told["difficulties"]) == 6
    assert sum(cell["images"] for cell in told["cells"]) == 6


def test_stats_of_no_such_split(cli: Cli, finished: Path) -> None:
    assert_refused(cli("stats", finished, "--no-plots", "--split", "test"), "no split 'test'", "train, validation")


def test_stats_that_cannot_be_written(cli: Cli, finished: Path, jpeg: Path) -> None:
    assert_refused(cli("stats", finished, "-o", jpeg / "stats"), "stats")
