"""The command line: what it prints, what it refuses and how."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dataset_samples import (
    COMMAND,
    ENVIRONMENT,
    Gallery,
    assert_one_sentence,
    coco_document,
    command,
    edit_json,
    images_of,
    quarantined,
    rows_of,
    small_recipe,
    write_coco,
)
from in_process import Cli, Outcome
from reference_samples import encoded, png

import distortlab
from distortlab.distortions.catalog import CATALOG, FAMILIES
from distortlab.generation.generate import generate
from distortlab.imaging.decode import read_image
from distortlab.storage.atomic import read_json

COMMANDS = (
    "generate",
    "list",
    "distort",
    "verify",
    "sheet",
    "stats",
    "view",
    "gallery",
    "push",
    "export",
    "materialize",
)
TINY = ("--n", 6, "--workers", 1)


def assert_refused(outcome: Outcome, *words: str, code: int = 2) -> None:
    """One sentence that holds the words, the right exit code, and nothing on stdout."""
    assert outcome.code == code, outcome
    sentence = assert_one_sentence(outcome.err)
    assert all(word in sentence for word in words), sentence
    assert "Traceback" not in outcome.out


def assert_misused(outcome: Outcome, *words: str) -> None:
    """The parser of the command line refused it: exit code 2, the words somewhere, no traceback."""
    assert outcome.code == 2, outcome
    assert all(word in outcome.err for word in words), outcome.err
    assert "Traceback" not in outcome.err


# --- help and lists -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", *COMMANDS])
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help(cli: Cli, name: str, flag: str) -> None:
    outcome = cli(*filter(None, [name]), flag)
    assert (outcome.code, outcome.err) == (0, "")
    assert "Usage" in outcome.out
    assert len(outcome.out.splitlines()) > 6


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_an_example(cli: Cli, name: str) -> None:
    assert f"distortlab {name} " in cli(name, "--help").out.replace(f"Usage: distortlab {name}", "")


def test_help_names_every_command(cli: Cli) -> None:
    text = cli("--help").out
    assert all(name in text for name in COMMANDS)


def test_nothing_to_do_shows_the_help(cli: Cli) -> None:
    outcome = cli()
    assert "Usage" in outcome.out + outcome.err


@pytest.mark.parametrize("words", [("genrate",), ("list", "--colour"), *((name,) for name in COMMANDS[2:7])])
def test_misuse(cli: Cli, words: tuple[str, ...]) -> None:
    assert_misused(cli(*words), "Usage")


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys, time\nsys.argv = ['distortlab', '--help']\n"
        "from distortlab.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'cv2', 'pyarrow', 'pydantic', 'skimage', 'PIL', 'torch', 'datasets', 'pandas'}\n"
        "print(sorted(heavy & set(sys.modules)), time.process_time(), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    heavy, _, seconds = done.stderr.rpartition(" ")
    print(f"distortlab --help: {float(seconds):.2f} s of CPU")  # noqa: T201
    assert heavy == "[]"


def test_list(cli: Cli) -> None:
    outcome = cli("list")
    assert (outcome.code, outcome.err) == (0, "")
    assert all(row.name in outcome.out and row.unit in outcome.out for row in CATALOG)


def test_list_as_json(cli: Cli) -> None:
    rows = json.loads(cli("list", "--json").out)
    assert [row["name"] for row in rows] == [row.name for row in CATALOG]
    for row in rows:
        assert len(row["ladders"]["matched"]["values"]) == 5
        assert row["ladders"]["matched"]["source"]
        assert row["unit"]


@pytest.mark.parametrize("family", FAMILIES)
def test_list_a_family(cli: Cli, family: str) -> None:
    rows = json.loads(cli("list", "--family", family, "--json").out)
    assert rows
    assert {row["family"] for row in rows} == {family}


def test_list_the_other_ladder(cli: Cli) -> None:
    assert cli("list", "--profile", "dq").out != cli("list").out
    assert_misused(cli("list", "--profile", "dd"), "matched", "dq")


def test_list_an_unknown_family(cli: Cli) -> None:
    assert_refused(cli("list", "--family", "blurr"), "no family called 'blurr'", "'blur'")


def test_a_reader_that_goes_away() -> None:
    """`distortlab list | head -1`: quiet."""
    reading, writing = os.pipe()
    os.close(reading)
    words = [*COMMAND, "list", "--json"]
    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run(words, stdout=pipe, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, check=False)
    assert done.stderr == ""


# --- distort --------------------------------------------------------------------------------------------------------


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


# --- generate: what is made -----------------------------------------------------------------------------------------


def test_generate_says_what_it_made(cli: Cli, tmp_path: Path, coco: str) -> None:
    outcome = cli("generate", *TINY, "--refs", coco, "--out", tmp_path / "data")
    assert (outcome.code, outcome.err) == (0, "")
    rows = rows_of(tmp_path / "data", "rft")
    assert f"6 images and {len(rows)} questions in {tmp_path / 'data'}" in outcome.out


def test_generate_as_json(cli: Cli, tmp_path: Path, coco: str) -> None:
    told = json.loads(cli("generate", *TINY, "--refs", coco, "--out", tmp_path / "data", "--json").out)
    assert (told["images"], told["unfilled"], told["trouble"], told["finished"]) == (6, 0, None, True)
    assert told["samples"] == len(rows_of(tmp_path / "data", "rft"))


def test_generate_from_scenes_and_from_a_folder(cli: Cli, tmp_path: Path, coco: str) -> None:
    for number, refs in enumerate(("scenes", f"folder:{images_of(coco)}")):
        out = tmp_path / str(number)
        outcome = cli("generate", "--n", 3, "--workers", 1, "--refs", refs, "--out", out)
        assert (outcome.code, outcome.err) == (0, "")
        assert len(rows_of(out, "images")) == 3
    assert "object" not in {row["task"] for row in rows_of(tmp_path / "1", "rft")}


def test_options_replace_keys_of_the_recipe(cli: Cli, tmp_path: Path, coco: str) -> None:
    options = ("--seed", 7, "--no-references", "--max-failures", 0.5, "--recipe", "smoke")
    assert cli("generate", *TINY, *options, "--refs", coco, "--out", tmp_path / "data").code == 0
    recipe = read_json(tmp_path / "data" / "_distortlab" / "plan.json")["recipe"]
    assert (recipe["n"], recipe["seed"], recipe["max_failures"]) == (6, 7, 0.5)
    assert (recipe["keep_references"], recipe["name"]) == (False, "smoke")


def test_a_recipe_without_references_stays_without(cli: Cli, tmp_path: Path, coco: str) -> None:
    """Only an option that is given replaces a key."""
    own = tmp_path / "own.toml"
    own.write_text("keep_references = false\n")
    assert cli("generate", *TINY, "--recipe", own, "--refs", coco, "--out", tmp_path / "data").code == 0
    assert read_json(tmp_path / "data" / "_distortlab" / "plan.json")["recipe"]["keep_references"] is False


def test_parts_then_the_whole(cli: Cli, tmp_path: Path, coco: str) -> None:
    words = ("generate", *TINY, "--refs", coco, "--out", tmp_path / "data")
    part = cli(*words, "--shard", "2/2")
    assert part.code == 0
    assert "run the same command without --shard" in part.out
    assert cli("verify", tmp_path / "data").code == 2
    assert cli(*words).code == 0
    assert cli("verify", tmp_path / "data", "--workers", 1).code == 0


# --- generate: what is refused --------------------------------------------------------------------------------------


def with_document(coco: str, change: Callable[[dict[str, Any]], object]) -> Path:
    path = images_of(coco).parent / "changed.json"
    document = coco_document(6)
    change(document)
    path.write_text(json.dumps(document))
    return path


def outlined(document: dict[str, Any], **values: Any) -> None:
    """Give every annotation the same outline."""
    for each in document["annotations"]:
        each.update(values)


DOCUMENTS: dict[str, tuple[str | Callable[[dict[str, Any]], object], tuple[str, ...]]] = {
    "not JSON": ("{]", ("is not JSON", "line 1")),
    "empty": ("", ("is not JSON",)),
    "a list": ("[]", ("JSON object is needed", "list")),
    "not COCO": ('{"info": {}}', ("not a COCO", "'images'")),
    "captions": (lambda d: d.pop("categories"), ("'categories'",)),
    "annotations not a list": (lambda d: d.update(annotations={}), ("'annotations'", "list is needed")),
    "no instances": (lambda d: d.update(annotations=[]), ("no usable instance",)),
    "no images": (lambda d: d.update(images=[]), ("no usable instance",)),
    "all outside": (
        lambda d: [
            a.update(bbox=[900, 900, 50, 50], segmentation=[[900, 900, 950, 900, 950, 950]]) for a in d["annotations"]
        ],
        ("no usable instance",),
    ),
    "all degenerate": (
        lambda d: [a.update(segmentation=[[1, 2, 3, 4]]) for a in d["annotations"]],
        ("no usable instance",),
    ),
}


@pytest.mark.parametrize(("content", "said"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_annotations_that_cannot_be_used(
    cli: Cli, tmp_path: Path, coco: str, content: Any, said: tuple[str, ...]
) -> None:
    path = with_document(coco, (lambda d: None) if isinstance(content, str) else content)
    if isinstance(content, str):
        path.write_text(content)
    outcome = cli("generate", *TINY, "--refs", f"coco:{path},{images_of(coco)}", "--out", tmp_path / "data")
    assert_refused(outcome, str(path), *said)
    assert not (tmp_path / "data").exists()


REFUSED: dict[str, tuple[tuple[object, ...], tuple[str, ...]]] = {
    "n 0": (("--n", 0), ("n = 0", "1 ..")),
    "n negative": (("--n", -1), ("n = -1",)),
    "n too many": (("--n", 9000), ("n = 9000", "images")),
    "failures above 1": (("--max-failures", 2), ("max_failures = 2",)),
    "failures not a number": (("--max-failures", "nan"), ("max_failures = nan",)),
    "seed endless": (("--seed", 10**30), ("seed",)),
    "shard beyond": (("--shard", "4/3"), ("--shard 4/3", "1/3 to 3/3")),
    "shard 0": (("--shard", "0/3"), ("--shard 0/3",)),
    "shard of 0": (("--shard", "0/0"), ("--shard 0/0",)),
    "shard negative": (("--shard", "-1/3"), ("--shard -1/3",)),
    "shard text": (("--shard", "x"), ("--shard 'x'", "k/N")),
    "shard halved": (("--shard", "1"), ("--shard '1'",)),
    "shard of three": (("--shard", "1/2/3"), ("--shard '1/2/3'",)),
    "shard broken": (("--shard", "1.5/3"), ("--shard '1.5/3'",)),
    "recipe": (("--recipe", "smokey"), ("no recipe called 'smokey'", "'smoke'")),
    "recipe file": (("--recipe", "absent.toml"), ("absent.toml", "cannot be read")),
    "references": (("--refs", "cocoa:x"), ("no kind of references called 'cocoa'", "'coco'")),
    "coco without folder": (("--refs", "coco:x.json"), ("coco:x.json", "coco:FILE.json,FOLDER")),
    "coco absent": (("--refs", "coco:absent.json,."), ("absent.json",)),
    "coco folder absent": (("--refs", "coco:absent.json,absent"), ("absent",)),
    "folder absent": (("--refs", "folder:absent"), ("absent",)),
    "folder unnamed": (("--refs", "folder:"), ("folder:FOLDER",)),
    "scenes of text": (("--refs", "scenes:x"), ("scenes:x", "whole number")),
}


@pytest.mark.parametrize(("words", "said"), REFUSED.values(), ids=REFUSED)
def test_generate_refuses(
    cli: Cli, tmp_path: Path, coco: str, words: tuple[object, ...], said: tuple[str, ...]
) -> None:
    outcome = cli("generate", *TINY, "--refs", coco, "--out", tmp_path / "data", *words)
    assert_refused(outcome, *said)
    assert not (tmp_path / "data").exists()


def test_generate_names_the_number_possible(cli: Cli, tmp_path: Path, coco: str) -> None:
    own = tmp_path / "own.toml"
    own.write_text("max_images_per_reference = 5\nimages_per_reference = 2\n[splits]\ntrain = 1\n")
    words = ("generate", "--recipe", own, "--refs", coco, "--out", tmp_path / "data", "--workers", 1)
    assert_refused(cli(*words, "--n", 31), "n = 31", "30 images")


def test_generate_with_too_few_workers(cli: Cli, tmp_path: Path) -> None:
    assert_misused(cli("generate", "--workers", 0, "--out", tmp_path / "data"), "--workers")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[families]\nblurr = 1\n", ("no family called 'blurr'", "'blur'")),
        ("[tasks]\nobjects = 1\n", ("no task called 'objects'", "'object'")),
        ("codek = 'png'\n", ("no key called 'codek'", "'codec'")),
        ("codec = 'pgn'\n", ("no codec called 'pgn'", "'png'")),
        ("n = 'many'\n", ("n = 'many'",)),
        ("n =\n", ("is not TOML",)),
    ],
)
def test_generate_refuses_a_recipe(cli: Cli, tmp_path: Path, text: str, said: tuple[str, ...]) -> None:
    own = tmp_path / "own.toml"
    own.write_text(text)
    assert_refused(cli("generate", "--recipe", own, "--out", tmp_path / "data"), str(own), *said)
    assert not (tmp_path / "data").exists()


# --- generate: the folder -------------------------------------------------------------------------------------------


@pytest.fixture
def begun(cli: Cli, tmp_path: Path, coco: str) -> tuple[object, ...]:
    """A command that has made a data set."""
    words = ("generate", *TINY, "--refs", coco, "--out", tmp_path / "data")
    assert cli(*words).code == 0
    return words


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--seed", 1), "recipe.seed is 0 there and 1 here"),
        (("--n", 7), "recipe.n is 6 there and 7 here"),
        (("--no-references",), "recipe.keep_references is true there and false here"),
        (("--refs", "scenes"), 'references.source is "coco" there and "scenes" here'),
    ],
)
def test_another_plan_is_refused(
    cli: Cli, tmp_path: Path, begun: tuple[object, ...], option: tuple[object, ...], said: str
) -> None:
    before = (tmp_path / "data" / "MANIFEST.json").read_bytes()
    assert_refused(cli(*begun, *option), "holds another plan", said, "--overwrite")
    assert (tmp_path / "data" / "MANIFEST.json").read_bytes() == before


def test_overwrite_starts_again(cli: Cli, tmp_path: Path, begun: tuple[object, ...]) -> None:
    foreign = tmp_path / "data" / "notes.txt"
    foreign.write_text("mine")
    stale = tmp_path / "data" / "images" / "train-00007-of-00008.parquet"
    stale.write_bytes(b"of another plan")
    assert cli(*begun, "--n", 4, "--overwrite").code == 0
    assert len(rows_of(tmp_path / "data", "images")) == 4
    assert foreign.read_text() == "mine"
    assert not stale.exists()
    assert cli("verify", tmp_path / "data", "--workers", 1).code == 0


def test_the_same_command_again_does_nothing(cli: Cli, tmp_path: Path, begun: tuple[object, ...]) -> None:
    def times() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in sorted((tmp_path / "data").rglob("*")) if path.is_file()}

    before = times()
    assert cli(*begun).code == 0
    assert times() == before


@pytest.mark.parametrize("name", ["README.md", "images/cat.jpg", "MANIFEST.json", "_distortlab/other.txt"])
@pytest.mark.parametrize("option", [(), ("--overwrite",)], ids=["", "overwrite"])
def test_foreign_files_are_left_alone(cli: Cli, tmp_path: Path, coco: str, name: str, option: tuple[str, ...]) -> None:
    path = tmp_path / "data" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    outcome = cli("generate", *TINY, "--refs", coco, "--out", tmp_path / "data", *option)
    assert_refused(outcome, str(tmp_path / "data"), "--out")
    assert [p for p in (tmp_path / "data").rglob("*") if p.is_file()] == [path]
    assert path.read_text() == "mine"


def test_a_plan_that_cannot_be_read_is_another_plan(cli: Cli, tmp_path: Path, begun: tuple[object, ...]) -> None:
    (tmp_path / "data" / "_distortlab" / "plan.json").write_text("{")
    assert_refused(cli(*begun), "holds another plan")
    assert cli(*begun, "--overwrite").code == 0


def test_a_file_is_no_folder(cli: Cli, tmp_path: Path, coco: str) -> None:
    path = tmp_path / "file"
    path.write_text("mine")
    for out in (path, path / "below"):
        for option in ((), ("--overwrite",)):
            assert_refused(cli("generate", *TINY, "--refs", coco, "--out", out, *option), str(path))
    assert path.read_text() == "mine"


# --- generate: images that cannot be used ---------------------------------------------------------------------------


@pytest.fixture
def damaged(tmp_path: Path) -> tuple[object, ...]:
    """A command over twelve images: one is cut off, one is missing, one has another size than was annotated."""
    spec = write_coco(tmp_path / "damaged", 12)
    files = sorted(images_of(spec).iterdir())
    files[0].write_bytes(files[0].read_bytes()[:3000])
    files[1].unlink()
    files[2].write_bytes(encoded(np.full((50, 60, 3), 99, np.uint8), "JPEG"))
    own = tmp_path / "own.toml"
    own.write_text("[splits]\ntrain = 1\n")
    return ("generate", "--n", 32, "--workers", 1, "--recipe", own, "--refs", spec, "--out", tmp_path / "data")


@pytest.mark.parametrize(("allowed", "code"), [(None, 3), (0.2, 3), (0.25, 0)])
def test_images_that_cannot_be_used(
    cli: Cli, tmp_path: Path, damaged: tuple[object, ...], allowed: float | None, code: int
) -> None:
    out = tmp_path / "data"
    outcome = cli(*damaged, *(() if allowed is None else ("--max-failures", allowed)))
    assert outcome.code == code, outcome
    assert len(rows_of(out, "images")) == 32
    lines = quarantined(out)
    assert sorted(line["reference"] for line in lines) == [f"coco-{key:012d}" for key in (1, 2, 3)]
    assert all(line["reference"].replace("coco-", "") + ".jpg" in line["reason"] for line in lines)
    assert "3 of 12 references could not be used" in outcome.out
    if code:
        assert "--max-failures" in assert_one_sentence(outcome.err)
    assert cli("verify", out, "--workers", 1).code == 0


def test_a_part_does_not_judge(cli: Cli, damaged: tuple[object, ...]) -> None:
    """Whether too many failed is known at the end."""
    assert cli(*damaged, "--shard", "1/1").code == 0
    assert cli(*damaged).code == 3
    assert cli(*damaged).code == 3


def test_broken_instances_are_counted(cli: Cli, tmp_path: Path, coco: str) -> None:
    def break_one(document: dict[str, Any]) -> None:
        document["annotations"][0]["segmentation"] = [[1, 2]]
        document["annotations"][4]["category_id"] = 99

    path = with_document(coco, break_one)
    outcome = cli("generate", *TINY, "--refs", f"coco:{path},{images_of(coco)}", "--out", tmp_path / "data")
    assert outcome.code == 0
    assert "left out" in outcome.out
    assert "annotation of an unknown category 1" in outcome.out


# --- verify and sheet -----------------------------------------------------------------------------------------------


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
    told = json.loads(cli("stats", finished, "--json", "--no-plots").out)
    assert (told["images"], told["pictures"]) == (6, [])
    assert sum(cell["images"] for cell in told["cells"]) == 6


def test_stats_of_no_such_split(cli: Cli, finished: Path) -> None:
    assert_refused(cli("stats", finished, "--no-plots", "--split", "test"), "no split 'test'", "train, validation")


def test_stats_that_cannot_be_written(cli: Cli, finished: Path, jpeg: Path) -> None:
    assert_refused(cli("stats", finished, "-o", jpeg / "stats"), "stats")


# --- the program itself ---------------------------------------------------------------------------------------------


def test_it_is_installed() -> None:
    script = Path(sys.executable).with_name("distortlab")
    if not script.exists():
        pytest.skip("not installed as a script")
    done = subprocess.run([script, "list", "--json"], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert len(json.loads(done.stdout)) == len(CATALOG)


def test_errors_go_to_stderr_and_end_with_a_code(tmp_path: Path) -> None:
    assert_refused(command("verify", tmp_path), str(tmp_path), "is no data set")


# --- archives -------------------------------------------------------------------------------------------------------


def test_an_archive_and_back(cli: Cli, tmp_path: Path, coco: str) -> None:
    archive, out = tmp_path / "archive", tmp_path / "data"
    assert cli("generate", *TINY, "--refs", coco, "--out", archive, "--store", "patch").code == 0
    assert "all as it should be" in cli("verify", archive, "--workers", 1).out
    done = cli("materialize", archive, "-o", out, "--workers", 1, "--json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["images"] == 6
    assert cli("generate", *TINY, "--refs", coco, "--out", tmp_path / "full").code == 0
    assert read_json(out / "MANIFEST.json") == read_json(tmp_path / "full" / "MANIFEST.json")
    assert_refused(cli("materialize", out, "-o", tmp_path / "again"), str(out), "in full already")
    assert_refused(cli("materialize", tmp_path, "-o", tmp_path / "again"), "no readable MANIFEST.json")


def test_options_of_generate_that_do_not_go_together(cli: Cli, tmp_path: Path) -> None:
    out = ("--out", tmp_path / "data")
    assert_refused(cli("generate", *TINY, *out, "--address", "head:6379"), "--engine ray")
    assert_refused(cli("generate", *TINY, *out, "--store", "patch", "--no-references"), "--no-references")
    assert_refused(cli("generate", *TINY, *out, "--shard", "1/2", "--overwrite"), "--overwrite", "other parts")
    assert_misused(cli("generate", *TINY, *out, "--store", "tar"), "--store")
