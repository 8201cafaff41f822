"""What the package knows of the harness."""

import ast
from pathlib import Path

import refine_iqa_train

PACKAGE = Path(refine_iqa_train.__file__).parent


KNOWN = {
    "benchmark_card.py": {
        f"refine_bench.report.{name}" for name in ("board", "measure_rows", "model_index", "plain", "summary")
    }
}
"""Who shows results of the harness, and what of it that takes."""


def test_of_the_harness_only_the_rated_sets_are_known() -> None:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            harness = {name for name in names if name.split(".")[0] == "refine_bench"}
            assert harness <= {"refine_bench.datasets"} | KNOWN.get(path.name, set()), path
