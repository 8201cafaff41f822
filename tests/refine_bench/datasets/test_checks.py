"""Checks of rows and questions: what is wrong is named with its file and line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from bench_samples import WRITERS, write_kadid, write_llvisionqa

from distortlab.core.errors import UserError
from refine_bench.datasets import load, load_questions


def test_answers_of_multiple_choice(tmp_path: Path) -> None:
    write_llvisionqa(tmp_path)
    dev, test = load_questions("qbench-a1", tmp_path), load_questions("qbench-a1:test", tmp_path)
    assert [row.answer for row in dev.rows] == [0, 1, 2, 0]
    assert {row.answer for row in test.rows} == {None}
    assert dict(dev.rows[2].groups) == {"type": "how", "concern": "in-context distortion"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"correct_ans": "Bright"}, ("row 1", "'Bright' is none of the options")),
        ({"candidates": ["A", "A"]}, ("row 1", "no two alike")),
        ({"question": 3}, ("item 1", "question")),
        ({"img_path": "gone.jpg"}, ("row 1", "no image")),
    ],
)
def test_a_bad_question_is_named(change: dict[str, object], words: tuple[str, ...], tmp_path: Path) -> None:
    file = write_llvisionqa(tmp_path, n=1) / "llvisionqa_dev.json"
    file.write_text(json.dumps([{**json.loads(file.read_text())[0], **change}]))
    with pytest.raises(UserError) as caught:
        load_questions("qbench-a1", tmp_path)
    assert all(word in str(caught.value) for word in words), caught.value


def test_matlab_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    root = WRITERS["tid2013"](tmp_path)
    (root / "mos_std.txt").write_text("0.1\n")
    with pytest.raises(UserError, match=r"3 scores, 1 deviations"):
        load("tid2013", root)
    other = WRITERS["clive"](tmp_path / "clive")
    (other / "Data/AllMOS_release.mat").write_bytes(b"no such thing")
    with pytest.raises(UserError, match=r"AllMOS_release\.mat is not a readable MATLAB file"):
        load("clive", other)


def _line(old: str, new: str) -> Callable[[Path], object]:
    def change(file: Path) -> None:
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_line("I01_01_02.png,I01.png,3", "I01_01_02.png,I01.png,good"), ("row 3", "'good', not a number")),
        (_line("I01_01_02.png,I01.png,3", "I01_01_02.png,I01.png,nan"), ("row 3", "nan")),
        (_line("I01_01_02.png,I01.png,3", "I01_01_02.png,I01.png,30"), ("row 3", "outside of 1 to 5")),
        (_line("I01_01_02.png", "I01_01_01.png"), ("row 3", "twice, first in row 2")),
        (_line("I01_01_02.png", "I99_01_02.png"), ("row 3", "no image")),
        (_line("dmos,", "mos,"), ("no column dmos", "it has dist_img")),
        (_line("I01_01_02.png,I01.png,3,0.5", "I01_01_02.png,I01.png"), ("row 3", "fewer values")),
        (_line("I01_01_02.png", "../../etc/passwd"), ("leads out of its folder",)),
        (lambda file: file.write_bytes(b"\xff\xfe\x00"), ("dmos.csv", "UTF-8")),
        (lambda file: file.write_text("dist_img,ref_img,dmos,var\n"), ("no row",)),
    ],
)
def test_a_bad_row_is_named_with_its_file_and_line(
    change: Callable[[Path], object], words: tuple[str, ...], tmp_path: Path
) -> None:
    change(write_kadid(tmp_path) / "dmos.csv")
    with pytest.raises(UserError) as caught:
        load("kadid", tmp_path)
    assert all(word in str(caught.value) for word in words), caught.value


def test_bad_rows_are_left_out_and_named_where_asked(tmp_path: Path) -> None:
    (write_kadid(tmp_path) / "images" / "I01_01_02.png").unlink()
    found = load("kadid", tmp_path, strict=False)
    assert len(found.rows) == 5
    (problem,) = found.problems
    assert (problem.file, problem.line) == ("dmos.csv", 3)
    assert len(load("kadid", tmp_path, images=False).rows) == 6
