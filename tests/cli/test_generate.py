"""`generate`: what it prints, what it refuses and how."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_outcomes import TINY, assert_misused, assert_refused
from dataset_samples import (
    assert_one_sentence,
    coco_document,
    images_of,
    quarantined,
    rows_of,
    write_coco,
)
from in_process import Cli
from reference_samples import encoded

from distortlab.storage.atomic import read_json

# --- what is made -----------------------------------------------------------------------------------------------------


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


# --- what is refused --------------------------------------------------------------------------------------------------


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


# --- the folder -------------------------------------------------------------------------------------------------------


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


# --- images that cannot be used ---------------------------------------------------------------------------------------


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


# --- archives ---------------------------------------------------------------------------------------------------------


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
