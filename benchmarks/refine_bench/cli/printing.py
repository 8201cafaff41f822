"""What the commands print."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from refine_bench.scoring.formatting import format_few, format_number, format_rows

__all__ = ["print_comparison", "print_json", "print_run", "print_scores", "print_table"]


def print_json(value: object) -> None:
    """For scripts. Standard JSON: what is undefined is null."""
    sys.stdout.write(json.dumps(value, indent=1, default=str, allow_nan=False) + "\n")


def format_interval(values: Sequence[float] | None, found: Mapping[str, Any] | None = None) -> str:
    """[low, high]; with what it rests on where that is too little."""
    few = format_few(found) if found else ""
    return f"[{values[0]:.3f}, {values[1]:.3f}]{f' ({few})' if few else ''}" if values else ""


def print_table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> None:
    """A table; nothing in it is markup."""
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(Text(title, style="bold"), soft_wrap=True)
    out = Table()
    for place, head in enumerate(heads):
        out.add_column(Text(head), justify="left" if place < left else "right", overflow="fold")
    for row in rows:
        out.add_row(*(Text(cell) for cell in row))
    console.print(out)


def print_scores(score: Mapping[str, Any]) -> None:
    """One model on one set of rated images."""
    found = score["intervals"]
    rows = [
        [label, format_number(score[key]), format_interval(found.get(key), score)]
        for key, label in (("plcc", "PLCC, raw"), ("srcc", "SRCC"), ("krcc", "KRCC (tau-b)"), ("mean", "mean of both"))
    ]
    rows.append(["RMSE", format_number(score["rmse"]), format_interval(found.get("rmse"), score)])
    rows.append(["RMSE after a line", format_number(score["linear_rmse"]), ""])
    for kind, fit in score["mapped"].items():
        rows.append([f"PLCC after {kind}-parameter logistic ({fit['status']})", format_number(fit["plcc"]), ""])
    if score["ceiling"]:
        rows.append(["ceiling of PLCC, from the raters' noise", format_number(score["ceiling"]["plcc"]), ""])
    fills = ("midpoint", "worst") if score["failures"] else ()
    rows += [[f"PLCC, SRCC with failures as {name}", _format_both(score["columns"][name]), ""] for name in fills]
    print_table(_format_head(score), ("metric", "value", "95 % interval"), rows)
    print_notes(score)


def print_run(found: Mapping[str, Any]) -> None:
    """All sets of a run."""
    for score in found["sets"]:
        _PRINTERS[score["kind"]](score)


def _format_head(score: Mapping[str, Any]) -> str:
    """Who, on what; how many rows of the set; how many answers were read."""
    asked = score["protocol"] or "scores as given"
    part = "" if score["coverage"]["complete"] else f"{format_rows(score['coverage'])} rows, "
    return f"{score['set']}: {score['model']}, {asked}, {part}{score['n_read']:,} of {score['n']:,} read"


def _print_choice(score: Mapping[str, Any]) -> None:
    rows = [["all", *_format_choice_cells(score)]]
    for name, groups in score["groups"].items():
        rows += [[f"{name}: {value}", *_format_choice_cells(entry)] for value, entry in groups.items()]
    print_table(_format_head(score), ("questions", "n", "accuracy", "95 % interval", "of those read", "chance"), rows)
    if score["shuffled"]:
        found = score["shuffled"]
        right, same, chance = (format_number(found[key]) for key in ("all_right", "consistent", "chance"))
        sys.stdout.write(
            f"in every order of the options: right {right}, the same answer {same}, "
            f"of {found['questions']:,} questions (chance {chance})\n"
        )
    print_notes(score)


def _format_choice_cells(entry: Mapping[str, Any]) -> list[str]:
    values = (
        format_number(entry["accuracy"]),
        format_interval(entry["interval"], entry),
        format_number(entry["accuracy_read"]),
    )
    return [str(entry["questions"]), *values, format_number(entry["chance"])]


_LOCAL = {
    "type_accuracy": "type",
    "severity_accuracy": "severity",
    "severity_kappa": "severity, quadratic kappa",
    "severity_mae": "severity, mean absolute error",
    "accuracy": "object",
    "mean_iou": "mean IoU",
    "iou_50": "IoU above 0.5",
    "iou_75": "IoU above 0.75",
}


def _print_local(score: Mapping[str, Any]) -> None:
    rows = []
    for task, entry in score["tasks"].items():
        rows += [
            [task, label, str(entry["n"]), format_number(entry[key]), format_number(entry["floor"].get(key))]
            for key, label in _LOCAL.items()
            if key in entry
        ]
        rows.append(
            [
                task,
                "score of the task",
                str(entry["n"]),
                f"{format_number(entry['score'])} {format_interval(entry['interval'], entry)}",
                "",
            ]
        )
    print_table(_format_head(score), ("task", "what", "n", "value", "floor"), rows, left=2)
    print_notes(score)


def _print_severity(score: Mapping[str, Any]) -> None:
    rows = [
        [
            "all images",
            str(score["n_read"]),
            f"{format_number(score['srcc'])} {format_interval(score['interval'], score)}".strip(),
        ]
    ]
    rows.append(["within families, mean", str(score["n_read"]), format_number(score["srcc_within"])])
    rows += [[family, str(entry["n"]), format_number(entry["srcc"])] for family, entry in score["by_family"].items()]
    print_table(f"{_format_head(score)}; SRCC with falling severity", ("images", "n", "SRCC"), rows)
    print_notes(score)


def _print_diagnosis(score: Mapping[str, Any]) -> None:
    labels = {
        "precision": "precision at IoU 0.5",
        "recall": "recall",
        "f1": "F1",
        "mean_iou": "mean IoU of matched regions",
        "type_accuracy": "type of matched regions (ClsAcc)",
        "severity_accuracy": "severity of matched regions (SevAcc)",
        "false_alarms": f"false alarms on {score['pristine']:,} pristine images",
    }
    rows = [[label, format_number(score[key])] for key, label in labels.items()]
    rows[2][1] += f" {format_interval(score['interval'], score)}"
    print_table(_format_head(score), ("what", "value"), rows)
    print_notes(score)


def _print_descriptions(score: Mapping[str, Any]) -> None:
    print_table(_format_head(score), ("what", "value"), [["not scored", str(score["undefined"])]])
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


def _format_both(column: Mapping[str, float | None]) -> str:
    return f"{format_number(column['plcc'])}, {format_number(column['srcc'])}"


def print_comparison(found: Mapping[str, Any]) -> None:
    """Every test, first minus second."""
    rows = [
        [
            f"{t['first']} - {t['second']}",
            t["set"],
            t["metric"],
            f"{t['n']:,} of {t['of']:,}" if t["of"] not in (None, t["n"]) else f"{t['n']:,}",
            f"{format_number(t['values'][0])} {format_number(t['values'][1])}",
            format_number(t["difference"]),
            format_interval(t["interval"]),
            format_number(t["p"], 4),
            format_number(t["p_holm"], 4),
            t["test"] + (f", only {t['units']} {t['unit']}" if t["few_clusters"] else ""),
        ]
        for t in found["tests"]
    ]
    heads = ("runs", "set", "metric", "n", "values", "difference", "95 % interval", "p", "p, Holm", "test")
    print_table("Paired tests", heads, rows, left=3)
    for note in dict.fromkeys(f"{t['set']}: {note}" for t in found["tests"] for note in t["notes"]):
        sys.stdout.write(f"note: {note}\n")
    for reason in found["lacking"]:
        sys.stdout.write(f"not compared: {reason}\n")


_PRINTERS = {
    "rated": print_scores,
    "choice": _print_choice,
    "local": _print_local,
    "severity": _print_severity,
    "diagnosis": _print_diagnosis,
    "describe": _print_descriptions,
}
