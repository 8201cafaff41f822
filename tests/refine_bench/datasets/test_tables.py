"""Label files, and image files whose names differ in case alone."""

import json
from pathlib import Path

import pytest
from bench_samples import write_picture

from distortlab.core.errors import UserError
from refine_bench.datasets import load


def test_files_whose_names_differ_in_case_alone_are_kept_apart(tmp_path: Path) -> None:
    for number, name in enumerate(("A.png", "a.png", "B.png")):
        write_picture(tmp_path / name, number)
    items = [{"image": name, "gt_score": k} for k, name in enumerate(("A.png", "a.png", "b.PNG"))]
    (tmp_path / "m.json").write_text(json.dumps(items))
    found = load(f"meta:{tmp_path}/m.json", tmp_path)
    assert [row.image.name for row in found.rows] == ["A.png", "a.png", "B.png"]
    (tmp_path / "m.json").write_text(json.dumps([{"image": "A.PNG", "gt_score": 1}]))
    with pytest.raises(UserError, match="no image"):
        load(f"meta:{tmp_path}/m.json", tmp_path)
