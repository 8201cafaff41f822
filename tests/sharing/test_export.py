"""Exports are loaded by the rules of the loaders that they are for; docs/export.md names the files and commits."""

import hashlib
import io
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest
from dataset_samples import Gallery, edit_manifest, published, rows_of, small_recipe
from PIL import Image
from set_samples import SETS

from distortlab import generate, tasks
from distortlab.core.errors import UserError
from distortlab.sharing.export import export
from distortlab.sharing.export_formats import FORMATS
from distortlab.storage.atomic import hash_file

FILES = [name for name in FORMATS if FORMATS[name].suffix != "parquet"]


@pytest.fixture(scope="module")
def exports(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("exports")
    for form in FORMATS:
        export(data, root / form, form)
    return {form: root / form for form in FORMATS}


def samples(data: Path, split: str = "train") -> dict[str, dict[str, Any]]:
    return {row["sample_id"]: row for row in rows_of(data, "rft") if row["image_id"].startswith(split)}


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def shown(folder: Path, paths: list[str]) -> list[bytes]:
    """The files that a loader opens: the folder of images joined with the path."""
    return [Path(os.path.join(folder, path)).read_bytes() for path in paths]  # noqa: PTH118


def stored(row: dict[str, Any]) -> list[bytes]:
    return [picture["bytes"] for picture in row["images"]]


# --- one law for each loader ----------------------------------------------------------------------------------------


def test_vlm_r1(exports: dict[str, Path], data: Path) -> None:
    """grpo_jsonl.py: image (str or list) joined with --image_folders; conversations[0] asks, [1] answers."""
    rows = lines(exports["jsonl"] / "train.jsonl")
    expected = samples(data)
    assert [row["id"] for row in rows] == list(expected)
    for row in rows:
        own = expected[row["id"]]
        assert row["conversations"][0]["from"] == "human"
        problem = row["conversations"][0]["value"].replace("<image>", "")
        assert problem == own["prompt"][0]["content"]
        assert row["conversations"][0]["value"].count("<image>") == len(row["image"])
        assert shown(exports["jsonl"], row["image"]) == stored(own)
        solution = row["conversations"][1]["value"].replace("<answer>", "").replace("</answer>", "").strip()
        # What VLM-R1 hands to a reward as `solution` is wrapped again; the column `task` goes with it.
        assert tasks.score(row["task"], f"<think>.</think><answer> {solution} </answer>", own["solution"]).value == 1


def test_llava(exports: dict[str, Path], data: Path) -> None:
    """LazySupervisedDataset: json.load of the whole file; image joined with --image_folder; <image> on a line."""
    rows = json.loads((exports["llava"] / "train.json").read_text(encoding="utf-8"))
    expected = samples(data)
    assert [row["id"] for row in rows] == list(expected)
    for row in rows:
        own = expected[row["id"]]
        images = row["image"] if isinstance(row["image"], list) else [row["image"]]
        assert isinstance(row["image"], str) == (len(own["images"]) == 1)
        assert shown(exports["llava"], images) == stored(own)
        human, gpt = row["conversations"]
        assert (human["from"], gpt["from"]) == ("human", "gpt")
        assert human["value"] == "<image>\n" * len(images) + own["prompt"][0]["content"]
        assert tasks.score(own["task"], gpt["value"], own["solution"]).value == 1


def test_ms_swift(exports: dict[str, Path], data: Path) -> None:
    """Custom-dataset.md: messages without an assistant's turn for GRPO, images, other columns go to the reward."""
    expected = samples(data)
    for row in lines(exports["ms-swift"] / "train.jsonl"):
        own = expected[row["id"]]
        (message,) = row["messages"]
        assert message["role"] == "user"
        assert message["content"].count("<image>") == len(row["images"])
        assert message["content"].endswith(own["prompt"][0]["content"])
        assert shown(exports["ms-swift"], row["images"]) == stored(own)
        assert (row["solution"], row["task"]) == (own["solution"], own["task"])


def test_q_insight(exports: dict[str, Path], data: Path) -> None:
    """qinsight_multi_task.py: image joined with --image_root, distortion_class and severity, in its words."""
    asked = ("slight", "moderate", "obvious", "serious", "catastrophic")
    expected = {key: row for key, row in samples(data).items() if row["task"] == "recognition"}
    rows = lines(exports["q-insight"] / "train.jsonl")
    assert [row["id"] for row in rows] == list(expected)
    for row in rows:
        own = expected[row["id"]]
        assert shown(exports["q-insight"], [row["image"]]) == stored(own)
        assert (row["distortion_class"], asked.index(row["severity"]) + 1) == (own["distortion"], own["severity"])
    used = {path.name for path in (exports["q-insight"] / "images").rglob("*.*")}
    assert used == {
        Path(row["image"]).name
        for split in ("train", "validation")
        for row in lines(exports["q-insight"] / f"{split}.jsonl")
    }


def load_parquet(path: Path, cache: Path) -> Any:
    return datasets.load_dataset("parquet", data_files=str(path), cache_dir=str(cache))["train"]


def test_verl(exports: dict[str, Path], data: Path, tmp_path: Path) -> None:
    """RLHFDataset: load_dataset("parquet"); the message is cut at <image>, and each takes the next of `images`."""
    expected = samples(data)
    for row in load_parquet(exports["verl"] / "train.parquet", tmp_path):
        own = expected[row["extra_info"]["sample_id"]]
        parts = [part for part in re.split("(<image>|<video>)", row["prompt"][0]["content"]) if part]
        assert parts == ["<image>"] * len(own["images"]) + [own["prompt"][0]["content"]]
        pixels = [Image.open(io.BytesIO(content)).convert("RGB").tobytes() for content in stored(own)]
        assert [image.convert("RGB").tobytes() for image in row["images"]] == pixels
        assert row["reward_model"] == {"style": "rule", "ground_truth": own["solution"]}
        assert row["data_source"] == f"distortlab/{own['task']}"


def test_easyr1(exports: dict[str, Path], data: Path, tmp_path: Path) -> None:
    """RLHFDataset of EasyR1: prompt_key=problem as text, answer_key=answer, image_key=images."""
    rows = load_parquet(exports["verl"] / "validation.parquet", tmp_path)
    expected = samples(data, "validation")
    assert len(rows) == len(expected)
    for row in rows:
        own = expected[row["extra_info"]["sample_id"]]
        pieces = row["problem"].split("<image>")
        assert (len(pieces) - 1, pieces[-1]) == (len(row["images"]), own["prompt"][0]["content"])
        assert row["answer"] == own["solution"]


@pytest.mark.parametrize("form", ["jsonl", "ms-swift", "q-insight"])
def test_the_json_loader_of_datasets(exports: dict[str, Path], form: str, tmp_path: Path) -> None:
    path = exports[form] / "train.jsonl"
    loaded = datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=str(tmp_path))
    assert loaded.to_list() == lines(path)


def test_parquet_stores_an_image_once(exports: dict[str, Path], data: Path) -> None:
    here = sum(file.stat().st_size for file in exports["verl"].glob("*.parquet"))
    there = sum(file.stat().st_size for file in (data / "rft").glob("*.parquet"))
    assert here < 1.1 * there
    column = pq.ParquetFile(exports["verl"] / "train.parquet").metadata.row_group(0).column(3)
    assert "RLE_DICTIONARY" in column.encodings


def test_sets_of_distortions_are_loaded_by_the_same_rules(tmp_path: Path) -> None:
    sets = tmp_path / "sets"
    generate(replace(SETS, splits={"train": 0.6, "validation": 0.4}), Gallery(), sets, workers=1)
    for form in (name for name in FORMATS if not FORMATS[name].tasks):
        export(sets, tmp_path / form, form)
    found = {form: tmp_path / form for form in FORMATS}
    for law in (test_vlm_r1, test_llava, test_ms_swift):
        law(found, sets)
    for loader in (test_verl, test_easyr1):
        loader(found, sets, tmp_path)
    expected = samples(sets)
    assert {row["task"] for row in expected.values()} >= {"diagnosis", "comparison"}
    about = ("distortion", "severity", "difficulty", "boxes", "other_image_id")
    rows = [*lines(found["jsonl"] / "train.jsonl"), *lines(found["ms-swift"] / "train.jsonl")]
    table = load_parquet(found["verl"] / "train.parquet", tmp_path)
    rows += [{"id": row["sample_id"], **row} for row in table["extra_info"]]
    assert len(rows) == 3 * len(expected)
    for row in rows:
        assert [row[name] for name in about] == [expected[row["id"]][name] for name in about]
    with pytest.raises(UserError, match="has no question of those tasks that q-insight can hold"):
        export(sets, tmp_path / "q-insight", "q-insight")


def test_where_nothing_was_distorted(tmp_path: Path) -> None:
    """Questions about pristine images are in every form but that which has a family and a severity for each."""
    rules = {"pristine": 1, "local": 1, "negatives": ["recognition"]}
    recipe = small_recipe(n=6, composition=rules, tasks={"recognition": 1}, samples_per_image=1, splits={"train": 1})
    generate(recipe, Gallery(), tmp_path / "data", workers=1)
    negatives = [row for row in samples(tmp_path / "data").values() if row["distortion"] is None]
    assert len(negatives) == 3
    for form in FORMATS:
        counted = export(tmp_path / "data", tmp_path / form, form).rows["train"]
        assert counted == (3 if form == "q-insight" else 6)


# --- files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FILES)
def test_every_image_is_written_once_as_it_is_stored(exports: dict[str, Path], data: Path, form: str) -> None:
    files = [path for path in (exports[form] / "images").rglob("*") if path.is_file()]
    hashes = [hash_file(path) for path in files]
    assert len(hashes) == len(set(hashes))
    known = {hashlib.sha256(content).hexdigest() for row in rows_of(data, "rft") for content in stored(row)}
    assert set(hashes) <= known
    if form != "q-insight":
        assert set(hashes) == known
    counted = json.loads((exports[form] / "EXPORT.json").read_text())
    assert (counted["images"], counted["image_bytes"]) == (len(files), sum(path.stat().st_size for path in files))


@pytest.mark.parametrize("form", FORMATS)
def test_twice_the_same(exports: dict[str, Path], data: Path, form: str, tmp_path: Path) -> None:
    export(data, tmp_path / "again", form)
    assert published(tmp_path / "again") == published(exports[form])


def test_some_splits_and_tasks(data: Path, tmp_path: Path) -> None:
    done = export(data, tmp_path / "out", "jsonl", splits=["validation"], tasks=["object", "grounding"])
    rows = lines(tmp_path / "out" / "validation.jsonl")
    assert done.rows == {"validation": len(rows)}
    assert {row["task"] for row in rows} <= {"object", "grounding"}
    assert not (tmp_path / "out" / "train.jsonl").exists()


def test_progress_counts_the_questions(data: Path, tmp_path: Path) -> None:
    steps: list[int] = []
    export(data, tmp_path / "out", "ms-swift", progress=steps.append)
    assert sum(steps) == len(rows_of(data, "rft"))


# --- refusals -------------------------------------------------------------------------------------------------------


def test_an_export_is_replaced_only_when_asked(data: Path, smaller: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(data, out, "jsonl")
    before = published(out)
    with pytest.raises(UserError, match="holds an export already; replace it with --overwrite"):
        export(smaller, out, "jsonl")
    assert published(out) == before
    export(smaller, out, "llava", overwrite=True)
    assert {path.name for path in out.iterdir()} == {"images", "train.json", "validation.json", "EXPORT.json"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_folder_in_use_is_never_touched(data: Path, tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "thesis.tex").write_text("years")
    with pytest.raises(UserError, match="is in use and is no export"):
        export(data, tmp_path, "jsonl", overwrite=overwrite)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_nothing_is_left_of_an_export_that_failed(copy: Callable[[], Path], tmp_path: Path) -> None:
    folder = copy()
    table = next((folder / "rft").glob("validation*"))
    table.write_bytes(b"PAR1" + bytes(table.stat().st_size - 8) + b"PAR1")
    with pytest.raises(UserError, match="is damaged"):
        export(folder, tmp_path / "out", "jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


REFUSED = {
    "an unknown format": ({"form": "lava"}, "no format called 'lava'; did you mean 'llava'"),
    "an unknown split": ({"splits": ["tset"]}, "no split called 'tset'"),
    "an unknown task": ({"tasks": ["count"]}, "no task called 'count'"),
    "nothing to write": (
        {"form": "q-insight", "tasks": ["object"]},
        "no question of those tasks that q-insight can hold",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_exported(data: Path, tmp_path: Path, case: str) -> None:
    options, words = REFUSED[case]
    with pytest.raises(UserError, match=words):
        export(data, tmp_path / "out", **{"form": "jsonl", **options})
    assert not list(tmp_path.iterdir())


def hostile(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the first question of a data set and make its manifest fit."""
    import pyarrow as pa

    path = sorted((folder / "rft").glob("train*"))[0]
    rows = pq.read_table(path).to_pylist()
    change(rows[0])
    pq.write_table(pa.Table.from_pylist(rows, schema=pq.read_schema(path)), path)
    entry = {"bytes": path.stat().st_size, "sha256": hash_file(path), "rows": len(rows)}
    edit_manifest(folder, lambda m: m["files"].update({f"rft/{path.name}": entry}))


@pytest.mark.parametrize("name", ["../../evil.png", "/tmp/evil.png", "a/b.png", "", "..", "x\0y.png", "C:\\x.png"])
def test_a_name_that_leads_elsewhere_is_refused(copy: Callable[[], Path], tmp_path: Path, name: str) -> None:
    folder = copy()
    hostile(folder, lambda row: row["images"][0].update(path=name))
    with pytest.raises(UserError, match="a plain file name"):
        export(folder, tmp_path / "out", "jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_a_prompt_with_a_placeholder_is_refused(copy: Callable[[], Path], tmp_path: Path) -> None:
    folder = copy()
    hostile(folder, lambda row: row["prompt"][0].update(content="Look at <image> and say"))
    with pytest.raises(UserError, match="one plain message"):
        export(folder, tmp_path / "out", "ms-swift")
