"""When a run is killed or stopped: its workers end with it, and a second run cannot be harmed by what still lives."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dataset_samples import (
    COMMAND,
    Gallery,
    assert_one_sentence,
    child_signals,
    command,
    jobs_of,
    published,
    small_recipe,
    started,
)

from distortlab.core.errors import BuildFailed, UserError
from distortlab.generation.claim import claim
from distortlab.generation.generate import generate
from distortlab.generation.plan import make_plan
from distortlab.storage.base import Folder

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's word that a parent has ended")


def wait_for(true: Callable[[], bool], timeout_s: float) -> bool:
    end = time.monotonic() + timeout_s
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def exit_code(process: subprocess.Popen[str]) -> int:
    """As a shell shows it. CPython ends by SIGINT after any Ctrl-C that fell into code given as text (dataclasses are
    made of it), although the exception was caught; shells show 130 for both.
    """
    return 128 - process.returncode if process.returncode < 0 else process.returncode


def living(group: int) -> list[int]:
    """The processes of a group, but for those that only wait for somebody to read their exit code."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, of = entry.read_text().rpartition(")")[2].split()[:3]
            if int(of) == group and state != "Z":
                found.append(int(entry.parent.name))
    return found


@pytest.mark.parametrize("kind", ["hog", "stopped"])
def test_workers_end_with_their_parent_whatever_they_do(tmp_path: Path, kind: str) -> None:
    """In compiled code that keeps the interpreter, and standing still: no thread of theirs could notice."""
    told = tmp_path / "workers"
    program = str(Path(__file__).parents[1] / "support" / "stuck_work.py")
    with subprocess.Popen([sys.executable, program, kind, str(told)], start_new_session=True) as parent:
        try:
            assert wait_for(lambda: told.exists() and len(told.read_text().split()) == 2, 60)
            parent.kill()
            assert wait_for(lambda: not living(parent.pid), 2)
        finally:
            for process in living(parent.pid):
                os.kill(process, signal.SIGKILL)


# More images than are made before a loaded machine gets to stopping it.
WORDS = ("generate", "--recipe", "smoke", "--n", 1000, "--json")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL"])
@pytest.mark.parametrize("moment", ["at once", "in the middle"])
def test_a_run_that_is_stopped_leaves_a_sentence_and_no_process(tmp_path: Path, name: str, moment: str) -> None:
    """Whether the signal reaches the parent alone or the whole group, as Ctrl-C does."""
    number = signal.Signals[name]
    for send in (os.kill, os.killpg):
        out = tmp_path / send.__name__
        with started(*WORDS, "--workers", 2, "--out", out) as process:
            begun = out / "_distortlab" / "plan.json" if moment == "at once" else out / "images"
            assert wait_for(begun.exists, 60)
            send(process.pid, number)
            printed, err = process.communicate(timeout=60)
            assert wait_for(lambda group=process.pid: not living(group), 2)
        assert printed == ""
        if name == "SIGKILL":
            assert err == ""
        else:
            assert exit_code(process) == 128 + number
            assert "the same command goes on" in assert_one_sentence(err)


def test_stopped_while_references_are_read(tmp_path: Path) -> None:
    """Before there is anything to show progress of."""
    pipe = tmp_path / "instances.json"
    os.mkfifo(pipe)
    words = ("generate", "--refs", f"coco:{pipe},{tmp_path}", "--out", tmp_path / "data")
    with started(*words) as process, pipe.open("w"):  # opened: it is being read now
        # A signal between the opening of a pipe and the reading of it interrupts neither: it is sent again.
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            wait_for(lambda: process.poll() is not None, 5)
        _, err = process.communicate(timeout=60)
    assert exit_code(process) == 130
    assert "the same command goes on" in assert_one_sentence(err)


# --- a second run ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_sigterm_is_heard_where_ctrl_c_is_not(tmp_path: Path) -> None:
    """A shell ignores Ctrl-C for what a script runs in the background; batch systems end that with SIGTERM."""
    words = [*COMMAND, *map(str, WORDS), "--workers", "2", "--out", str(tmp_path / "data")]
    with child_signals(signal.SIG_IGN):
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert wait_for(lambda: (tmp_path / "data" / "_distortlab" / "plan.json").exists(), 60)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None
    process.terminate()
    out, err = process.communicate(timeout=60)
    assert (exit_code(process), out) == (143, "")
    assert "stopped" in assert_one_sentence(err)


@contextmanager
def sleeping_run(out: Path) -> Iterator[subprocess.Popen[str]]:
    """A run that stands still in the middle of its first shard, as an orphan might."""
    words = ("--recipe", "smoke", "--n", 6, "--workers", 1, "--json", "--out", out)
    with started("generate", *words) as process:
        assert wait_for(lambda: any(out.glob("images/.*.tmp")), 60)
        os.killpg(process.pid, signal.SIGSTOP)
        yield process


def test_the_place_of_a_living_run_is_not_cleared(tmp_path: Path) -> None:
    with sleeping_run(tmp_path) as first:
        refused = command("generate", "--n", 4, "--seed", 1, "--workers", 1, "--out", tmp_path, "--overwrite")
        assert refused.code == 2
        assert "another run is working in" in assert_one_sentence(refused.err)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    cleared = command("generate", "--n", 4, "--seed", 1, "--workers", 1, "--out", tmp_path, "--overwrite")
    assert (cleared.code, cleared.err) == (0, "")


def test_two_runs_of_one_plan_do_not_harm_each_other(tmp_path: Path) -> None:
    words = ("generate", "--recipe", "smoke", "--n", 6, "--workers", 1, "--out")
    with sleeping_run(tmp_path / "data") as first:
        assert command(*words, tmp_path / "data").code == 0
        files = {name: hashed for name, hashed in published(tmp_path / "data").items() if not name.endswith(".tmp")}
        os.killpg(first.pid, signal.SIGCONT)
        assert (first.wait(60), first.stderr.read() if first.stderr else None) == (0, "")
        assert published(tmp_path / "data") == files
    assert command("verify", tmp_path / "data").code == 0


def test_parts_work_side_by_side(tmp_path: Path) -> None:
    words = [*COMMAND, "generate", "--recipe", "smoke", "--n", "6", "--workers", "1", "--out", str(tmp_path)]
    parts = [subprocess.Popen([*words, "--shard", f"{k}/2"]) for k in (1, 2)]
    assert [part.wait(60) for part in parts] == [0, 0]


def test_a_run_that_wakes_up_in_another_plan_writes_nothing(tmp_path: Path) -> None:
    """Where there are no locks, as in an object store."""
    old, new = (make_plan(small_recipe(seed=seed), Gallery()) for seed in (0, 1))
    generate(small_recipe(seed=1), Gallery(), tmp_path, workers=1)
    files = published(tmp_path)
    assert old.sha256 != new.sha256
    with pytest.raises(BuildFailed, match="was started again with another plan"):
        jobs_of(old, tmp_path)[0].run(lambda images: None)
    assert published(tmp_path) == files


def test_who_clears_waits_for_nobody_and_lets_nobody_in(tmp_path: Path) -> None:
    plan, other = (make_plan(small_recipe(seed=seed), Gallery()) for seed in (0, 1))
    with claim(Folder(tmp_path), plan, overwrite=False) as mine, claim(Folder(tmp_path), plan, overwrite=False):
        with mine.alone() as alone:
            assert not alone
        with pytest.raises(UserError, match="another run is working"), claim(Folder(tmp_path), other, overwrite=True):
            pass
    with claim(Folder(tmp_path), other, overwrite=True) as mine, mine.alone() as alone:
        assert alone
