"""The files of a run: addresses of answers, and damaged lines."""

from pathlib import Path

import pytest

from distortlab.core.errors import UserError
from refine_bench.runs.store import AnswerLog, hash_request, read_lines


def test_keys_change_with_all_that_could_change_an_answer() -> None:
    usual = {
        "images": ["a"],
        "prompt": ("", "q", ""),
        "decoding": {"temperature": 0},
        "model": ("m", "1", "p"),
        "sample": 0,
    }
    keys = {hash_request(**usual)}
    for name, value in (("images", ["b"]), ("prompt", ("", "Q", "")), ("decoding", {"temperature": 1}), ("sample", 1)):
        keys.add(hash_request(**{**usual, name: value}))
    keys.add(hash_request(**{**usual, "model": ("m", "2", "p")}))
    keys.add(hash_request(**{**usual, "model": ("m", "1", "q")}))
    assert len(keys) == 7


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    with AnswerLog(tmp_path / "x.jsonl") as log:
        log.append({"key": "1"})
        log.append({"key": "2", "error": "gone"})
        assert log.done == {"1"}
    (tmp_path / "x.jsonl").write_bytes(b'{"key": "1"}\n{"key": \n{"key": "3"}\n')
    with pytest.raises(UserError, match=r"x\.jsonl, row 2"):
        list(read_lines(tmp_path / "x.jsonl"))
