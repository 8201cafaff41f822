"""Killed anywhere, a run can be gone on with, to the same files; and nobody's files are taken for leftovers."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dataset_samples import Gallery, command, published, small_recipe, started, temporary

from distortlab.core.errors import UserError
from distortlab.dataset.reader import open_data
from distortlab.generation.generate import generate

KILLS = int(os.environ.get("DISTORTLAB_KILLS", "6"))
"""`make kills` asks for 200."""

LEFT = {
    "of the plan": ("_distortlab/..plan.json.5f031f77.tmp.c644de1c.tmp",),
    "of the plan, linked": ("_distortlab/.plan.json.5f031f77.tmp",),
    "the lock": ("_distortlab/lock",),
    "empty folders": ("_distortlab/", "images/", "rft/"),
    "of the manifest": (".MANIFEST.json.00000000.tmp", "images/.train-00000-of-00001.parquet.0123abcd.tmp"),
}
STRANGERS = (
    "images/cat.jpg",
    "_distortlab/notes.txt",
    "README.md",
    "rft/.hidden",
    "images/mine/x.tmp",
    "MANIFEST.json",
)


def put(folder: Path, name: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir() if name.endswith("/") else path.write_bytes(b"")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The files of one run, with their hashes."""
    out = tmp_path_factory.mktemp("whole") / "data"
    generate(small_recipe(), Gallery(), out, workers=1)
    return published(out)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("names", LEFT.values(), ids=LEFT)
def test_leftovers_of_a_kill_count_as_nothing(
    tmp_path: Path, whole: dict[str, str], names: tuple[str, ...], overwrite: bool
) -> None:
    for name in names:
        put(tmp_path / "data", name)
    assert generate(small_recipe(), Gallery(), tmp_path / "data", workers=1, overwrite=overwrite).finished
    assert published(tmp_path / "data") == whole
    assert not temporary(tmp_path / "data")


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", STRANGERS)
def test_the_files_of_others_are_refused(tmp_path: Path, name: str, overwrite: bool) -> None:
    put(tmp_path, name)
    with pytest.raises(UserError, match="is in use and is not a data set that was begun here"):
        generate(small_recipe(), Gallery(), tmp_path, workers=1, overwrite=overwrite)
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()] == [name]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="every kill is in a fork")
@pytest.mark.parametrize("kind", ["fresh", "overwrite"])
def test_killed_before_every_step_that_changes_the_folder(tmp_path: Path, kind: str) -> None:
    program = Path(__file__).parents[1] / "support" / "kill_steps.py"
    words = [sys.executable, "-W", "ignore::DeprecationWarning", str(program), str(tmp_path), kind]
    steps = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)["steps"]
    assert len(steps) > 20
    assert any("plan.json" in step["step"] for step in steps)
    assert [step for step in steps if step["error"] or not step["same"] or step["left"]] == []


# --- at any moment --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("words")
    recipe = folder / "small.toml"
    recipe.write_text("n = 12\nimages_per_shard = 2\nimages_per_reference = 2\nsplits = {train = 1}\n")
    return ["generate", "--recipe", str(recipe), "--workers", "2", "--json"]


def moments(life_s: float) -> Iterator[tuple[float, bool]]:
    """(when, whether the workers are killed too): spread over the life of a run, a third of them in its first 0.3 s."""
    rng = random.Random(0)
    early = max(1, KILLS // 3)
    for number in range(KILLS):
        late, of = number - early, KILLS - early
        start, width = (0.3 * number / early, 0.3 / early) if late < 0 else (life_s * late / of, life_s / of)
        yield start + width * rng.random(), number % 2 == 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="groups of processes")
def test_killed_at_any_moment_and_continued(tmp_path: Path, words: list[str]) -> None:
    start = time.monotonic()
    assert command(*words, "--out", tmp_path / "whole", timeout=300).code == 0
    life_s = time.monotonic() - start
    files = published(tmp_path / "whole")
    begun = 0
    for number, (moment, workers_too) in enumerate(moments(life_s)):
        out = tmp_path / f"killed-{number}"
        with started(*words, "--out", out) as process:
            time.sleep(moment)
            (os.killpg if workers_too else os.kill)(process.pid, signal.SIGKILL)
            err = process.communicate()[1]  # ends when all who were started have ended
        begun += (out / "_distortlab" / "plan.json").exists()
        again = command(*words, "--out", out, timeout=300)
        assert (err, again.code, again.err) == ("", 0, ""), (number, moment)
        assert published(out) == files, (number, moment)
        assert open_data(out).images == 12
        assert not temporary(out), (number, moment)
    assert 0 < begun < KILLS
