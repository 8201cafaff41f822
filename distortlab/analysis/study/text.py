"""The scores of a study as text for a terminal."""

import sys
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from distortlab.analysis.study.marking import PersonFacts
from distortlab.analysis.study.psychometric import Threshold
from distortlab.analysis.study.resampling import Share
from distortlab.analysis.study.scores import StudyScores, TaskScore
from distortlab.tasks.terms import FAMILIES, get_phrase

__all__ = ["print_study"]

_HEADS = {
    "detection": "Is there a distortion?",
    "recognition": "Which of twelve?",
    "comparison": "Which of two is worse?",
    "grounding": "Where is it?",
}


def print_study(found: StudyScores) -> None:
    """Print tables: people, tasks, thresholds, families by severity, pairs; last what was left out."""
    console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)
    excluded = sum(person["excluded"] is not None for person in found["people"])
    console.print(
        Text(
            f"{found['data']['name']}: people, n = {found['n']}, {found['answers']:,} answers; {excluded} of "
            f"{len(found['people'])} excluded ({found['rule']})"
        )
    )
    console.print(_make_people_table(found["people"]))
    console.print(_make_task_table(found["tasks"]))
    if found["thresholds"]:
        console.print(_make_threshold_table(found["thresholds"]))
    for name, task in found["tasks"].items():
        for table in _make_group_tables(name, task):
            console.print(table)
    for sentence in _list_notes(found):
        console.print(Text(sentence))


def _make_table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table; nothing in it is markup."""
    table = Table(title=Text(title), title_justify="left")
    for place, head in enumerate(heads):
        table.add_column(Text(head), justify="right" if place else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _format_share(share: Share | None) -> str:
    if share is None or share["value"] is None:
        return "-"
    low, high = share["interval"] or (0.0, 1.0)
    return f"{share['value']:.2f} [{low:.2f}, {high:.2f}]"


def _format_number(value: float | None, places: int = 2) -> str:
    return "-" if value is None else f"{value:.{places}f}"


def _make_people_table(people: Sequence[PersonFacts]) -> Table:
    rows = [
        [
            person["name"],
            f"{person['answers']}" + ("" if person["finished"] else " (not finished)"),
            _format_number(person["right"]),
            f"{person['false_alarms']} of {person['catches']}",
            _format_number(person["seconds"], 1),
            _format_number(person["pixels_per_degree"], 0),
            person["excluded"] or "",
        ]
        for person in people
    ]
    heads = ("people", "answers", "right", "seen where nothing is", "s per trial", "image px per degree", "excluded")
    return _make_table("People", heads, rows)


def _make_task_table(tasks: Mapping[str, TaskScore]) -> Table:
    rows = []
    for name, task in tasks.items():
        more = ", ".join(f"{what} {_format_share(share)}" for what, share in task["more"].items())
        alpha = task["agreement"]
        ends = f" [{alpha['interval'][0]:.2f}, {alpha['interval'][1]:.2f}]" if alpha and alpha["interval"] else ""
        between = f"{_format_number(alpha['value'])}{ends}, {alpha['units']} units" if alpha else "-"
        right = _format_share(task["right"])
        rows.append([name, f"{task['right']['n']}", right, _format_number(task["chance"]), between, more])
    heads = ("task", "n", "as the labels say [95 %]", "chance", "alpha between people", "besides")
    return _make_table("Tasks", heads, rows)


def _make_threshold_table(thresholds: Mapping[str, Threshold]) -> Table:
    rows = []
    for name, found in thresholds.items():
        low, high = found["interval"] or (float("nan"), float("nan"))
        mark = " (not shown)" if found["extrapolated"] else ""
        shown = found["shown"] or [float("nan"), float("nan")]
        rows.append(
            [
                "all" if name == "all" else get_phrase(name),
                str(found["n"]),
                _format_number(found["v"]) + mark,
                f"[{low:.2f}, {high:.2f}]",
                _format_number(found["slope"], 1),
                _format_number(found["guess"]),
                _format_number(found["lapse"]),
                f"{shown[0]:.2f} to {shown[1]:.2f}",
            ]
        )
    heads = ("threshold of visibility", "n", "V", "95 %", "slope per octave", "guess", "lapse", "V shown")
    return _make_table("Seen half the time at", heads, rows)


def _make_group_tables(name: str, task: TaskScore) -> list[Table]:
    title = f"{name}: {_HEADS[name]}"
    if "family x severity" not in task["by"]:
        rows = [
            [f"{group} {key}", str(share["n"]), _format_share(share)]
            for group, cells in task["by"].items()
            for key, share in cells.items()
        ]
        return [_make_table(title, ("pairs", "n", "as the labels say [95 %]"), rows)]
    by = task["by"]
    severities = [key for key in by["severity"] if key != "untouched"]
    rows = []
    for family in (family for family in FAMILIES if family in by["family"]):
        cells = [by["family x severity"].get(f"{family} {severity}") for severity in severities]
        own = by["family"][family]
        rows.append(
            [get_phrase(family), *(_format_cell(cell) for cell in cells), f"{_format_share(own)}, n {own['n']}"]
        )
    rows.append(["all", *(_format_share(by["severity"][key]) for key in severities), ""])
    verb = "seen" if name == "detection" else "right"
    return [_make_table(f"{title} ({verb})", ("family", *(f"severity {key}" for key in severities), "all"), rows)]


def _format_cell(share: Share | None) -> str:
    return "" if share is None or share["value"] is None else f"{share['value']:.2f} ({share['n']})"


def _list_notes(found: StudyScores) -> list[str]:
    notes = [f"left out: {sentence}" for sentence in found["refused"]]
    if found["ignored"]:
        notes.append("ignored: " + ", ".join(f"{count:,} {reason}" for reason, count in found["ignored"].items()))
    if any(entry["extrapolated"] for entry in found["thresholds"].values()):
        notes.append(
            "(not shown): the curve reaches one half outside of the V that was shown; show fainter or stronger ones"
        )
    return notes
