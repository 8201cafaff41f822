"""The leaderboard as data: a board for every set, a row for every run, ranked where a rank means something."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Board", "Column", "Entry", "boards"]


@dataclass(frozen=True, slots=True)
class Column:
    """A number of a board. `key` finds it in a score; `interval` the name of its interval; `floor` what chance
    gives.
    """

    label: str
    value: Callable[[Mapping[str, Any]], float | None]
    interval: Callable[[Mapping[str, Any]], Sequence[float] | None] = lambda score: None
    floor: Callable[[Mapping[str, Any]], float | None] = lambda score: None


@dataclass(frozen=True, slots=True)
class Entry:
    """A row. `rank` is None where the run has none, and `why` says why not."""

    run: str
    model: str
    protocol: str
    rank: int | None
    why: str
    n: int
    failure_rate: float
    values: tuple[float | None, ...]
    intervals: tuple[Sequence[float] | None, ...]
    floors: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """Runs on one set, best first by the first column."""

    set: str
    title: str
    kind: str
    columns: tuple[str, ...]
    entries: tuple[Entry, ...]


def _rated(name: str, label: str) -> Column:
    return Column(label, lambda score: score[name], lambda score: score["intervals"].get(name))


def _plain(name: str, label: str, floor: str = "") -> Column:
    return Column(
        label, lambda score: score[name], floor=lambda score: score.get("floor", {}).get(floor) if floor else None
    )


def _task(task: str) -> Column:
    return Column(
        task,
        lambda score: score["tasks"][task]["score"] if task in score["tasks"] else None,
        lambda score: score["tasks"][task]["interval"] if task in score["tasks"] else None,
    )


def _mean_of_tasks(score: Mapping[str, Any]) -> float | None:
    values = [entry["score"] for entry in score["tasks"].values()]
    return sum(values) / len(values) if values else None


COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "rated": (
        _rated("mean", "(PLCC+SRCC)/2"),
        _rated("plcc", "PLCC"),
        _rated("srcc", "SRCC"),
        _rated("krcc", "KRCC"),
        _rated("rmse", "RMSE"),
        Column("PLCC, 4-p. mapped", lambda score: score["mapped"]["4"]["plcc"]),
        Column("PLCC, 5-p. mapped", lambda score: score["mapped"]["5"]["plcc"]),
    ),
    "choice": (
        Column(
            "accuracy", lambda score: score["accuracy"], lambda score: score["interval"], lambda score: score["chance"]
        ),
        Column("of those read", lambda score: score["accuracy_read"]),
        Column("all orders right", lambda score: (score["shuffled"] or {}).get("all_right")),
    ),
    "local": (
        Column("mean of tasks", _mean_of_tasks),
        *(_task(task) for task in ("recognition", "recognition_reference", "object", "grounding")),
    ),
    "severity": (
        _plain("srcc_within", "SRCC within families"),
        Column("SRCC, all", lambda score: score["srcc"], lambda score: score["interval"]),
    ),
    "diagnosis": (
        Column("F1", lambda score: score["f1"], lambda score: score["interval"], lambda score: 0.0),
        _plain("precision", "precision"),
        _plain("recall", "recall"),
        _plain("mean_iou", "mIoU"),
        _plain("type_accuracy", "ClsAcc"),
        _plain("severity_accuracy", "SevAcc"),
        _plain("false_alarms", "false alarms", "false_alarms"),
    ),
    "describe": (),
}


def boards(scores: Sequence[Mapping[str, Any]]) -> list[Board]:
    """From the scores of runs. A set that was asked in several ways has one board, which says how."""
    groups: dict[tuple[str, str], list[tuple[str, Mapping[str, Any]]]] = defaultdict(list)
    for found in scores:
        for score in found["sets"]:
            groups[score["set"], score["kind"]].append((found["run"], score))
    return [_board(name, kind, rows) for (name, kind), rows in groups.items()]


def _board(name: str, kind: str, rows: Sequence[tuple[str, Mapping[str, Any]]]) -> Board:
    columns = COLUMNS[kind]
    entries = [_entry(run, score, columns) for run, score in rows]
    entries.sort(key=lambda entry: (entry.rank is None, -_first(entry)))
    # Equal numbers share a rank.
    placed: list[Entry] = []
    for place, entry in enumerate(entries, 1):
        same = placed and _first(placed[-1]) == _first(entry)
        rank = None if entry.rank is None else (placed[-1].rank if same else place)
        placed.append(_ranked(entry, rank))
    title = str(rows[0][1]["facts"].get("title") or name)
    return Board(name, title, kind, tuple(column.label for column in columns), tuple(placed))


def _entry(run: str, score: Mapping[str, Any], columns: Sequence[Column]) -> Entry:
    undefined = score.get("undefined")
    why = "" if score["ranked"] else undefined or f"{score['failure_rate']:.1%} not read"
    return Entry(
        run=run,
        model=score["model"],
        protocol=f"{score['protocol']}, {score['reader']}",
        rank=0 if score["ranked"] else None,
        why=str(why),
        n=score["n"],
        failure_rate=score["failure_rate"],
        values=tuple(column.value(score) for column in columns),
        intervals=tuple(column.interval(score) for column in columns),
        floors=tuple(column.floor(score) for column in columns),
    )


def _first(entry: Entry) -> float:
    return entry.values[0] if entry.values and entry.values[0] is not None else float("-inf")


def _ranked(entry: Entry, rank: int | None) -> Entry:
    from dataclasses import replace

    return replace(entry, rank=rank)
