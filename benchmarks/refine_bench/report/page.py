"""The page: one file, no script, nothing loaded from elsewhere. Text of models and files is escaped by Jinja."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from typing import TypedDict

from distortlab.tasks.terms import DIFFICULTIES, FAMILIES, get_phrase
from refine_bench.datasets import name_kind
from refine_bench.prompts.items import slugify
from refine_bench.report import draw
from refine_bench.report.board import Board, make_boards
from refine_bench.report.pictures import make_thumbnails
from refine_bench.report.summary import summarize
from refine_bench.runs.records import AnswerRow
from refine_bench.runs.store import Run
from refine_bench.scoring.formatting import format_number, format_rows
from refine_bench.scoring.measures import CorrelationCell, DiagnosisTable, ScoreCell
from refine_bench.scoring.people import PeopleScore
from refine_bench.scoring.scores import LocalScore, RatedScore, RunScores, Score

__all__ = ["render_page"]

FAILED, MISSED = 8, 8
SETS = 5
"""Sets side by side in the first table; more stand below."""
TEXT = 600
Cell = tuple[str, float | None, int]
"""Text, value, and how many answers it is of."""


class Card(TypedDict):
    """An answer that is shown. `kind`: "failed" or "missed"."""

    name: str
    kind: str
    text: str
    note: str


class HeatMap(TypedDict):
    """A table whose cells are shaded by their values."""

    title: str
    heads: list[str]
    rows: list[tuple[str, list[Cell]]]


def render_page(runs: Sequence[Run], scores: Sequence[RunScores], people: Sequence[PeopleScore] = ()) -> str:
    """Render the page over runs and their scores, with studies with people beside them, as HTML text."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["num"] = format_number
    environment.globals.update(bar=_mark_safe(draw.draw_interval), shade=draw.shade_cell, rows=format_rows)
    source = (files("refine_bench.report") / "page.html").read_text(encoding="utf-8")
    anchors = {
        (found["run"], score["set"], score["protocol"]): "-".join(
            map(slugify, (found["run"], score["set"], score["protocol"], str(place)))
        )
        for place, found in enumerate(scores)
        for score in found["sets"]
    }
    return environment.from_string(source).render(
        anchors=anchors,
        boards=make_boards(scores, people),
        blocks=list(summarize(scores).blocks(SETS)),
        bar_start=_find_bar_start,
        sections=[
            _describe_section(run, score) for run, found in zip(runs, scores, strict=True) for score in found["sets"]
        ],
        runs=[_describe_run(run) for run in runs],
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _find_bar_start(board: Board) -> float:
    """Of the first column: its bars have one scale."""
    numbers = [entry.values[0] for entry in board.entries if entry.values]
    ends = [end for entry in board.entries if entry.intervals and entry.intervals[0] for end in entry.intervals[0]]
    return draw.find_bar_start([*numbers, *ends])


def _mark_safe(function: Callable[..., str]) -> Callable[..., str]:
    """Our own drawings are markup: they are made of numbers alone."""
    from markupsafe import Markup

    return lambda *given: Markup(function(*given))


def _describe_section(run: Run, score: Score) -> dict[str, object]:
    """What the page shows of one run on one set."""
    items = {item["id"]: item for item in run.read_items(score["entry"])}
    answers = {item: row for (item, sample), row in run.read_answers(score["entry"]).items() if sample == 0}
    shown = _list_failures(score, answers) + _list_misses(score, answers)
    truths = {name: item["truth"] for name, item in items.items()}
    pictures = make_thumbnails(score, truths, {entry["name"] for entry in shown})
    return {
        "run": run.name,
        "score": score,
        "plots": _draw_plots(score),
        "heat": _make_heat_maps(score),
        "failed": [{**e, "picture": pictures.get(e["name"])} for e in shown if e["kind"] == "failed"],
        "missed": [{**e, "picture": pictures.get(e["name"])} for e in shown if e["kind"] == "missed"],
    }


def _list_failures(score: Score, answers: Mapping[str, AnswerRow]) -> list[Card]:
    """Answers that were not read, with what was said."""
    if score["kind"] == "rated":
        names = [name for name, value, _, _ in score["points"] if value is None]
    elif score["kind"] == "local":
        names = [name for task in score["tasks"].values() for name, value, _ in task["rows"] if value is None]
    elif score["kind"] == "choice":
        names = [name for name, right in score["rows"] if right == 0.0]
    else:
        names = []
    return [_make_card(name, "failed", answers.get(name), "") for name in names[:FAILED]]


def _list_misses(score: Score, answers: Mapping[str, AnswerRow]) -> list[Card]:
    """Where prediction and opinion are furthest apart: after the fitted curve, if there is one."""
    if score["kind"] == "rated":
        notes = _list_rated_misses(score)
    elif score["kind"] == "local":
        notes = _list_box_misses(score)
    else:
        notes = []
    return [_make_card(name, "missed", answers.get(name), note) for name, note in notes]


def _list_box_misses(score: LocalScore) -> list[tuple[str, str]]:
    """(name, what is wrong) of the boxes with the smallest IoU."""
    rows = score["tasks"]["grounding"]["rows"] if "grounding" in score["tasks"] else []
    worst = sorted((value, name) for name, value, _ in rows if value is not None)[:MISSED]
    return [(name, f"IoU {value:.2f}") for value, name in worst]


def _list_rated_misses(score: RatedScore) -> list[tuple[str, str]]:
    """(name, what is wrong) of the predictions that are furthest from the curve."""
    curve = score["mapped"]["4"].get("curve")
    if not curve:
        return []
    import numpy as np

    x, y = (np.array(axis) for axis in curve)
    order = np.argsort(x)
    rows = [
        (abs(truth - float(np.interp(value, x[order], y[order]))), name, value, truth)
        for name, value, truth, _ in score["points"]
        if value is not None
    ]
    worst = sorted(rows, reverse=True)[:MISSED]
    return [(name, f"said {value:.3g}, opinion {truth:.2f}") for _, name, value, truth in worst]


def _make_card(name: str, kind: str, row: AnswerRow | None, note: str) -> Card:
    text = "" if row is None else str(row.get("error") or row.get("text") or "")
    return {"name": name, "kind": kind, "text": text[:TEXT], "note": note}


def _draw_plots(score: Score) -> list[tuple[str, str]]:
    """(caption, drawing)."""
    if score["kind"] != "rated":
        return []
    points = [(value, truth) for _, value, truth, _ in score["points"] if value is not None]
    if len(points) < 3 or score["undefined"]:
        return []
    fit = score["mapped"]["4"]
    few = f"; {draw.MOST:,} of {len(points):,} shown" if len(points) > draw.MOST else ""
    caption = f"Predictions and opinions, 4-parameter logistic ({fit['status']}), 1.96 SD of what is left{few}"
    plots = [(caption, _mark_safe(draw.draw_scatter)(points, fit.get("curve")))]
    if score["rmse"] is not None:
        low, high = score["scale"] or (1.0, 5.0)
        on_five = [(1 + 4 * (x - low) / (high - low), y) for x, y in points]
        plots.append(("Calibration: a perfect model lies on the diagonal", _mark_safe(draw.draw_calibration)(on_five)))
    return plots


def _make_heat_maps(score: Score) -> list[HeatMap]:
    if score["kind"] == "local":
        return _make_task_maps(score)
    if score["kind"] == "diagnosis":
        cells = {name: _make_cell(entry["recall"], entry["n"]) for name, entry in score["by_family"].items()}
        return _make_column("recall", "recall", cells)
    if score["kind"] == "severity":
        return _make_column("SRCC", "srcc", _make_cells(score["by_family"]))
    return _make_rated_maps(score) if score["kind"] == "rated" else []


def _make_rated_maps(score: RatedScore) -> list[HeatMap]:
    """By distortion, by group of distortions, by attribute: each where the set knows of them."""
    kinds = {name_kind(score["set"], name): entry for name, entry in score["by_kind"].items()}
    groups: list[HeatMap] = []
    if rows := [(name, [cell]) for name, cell in _make_cells(score.get("by_group") or {}).items()]:
        groups = [{"title": "SRCC by group of distortions", "heads": ["srcc"], "rows": rows}]
    return [*_make_column("SRCC", "srcc", _make_cells(kinds)), *groups, *_make_attribute_map(score)]


def _make_attribute_map(score: RatedScore) -> list[HeatMap]:
    rows = [
        (name, [_make_cell(entry["srcc"], entry["n"]), _make_cell(entry["opinion"], entry["n"])])
        for name, entry in (score.get("by_attribute") or {}).items()
    ]
    title = (
        "SRCC with what people thought of each attribute: of the predictions, and of people's own opinion of quality"
    )
    return [{"title": title, "heads": ["predictions", "people"], "rows": rows}] if rows else []


def _make_cells(groups: Mapping[str, CorrelationCell]) -> dict[str, Cell]:
    return {name: _make_cell(entry["srcc"], entry["n"]) for name, entry in groups.items()}


def _make_column(title: str, head: str, cells: Mapping[str, Cell]) -> list[HeatMap]:
    rows = [(name, [cell]) for name, cell in cells.items()]
    return [{"title": f"{title} by distortion", "heads": [head], "rows": rows}] if rows else []


def _make_task_maps(score: LocalScore) -> list[HeatMap]:
    tables: list[HeatMap] = []
    for task, entry in score["tasks"].items():
        if "f1" in entry:
            tables += _make_set_maps(task, entry)
            continue
        if "family x severity" not in entry["by"]:
            continue
        tables.append(_make_grid(f"{task}: mean score by family and severity", entry["by"]["family x severity"]))
        levels = entry["by"].get("difficulty", {})
        if any(name in levels for name in DIFFICULTIES):
            tables.append(_make_difficulties(task, levels))
        areas = [(name, [_make_cell(cell["score"], cell["n"])]) for name, cell in entry["by"]["area"].items()]
        tables.append({"title": f"{task}: by area of the region", "heads": ["score"], "rows": areas})
        if "type_accuracy" in entry and entry["confusion"]:
            tables.append(_make_confusion(f"{task}: true family down, answer across", entry["confusion"]))
    return tables


def _make_set_maps(task: str, entry: DiagnosisTable) -> list[HeatMap]:
    cells = {name: _make_cell(found["recall"], found["n"]) for name, found in entry["by_family"].items()}
    kinds = [(name, [_make_cell(cell["score"], cell["n"])]) for name, cell in entry["by"]["kind"].items()]
    by_kind: HeatMap = {"title": f"{task}: mean score by kind of image", "heads": ["score"], "rows": kinds}
    return [*_make_column(f"{task}: recall", "recall", cells), by_kind]


def _make_difficulties(task: str, cells: Mapping[str, ScoreCell]) -> HeatMap:
    order = [name for name in (*DIFFICULTIES, *cells) if name in cells]
    rows = [(name, [_make_cell(cells[name]["score"], cells[name]["n"])]) for name in dict.fromkeys(order)]
    return {"title": f"{task}: by difficulty of telling the family", "heads": ["score"], "rows": rows}


def _make_grid(title: str, cells: Mapping[str, ScoreCell]) -> HeatMap:
    there = [family for family in FAMILIES if any(key.split()[0] == family for key in cells)]
    rows: list[tuple[str, list[Cell]]] = []
    for family in there:
        found = [cells.get(f"{family} {severity}") for severity in range(1, 6)]
        rows.append((get_phrase(family), [_make_cell(e["score"] if e else None, e["n"] if e else 0) for e in found]))
    return {"title": title, "heads": ["1", "2", "3", "4", "5"], "rows": rows}


def _make_confusion(title: str, counts: Mapping[str, Mapping[str, int]]) -> HeatMap:
    across = [*FAMILIES, "other"]
    heads = [name for name in across if any(name in row for row in counts.values())]
    rows: list[tuple[str, list[Cell]]] = []
    for family in (name for name in FAMILIES if name in counts):
        total = sum(counts[family].values())
        cells: list[Cell] = [
            (str(n) if n else "", n / total, n) for n in (counts[family].get(name, 0) for name in heads)
        ]
        rows.append((get_phrase(family), cells))
    return {"title": title, "heads": [get_phrase(name) if name in FAMILIES else name for name in heads], "rows": rows}


def _make_cell(value: float | None, n: int) -> Cell:
    return (format_number(value, 2) if n else "", value, n)


def _describe_run(run: Run) -> dict[str, object]:
    model = run.head["model"]
    environment = run.head.get("environment") or {}
    return {
        "name": run.name,
        "model": [(key, str(value)) for key, value in model.items() if key != "image_processor"],
        "environment": [
            *((key, str(environment[key])) for key in ("command", "platform", "gpu", "python") if environment.get(key)),
            ("packages", ", ".join(f"{k} {v}" for k, v in (environment.get("packages") or {}).items())),
        ],
    }
