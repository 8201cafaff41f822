"""The check on a GPU: what it says without one, the way it goes with tiny models, and the table that it fills."""

import importlib
import json
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from script_modules import BENCHMARKS, isolate_scripts


@pytest.fixture
def part() -> Iterator[Callable[[str], Any]]:
    """Its modules, which are scripts beside each other and no package."""
    with isolate_scripts(BENCHMARKS / "gpu_check", BENCHMARKS):
        yield importlib.import_module


def test_without_a_gpu_it_says_so_and_has_a_code_of_its_own(
    part: Callable[[str], Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    run = part("run")
    assert run.main(["--out", str(tmp_path / "results.json")]) == run.NO_GPU == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("gpu-check: no GPU was found")
    assert not any(tmp_path.iterdir())
    with pytest.raises(SystemExit):
        run.main(["--device", "cpu"])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`gradient_checkpointing_:FutureWarning")  # TRL 1.16 calls it so
def test_both_stages_with_tiny_models(
    part: Callable[[str], Any],
    perception: Path,
    rated: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As `--device cpu --tiny`, but for the processes and the data, which take most of the time."""
    run, measure = part("run"), part("measure")
    monkeypatch.setattr(run, "make_data", lambda *_: {"perception": str(perception), "rated": str(rated)})

    def call(words: Sequence[str], **_: object) -> Namespace:
        assert words[:2] == [sys.executable, str(BENCHMARKS / "gpu_check" / "measure.py")]
        config, stage, out = words[2:]
        Path(out).write_text(json.dumps(measure.measure(config, stage)))
        return Namespace(returncode=0, stderr="")

    monkeypatch.setattr(subprocess, "run", call)
    monkeypatch.setattr(part("ways"), "GROUP", 2)
    out = tmp_path / "results.json"
    words = ["--device", "cpu", "--tiny", "--steps", "2", "--completion", "2", "--only", "full", "--out", str(out)]
    rows = []
    for model, stage in (("Qwen3-VL-4B", "stage1"), ("Qwen2.5-VL-7B", "stage2")):
        assert run.main([*words, "--scratch", str(tmp_path), "--models", model, "--stages", stage]) == 0
        rows += json.loads(out.read_text())["rows"]
    results, measured = json.loads(out.read_text()), [row for row in rows if row["status"] == "measured"]
    assert [(row["model"], row["stage"], row["way"]) for row in measured] == [
        ("Qwen3-VL-4B", "stage1", "full, 1 GPU"),
        ("Qwen2.5-VL-7B", "stage2", "full, 1 GPU"),
    ]
    for row in measured:
        assert len(row["step_seconds"]) == 2
        assert row["seconds"] == pytest.approx(row["step_seconds"][1], abs=1e-4), "the first step is not counted"
        assert 0 < row["generation_share"] < 1
        assert row["peak_gib"] > 0
        assert row["computed_gib"] > 1.5
    skipped = {row["way"]: row["why"] for row in rows if row["status"] == "skipped"}
    assert skipped == {"full, FSDP2 on one process": "needs a GPU"}
    assert results["tiny"], "it is not for the table"
    assert "s/step, " in capsys.readouterr().out


def test_sharded_runs_are_launched_by_accelerate_and_failures_are_rows(
    part: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, ways = part("run"), part("ways")
    words: list[str] = []

    def fail(called: Sequence[str], **_: object) -> Namespace:
        words.extend(called)
        return Namespace(returncode=-9, stderr="some\nlast line")

    monkeypatch.setattr(subprocess, "run", fail)
    (way,) = (way for way in ways.WAYS if way.is_sharded)
    assert run.measure(way, "stage1", {}, tmp_path) == {"status": "failed", "why": "code -9: last line"}
    assert words[1:3] == ["-m", "accelerate.commands.launch"]
    assert importlib.util.find_spec(words[2]) is not None
    assert Path(words[4]).is_file()
    assert Path(words[7]).is_file()


@pytest.mark.parametrize(
    ("name", "obstacle"), [("flash_attn", "flash_attn is not installed"), (None, None), ("trl", None)]
)
def test_what_is_not_installed_is_skipped(part: Callable[[str], Any], name: str | None, obstacle: str | None) -> None:
    way = part("ways").Way("w", package=name)
    if name == "flash_attn" and importlib.util.find_spec(name):
        pytest.skip("flash attention is here")
    assert part("run").find_obstacle(way, "cuda") == obstacle


def test_the_table_has_what_was_measured_beside_what_is_computed(
    part: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = part("training_memory")
    monkeypatch.setattr(memory, "RESULTS", tmp_path / "results.json")
    before = memory.render()
    assert before.startswith("Nothing was measured on a GPU yet")
    assert "| measured |" not in before
    row = {"model": "Qwen3-VL-4B", "way": "LoRA r 64, 1 GPU", "status": "measured"}
    rows: list[dict[str, Any]] = [
        {**row, "stage": "stage1", "peak_gib": 20.04, "seconds": 31.26},
        {**row, "stage": "stage2", "peak_gib": 19.0, "seconds": 40.0},
        {**row, "way": "full, 1 GPU", "status": "out of memory", "why": "too large"},
    ]
    (tmp_path / "results.json").write_text(json.dumps({"tiny": False, "rows": rows}))
    after = memory.render()
    assert "is the peak of what PyTorch reserved" in after
    (line,) = (line for line in after.splitlines() if "20.0" in line)
    assert line == "| Qwen3-VL-4B (4.44 B) | LoRA r 64, 1 GPU | 8.8 | 1.5 | 4.8 | 2.5 | 18.0 | 20.0 | 31.3 | 24 GB |"
    assert sum("| - | - |" in line for line in after.splitlines()) == 7
    (tmp_path / "results.json").write_text(json.dumps({"tiny": True, "rows": rows}))
    assert memory.render() == before
