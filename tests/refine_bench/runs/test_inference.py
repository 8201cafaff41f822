"""What a model is asked, and what it is not asked."""

from pathlib import Path

from bench_samples import write_koniq
from in_process import Cli


def test_a_measure_that_needs_a_reference_is_refused_before_anything_is_asked(cli: Cli, tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq")
    done = cli("run", "--model", "ssim", "--on", "koniq", "--data", tmp_path, "--out", tmp_path / "run")
    assert done.code == 2
    assert "compares with a reference" in done.err
    assert not (tmp_path / "run").exists()
