"""`distort`: what it writes, what it refuses and how."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_outcomes import assert_refused
from dataset_samples import (
    command,
)
from in_process import Cli
from reference_samples import encoded, png

import distortlab
from distortlab.distortions.catalog import CATALOG
from distortlab.imaging.decode import read_image


def test_distort_a_photograph(cli: Cli, jpeg: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    outcome = cli(
        *("distort", jpeg, "--as", "blur.gaussian", "--severity", 4),
        *("--box", "40,60,240,200", "-o", out),
    )
    assert (outcome.code, outcome.err) == (0, "")
    assert str(out) in outcome.out
    changed = (read_image(out) != read_image(jpeg)).any(axis=2)
    assert changed[60:200, 40:240].mean() > 0.5
    changed[60:200, 40:240] = False
    assert not changed.any()


@pytest.mark.parametrize("ending", ["png", "webp", "PNG"])
def test_distort_is_the_same_everywhere(cli: Cli, jpeg: Path, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"out.{ending}"
    assert cli("distort", jpeg, "--as", "noise.gaussian_rgb", "--seed", 5, "-o", out).code == 0
    expected = distortlab.distort(read_image(jpeg), "noise.gaussian_rgb", severity=3, seed=5)
    assert np.array_equal(read_image(out), expected.image)


def test_distort_as_json(cli: Cli, jpeg: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    told = json.loads(cli("distort", jpeg, "--as", "pixelate.block", "--box", "8,8,99,99", "-o", out, "--json").out)
    assert (told["distortion"], told["severity"], told["box"]) == ("pixelate.block", 3, [8, 8, 99, 99])
    assert told["visibility"]["v"] > 1


def test_distort_through_a_mask(cli: Cli, jpeg: Path, tmp_path: Path) -> None:
    image = read_image(jpeg)
    mask = np.zeros(image.shape, np.uint8)
    mask[50:150, 100:200] = 1
    (tmp_path / "mask.png").write_bytes(encoded(mask, "PNG"))
    out = tmp_path / "out.png"
    name = next(row.name for row in CATALOG if row.family == "darken")
    assert cli("distort", jpeg, "--as", name, "--mask", tmp_path / "mask.png", "-o", out).code == 0
    changed = (read_image(out) != image).any(axis=2)
    assert changed.any()
    assert not changed[mask[..., 0] == 0].any()


def test_distort_by_the_dial(cli: Cli, jpeg: Path, tmp_path: Path) -> None:
    outs = tmp_path / "a.png", tmp_path / "b.png"
    for out, amount in zip(outs, (1, 4), strict=True):
        assert cli("distort", jpeg, "--as", "blur.gaussian", "--amount", amount, "-o", out).code == 0
    assert not np.array_equal(*map(read_image, outs))


BAD_DISTORT: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "name": (("--as", "gausian_blur"), ("no distortion called 'gausian_blur'", "'blur.gaussian'")),
    "family alone": (("--as", "blur"), ("no distortion called 'blur'", "blur.")),
    "severity 0": (("--as", "blur.gaussian", "--severity", "0"), ("severity 0", "1, 2, 3, 4, 5")),
    "severity 6": (("--as", "blur.gaussian", "--severity", "6"), ("severity 6",)),
    "box outside": (("--as", "blur.gaussian", "--box", "40,60,300,280"), ("40,60,300,280", "330 wide and 264 high")),
    "box negative": (("--as", "blur.gaussian", "--box", "-1,0,9,9"), ("-1,0,9,9",)),
    "box crossed": (("--as", "blur.gaussian", "--box", "90,60,40,80"), ("90,60,40,80", "x1 < x2")),
    "box empty": (("--as", "blur.gaussian", "--box", "40,60,40,80"), ("40,60,40,80",)),
    "box of three": (("--as", "blur.gaussian", "--box", "1,2,3"), ("--box '1,2,3'", "40,60,300,280")),
    "box of five": (("--as", "blur.gaussian", "--box", "1,2,3,4,5"), ("--box '1,2,3,4,5'",)),
    "box of words": (("--as", "blur.gaussian", "--box", "a,b,c,d"), ("--box 'a,b,c,d'",)),
    "box of fractions": (("--as", "blur.gaussian", "--box", "1.5,2,3,4"), ("--box '1.5,2,3,4'",)),
    "box endless": (("--as", "blur.gaussian", "--box", "0,0,9," + "9" * 50), ("--box",)),
    "box blank": (("--as", "blur.gaussian", "--box", ""), ("--box ''",)),
    "box of other digits": (("--as", "blur.gaussian", "--box", "²,1,3,4"), ("--box",)),
    "amount not a number": (("--as", "blur.gaussian", "--amount", "nan"), ("nan",)),
    "amount endless": (("--as", "blur.gaussian", "--amount", "inf"), ("inf",)),
    "amount negative": (("--as", "blur.gaussian", "--amount", "-3"), ("-3",)),
    "mask absent": (("--as", "blur.gaussian", "--mask", "absent.png"), ("absent.png",)),
    "not in the ladder": (("--as", "{unladdered}", "--profile", "dq"), ("ladder",)),
}


@pytest.mark.parametrize(("words", "said"), BAD_DISTORT.values(), ids=BAD_DISTORT)
def test_distort_refuses(cli: Cli, jpeg: Path, tmp_path: Path, words: tuple[str, ...], said: tuple[str, ...]) -> None:
    unladdered = next((row.name for row in CATALOG if row.get_ladder("dq") is None), None)
    if "{unladdered}" in words and unladdered is None:
        pytest.skip("every distortion has both ladders")
    out = tmp_path / "out.png"
    filled = [word.format(unladdered=unladdered) for word in words]
    assert_refused(cli("distort", jpeg, *filled, "-o", out), *said)
    assert not out.exists()


@pytest.mark.parametrize("row", CATALOG, ids=lambda row: row.name)
@pytest.mark.parametrize("amount", ["-1e9", "0", "1e-9", "1e9"])
def test_distort_with_absurd_dials(cli: Cli, jpeg: Path, tmp_path: Path, row: Any, amount: str) -> None:
    """Done or refused in a sentence, in bounded memory, never with a traceback."""
    words = ("--amount", amount, "--box", "100,100,140,140", "-o", tmp_path / "out.png")
    outcome = cli("distort", jpeg, "--as", row.name, *words)
    if outcome.code:
        assert_refused(outcome)


@pytest.mark.parametrize("name", ["out.jpg", "out.pgn", "out", "out.png.txt"])
def test_distort_writes_lossless_files_only(cli: Cli, jpeg: Path, tmp_path: Path, name: str) -> None:
    outcome = cli("distort", jpeg, "--as", "blur.gaussian", "-o", tmp_path / name)
    assert_refused(outcome, "no lossless format", name)
    assert not (tmp_path / name).exists()


def test_distort_cannot_write_there(cli: Cli, jpeg: Path, tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    for out in (tmp_path / "folder.png", jpeg / "out.png"):
        assert_refused(cli("distort", jpeg, "--as", "blur.gaussian", "-o", out), str(out))


def test_distort_reads_pictures_only(cli: Cli, jpeg: Path, tmp_path: Path) -> None:
    files = {"empty.jpg": b"", "text.png": b"hello", "cut.jpg": jpeg.read_bytes()[:2000]}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    for name in (*files, "absent.jpg", "."):
        outcome = cli("distort", tmp_path / name, "--as", "blur.gaussian", "-o", tmp_path / "out.png")
        assert_refused(outcome, str(tmp_path / name))


def test_distort_with_a_mask_of_another_size(cli: Cli, jpeg: Path, tmp_path: Path) -> None:
    for name, mask, words in (
        ("small.png", np.full((9, 9, 3), 255, np.uint8), "the mask has shape (9, 9)"),
        ("black.png", np.zeros((264, 330, 3), np.uint8), "the mask is empty"),
    ):
        (tmp_path / name).write_bytes(encoded(mask, "PNG"))
        outcome = cli("distort", jpeg, "--as", "blur.gaussian", "--mask", tmp_path / name, "-o", tmp_path / "o.png")
        assert_refused(outcome, words)


def test_distort_takes_a_mask_or_a_box(cli: Cli, jpeg: Path, tmp_path: Path) -> None:
    outcome = cli(
        *("distort", jpeg, "--as", "blur.gaussian", "--mask", jpeg, "--box", "0,0,50,50"), "-o", tmp_path / "o.png"
    )
    assert_refused(outcome, "a mask or a box, not both")


def four_gigabytes_at_most() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))


@pytest.mark.skipif(sys.platform != "linux", reason="a limit that only Linux keeps")
@pytest.mark.parametrize("option", ["image", "mask"])
def test_a_bomb_costs_no_memory(jpeg: Path, tmp_path: Path, option: str) -> None:
    """It declares 30 GB, and is refused for that, not because the memory was not there."""
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(png(100_000, 100_000, 8, 2))
    given = (bomb,) if option == "image" else (jpeg, "--mask", bomb)
    words = ("distort", *given, "--as", "blur.gaussian", "-o", tmp_path / "out.png")
    assert_refused(command(*words, preexec_fn=four_gigabytes_at_most), str(bomb), "too many pixels")
