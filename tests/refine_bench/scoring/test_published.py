"""Published numbers: each with a source, and with what keeps it from being comparable."""

import json
import random
from pathlib import Path

import pytest

from refine_bench.scoring.published import list_published_diagnoses, load_published, match_published
from refine_bench.scoring.score_predictions import score_predictions


def test_published_numbers_are_numbers_with_sources() -> None:
    assert len(load_published()) > 200
    for row in load_published():
        assert -1 <= row.plcc <= 1
        assert -1 <= row.srcc <= 1
        assert row.source
        assert row.mapping in ("none", "logistic-4", "isotonic")


def test_what_differs_is_said() -> None:
    rows = match_published("koniq:acr+1024+qalign-2010", "deqa")
    deqa = [row for row in rows if row.row.model == "DeQA-Score"]
    assert deqa[0].differs == ("PLCC after logistic-4",)
    align = next(row for row in rows if row.row.model == "Q-Align")
    assert "protocol q-align" in align.differs
    other = match_published("koniq:acr+1024+official-2015", "deqa")
    assert any("on koniq:qalign-2010" in row.differs for row in other)
    exact = match_published("koniq:acr+1024+all", "qbench-a3")
    assert not exact[0].differs


@pytest.mark.parametrize(("n", "compared"), [(1169, True), (40, False), (1168, False), (1170, False)])
def test_published_numbers_stand_beside_whole_sets_only(n: int, compared: bool, tmp_path: Path) -> None:
    source = random.Random(0)
    items = [{"img_path": f"{k}.bmp", "gt_score": k % 97, "score": source.random()} for k in range(n)]
    (tmp_path / "p.json").write_text(json.dumps(items))
    found = score_predictions(tmp_path / "p.json", "clive:1169", None)
    assert found["coverage"] == {"rows": n, "of": 1169, "complete": compared}
    assert bool(found["published"]) == found["ranked"] == compared
    assert any(f"{n:,} of 1,169" in text for text in found["warnings"]) != compared


def test_published_numbers_on_sets_are_on_another_set() -> None:
    rows = list_published_diagnoses()
    assert {"GS-IQA", "Qwen3-VL-4B", "GPT-4o"} <= {row["model"] for row in rows}
    for row in rows:
        assert row["differs"] == ["on Diag-Bench, another data set"]
        assert row["source"]
        known = [value for value in row["values"].values() if value is not None]
        assert known
        assert all(0 < value < 1 for value in known)
        p, r, f1 = (row["values"][name] for name in ("precision", "recall", "f1"))
        if None not in (p, r, f1):
            assert 2 * p * r / (p + r) == pytest.approx(f1, abs=2e-3)  # type: ignore[operator]
