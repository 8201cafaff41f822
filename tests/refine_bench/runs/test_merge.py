"""Runs of one model put together; runs of two are not."""

from pathlib import Path

import pytest
from bench_samples import write_koniq
from in_process import Cli

from distortlab.core.errors import UserError
from refine_bench.runs.merge import merge_runs
from refine_bench.scoring.run import score_run


def test_parts_of_a_set_are_merged(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq", n=30)
    for k in (1, 2, 3):
        words = (
            "--on",
            "koniq:all",
            "--data",
            tmp_path,
            "--out",
            tmp_path / f"p{k}",
            "--no-report",
            "--shard",
            f"{k}/3",
        )
        assert cli("run", "--model", "sharpness", *words).code == 0
    whole = ("--on", "koniq:all", "--data", tmp_path, "--out", tmp_path / "whole", "--no-report")
    cli("run", "--model", "sharpness", *whole)
    assert cli("merge", tmp_path / "p1", tmp_path / "p2", tmp_path / "p3", "-o", tmp_path / "all").code == 0
    one, other = (score_run(tmp_path / name)["sets"][0] for name in ("all", "whole"))
    assert one["n"] == other["n"] == 30
    assert one["srcc"] == pytest.approx(other["srcc"], abs=1e-12)
    assert cli("run", "--model", "sharpness", *whole[:4], "--out", tmp_path / "all", "--no-report").code == 0


def test_runs_of_two_models_are_not_merged(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq")
    for name in ("sharpness", "noise"):
        cli("run", "--model", name, "--on", "koniq:all", "--data", tmp_path, "--out", tmp_path / name, "--no-report")
    with pytest.raises(UserError, match="another model"):
        merge_runs([tmp_path / "sharpness", tmp_path / "noise"], tmp_path / "both")
    assert not (tmp_path / "both").exists()
