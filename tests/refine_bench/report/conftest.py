"""Runs of measures, to report on."""

import json
import shutil
from pathlib import Path

import pytest
from bench_samples import write_agiqa, write_koniq

from refine_bench.cli.run_all import Options, run_all


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Two measures on two sets; one of them was not asked about an image of the first. Not to be changed."""
    root = tmp_path_factory.mktemp("measured")
    write_koniq(root / "koniq", n=24)
    write_agiqa(root / "agiqa")
    folders = (root / "runs" / "noise", root / "runs" / "bits")
    for folder in folders:
        run_all(folder.name, ["koniq:all", "agiqa"], root, folder, Options(report=False, quiet=True))
        head = json.loads((folder / "run.json").read_text())
        for name, facts in head["sets"].items():
            n = len((folder / "items" / f"{name}.jsonl").read_text().splitlines())
            facts["expected"] = n + (folder.name == "bits" and name.startswith("koniq"))
        (folder / "run.json").write_text(json.dumps(head))
    return folders


@pytest.fixture
def own_run(runs: tuple[Path, ...], tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(runs[0], tmp_path / "runs" / "run"))
