"""Pages of the notebooks: text, code, and the outputs of their last run (`make notebooks`), if there was one."""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from navigation import Page, Section

__all__ = ["ABOUT", "convert_notebook", "find_notebooks"]

ABOUT = {
    "distort": "a photograph, a distortion, severity and V",
    "dataset": "a data set is made, looked at and checked",
    "train": "a tiny model is trained, and its curves",
    "measure": "a model is scored, and its report read",
}
RUN = "out/notebooks"
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_LONGEST = 60
"""Lines of an output that are shown."""


def find_notebooks(root: Path) -> Section:
    """Return the section of the notebooks, in the order in which one reads them."""
    names = [path.stem for path in sorted((root / "examples").glob("*.ipynb"))]
    order = sorted(names, key=lambda name: (list(ABOUT).index(name) if name in ABOUT else len(ABOUT), name))
    pages = tuple(Page(f"examples/{name}", f"examples/{name}.ipynb", ABOUT.get(name, "")) for name in order)
    return Section("Notebooks", pages)


def convert_notebook(root: Path, page: Page, out: Path) -> str:
    """Return a notebook as Markdown; its pictures are written below `out`."""
    name = Path(page.source).name
    run = root / RUN / name
    cells = json.loads((run if run.exists() else root / page.source).read_text(encoding="utf-8"))["cells"]
    note = "with the outputs of a run" if run.exists() else "without outputs"
    parts = []
    for number, cell in enumerate(cells):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        plain = not any(line.startswith(("!", "%")) for line in source.splitlines())  # a shell's commands are no Python
        parts.append(f"```{'python' if plain else ''}\n{source}\n```")
        parts += _convert_outputs(cell.get("outputs", []), f"{page.name.rpartition('/')[2]}-{number}", out)
    heading, _, rest = parts[0].partition("\n")
    parts[0] = f"{heading}\n\n*A notebook, {note}: [{name}](../files/{page.source}).*\n{rest}"
    return "\n\n".join(parts) + "\n"


def _convert_outputs(outputs: list[dict[str, Any]], name: str, out: Path) -> Iterator[str]:
    """Pictures and tables each by itself, texts that follow one another as one."""
    texts: list[str] = []
    for number, output in enumerate(outputs):
        data = output.get("data", {})
        if not {"image/png", "text/html"} & data.keys():
            texts.append("".join(output.get("text", data.get("text/plain", []))).rstrip("\n"))
            continue
        yield from _fence(texts)
        texts.clear()
        if "image/png" in data:
            picture = out / "images" / "examples" / f"{name}-{number}.png"
            picture.parent.mkdir(parents=True, exist_ok=True)
            picture.write_bytes(base64.b64decode("".join(data["image/png"])))
            yield f"![What the cell shows](../images/examples/{picture.name})"
        else:
            yield _clean_html("".join(data["text/html"]))
    yield from _fence(texts)


def _fence(texts: list[str]) -> Iterator[str]:
    lines = _ESCAPES.sub("", "\n".join(texts)).strip("\n").splitlines()
    more = [f"... {len(lines) - _LONGEST} lines more"] if len(lines) > _LONGEST else []
    if lines:
        yield "\n".join(["```text", *lines[:_LONGEST], *more, "```"])


def _clean_html(html: str) -> str:
    """A table as one block of HTML: without styles and empty lines, at which Markdown would end it."""
    html = re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL)
    html = re.sub(r"<table[^>]*>", '<table class="docutils">', html)
    lines = [line.strip() for line in html.splitlines() if line.strip()]
    return "\n".join(['<div class="table-wrapper">', *lines, "</div>"])
