"""The examples in docstrings run as they stand, and the functions that people call first have one.

An example imports what it uses, as whoever copies it must. Modules are imported only for the example that is run;
where a package of an extra is not installed, its examples are skipped.
"""

import ast
import doctest
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {"distortlab": ROOT, "refine_iqa_train": ROOT, "refine_bench": ROOT / "benchmarks"}

CALLED_FIRST = (
    "distortlab.api:distort",
    "distortlab.core.image:pixels_sha256",
    "distortlab.core.region:Region.from_box",
    "distortlab.core.region:Region.from_mask",
    "distortlab.core.seeds:short_stream",
    "distortlab.core.seeds:stream",
    "distortlab.dataset.reader:StoredDataset.to_pandas",
    "distortlab.distortions.catalog:find",
    "distortlab.distortions.edit:render",
    "distortlab.generation.generate:generate",
    "distortlab.generation.stream:stream",
    "distortlab.imaging.decode:read_image",
    "distortlab.recipe.loading:default_recipe",
    "distortlab.recipe.loading:load_recipe",
    "distortlab.references:open_references",
    "distortlab.tasks.answer:read_answer",
    "distortlab.tasks.comparison:score",
    "distortlab.tasks.comparison:truth",
    "distortlab.tasks.diagnosis:score",
    "distortlab.tasks.diagnosis:truth",
    "distortlab.tasks.recognition:question",
    "distortlab.tasks.recognition:score",
    "distortlab.tasks.recognition:truth",
    "distortlab.tasks:score",
    "refine_bench.datasets:parse_spec",
    "refine_bench.report.measure_rows:load_runs",
    "refine_bench.prompts.choice_reader:read_choice",
    "refine_bench.prompts.score_reader:read_score",
    "refine_bench.statistics.correlation:krcc",
    "refine_bench.statistics.correlation:plcc",
    "refine_bench.statistics.correlation:srcc",
    "refine_bench.statistics.logistic:fit_logistic",
    "refine_iqa_train.config.loading:load_config",
    "refine_iqa_train.rewards.advantages:plain_advantages",
    "refine_iqa_train.rewards.advantages:published_advantages",
    "refine_iqa_train.rewards.ranking:fidelity",
    "refine_iqa_train.rewards.task_rewards:format_reward",
)
"""`module:name` of what must have an example; any other docstring may."""

EXTRAS = frozenset(
    ("torch", "transformers", "trl", "accelerate", "peft", "datasets", "yaml", "scipy", "httpx", "jinja2", "pandas")
)
"""Packages that `pip install refine-iqa` alone does not bring."""


class Docstring(NamedTuple):
    text: str
    path: Path
    line: int


def find_examples() -> dict[str, Docstring]:
    """Every docstring with an example, under `module:name`. Nothing is imported."""
    found = {}
    for package, folder in PACKAGES.items():
        for path in sorted((folder / package).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if ">>> " in text:
                module = ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")
                for name, docstring, line in walk_docstrings(ast.parse(text), ""):
                    if ">>> " in docstring:
                        found[f"{module}:{name}"] = Docstring(docstring, path, line)
    return found


def walk_docstrings(node: ast.AST, prefix: str) -> Iterator[tuple[str, str, int]]:
    """(name, docstring, line) of the functions, classes and methods below a node."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield prefix + child.name, ast.get_docstring(child) or "", child.lineno
            yield from walk_docstrings(child, f"{prefix}{child.name}.")


EXAMPLES = find_examples()


def run_example(name: str, docstring: Docstring) -> str:
    """What doctest says about an example that fails; nothing where it holds."""
    test = doctest.DocTestParser().get_doctest(docstring.text, {}, name, str(docstring.path), docstring.line)
    runner, report = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE), list[str]()
    runner.run(test, out=report.append)
    return "".join(report)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs_as_it_stands(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = name.partition(":")[0]
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        if error.name not in EXTRAS:
            raise
        pytest.skip(f"{error.name} is not installed")
    report = run_example(name, EXAMPLES[name])
    assert not report, report
    assert not list(tmp_path.iterdir()), "an example leaves nothing behind"


@pytest.mark.parametrize("name", CALLED_FIRST)
def test_what_people_call_first_has_an_example(name):
    assert name in EXAMPLES


def test_an_example_that_does_not_hold_is_reported():
    assert "Expected" in run_example("wrong", Docstring(">>> 1 + 1\n3\n", Path("nowhere.py"), 1))
