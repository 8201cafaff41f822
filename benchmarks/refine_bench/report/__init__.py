"""Reports over runs: a page, or tables as Markdown, CSV and LaTeX."""

from collections.abc import Sequence
from pathlib import Path

from distortlab.errors import UserError, unknown
from distortlab.files import write_text
from refine_bench.report.board import boards
from refine_bench.score_run import score_run

__all__ = ["write_report"]

FORMATS = (".html", ".md", ".csv", ".tex")


def write_report(folders: Sequence[Path], out: Path) -> None:
    """Score the runs from their saved answers and write a report; its kind follows from the ending of `out`."""
    if out.suffix.lower() not in FORMATS:
        raise UserError(unknown("kind of report", out.suffix, FORMATS, str(out)))
    if not folders:
        raise UserError("name a run")
    scores = [score_run(folder) for folder in folders]
    if out.suffix.lower() == ".html":
        from refine_bench.report.page import page

        write_text(out, page(list(folders), scores))
        return
    from refine_bench.report.plain import WRITERS

    write_text(out, WRITERS[out.suffix.lower()](boards(scores)))
