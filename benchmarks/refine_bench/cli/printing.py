"""What the commands print."""

import json
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from refine_bench.datasets import name_kind
from refine_bench.scoring.compare import Comparisons
from refine_bench.scoring.formatting import format_few, format_number, format_rows
from refine_bench.scoring.measures import (
    AccuracyFacts,
    Agreement,
    ControlMeasures,
    DiagnosisTable,
    RegionMetric,
    TaskTable,
)
from refine_bench.scoring.scores import (
    ChoiceScore,
    DescriptionScore,
    DiagnosisScore,
    LocalScore,
    PredictionScore,
    RatedScore,
    RunScores,
    Score,
    SeverityScore,
)
from refine_bench.statistics.units import UnitFacts

__all__ = ["print_comparison", "print_json", "print_run", "print_scores", "print_table"]


def print_json(value: object) -> None:
    """For scripts. Standard JSON: what is undefined is null."""
    sys.stdout.write(json.dumps(value, indent=1, default=str, allow_nan=False) + "\n")


def format_interval(values: Sequence[float] | None, found: UnitFacts | None = None) -> str:
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


def print_scores(score: RatedScore | PredictionScore) -> None:
    """One model on one set of rated images."""
    found = score["intervals"]
    numbers = (
        ("plcc", "PLCC, raw", score["plcc"]),
        ("srcc", "SRCC", score["srcc"]),
        ("krcc", "KRCC (tau-b)", score["krcc"]),
        ("mean", "mean of both", score["mean"]),
        ("rmse", "RMSE", score["rmse"]),
    )
    rows = [[label, format_number(value), format_interval(found.get(key), score)] for key, label, value in numbers]
    rows.append(["RMSE after a line", format_number(score["linear_rmse"]), ""])
    for kind, fit in score["mapped"].items():
        rows.append([f"PLCC after {kind}-parameter logistic ({fit['status']})", format_number(fit["plcc"]), ""])
    if score["ceiling"]:
        rows.append(["ceiling of PLCC, from the raters' noise", format_number(score["ceiling"]["plcc"]), ""])
    fills = ("midpoint", "worst") if score["failures"] else ()
    rows += [[f"PLCC, SRCC with failures as {name}", _format_both(score["columns"][name]), ""] for name in fills]
    print_table(_format_head(score), ("metric", "value", "95 % interval"), rows)
    _print_breakdowns(score)
    print_notes(score)


def _print_breakdowns(score: RatedScore | PredictionScore) -> None:
    """By distortion and by attribute, where the set knows of them."""
    kinds = [(name_kind(score["set"], name), entry) for name, entry in score["by_kind"].items()]
    rows = [[name, f"{entry['n']:,}", format_number(entry["srcc"])] for name, entry in kinds]
    groups = [[name, f"{entry['n']:,}", format_number(entry["srcc"])] for name, entry in score["by_group"].items()]
    if rows:
        print_table("By distortion", ("images", "n", "SRCC"), [*rows, *groups])
    cells = score["by_attribute"].items()
    rows = [[name, f"{c['n']:,}", format_number(c["srcc"]), format_number(c["opinion"])] for name, c in cells]
    if rows:
        heads = ("attribute", "n", "SRCC of the predictions", "SRCC of people's quality")
        print_table("By attribute", heads, rows)


def print_run(found: RunScores) -> None:
    """All sets of a run."""
    for score in found["sets"]:
        _print_score(score)


def _print_score(score: Score) -> None:
    if score["kind"] == "rated":
        print_scores(score)
    elif score["kind"] == "choice":
        _print_choice(score)
    elif score["kind"] == "local":
        _print_local(score)
    elif score["kind"] == "severity":
        _print_severity(score)
    elif score["kind"] == "diagnosis":
        _print_diagnosis(score)
    else:
        _print_descriptions(score)


def _format_head(score: Score | PredictionScore) -> str:
    """Who, on what; how many rows of the set; how many answers were read."""
    asked = score["protocol"] or "scores as given"
    part = "" if score["coverage"]["complete"] else f"{format_rows(score['coverage'])} rows, "
    return f"{score['set']}: {score['model']}, {asked}, {part}{score['n_read']:,} of {score['n']:,} read"


def _print_choice(score: ChoiceScore) -> None:
    rows = [["all", *_format_choice_cells(score)]]
    for name, groups in score["groups"].items():
        rows += [[f"{name}: {value}", *_format_choice_cells(entry)] for value, entry in groups.items()]
    print_table(_format_head(score), ("questions", "n", "accuracy", "95 % interval", "of those read", "chance"), rows)
    if score["shuffled"]:
        found = score["shuffled"]
        sys.stdout.write(
            f"in every order of the options: right {format_number(found['all_right'])}, "
            f"the same answer {format_number(found['consistent'])}, "
            f"of {found['questions']:,} questions (chance {format_number(found['chance'])})\n"
        )
    print_notes(score)


def _format_choice_cells(entry: AccuracyFacts) -> list[str]:
    values = (
        format_number(entry["accuracy"]),
        format_interval(entry["interval"], entry),
        format_number(entry["accuracy_read"]),
    )
    return [str(entry["questions"]), *values, format_number(entry["chance"])]


REGION_METRICS: tuple[tuple[RegionMetric, str], ...] = (
    ("precision", "precision at IoU 0.5"),
    ("recall", "recall"),
    ("f1", "F1"),
    ("mean_iou", "mean IoU of matched regions"),
    ("type_accuracy", "type of matched regions (ClsAcc)"),
    ("severity_accuracy", "severity of matched regions (SevAcc)"),
    ("false_alarms", "false alarms on pristine images"),
)
"""What is measured of sets of regions, in the order in which it is shown."""


def _list_parts(entry: TaskTable) -> list[tuple[str, float | None, float | None]]:
    """(label, value, floor) of what a task measures beside its score, but of sets of regions."""
    floor = entry["floor"]
    if "f1" in entry:
        return []
    if "type_accuracy" in entry:
        return [
            ("type", entry["type_accuracy"], floor.get("type_accuracy")),
            ("severity", entry["severity_accuracy"], floor.get("severity_accuracy")),
            ("severity, quadratic kappa", entry["severity_kappa"], floor.get("severity_kappa")),
            ("severity, mean absolute error", entry["severity_mae"], floor.get("severity_mae")),
        ]
    if "first" in entry:
        return [
            ("right", entry["accuracy"], floor.get("accuracy")),
            ("answers that name the first one", entry["first"], None),
        ]
    if "accuracy" in entry:
        return [("object", entry["accuracy"], floor.get("accuracy"))]
    return [
        ("mean IoU", entry["mean_iou"], floor.get("mean_iou")),
        ("IoU above 0.5", entry["iou_50"], floor.get("iou_50")),
        ("IoU above 0.75", entry["iou_75"], floor.get("iou_75")),
    ]


def _print_local(score: LocalScore) -> None:
    rows = []
    for task, entry in score["tasks"].items():
        rows += [
            [task, label, str(entry["n"]), format_number(value), format_number(floor)]
            for label, value, floor in _list_parts(entry)
        ]
        if "f1" in entry:
            rows += [
                [task, label, str(entry["n"]), _format_region_metric(entry, name), format_number(entry["floor"][name])]
                for name, label in REGION_METRICS
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
    print_controls(score.get("controls"))
    print_notes(score)


def _format_region_metric(score: DiagnosisScore | DiagnosisTable, name: RegionMetric) -> str:
    return f"{format_number(score[name])} {format_interval(score['intervals'][name], score)}".strip()


def _print_severity(score: SeverityScore) -> None:
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


def _print_diagnosis(score: DiagnosisScore) -> None:
    rows = [
        [
            label,
            _format_region_metric(score, name),
            *(format_number(floor[name]) for floor in score["floors"].values()),
        ]
        for name, label in REGION_METRICS
    ]
    heads = ("what", "value", *(f"floor: {name}" for name in score["floors"]))
    print_table(f"{_format_head(score)}, {score['pristine']:,} pristine images", heads, rows)
    print_controls(score.get("controls"))
    print_notes(score)


def print_controls(found: ControlMeasures | None) -> None:
    """False alarms on controls, and what a seam changes; nothing without controls."""
    if found is None:
        return
    rows = [
        [f"false alarms: {name}", str(cell["n_read"]), format_number(cell["false_alarms"]), interval]
        for name, cell in found["alarms"].items()
        for interval in (format_interval(cell["interval"], cell),)
    ]
    for name, pairs in (("", found["seam"]), *((f": {task}", cell) for task, cell in found["seam_by_task"].items())):
        if pairs is not None and (not name or len(found["seam_by_task"]) > 1):
            changed, more = format_number(pairs["changed"]), format_number(pairs["alarms_more"])
            interval = format_interval(pairs["changed_interval"], pairs)
            rows.append([f"answers that a seam changes{name}", str(pairs["n_read"]), changed, interval])
            interval = format_interval(pairs["alarms_more_interval"], pairs)
            rows.append([f"false alarms, seam minus untouched{name}", str(pairs["n_read"]), more, interval])
    print_table("Shortcut controls: nothing is distorted in any of them", ("what", "n", "value", "95 %"), rows)


def _print_descriptions(score: DescriptionScore) -> None:
    print_table(_format_head(score), ("what", "value"), [["not scored", str(score["undefined"])]])
    print_notes(score)


def print_notes(score: Score | PredictionScore) -> None:
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


def _format_both(column: Agreement) -> str:
    return f"{format_number(column['plcc'])}, {format_number(column['srcc'])}"


def print_comparison(found: Comparisons) -> None:
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
