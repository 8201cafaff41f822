"""A program that kills `generate` before each step that changes a folder, and goes on from there every time.

    python kill_steps.py FOLDER fresh|overwrite

Prints one JSON object: the steps, and for each what was wrong after the run that went on (nothing, hopefully).
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from dataset_samples import Gallery, published, small_recipe, temporary

from distortlab.generation.generate import generate

_ONE_SHARD: dict[str, Any] = {"n": 2, "images_per_shard": 2, "splits": {"train": 1}}
_RECIPE = small_recipe(**_ONE_SHARD)


def main(folder: Path, kind: str) -> dict[str, Any]:
    """Every step once."""
    options: dict[str, Any] = {}
    whole, begun = folder / "whole", folder / "begun"
    _in_fork(lambda: generate(_RECIPE, Gallery(), whole, workers=1))
    if kind == "overwrite":
        _in_fork(lambda: generate(small_recipe(**_ONE_SHARD, seed=1), Gallery(), begun, workers=1))
        options = {"overwrite": True}
    steps = []
    while True:
        at = len(steps)
        out = folder / f"killed-{at}"
        if begun.exists():
            shutil.copytree(begun, out)
        killed, step = _in_fork(lambda at=at, out=out: _killed(at, out, options))
        if not killed:
            return {"steps": steps}
        _, error = _in_fork(lambda out=out: generate(_RECIPE, Gallery(), out, workers=1, **options) and None)
        same = published(out) == published(whole)
        steps.append({"step": step, "error": error, "same": same, "left": len(temporary(out))})
        shutil.rmtree(out)


def _killed(at: int, out: Path, options: dict[str, Any]) -> None:
    count = 0

    def hook(event: str, words: tuple[Any, ...]) -> None:
        nonlocal count
        if words and str(words[0]).startswith(str(out)) and _changes(event, words):
            if count == at:
                os.write(_told, f"{event} {Path(words[0]).relative_to(out)}".encode())
                os.kill(os.getpid(), signal.SIGKILL)
            count += 1

    sys.addaudithook(hook)
    generate(_RECIPE, Gallery(), out, workers=1, **options)


def _changes(event: str, words: tuple[Any, ...]) -> bool:
    """Whether what is about to happen changes the folder."""
    if event == "open":
        return isinstance(words[2], int) and bool(words[2] & (os.O_WRONLY | os.O_RDWR))
    if event == "os.mkdir":
        return not Path(words[0]).exists()
    return event in ("os.rename", "os.link", "os.rmdir") or (event == "os.remove" and Path(words[0]).exists())


_told = -1


def _in_fork(work: Callable[[], Any]) -> tuple[bool, str]:
    """(whether it was killed, what it said)."""
    global _told
    ear, _told = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:
            os.write(_told, repr(error).encode())
            os._exit(1)
        os._exit(0)
    os.close(_told)
    with os.fdopen(ear, "rb") as file:
        said = file.read().decode()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL, said


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), sys.argv[2])))
