"""Files of predictions: the same predictions in every form read back equal; what is no form is one sentence."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from in_process import Cli

from refine_bench.prompts.protocols import find_protocol
from refine_bench.scoring.predictions import read_predictions

Pairs = list[tuple[str, float]]
EXAMPLE: Pairs = [("jp2k/img 1.bmp", 3.25), ("jp2k/img2.bmp", -1e-7), ("wn/ä,b.bmp", 4.0), ("10004473376", 1.5)]


def _csv(pairs: Pairs, mark: str, *header: str) -> str:
    lines = [mark.join(header)] if header else []
    return "\n".join([*lines, *(mark.join((_quoted(name, mark), repr(score))) for name, score in pairs)]) + "\n"


def _quoted(name: str, mark: str) -> str:
    return f'"{name}"' if mark in name else name


def _lines(pairs: Pairs) -> str:
    """Lines of `name score`, with marks of tables out of the way: a comma is one in the first line at the latest."""
    return "".join(f"{name}  {score!r}\n" for name, score in pairs)


TEXTS: dict[str, Callable[[Pairs], str]] = {
    "list.json": lambda pairs: json.dumps([{"image": n, "score": s} for n, s in pairs]),
    "img_name.json": lambda pairs: json.dumps([{"img_name": n, "pred_score": s} for n, s in pairs]),
    "id.json": lambda pairs: json.dumps(
        [{"id": int(n) if n.isdecimal() and n[0] != "0" else n, "score": s} for n, s in pairs]
    ),
    "lines.jsonl": lambda pairs: "\n".join(json.dumps({"filename": n, "prediction": s}) for n, s in pairs),
    "after.json": lambda pairs: "".join(json.dumps({"Image": n, "Score": str(s)}) for n, s in pairs),
    "mapping.json": lambda pairs: json.dumps(dict(pairs)),
    "mappings.jsonl": lambda pairs: "\n".join(json.dumps({n: s}) for n, s in pairs),
    "texts.json": lambda pairs: json.dumps({n: str(s) for n, s in pairs}),
    "objects.json": lambda pairs: json.dumps({n: {"score": s} for n, s in pairs}),
    "pairs.json": lambda pairs: json.dumps(pairs),
    "columns.json": lambda pairs: json.dumps({"image": [n for n, _ in pairs], "score": [s for _, s in pairs]}),
    "pandas.json": lambda pairs: json.dumps(
        {
            "image": {str(k): n for k, (n, _) in enumerate(pairs)},
            "niqe": 0,
            "score": {str(k): s for k, (_, s) in enumerate(pairs)},
        }
    ),
    "swift.jsonl": lambda pairs: "\n".join(json.dumps({"images": [{"path": n}], "value": s}) for n, s in pairs),
    "lower.csv": lambda pairs: _csv(pairs, ",", "img_name", "score"),
    "upper.csv": lambda pairs: _csv(pairs, ",", "Image Name", "MOS_pred"),
    "unknown.csv": lambda pairs: _csv(pairs, ",", "dist_img", "my metric"),
    "plain.csv": lambda pairs: _csv(pairs, ","),
    "turned.csv": lambda pairs: "score,name\n" + "".join(f"{s!r},{_quoted(n, ',')}\n" for n, s in pairs),
    "semicolons.csv": lambda pairs: _csv(pairs, ";", "file_name", "score"),
    "head.tsv": lambda pairs: _csv(pairs, "\t", "path", "score"),
    "plain.tsv": lambda pairs: _csv(pairs, "\t"),
    "mark.csv": lambda pairs: "\ufeff" + _csv(pairs, ",", "image", "score").replace("\n", "\r\n"),
    "pandas.csv": lambda pairs: (
        ",image,score\n" + "".join(f"{k},{_quoted(n, ',')},{s!r}\n" for k, (n, s) in enumerate(pairs))
    ),
    "tabs.txt": lambda pairs: _csv(pairs, "\t"),
    "blanks.txt": _lines,
    "head.txt": lambda pairs: "# made by hand\n\nimage score\n" + _lines(pairs),
    "json.txt": lambda pairs: json.dumps(dict(pairs)),
}


def _parquet(path: Path, pairs: Pairs, name: str, score: str) -> None:
    pq.write_table(pa.table({name: [n for n, _ in pairs], score: [s for _, s in pairs]}), path)


def _write(folder: Path, form: str, pairs: Pairs) -> Path:
    path = folder / form
    if path.suffix == ".parquet":
        _parquet(path, pairs, *("Image", "niqe") if form == "two.parquet" else ("__index_level_0__", "score"))
    else:
        path.write_bytes(TEXTS[form](pairs).encode())
    return path


def _read(path: Path) -> Pairs:
    found, problems = read_predictions(path, None)
    assert not problems
    return [(prediction.name, float(str(prediction.answer.value))) for prediction in found]


FORMS = [*TEXTS, "two.parquet", "index.parquet"]
_LETTERS = st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs"), exclude_characters="\"',;#")
_NAMES = (
    st.lists(st.text(_LETTERS, min_size=1, max_size=8), min_size=1, max_size=3)
    .map("/".join)
    .map(lambda name: " ".join(name.split()) + ".png")
)
_PAIRS = st.lists(
    st.tuples(_NAMES, st.floats(-1e6, 1e6, allow_nan=False)), min_size=1, max_size=6, unique_by=lambda pair: pair[0]
)


@pytest.mark.parametrize("form", FORMS)
def test_an_example_reads_back_in_every_form(form: str, tmp_path: Path) -> None:
    pairs = [pair for pair in EXAMPLE if "," not in pair[0] or form not in ("blanks.txt", "head.txt")]
    assert _read(_write(tmp_path, form, pairs)) == pairs


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_PAIRS)
def test_the_same_predictions_in_every_form_read_back_equal(tmp_path: Path, pairs: Pairs) -> None:
    for form in FORMS:
        assert _read(_write(tmp_path, form, pairs)) == pairs, form


@pytest.mark.parametrize(
    ("text", "names", "left"),
    [
        ('{"a.jpg": 3.5, "b.jpg": null, "c.jpg": "n/a", "d.jpg": 2}', ["a.jpg", "d.jpg"], 2),
        ('{"0": {"image": "a.jpg", "score": 1}, "1": {"image": "b.jpg", "score": 2}}', ["a.jpg", "b.jpg"], 0),
        ('{"a.jpg": {"id": 7, "score": 1}, "b.jpg": {"name": "x", "score": 2}}', ["a.jpg", "b.jpg"], 0),
        ('[{"file_x": "a.jpg", "niqe": 3.5}, {"image": "b.jpg", "score": 2}]', ["b.jpg"], 1),
        ('{"image": ["a.jpg", "b.jpg"], "score": [1, 2], "model": "x"}', ["a.jpg", "b.jpg"], 0),
        ('["a.jpg", 3]', ["a.jpg"], 0),
        ('{"logitech.jpg": 3, "logit_1.jpg": 2}', ["logitech.jpg", "logit_1.jpg"], 0),
    ],
)
def test_what_the_keys_of_an_object_are(text: str, names: list[str], left: int, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(text)
    found, problems = read_predictions(tmp_path / "p.json", None)
    assert [p.name for p in found] == names
    assert len(problems) == left


def test_lines_with_the_score_first_are_read(tmp_path: Path) -> None:
    (tmp_path / "mos_with_names.txt").write_text("5.51429 I01_01_1.bmp\n4.25 i25 24_5.bmp\n")
    assert _read(tmp_path / "mos_with_names.txt") == [("I01_01_1.bmp", 5.51429), ("i25 24_5.bmp", 4.25)]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("a.json", '{"1.jpg": "<answer>Score: 3</answer>", "2": "I cannot, sorry"}'),
        ("a.tsv", "1.jpg\t<answer>Score: 3</answer>\n2\tI cannot, sorry\n"),
        ("a.txt", "1.jpg <answer>Score: 3</answer>\n2   I cannot, sorry\n"),
        ("b.csv", "image;answer\n1.jpg;<answer>Score: 3</answer>\n2;I cannot, sorry\n"),
        ("a.csv", 'img,response\n1.jpg,<answer>Score: 3</answer>\n2,"I cannot, sorry"\n'),
        ("a.jsonl", '{"image": "1.jpg", "output": "<answer>Score: 3</answer>"}\n["2", "I cannot, sorry"]'),
    ],
)
def test_answers_to_be_read_come_in_the_same_forms(form: str, text: str, tmp_path: Path) -> None:
    (tmp_path / form).write_text(text)
    found, problems = read_predictions(tmp_path / form, find_protocol("refine-iqa-think"))
    assert not problems
    assert [p.name for p in found] == ["1.jpg", "2"]
    assert [p.answer.text for p in found] == ["<answer>Score: 3</answer>", "I cannot, sorry"]


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400, "true", "[3]", '"good"', "{}"]
)
def test_what_is_no_finite_number_is_left_out_and_named(value: str, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(f'[{{"image": "a.jpg", "score": 3}}, {{"image": "b.jpg", "score": {value}}}]')
    found, (problem,) = read_predictions(tmp_path / "p.json", None)
    assert [p.name for p in found] == ["a.jpg"]
    assert problem.line == 2
    assert len(str(problem)) < 200
    assert all(math.isfinite(float(str(p.answer.value))) for p in found)


@pytest.mark.parametrize(
    ("form", "text", "words"),
    [
        ("p.json", '{"a.jpg": 1, "a.jpg": 2}', ("'a.jpg' twice",)),
        ("p.json", '[{"image": "a.jpg", "score": 1, "score": 2}]', ("'score' twice",)),
        ("p.json", "[3.5, 4.5]", ("item 1 is float 3.5", "{name: score}")),
        ("p.json", '"a.jpg"', ("item 1 is str", "allowed: a list of JSON objects")),
        ("p.json", "null", ("item 1 is NoneType null",)),
        ("p.json", "{}", ("none of the columns is known: none",)),
        ("p.json", "", ("it has no rows",)),
        ("p.json", "[" * 100_000, ("line 1",)),
        ("p.json", '[{"image": "a.jpg", "score": ' + "1" * 5000 + "}]", ("line 1",)),
        ("p.json", '[{"score": 3}]', ("row 1", "no image name", "'score'")),
        ("p.json", '[{"image": ["a.jpg", "b.jpg"], "score": 3}]', ("no image name",)),
        ("p.csv", "", ("it has no rows",)),
        ("p.csv", "image,score\n", ("it has no rows",)),
        (
            "p.csv",
            "a.jpg,3,4\nb.jpg,2,3\n",
            ("row 1: 3 columns ('a.jpg', '3', '4')", "no header that names"),
        ),
        ("p.csv", "image,image,score\na,b,3\n", ("two columns 'image'",)),
        ("p.csv", "one\ntwo\n", ("1 columns",)),
        ("p.txt", "a.jpg\nb.jpg\n", ("1 columns",)),
        ("p.xlsx", "PK\x03\x04\x00\xff", ("UTF-8",)),
        ("p.parquet", "PAR1 no", ("not a readable Parquet file",)),
        ("p.png", "\ud800", ("UTF-8",)),
    ],
)
def test_what_is_no_form_is_one_sentence(
    form: str, text: str, words: tuple[str, ...], cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / form).write_bytes(text.encode("utf-16" if form == "p.xlsx" else "utf-8", "surrogatepass"))
    done = cli("score", "--predictions", tmp_path / form, "--on", "koniq")
    assert done.code == 2
    assert len(done.err.strip().splitlines()) == 1
    assert all(word in done.err for word in words), done.err


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("p.csv", "image,score\na.jpg,3\nb.jpg,3,7\nc.jpg\n"),
        ("p.csv", "a.jpg,3\nb.jpg,3,7\nc.jpg,\n"),
        (
            "p.json",
            '[{"image": "a.jpg", "score": 3}, {"image": "b.jpg", "Image": "x", "score": 3}, {"image": "c.jpg"}]',
        ),
    ],
)
def test_one_bad_row_does_not_take_the_others_along(form: str, text: str, tmp_path: Path) -> None:
    (tmp_path / form).write_text(text)
    found, problems = read_predictions(tmp_path / form, None)
    assert [p.name for p in found] == ["a.jpg"]
    assert len(problems) == 2


@pytest.mark.parametrize("name", ["\ud800.jpg", "\x1b[31mred.jpg", "a\nb.jpg", "<b>.jpg", "x" * 100_000, "[bold]a.jpg"])
def test_a_hostile_name_is_shown_as_text(name: str, cli: Cli, tmp_path: Path) -> None:
    items = [{"image": f"{k}.jpg", "score": k, "gt_score": 1 + k / 10} for k in range(9)]
    items += [{"image": name, "score": k, "gt_score": k} for k in (1, 2)]
    (tmp_path / "p.json").write_text(json.dumps(items))
    done = cli("score", "--predictions", tmp_path / "p.json", "--on", "koniq")
    assert done.code == 2
    assert len(done.err.strip().splitlines()) == 1
    assert "rows 10 and 11" in done.err
    assert "\x1b" not in done.err
    assert len(done.err) < 1000
