"""What the package knows of the harness."""

import ast
from pathlib import Path

import refine_iqa_train

PACKAGE = Path(refine_iqa_train.__file__).parent


def test_of_the_harness_only_the_rated_sets_are_known() -> None:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            harness = {name for name in names if name.split(".")[0] == "refine_bench"}
            assert harness <= {"refine_bench.datasets"}, path
