"""Scores of predictions made elsewhere."""

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bench_samples import write_csv, write_kadid, write_koniq
from in_process import Cli
from scipy import stats

from distortlab.core.errors import UserError
from refine_bench.scoring.score_predictions import score_predictions


def test_predictions_have_the_name_they_were_given(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("name,score,gt_score\n" + "".join(f"{k}.jpg,{k % 5 + 1},{k % 4 + 1}\n" for k in range(12)))
    words = ("score", "--predictions", file, "--on", "koniq:all", "--json")
    assert json.loads(cli(*words).out)["model"] == "x"
    assert json.loads(cli(*words, "--name", "Mine").out)["model"] == "Mine"


def test_predictions_that_lack_one_image_of_a_set_are_a_part(tmp_path: Path) -> None:
    root = write_kadid(tmp_path / "kadid")
    names = [path.name for path in sorted((root / "images").glob("I*_01_*.png"))]
    meta = [{"image": name, "gt_score": 1 + k / 2} for k, name in enumerate(names)]
    (tmp_path / "meta.json").write_text(json.dumps(meta))
    for left in (0, 1):
        (tmp_path / "p.json").write_text(json.dumps([{"image": n, "score": k} for k, n in enumerate(names[left:])]))
        found = score_predictions(tmp_path / "p.json", f"meta:{tmp_path / 'meta.json'}", root / "images")
        assert found["coverage"] == {"rows": 6 - left, "of": 6, "complete": not left}
        assert found["ranked"] == (not left)


DATA = os.environ.get("REFINE_BENCH_DATA")


def _items(n: int = 40) -> list[dict[str, Any]]:
    source = random.Random(0)
    return [
        {
            "img_path": f"{k}.jpg",
            "gt_score": round(source.uniform(1, 5), 2),
            "logit_good": source.uniform(10, 20),
            "logit_poor": source.uniform(10, 20),
        }
        for k in range(n)
    ]


def _write(path: Path, items: list[dict[str, Any]]) -> Path:
    texts: dict[str, Callable[[], str]] = {
        "list.json": lambda: json.dumps(items),
        "lines.jsonl": lambda: "\n".join(map(json.dumps, items)),
        "after.json": lambda: "".join(map(json.dumps, items)),
    }
    if path.suffix == ".csv":
        return write_csv(path, list(items[0]), [list(item.values()) for item in items])
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(items), path)
        return path
    path.write_text(texts[path.name]())
    return path


@pytest.mark.parametrize("name", ["list.json", "lines.jsonl", "after.json", "table.csv", "table.parquet"])
def test_every_format_gives_the_same_scores(name: str, tmp_path: Path) -> None:
    items = _items()
    found = score_predictions(_write(tmp_path / name, items), "koniq:all", None, "qbench-a3")
    difference = [item["logit_good"] - item["logit_poor"] for item in items]
    truth = [item["gt_score"] for item in items]
    assert found["srcc"] == pytest.approx(stats.spearmanr(difference, truth)[0], abs=1e-12)
    assert found["truth"].startswith(f"gt_score in {name}")
    json.dumps(found, allow_nan=False)


def test_the_truth_of_the_set_is_preferred_and_named(tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=8)
    file = _write(tmp_path / "list.json", [{"image": f"x/{k}.jpg", "score": k, "gt_score": 1} for k in range(8)])
    found = score_predictions(file, "koniq:all", tmp_path)
    assert found["truth"].startswith("koniq:acr+1024+all, from")
    assert found["srcc"] is not None
    constant = score_predictions(file, "koniq:all", tmp_path / "elsewhere")
    assert "is not in" in constant["truth"]
    assert constant["srcc"] is None
    assert constant["undefined"] == "the opinions are constant"
    assert not constant["ranked"]


def test_a_file_with_its_own_truth_is_taken_for_the_split_of_its_size(tmp_path: Path) -> None:
    items = [{"image": f"{k}.jpg", "score": k % 97, "gt_score": 1 + (k % 89) / 25} for k in range(1000)]
    file = _write(tmp_path / "list.json", items)
    assert score_predictions(file, "koniq", None)["set"] == "koniq:acr+1024+validation"
    named = score_predictions(file, "koniq:all", None)
    assert named["set"] == "koniq:acr+1024+all"
    assert any("10,073" in warning for warning in named["warnings"])


def test_missing_and_unknown_images_are_counted(tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=8)
    items = [{"image": f"{k}.jpg", "score": k} for k in range(6)] + [{"image": "else.jpg", "score": 3}]
    found = score_predictions(_write(tmp_path / "list.json", items), "koniq:all", tmp_path)
    assert found["failures"] == {"missing": 2}
    assert found["n_read"] == 6
    assert not found["ranked"]
    assert any("'else.jpg' is no image" in problem for problem in found["problems"])


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"image": "a.jpg", "score": "good", "gt_score": 2}, ("row 41", "'good', not a number")),
        ({"image": "a.jpg", "score": float("nan"), "gt_score": 2}, ("row 41", "nan, not a finite number")),
        ({"score": 3, "gt_score": 2}, ("row 41", "no image name")),
        ({"image": "a.jpg", "gt_score": 2}, ("row 41", "no score, answer")),
        ({"image": "0.jpg", "score": 0, "gt_score": 1}, ("row 41", "'0.jpg' is there twice, first in row 1")),
        ({"image": "./0.jpg", "score": 0.0, "gt_score": "1"}, ("row 41", "'0.jpg' is there twice, first in row 1")),
    ],
)
def test_a_bad_row_is_left_out_and_named(item: dict[str, Any], words: tuple[str, ...], tmp_path: Path) -> None:
    good = [{"image": f"{k}.jpg", "score": k, "gt_score": 1 + k / 10} for k in range(40)]
    found = score_predictions(_write(tmp_path / "list.json", [*good, item]), "koniq:all", None)
    assert found["n"] == 40
    (problem,) = found["problems"]
    assert all(word in problem for word in words), problem


def test_a_folder_without_the_set_is_named_where_the_file_has_no_truth(tmp_path: Path) -> None:
    file = _write(tmp_path / "list.json", [{"image": f"{k}.jpg", "score": k} for k in range(8)])
    with pytest.raises(UserError, match=r"KonIQ-10k is not in .*, nor in a folder there: no koniq10k"):
        score_predictions(file, "koniq", tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[{"img_path": "a.jpg", "score": 1}]', ("no gt_score", "--data")),
        ('{"img_path": "a.jpg", "score": 1, "gt_score"', ("line 1",)),
        ("[]", ("no prediction", "it has no rows", "{name: score}")),
        (
            '[{"img_path": "a.jpg", "score": 1, "gt_score": 1}, {"img_path": "a.jpg", "score": 2, "gt_score": 1}]',
            ("rows 1 and 2", "'a.jpg'", "differ"),
        ),
    ],
)
def test_a_file_that_cannot_be_scored_is_refused(text: str, words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(UserError) as caught:
        score_predictions(tmp_path / "p.json", "koniq", None)
    assert all(word in str(caught.value) for word in words)


def test_failures_have_three_columns_and_take_the_rank(tmp_path: Path) -> None:
    items = [
        {"image": f"{k}.jpg", "gt_score": 1 + k / 10, "answer": f"<answer>Score: {1 + k / 10:.2f}</answer>"}
        for k in range(40)
    ]
    for item in items[:4]:
        item["answer"] = "I cannot rate this."
    found = score_predictions(_write(tmp_path / "list.json", items), "koniq:all", None, "refine-iqa-think")
    assert found["failures"] == {"refusal": 4}
    assert found["columns"]["drop"]["plcc"] == pytest.approx(1.0)
    assert found["columns"]["midpoint"]["plcc"] < found["columns"]["worst"]["plcc"] < 1.0
    assert not found["ranked"]


@pytest.mark.skipif(not DATA, reason="REFINE_BENCH_DATA is not set")
@pytest.mark.parametrize(
    ("name", "on", "srcc", "plcc"), [("koniq", "koniq", 0.448, 0.460), ("livec", "clive", 0.445, 0.481)]
)
def test_the_published_table_of_qbench_a3(name: str, on: str, srcc: float, plcc: float) -> None:
    file = Path(str(DATA)) / "qbench_a3_outputs" / "llava_v1.5" / f"{name}.json"
    found = score_predictions(file, on, None, "qbench-a3")
    assert (round(found["srcc"], 3), round(found["plcc"], 3)) == (srcc, plcc)
    near = found["published"][0]
    assert not near["differs"]
