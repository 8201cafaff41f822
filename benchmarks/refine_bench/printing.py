"""What the commands print."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["number", "print_json", "print_scores", "table"]


def print_json(value: Any) -> None:
    """For scripts. Standard JSON: what is undefined is null."""
    sys.stdout.write(json.dumps(value, indent=1, default=str, allow_nan=False) + "\n")


def number(value: float | None, places: int = 3) -> str:
    """Three decimals, or a dash for what is undefined."""
    return "–" if value is None else f"{value:.{places}f}"


def interval(values: Sequence[float] | None) -> str:
    """[low, high]."""
    return f"[{values[0]:.3f}, {values[1]:.3f}]" if values else ""


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> None:
    """A table; nothing in it is markup."""
    console = Console(width=None if sys.stdout.isatty() else 160)
    out = Table(title=Text(title), title_justify="left")
    for place, head in enumerate(heads):
        out.add_column(Text(head), justify="left" if place < left else "right", overflow="fold")
    for row in rows:
        out.add_row(*(Text(cell) for cell in row))
    console.print(out)


def print_scores(score: Mapping[str, Any]) -> None:
    """One model on one set of rated images."""
    found = score["intervals"]
    rows = [
        [label, number(score[key]), interval(found.get(key))]
        for key, label in (("plcc", "PLCC, raw"), ("srcc", "SRCC"), ("krcc", "KRCC (tau-b)"), ("mean", "mean of both"))
    ]
    rows.append(["RMSE", number(score["rmse"]), interval(found.get("rmse"))])
    rows.append(["RMSE after a line", number(score["linear_rmse"]), ""])
    for kind, fit in score["mapped"].items():
        rows.append([f"PLCC after {kind}-parameter logistic ({fit['status']})", number(fit["plcc"]), ""])
    if score["ceiling"]:
        rows.append(["ceiling of PLCC, from the raters' noise", number(score["ceiling"]["plcc"]), ""])
    fills = ("midpoint", "worst") if score["failures"] else ()
    rows += [[f"PLCC, SRCC with failures as {name}", _both(score["columns"][name]), ""] for name in fills]
    title = f"{score['set']}: {score['model']}, {score['protocol'] or 'scores as given'}, {score['n_read']:,} of "
    table(f"{title}{score['n']:,} images", ("metric", "value", "95 % interval"), rows)
    print_notes(score)


def print_notes(score: Mapping[str, Any]) -> None:
    """Truth, failures, warnings, problems."""
    lines = [f"truth: {score['truth']}"] if score.get("truth") else []
    if score["failures"]:
        lines.append("not read: " + ", ".join(f"{why} {count:,}" for why, count in score["failures"].items()))
    lines += [f"warning: {text}" for text in score.get("warnings", ())]
    problems = score.get("problems") or []
    lines += [f"left out: {text}" for text in problems[:5]]
    lines += [f"... and {len(problems) - 5:,} more" for _ in problems[5:6]]
    for line in lines:
        sys.stdout.write(line + "\n")


def _both(column: Mapping[str, float | None]) -> str:
    return f"{number(column['plcc'])}, {number(column['srcc'])}"
