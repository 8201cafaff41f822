"""The table of scores of finished runs: before and after, with numbers or reasons."""

from pathlib import Path

import pytest

from distortlab.core.errors import UserError
from refine_iqa_train.monitoring.results import format_table, read_scores


def test_scores_before_and_after(tmp_path: Path) -> None:
    entries = [
        {"eval_held_out/n": 8, "eval_object/accuracy": 0.25, "eval_loss": 0, "step": 0},
        {"loss": 1.0, "step": 1},
        {"eval_held_out/n": 8, "eval_object/accuracy": 0.5, "eval_quality/srcc": None, "step": 2},
    ]
    import json

    (tmp_path / "trainer_state.json").write_text(json.dumps({"log_history": entries}))
    found = read_scores(tmp_path)
    assert found["before"] == {"held_out/n": 8, "object/accuracy": 0.25}
    assert found["after"]["object/accuracy"] == 0.5
    lines = format_table({str(tmp_path): found}).splitlines()
    assert lines[1].split() == ["held_out/n", "8", "8"]
    assert lines[2].split() == ["object/accuracy", "0.250", "0.500"]


def test_scores_have_their_number_or_a_reason(tmp_path: Path) -> None:
    counts = {"quality/n": 5, "quality/read": 2, "object/n": 40, "held_out/n": 45}
    scores = {"before": {"object/accuracy": 0.25, **counts}, "after": {"object/accuracy": 0.5, **counts}}
    scores["after"] |= {"quality/srcc": 0.5, "quality/mae": 1.0, "quality/read": 4}
    rows = {
        row.split()[0]: " ".join(row.split()[1:]) for row in format_table({"a": scores, "b": scores}).splitlines()[1:]
    }
    assert rows["object/accuracy"] == "0.250 (n 40) 0.500 (n 40) 0.250 (n 40) 0.500 (n 40)"
    assert rows["quality/srcc"].startswith("- (2 read of 5) 0.500 (n 4)")
    assert "quality/n" not in rows


def test_scores_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no finished run"):
        read_scores(tmp_path)
    (tmp_path / "trainer_state.json").write_text('{"log_history": []}')
    with pytest.raises(UserError, match="nothing was validated"):
        read_scores(tmp_path)
