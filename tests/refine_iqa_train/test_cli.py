"""The command line without torch: help, and a wrong key."""

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from refine_iqa_train.cli import main
sys.argv = ["refine_iqa_train", *sys.argv[1:]]
try:
    main()
finally:
    heavy = {"torch", "transformers", "trl", "datasets", "accelerate"} & set(sys.modules)
    assert not heavy, heavy
"""


@pytest.mark.parametrize("words", [["--help"], ["stage1", "--help"], ["tiny", "--help"], ["check", "--help"]])
def test_help_needs_no_torch(words: list[str]) -> None:
    run = subprocess.run([sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "python -m refine_iqa_train" in run.stdout


def test_a_wrong_key_is_told_before_anything_heavy_is_loaded() -> None:
    words = ["stage1", "--config", "smoke-stage1", "--trainr.max_steps", "3"]
    run = subprocess.run([sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr.strip() == "refine_iqa_train: smoke-stage1: no key called 'trainr'; did you mean 'trainer'?"
