"""Boards as text: Markdown, CSV, LaTeX. What a model is called is text in each of them, never markup."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence

from refine_bench.report.board import Board, Entry

__all__ = ["WRITERS", "as_csv", "as_latex", "as_markdown"]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def as_markdown(boards: Sequence[Board]) -> str:
    """A table for each set."""
    parts = ["# refine-bench\n"]
    for board in boards:
        head = ["rank", "model", "protocol", "n", "not read", *board.columns]
        rows = [_cells(entry) for entry in board.entries]
        lines = [_line(head), _line(["---"] * len(head)), *(_line(list(map(_markdown, row))) for row in rows)]
        parts.append(f"## {_markdown(board.title)} (`{board.set.replace('`', '')}`)\n\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _markdown(text: str) -> str:
    flat = " ".join(text.split())
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~])", r"\\\1", flat)


def _cells(entry: Entry) -> list[str]:
    rank = "–" if entry.rank is None else str(entry.rank)
    model = entry.model if entry.rank is not None else f"{entry.model} (no rank: {entry.why})"
    values = [_with_interval(v, i) for v, i in zip(entry.values, entry.intervals, strict=True)]
    return [rank, model, entry.protocol, entry.rows, f"{entry.failure_rate:.1%}", *values]


def _with_interval(value: float | None, interval: Sequence[float] | None) -> str:
    tail = f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval and value is not None else ""
    return _number(value) + tail


def as_csv(boards: Sequence[Board]) -> str:
    """A line for every number: set, run, model, protocol, rows of how many, rank, metric, value, its interval."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    head = ("set", "run", "model", "protocol", "n", "of", "complete", "failure_rate", "rank")
    writer.writerow([*head, "metric", "value", "low", "high"])
    for board in boards:
        for entry in board.entries:
            about = [board.set, entry.run, entry.model, entry.protocol, entry.n, entry.of, entry.complete]
            about += [entry.failure_rate, entry.rank]
            for label, value, interval in zip(board.columns, entry.values, entry.intervals, strict=True):
                low, high = interval or (None, None)
                writer.writerow([*map(_safe, about), label, value, low, high])
    return out.getvalue()


def _safe(cell: object) -> object:
    """A spreadsheet takes a cell that begins with = + - @ for a formula; an apostrophe keeps it text."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


_TEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
}


def _tex(text: str) -> str:
    return "".join(_TEX.get(character, character) for character in " ".join(text.split())).replace("–", "--")


def as_latex(boards: Sequence[Board]) -> str:
    """A `booktabs` table for each set; the best value of a column is bold where two or more whole runs have one."""
    return "\n\n".join(map(_latex, boards)) + "\n"


def _latex(board: Board) -> str:
    rows = []
    for entry in board.entries:
        cells = [
            rf"\textbf{{{_number(v)}}}" if board.is_best(entry, k) else _tex(_number(v))
            for k, v in enumerate(entry.values)
        ]
        model = entry.model if entry.complete else f"{entry.model} ({entry.rows})"
        rows.append(" & ".join([_tex(model), *cells]) + r" \\")
    head = " & ".join(["model", *map(_tex, board.columns)])
    return (
        "\\begin{table}\n\\centering\n"
        f"\\caption{{{_tex(board.title)} (\\texttt{{{_tex(board.set)}}})}}\n"
        f"\\begin{{tabular}}{{l{'r' * len(board.columns)}}}\n\\toprule\n{head} \\\\\n\\midrule\n"
        + "\n".join(rows)
        + "\n\\bottomrule\n\\end{tabular}\n\\end{table}"
    )


WRITERS: Mapping[str, Callable[[Sequence[Board]], str]] = {".md": as_markdown, ".csv": as_csv, ".tex": as_latex}
