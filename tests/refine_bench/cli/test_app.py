"""The command line: help that is quick, and one sentence for misuse."""

import subprocess
import sys

import pytest
from in_process import Cli

COMMANDS = ("list", "fetch", "run", "score", "compare", "report", "merge")


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_has_examples_and_is_quick(name: str, cli: Cli) -> None:
    done = cli(*([name] if name else []), "--help")
    assert done.code == 0
    assert "refine-bench" in done.out


def test_help_imports_nothing_heavy() -> None:
    heavy = ("torch", "transformers", "scipy", "numpy", "httpx", "jinja2", "pyarrow", "cv2")
    code = (
        "import sys; sys.argv = ['refine-bench', '--help']\n"
        "from refine_bench.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"sys.stderr.write(repr([name for name in {heavy} if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("score",), "name a run folder"),
        (("score", "nowhere"), "no run"),
        (("score", "--predictions", "x.json", "--on", "koniq"), "x.json is not a file"),
        (("run", "--model", "ssim", "--on", "koniq", "--data", "nowhere"), "KonIQ-10k is not in nowhere"),
        (("run", "--model", "ssim", "--on", "konik"), "did you mean 'koniq'"),
        (("run", "--model", "openai:", "--on", "koniq"), "openai:URL#MODEL"),
        (("report", "nowhere"), "no run"),
        (("list", "--data", "nowhere"), "not a folder"),
    ],
)
def test_misuse_is_one_sentence(words: tuple[str, ...], said: str, cli: Cli) -> None:
    done = cli(*words)
    assert done.code == 2
    lines = done.err.strip().splitlines()
    assert len(lines) == 1, done.err
    assert lines[0].startswith("refine-bench: ")
    assert said in lines[0]
