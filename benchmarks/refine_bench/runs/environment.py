"""What a run was made with: the machine and the versions, as far as they change numbers."""

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["describe_environment"]

PACKAGES = ("refine-iqa", "numpy", "scipy", "pillow", "opencv-python-headless", "torch", "transformers", "httpx")


def describe_environment() -> dict[str, Any]:
    """Describe what a run is made with, ready for JSON: machine, command, versions."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "command": " ".join(Path(word).name if place == 0 else word for place, word in enumerate(sys.argv)),
        "packages": {name: found for name in PACKAGES if (found := _find_version(name)) is not None},
        "gpu": _find_gpu(),
    }


def _find_version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _find_gpu() -> str | None:
    """The names of the NVIDIA devices, asked of the driver: torch would take seconds to import."""
    ask = ("nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader")
    try:
        done = subprocess.run(ask, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return "; ".join(done.stdout.split("\n")).strip("; ") or None
