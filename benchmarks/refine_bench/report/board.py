"""The leaderboard as data: a board for every set, a row for every run, ranked where a rank means something."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, TypeVar

from distortlab.tasks import TASKS
from refine_bench.scoring.coverage import explain_unranked
from refine_bench.scoring.formatting import format_few, format_rows
from refine_bench.scoring.measures import RegionMetric
from refine_bench.scoring.people import PeopleScore
from refine_bench.scoring.region_sets import find_best_floor
from refine_bench.scoring.scores import (
    ChoiceScore,
    DiagnosisScore,
    LocalScore,
    RatedScore,
    RunScores,
    Score,
    SeverityScore,
)

__all__ = ["AnyColumn", "Board", "Column", "Entry", "make_boards", "separate_labels"]


Row = tuple[str, Score]
"""A run's name, and its score on one set."""
RatedMetric = Literal["mean", "plcc", "srcc", "krcc", "rmse"]
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Column(Generic[S]):
    """A number of a board, for scores of one kind. `value` finds it in a score, `interval` its interval, `floor` what
    chance gives.
    """

    label: str
    value: Callable[[S], float | None]
    interval: Callable[[S], Sequence[float] | None] = lambda score: None
    floor: Callable[[S], float | None] = lambda score: None
    higher_is_better: bool = True


AnyColumn = Column[Any]
"""A column of a kind that is known by its place in `COLUMNS`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row. `rank` is None where the run has none, and `why` says why not.

    `n`: rows of the set that have an answer; `of`: rows of the variant, None where nobody knows; `complete`: whether
    all of them are there. Only complete rows are ranked, marked as best, or set beside published numbers. `protocol`:
    how it was `asked`, and how that was read. `few`: "12 references" where
    intervals rest on too few.
    """

    run: str
    model: str
    asked: str
    protocol: str
    rank: int | None
    why: str
    n: int
    of: int | None
    complete: bool
    failure_rate: float
    values: tuple[float | None, ...]
    intervals: tuple[Sequence[float] | None, ...]
    floors: tuple[float | None, ...]
    few: str = ""

    @property
    def rows(self) -> str:
        """How much of the set was asked: "2,015", or "40 of 2,015"."""
        return format_rows({"rows": self.n, "of": self.of, "complete": self.complete})


@dataclass(frozen=True, slots=True)
class Board:
    """Runs on one set, best first by the first column.

    `best`: the best value of each column among ranked entries; None where fewer than two have one.
    """

    set: str
    title: str
    kind: str
    columns: tuple[str, ...]
    entries: tuple[Entry, ...]
    best: tuple[float | None, ...]

    def is_best(self, entry: Entry, column: int) -> bool:
        """Whether a value is the best of a comparison."""
        value = entry.values[column]
        return entry.rank is not None and value is not None and value == self.best[column]

    def is_first(self, entry: Entry) -> bool:
        """Whether an entry leads at least one other."""
        return entry.rank == 1 and sum(other.rank is not None for other in self.entries) > 1


def _make_rated_column(name: RatedMetric, label: str, *, higher_is_better: bool = True) -> Column[RatedScore]:
    return Column(
        label,
        lambda score: score[name],
        lambda score: score["intervals"].get(name),
        higher_is_better=higher_is_better,
    )


def _make_diagnosis_column(name: RegionMetric, label: str, *, higher_is_better: bool = True) -> Column[DiagnosisScore]:
    """With its interval, beside the better one of the floors."""
    return Column(
        label,
        lambda score: score[name],
        lambda score: score["intervals"][name],
        lambda score: find_best_floor(score["floors"], name),
        higher_is_better=higher_is_better,
    )


def _make_task_column(task: str) -> Column[LocalScore]:
    return Column(
        task,
        lambda score: score["tasks"][task]["score"] if task in score["tasks"] else None,
        lambda score: score["tasks"][task]["interval"] if task in score["tasks"] else None,
    )


def _average_tasks(score: LocalScore) -> float | None:
    values = [entry["score"] for entry in score["tasks"].values() if entry["score"] is not None]
    return sum(values) / len(values) if values else None


_RATED: tuple[Column[RatedScore], ...] = (
    _make_rated_column("mean", "(PLCC+SRCC)/2"),
    _make_rated_column("plcc", "PLCC"),
    _make_rated_column("srcc", "SRCC"),
    _make_rated_column("krcc", "KRCC"),
    _make_rated_column("rmse", "RMSE", higher_is_better=False),
    Column("PLCC, 4-p. mapped", lambda score: score["mapped"]["4"]["plcc"]),
    Column("PLCC, 5-p. mapped", lambda score: score["mapped"]["5"]["plcc"]),
)
_CHOICE: tuple[Column[ChoiceScore], ...] = (
    Column("accuracy", lambda score: score["accuracy"], lambda score: score["interval"], lambda score: score["chance"]),
    Column("of those read", lambda score: score["accuracy_read"]),
    Column("all orders right", lambda score: score["shuffled"]["all_right"] if score["shuffled"] else None),
)
_LOCAL: tuple[Column[LocalScore], ...] = (
    Column("mean of tasks", _average_tasks),
    *(_make_task_column(task) for task in TASKS if task != "quality"),
)


def _find_type_accuracy(score: LocalScore) -> float | None:
    table = score["tasks"].get("recognition")
    return table["type_accuracy"] if table and "type_accuracy" in table else None


def _find_type_floor(score: LocalScore) -> float | None:
    table = score["tasks"].get("recognition")
    return table["floor"].get("type_accuracy") if table else None


_TYPE: Column[LocalScore] = Column("recognition, type alone", _find_type_accuracy, floor=_find_type_floor)
"""Beside people, who are asked for the type and not for the severity."""
_SEVERITY: tuple[Column[SeverityScore], ...] = (
    Column("SRCC within families", lambda score: score["srcc_within"]),
    Column("SRCC, all", lambda score: score["srcc"], lambda score: score["interval"]),
)
_DIAGNOSIS: tuple[Column[DiagnosisScore], ...] = (
    _make_diagnosis_column("f1", "F1"),
    _make_diagnosis_column("precision", "precision"),
    _make_diagnosis_column("recall", "recall"),
    _make_diagnosis_column("mean_iou", "mIoU"),
    _make_diagnosis_column("type_accuracy", "ClsAcc"),
    _make_diagnosis_column("severity_accuracy", "SevAcc"),
    _make_diagnosis_column("false_alarms", "false alarms", higher_is_better=False),
)
COLUMNS: Mapping[str, tuple[AnyColumn, ...]] = {
    "rated": _RATED,
    "choice": _CHOICE,
    "local": _LOCAL,
    "severity": _SEVERITY,
    "diagnosis": _DIAGNOSIS,
    "describe": (),
}
"""The columns of a board, by kind."""


def separate_labels(scores: Sequence[RunScores]) -> list[RunScores]:
    """Return the scores of runs with other names for sets of one name whose labels differ.

    Two data sets in folders of one name, or two lists in files of one name, are not to be compared. A part of a set has
    labels of its own and keeps the name of the first whole one.
    """
    whole: dict[str, list[str]] = defaultdict(list)
    for score in (score for found in scores for score in found["sets"] if score["coverage"]["complete"]):
        if score["sha256"] not in whole[score["set"]]:
            whole[score["set"]].append(score["sha256"])
    return [{**found, "sets": [_rename_set(score, whole[score["set"]]) for score in found["sets"]]} for found in scores]


def _rename_set(score: Score, labels: Sequence[str]) -> Score:
    if len(labels) < 2:
        return score
    mark = f"labels {(score['sha256'] if score['sha256'] in labels else labels[0])[:8]}"
    renamed = score.copy()
    renamed["facts"] = {**score["facts"], "title": f"{score['facts'].get('title') or score['set']}, {mark}"}
    renamed["set"] = f"{score['set']}, {mark}"
    return renamed


def make_boards(scores: Sequence[RunScores], people: Sequence[PeopleScore] = ()) -> list[Board]:
    """Make a board for every set of the scores of runs. A set asked in several ways has one board, which says how.

    Parameters
    ----------
    scores
        Of the runs.
    people
        Studies, each of which is a row without a rank on the boards of its data set.
    """
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for found in scores:
        for score in found["sets"]:
            groups[score["set"], score["kind"]].append((found["run"], score))
    return [_make_board(name, kind, rows, people) for (name, kind), rows in groups.items()]


def _make_board(name: str, kind: str, rows: Sequence[Row], people: Sequence[PeopleScore]) -> Board:
    own = [study for study in people if kind == "local" and study.sha256 in {score["sha256"] for _, score in rows}]
    columns = _select_columns(kind, rows, own)
    entries = [_make_entry(run, score, columns) for run, score in rows]
    entries.sort(key=lambda entry: (entry.rank is None, -_find_headline(entry)))
    # Equal numbers share a rank.
    placed: list[Entry] = []
    for place, entry in enumerate(entries, 1):
        same = placed and _find_headline(placed[-1]) == _find_headline(entry)
        rank = None if entry.rank is None else (placed[-1].rank if same else place)
        placed.append(replace(entry, rank=rank))
    placed += [_make_people_entry(study, columns) for study in own]
    title = str(rows[0][1]["facts"].get("title") or name)
    best = tuple(
        _find_best([entry.values[k] for entry in placed if entry.rank], column) for k, column in enumerate(columns)
    )
    return Board(name, title, kind, tuple(column.label for column in columns), tuple(placed), best)


def _select_columns(kind: str, rows: Sequence[Row], people: Sequence[PeopleScore]) -> Sequence[AnyColumn]:
    """Of a data set by distortlab without the tasks that it does not ask, and with the type alone beside people."""
    columns = COLUMNS[kind]
    if kind != "local":
        return columns
    found = [column for column in columns if any(column.value(score) is not None for _, score in rows)] or [columns[0]]
    return [*found, _TYPE] if any(study.recognition for study in people) else found


def _make_people_entry(study: PeopleScore, columns: Sequence[AnyColumn]) -> Entry:
    """The row of a study: what people were asked as models are, without a rank."""
    by_label = {_TYPE.label: study.recognition, "comparison": study.comparison}
    shares = [by_label.get(column.label) for column in columns]
    answers = sum(share.n for share in shares if share)
    return Entry(
        run=study.name,
        model=study.name,
        asked="study",
        protocol="distortlab study, one of twelve types",
        rank=None,
        why="people, on a part of the images",
        n=answers,
        of=answers,
        complete=True,
        failure_rate=0.0,
        values=tuple(share.value if share else None for share in shares),
        intervals=tuple(share.interval if share else None for share in shares),
        floors=tuple(None for _ in columns),
    )


def _find_best(values: Sequence[float | None], column: AnyColumn) -> float | None:
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    return max(known) if column.higher_is_better else min(known)


def _make_entry(run: str, score: Score, columns: Sequence[AnyColumn]) -> Entry:
    coverage = score["coverage"]
    return Entry(
        run=run,
        model=score["model"],
        asked=score["protocol"],
        protocol=f"{score['protocol']}, {score['reader']}",
        rank=0 if score["ranked"] else None,
        why=explain_unranked(score),
        n=coverage["rows"],
        of=coverage["of"],
        complete=coverage["complete"],
        failure_rate=score["failure_rate"],
        values=tuple(column.value(score) for column in columns),
        intervals=tuple(column.interval(score) for column in columns),
        floors=tuple(column.floor(score) for column in columns),
        few=format_few(score),
    )


def _find_headline(entry: Entry) -> float:
    return entry.values[0] if entry.values and entry.values[0] is not None else float("-inf")
