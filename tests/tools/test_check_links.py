"""What counts as a link, which anchors headings get, and which links are broken."""

import subprocess
from pathlib import Path

import pytest
from check_links import find_anchors, find_links, find_problem, main

PAGE = """# A page

[one](a.md) and ![two](pictures/b.png "with a title"), [three](<c.md>)
<img src="d.png" width="3"> <a href="e.md">four</a>

`[code](no.md)` and ``[more `code`](no.md)``, in an array: x[0](no matter)

```python
[not a link](no.md)
~~~
```

~~~~
[nor this](no.md)
```
~~~
[nor that](no.md)
~~~~
[five]: f.md
"""


def test_links_are_found_and_code_is_not_read() -> None:
    assert [(link.line, link.target) for link in find_links(PAGE)] == [
        (3, "a.md"),
        (3, "pictures/b.png"),
        (3, "c.md"),
        (4, "d.png"),
        (4, "e.md"),
        (19, "f.md"),
    ]


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("# Try it", "try-it"),
        ("### `distortlab verify`: what it checks ###", "distortlab-verify-what-it-checks"),
        ("## SRCC, PLCC & RMSE (1-5)", "srcc-plcc--rmse-1-5"),
        ("## See [the log](log.md)", "see-the-log"),
        ("## snake_case and Größe", "snake_case-and-größe"),
    ],
)
def test_anchors_are_as_on_github(heading: str, anchor: str) -> None:
    assert find_anchors(heading) == {anchor}


def test_headings_that_repeat_are_numbered_and_comments_in_code_are_no_headings() -> None:
    assert find_anchors("# Data\n## Data\n```\n# Other\n```\n# Data\n") == {"data", "data-1", "data-2"}
    assert "here" in find_anchors('<a id="here"></a>\n')


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    (root / "docs").mkdir(parents=True)
    (root / "README.md").write_text("# Start\n## Use it\n", encoding="utf-8")
    (root / "docs/page.md").write_text("# Page\n", encoding="utf-8")
    (tmp_path / "outside.md").write_text("# Outside\n", encoding="utf-8")
    return root


@pytest.mark.parametrize(
    "target",
    ["../README.md", "../README.md#use-it", "page.md", "#page", "../docs/", "https://example.org/x#y", "mailto:a@b.c"],
)
def test_links_that_lead_somewhere(pages: Path, target: str) -> None:
    assert find_problem(pages, pages / "docs/page.md", target) is None


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("../readme.rst", "not there"),
        ("README.md", "not there"),
        ("../README.md#use", "no heading #use"),
        ("#start", "no heading #start"),
        ("/README.md", "slash"),
        ("../../outside.md", "out of the repository"),
    ],
)
def test_links_that_lead_nowhere(pages: Path, target: str, words: str) -> None:
    problem = find_problem(pages, pages / "docs/page.md", target)
    assert problem is not None
    assert words in problem


def test_exit_code_and_place(pages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    subprocess.run(["git", "init", "-q"], cwd=pages, check=True)
    (pages / "docs/page.md").write_text("# Page\n\n[start](../README.md)\n", encoding="utf-8")
    assert main([str(pages)]) == 0
    assert capsys.readouterr().out == "1 links in 2 Markdown files, 0 broken\n"
    (pages / "docs/page.md").write_text("# Page\n\n[start](../START.md)\n", encoding="utf-8")
    assert main([str(pages)]) == 1
    place = Path("docs/page.md")
    assert capsys.readouterr().out.splitlines()[0] == f"{place}:3: ../START.md is not there"
