"""The notebooks as they stand in the repository; `make notebooks` runs them."""

import ast
import base64
import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


@pytest.fixture(autouse=True)
def on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "site"))


def read_code(path: Path) -> list[str]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert all(cell["metadata"] == {} for cell in notebook["cells"])
    assert notebook["metadata"].keys() == {"kernelspec", "language_info"}
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    assert "".join(notebook["cells"][0]["source"]).startswith("# ")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_without_the_extras_a_notebook_says_one_sentence(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *others = read_code(path)
    exec(first, {})
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"^this notebook needs [\w, ]+: pip install 'refine-iqa\[[\w,]+\]'$"):
        exec(first, {})
    asked = set(ast.literal_eval(first.partition(" in ")[2].partition(" if ")[0]))
    imported = {name.partition(".")[0] for text in others for name in find_imports(text)}
    ours = {"distortlab", "refine_bench", "refine_iqa_train"}
    base = {"PIL", "numpy"}
    assert imported - ours - base - set(__import__("sys").stdlib_module_names) - {"IPython"} <= asked


def find_imports(text: str) -> set[str]:
    code = "\n".join(line for line in text.splitlines() if not line.startswith(("!", "%")))
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
    return found


def test_a_page_shows_the_outputs_of_the_last_run(tmp_path: Path) -> None:
    from navigation import Page
    from notebook_pages import convert_notebook

    outputs = [
        {"output_type": "stream", "text": ["\x1b[31mone\x1b[0m\n", "two\n"]},
        {"output_type": "display_data", "data": {"image/png": base64.b64encode(b"pixels").decode(), "text/plain": "x"}},
        {
            "output_type": "execute_result",
            "data": {"text/html": ["<style>td {}</style>\n<table border=1>\n\n", "<tr></tr></table>"]},
        },
        {"output_type": "stream", "text": [f"{n}\n" for n in range(100)]},
    ]
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "\n", "Text."]},
        {"cell_type": "code", "source": ["1 + 1"], "outputs": outputs},
    ]
    for folder, shown in (("examples", cells[:1]), ("out/notebooks", cells)):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.ipynb").write_text(json.dumps({"cells": shown}))
    page = convert_notebook(tmp_path, Page("examples/a", "examples/a.ipynb", ""), tmp_path / "site")
    assert page.startswith(
        "# Title\n\n*A notebook, with the outputs of a run: [a.ipynb](../files/examples/a.ipynb).*\n"
    )
    assert "```python\n1 + 1\n```\n\n```text\none\ntwo\n```" in page
    assert (tmp_path / "site" / "images" / "examples" / "a-1-1.png").read_bytes() == b"pixels"
    assert "![What the cell shows](../images/examples/a-1-1.png)" in page
    assert '<div class="table-wrapper">\n<table class="docutils">\n<tr></tr></table>\n</div>' in page
    assert "\n59\n... 40 lines more\n```" in page
