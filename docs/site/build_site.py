"""Build the documentation site in out/site/html: its pages, a Markdown copy of each, llms.txt; then check all links.

    make site       (PYTHONPATH=tools python docs/site/build_site.py)

Fails on any warning of Sphinx, any link between pages that leads nowhere, and any picture without a text.
"""

import shutil
import sys
from pathlib import Path

from assemble import Assembled, assemble
from check_html import find_problems
from page_copies import write_copies, write_llms_txt
from sphinx.cmd.build import build_main

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
OUT = ROOT / "out" / "site"


def main() -> int:
    """Return the exit code."""
    source, html = OUT / "source", OUT / "html"
    assembled = assemble(ROOT, source)
    shutil.rmtree(html, ignore_errors=True)
    if code := run_sphinx(source, html):
        return code
    finish(assembled, source, html)
    problems = find_problems(html)
    count = sum(1 for _ in html.rglob("*.html"))
    lines = [*problems, f"{count} pages in {html.relative_to(ROOT)}, {len(problems)} problems"]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if problems else 0


def run_sphinx(source: Path, html: Path) -> int:
    """Return the exit code of Sphinx; any warning is an error, and all of them are printed."""
    places = ["-c", FOLDER, "-d", OUT / "doctrees", source, html]
    return int(build_main(["-b", "html", "-q", "-E", "-W", "--keep-going", *map(str, places)]))


def finish(assembled: Assembled, source: Path, html: Path) -> None:
    """Lay what is no page of Sphinx beside the pages: Markdown, files to download, llms.txt."""
    write_copies(assembled, source, html)
    if (source / "files").exists():
        shutil.copytree(source / "files", html / "files")
    (html / "llms.txt").write_text(write_llms_txt(assembled, source), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
