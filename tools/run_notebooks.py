"""Run the notebooks of examples/ from the first cell to the last, and keep them with their outputs in out/notebooks.

python tools/run_notebooks.py               exit 1 if a cell of any raises
python tools/run_notebooks.py train         only examples/train.ipynb

Each runs in an empty folder of its own. The notebooks are not touched: the repository has them without outputs.
"""

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from traitlets.config import Config

ROOT = Path(__file__).parents[1]
OUT = ROOT / "out" / "notebooks"
LIMIT = 900
"""Seconds for a cell."""


def run_notebook(source: Path, out: Path) -> str | None:
    """Run a notebook and write it with its outputs; return what a cell raised, or None."""
    notebook = nbformat.read(source, as_version=4)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as sockets:
        place = {"metadata": {"path": folder}}
        settings = make_settings(sockets)
        client = NotebookClient(
            notebook, config=settings, kernel_name="python3", timeout=LIMIT, resources=place, coalesce_streams=True
        )
        try:
            client.execute()
        except (CellExecutionError, CellTimeoutError) as error:
            return str(error)
    out.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, out / source.name)
    return None


def make_settings(folder: str) -> Config:
    """Return settings by which the kernel is spoken to through files in a folder, where the system has such sockets."""
    files = {"transport": "ipc", "ip": f"{folder}/kernel"}
    return Config({} if sys.platform == "win32" else {"KernelManager": files})


def main(names: Sequence[str]) -> int:
    """Return the exit code."""
    # For cells that begin with !: the programs of this environment.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    failed = 0
    for source in sorted((ROOT / "examples").glob("*.ipynb")):
        if names and source.stem not in names:
            continue
        start = time.monotonic()
        error = run_notebook(source, OUT)
        failed += error is not None
        print(f"{source.stem}: {error or f'{time.monotonic() - start:.0f} s'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
