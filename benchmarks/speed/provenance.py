"""What a measurement was made with, for JSON that is kept: command, commit, machine, versions."""

import os
import platform
import re
import shlex
import subprocess
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

__all__ = ["describe_run"]

PACKAGES = ("numpy", "opencv-python-headless", "pillow", "pyarrow", "scikit-image", "simplejpeg", "isal")
_CPUINFO = Path("/proc/cpuinfo")


def describe_run(program: str, words: Sequence[str]) -> dict[str, Any]:
    """Describe a run of a benchmark.

    Parameters
    ----------
    program
        Its path in the repository.
    words
        The words behind it. Paths in them are left out: `coco:FILE.json,FOLDER` becomes `coco:...`, `/tmp/x` FOLDER.

    Returns
    -------
    dict
        `command`, `commit` (with "+" where files differ from it), `machine`, `python`, `versions` by package.
    """
    return {
        "command": shlex.join(["python", program, *map(_hide_paths, words)]).replace("'", ""),
        "commit": _find_commit(),
        "machine": f"{os.cpu_count()} x {_find_processor()}, {platform.system()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
    }


def _hide_paths(word: str) -> str:
    return re.sub(r"^[/~].*", "FOLDER", re.sub(r"^(coco|folder):.*", r"\1:...", word))


def _find_commit() -> str | None:
    """The commit that is checked out; None outside of a clone."""
    folder = Path(__file__).parent
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def _find_processor() -> str:
    names = re.findall(r"^model name\s*: (.*)", _CPUINFO.read_text(), re.MULTILINE) if _CPUINFO.exists() else []
    return names[0] if names else platform.processor() or platform.machine()
