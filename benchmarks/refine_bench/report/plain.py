"""Tables as text: Markdown, CSV, LaTeX. What a model is called is text in each of them, never markup."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence

from refine_bench.report import latex
from refine_bench.report.board import Board, Entry
from refine_bench.report.measure_rows import MeasureRow, list_measures
from refine_bench.report.summary import PLACES, Cell, Summary
from refine_bench.scoring.formatting import format_number

__all__ = ["WRITERS", "format_csv", "format_latex", "format_markdown"]


def _format_with_interval(value: float | None, interval: Sequence[float] | None) -> str:
    tail = (
        f" [{format_number(interval[0], PLACES)}, {format_number(interval[1], PLACES)}]"
        if interval and value is not None
        else ""
    )
    return format_number(value, PLACES) + tail


# --- Markdown -------------------------------------------------------------------------------------------------------


def format_markdown(summary: Summary, boards: Sequence[Board], *, per_set: bool, intervals: bool) -> str:
    """Return one Markdown table over all sets; with `per_set`, a table of all numbers for each set instead."""
    parts = (
        [_format_markdown_board(board) for board in boards]
        if per_set
        else [_format_markdown_summary(summary, intervals)]
    )
    return "\n".join(["# refine-bench\n", *parts])


def _format_markdown_board(board: Board) -> str:
    head = ["rank", "model", "protocol", "n", "not read", *board.columns]
    rows = [_format_cells(entry) for entry in board.entries]
    lines = [
        _format_line(head),
        _format_line(["---"] * len(head)),
        *(_format_line(list(map(_escape_markdown, row))) for row in rows),
    ]
    return f"## {_escape_markdown(board.title)} (`{board.set.replace('`', '')}`)\n\n" + "\n".join(lines) + "\n"


def _format_markdown_summary(summary: Summary, intervals: bool) -> str:
    head = ["model", *(f"{found.title} {metric}" for found in summary.sets for metric in found.metrics)]
    lines = [_format_line(list(map(_escape_markdown, head))), _format_line(["---", *["---:"] * (len(head) - 1)])]
    for row in summary.rows:
        cells = [_format_markdown_cell(cell, intervals) for cell in summary.flatten(row)]
        lines.append(_format_line([_escape_markdown(row.model), *cells]))
    return "\n".join(lines) + "\n"


def _format_markdown_cell(cell: Cell | None, intervals: bool) -> str:
    if cell is None:
        return "–"
    text = format_number(cell.value, PLACES)
    text = {"best": f"**{text}**", "second": f"<ins>{text}</ins>", "": text}[cell.mark]
    if intervals and cell.interval:
        few = f", {cell.few}" if cell.few else ""
        text += f" \\[{format_number(cell.interval[0], PLACES)}, {format_number(cell.interval[1], PLACES)}{few}\\]"
    return text + (f" ({cell.rows})" if cell.rows else "")


def _format_line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _escape_markdown(text: str) -> str:
    flat = " ".join(text.split())
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~])", r"\\\1", flat)


def _format_cells(entry: Entry) -> list[str]:
    rank = "–" if entry.rank is None else str(entry.rank)
    model = entry.model if entry.rank is not None else f"{entry.model} (no rank: {entry.why})"
    values = [_format_with_interval(v, i) for v, i in zip(entry.values, entry.intervals, strict=True)]
    return [rank, model, entry.protocol, entry.rows, f"{entry.failure_rate:.1%}", *values]


# --- CSV ------------------------------------------------------------------------------------------------------------


def format_csv(summary: Summary, boards: Sequence[Board], *, per_set: bool, intervals: bool) -> str:
    """Return a line of CSV for every model; with `per_set`, a line for every number."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows(_make_board_rows(boards) if per_set else _make_summary_rows(summary, intervals))
    return out.getvalue()


def _make_summary_rows(summary: Summary, intervals: bool) -> list[list[object]]:
    parts = ("", " low", " high") if intervals else ("",)
    names = [f"{found.title} {metric}" for found in summary.sets for metric in found.metrics]
    heads = [f"{name}{part}" for name in names for part in parts]
    table: list[list[object]] = [["model", "protocols", *map(_escape_formula, heads), "incomplete"]]
    for row in summary.rows:
        flat = summary.flatten(row)
        numbers = [value for cell in flat for value in _list_numbers(cell, intervals)]
        lacking = [f"{found.title}: {own[0].rows}" for found, own in summary.pairs(row) if own]
        part = "; ".join(text for text in lacking if not text.endswith(": "))
        table.append([_escape_formula(row.model), _escape_formula(row.protocols), *numbers, _escape_formula(part)])
    return table


def _list_numbers(cell: Cell | None, intervals: bool) -> list[float | None]:
    value = None if cell is None else cell.value
    low, high = (cell.interval if cell is not None and cell.interval else None) or (None, None)
    return [value, low, high] if intervals else [value]


def _make_board_rows(boards: Sequence[Board]) -> list[list[object]]:
    """The columns of `MeasureRow`, a line for each."""
    rows = [list(map(_escape_formula, row.values())) for row in list_measures(boards)]
    return [list(MeasureRow.__annotations__), *rows]


def _escape_formula(cell: object) -> object:
    """A spreadsheet takes a cell that begins with = + - @ for a formula; an apostrophe keeps it text."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


# --- LaTeX ----------------------------------------------------------------------------------------------------------


def format_latex(summary: Summary, boards: Sequence[Board], *, per_set: bool, intervals: bool) -> str:
    """Return one `booktabs` table over all sets; with `per_set`, one for each set."""
    if per_set:
        return "\n\n".join(map(latex.format_board, boards)) + "\n"
    return latex.format_summary(summary, intervals=intervals)


WRITERS: Mapping[str, Callable[..., str]] = {"markdown": format_markdown, "csv": format_csv, "latex": format_latex}
