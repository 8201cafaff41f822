"""Tables for a paper, in LaTeX with `booktabs`. What a model is called is text, never a command."""

from refine_bench.report.board import Board
from refine_bench.report.summary import PLACES, Cell, Summary, SummaryRow
from refine_bench.statistics.units import FEW

__all__ = ["escape_latex", "format_board", "format_summary"]

SETS, SETS_WITH_INTERVALS = 5, 3
"""Sets side by side in the width of a page; more stand below in the same table."""
NARROW, NARROW_WITH_INTERVALS = 4, 2
"""Numbers that fit into one column of a page with two."""
_TEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\char34{}",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
    "–": "--",
}
_MARKS = {"best": r"\textbf{%s}", "second": r"\underline{%s}", "": "%s"}


def escape_latex(text: str) -> str:
    """Text as LaTeX sets it, on one line."""
    return "".join(_TEX.get(character, character) for character in " ".join(text.split()))


def _format_number(value: float | None) -> str:
    return "--" if value is None else f"{value:.{PLACES}f}".replace("-", "$-$")


def format_summary(summary: Summary, *, intervals: bool = False) -> str:
    """One table: models in rows, sets in columns; the best value is bold, the second underlined.

    Parameters
    ----------
    summary
        The table.
    intervals
        Whether 95 % intervals stand below the numbers.
    """
    parts = list(summary.blocks(SETS_WITH_INTERVALS if intervals else SETS))
    blocks = [_format_block(block, intervals) for block in parts]
    widest = max((sum(len(found.metrics) for found in block.sets) for block in parts), default=0)
    wide = widest > (NARROW_WITH_INTERVALS if intervals else NARROW)
    kind = "table*" if wide else "table"
    caption = _format_caption(summary, intervals)
    head = [
        "% needs \\usepackage{booktabs}",
        f"\\begin{{{kind}}}",
        "\\centering",
        r"\footnotesize\setlength{\tabcolsep}{4pt}",
        f"\\caption{{{caption}}}",
    ]
    return "\n".join([*head, "\n\n\\medskip\n".join(blocks), f"\\end{{{kind}}}"]) + "\n"


def _format_caption(summary: Summary, intervals: bool) -> str:
    text = "Best in bold, second underlined, among models asked about all rows of a set."
    if intervals:
        few = any(cell.few for row in summary.rows for cell in summary.flatten(row) if cell and cell.interval)
        text += r" 95\,\% intervals in brackets" + (f", in italics from fewer than {FEW} references." if few else ".")
    cells = [(found.title, own[0].rows) for row in summary.rows for found, own in summary.pairs(row) if own]
    parts = "; ".join(dict.fromkeys(escape_latex(f"{title}, {rows} rows") for title, rows in cells if rows))
    return text + (rf" $^{{\dagger}}$Part of a set: {parts}." if parts else "")


def _format_block(summary: Summary, intervals: bool) -> str:
    titles, rules, metrics = [""], [], ["Model"]
    first = 2
    for found in summary.sets:
        width = len(found.metrics)
        titles.append(rf"\multicolumn{{{width}}}{{c}}{{{escape_latex(found.title)}}}")
        rules.append(rf"\cmidrule(lr){{{first}-{first + width - 1}}}")
        metrics += [escape_latex(_shorten_metric(name)) for name in found.metrics]
        first += width
    rows = [line for row in summary.rows for line in _format_row(row, summary, intervals)]
    return "\n".join(
        [
            rf"\begin{{tabular}}{{l{'c' * (first - 2)}}}",
            r"\toprule",
            " & ".join(titles) + r" \\",
            " ".join(rules),
            " & ".join(metrics) + r" \\",
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
        ]
    )


def _shorten_metric(metric: str) -> str:
    return {"accuracy": "Acc.", "SRCC within families": "SRCC", "mean of tasks": "mean"}.get(metric, metric)


def _format_row(row: SummaryRow, summary: Summary, intervals: bool) -> list[str]:
    """A row, and below it that of its intervals."""
    cells = summary.flatten(row)
    lines = [" & ".join([escape_latex(row.model), *map(_format_value, cells)]) + r" \\"]
    if intervals and any(cell is not None and cell.interval for cell in cells):
        lines.append(" & ".join(["", *map(_format_interval, cells)]) + r" \\[2pt]")
    return lines


def _format_value(cell: Cell | None) -> str:
    if cell is None or cell.value is None:
        return "--"
    return _MARKS[cell.mark] % _format_number(cell.value) + ("$^{\\dagger}$" if cell.rows else "")


def _format_interval(cell: Cell | None) -> str:
    if cell is None or not cell.interval or cell.value is None:
        return ""
    style = r"\scriptsize\itshape" if cell.few else r"\scriptsize"
    return rf"{{{style} [{_format_number(cell.interval[0])}, {_format_number(cell.interval[1])}]}}"


def format_board(board: Board) -> str:
    """All numbers on one set; the best value of a column is bold where two or more whole runs have one."""
    rows = []
    for entry in board.entries:
        cells = [
            _MARKS["best" if board.is_best(entry, k) else ""] % _format_number(v) for k, v in enumerate(entry.values)
        ]
        model = entry.model if entry.complete else f"{entry.model} ({entry.rows})"
        rows.append(" & ".join([escape_latex(model), *cells]) + r" \\")
    head = " & ".join(["model", *map(escape_latex, board.columns)])
    return (
        "\\begin{table}\n\\centering\n"
        f"\\caption{{{escape_latex(board.title)} (\\texttt{{{escape_latex(board.set)}}})}}\n"
        f"\\begin{{tabular}}{{l{'r' * len(board.columns)}}}\n\\toprule\n{head} \\\\\n\\midrule\n"
        + "\n".join(rows)
        + "\n\\bottomrule\n\\end{tabular}\n\\end{table}"
    )
