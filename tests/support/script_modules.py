"""Benchmarks are scripts beside each other and no packages, and several folders have a `page.py`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["BENCHMARKS", "isolate_scripts"]

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@contextmanager
def isolate_scripts(*folders: Path) -> Iterator[None]:
    """Let scripts of these folders, the first one first, be imported by their names.

    Afterwards nothing of them is left, and what had their names before is back.
    """
    names = {file.stem for folder in folders for file in folder.glob("*.py")}
    paths = [str(folder) for folder in folders]
    kept = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    sys.path[:0] = paths
    try:
        yield
    finally:
        for path in paths:
            sys.path.remove(path)
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update(kept)
