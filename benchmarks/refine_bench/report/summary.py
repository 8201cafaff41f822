"""Models in rows, sets in columns: the table that stands in a paper, as data."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from refine_bench.report.board import COLUMNS, AnyColumn
from refine_bench.scoring.formatting import format_few, format_rows
from refine_bench.scoring.scores import RunScores, Score

__all__ = ["HEADLINES", "PLACES", "Cell", "Summary", "SummaryRow", "SummarySet", "summarize"]

PLACES = 3
"""Decimals of the table. Numbers that look equal share a mark."""
Mark = Literal["", "best", "second"]
Scores = Sequence[RunScores]

HEADLINES: Mapping[str, tuple[str, ...]] = {
    "rated": ("SRCC", "PLCC"),
    "choice": ("accuracy",),
    "local": ("mean of tasks",),
    "severity": ("SRCC within families",),
    "diagnosis": ("F1",),
    "describe": (),
}
"""Columns of a board that stand for the whole of it."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A number of one model on one set. `rows` is "40 of 2,015" where the model was not asked about all, `few` is "12
    references" where the interval rests on too few.
    """

    value: float | None
    interval: Sequence[float] | None
    mark: Mark
    rows: str
    few: str


@dataclass(frozen=True, slots=True)
class SummarySet:
    """A set with the names of its numbers."""

    set: str
    title: str
    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """A model with its cells, one tuple for each set; None where it was not asked."""

    model: str
    protocols: str
    cells: tuple[tuple[Cell, ...] | None, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """Rows in the order of the runs, sets in the order in which they first appear."""

    sets: tuple[SummarySet, ...]
    rows: tuple[SummaryRow, ...]

    def flatten(self, row: SummaryRow) -> list[Cell | None]:
        """The cells of a row, one for each number of each set."""
        return [cell for found, own in self.pairs(row) for cell in (own or (None,) * len(found.metrics))]

    def pairs(self, row: SummaryRow) -> Iterator[tuple[SummarySet, tuple[Cell, ...] | None]]:
        """Each set with the cells of a row."""
        return zip(self.sets, row.cells, strict=True)

    def blocks(self, sets: int) -> "Iterator[Summary]":
        """The same table in parts of at most so many sets, each with the rows that have a number there."""
        for start in range(0, len(self.sets), sets):
            part = slice(start, start + sets)
            rows = [SummaryRow(row.model, row.protocols, row.cells[part]) for row in self.rows]
            yield Summary(self.sets[part], tuple(row for row in rows if any(row.cells)))


@dataclass(slots=True)
class _Group:
    """The scores that make one row: of one model, each set once, one protocol for each kind of set."""

    identity: tuple[str, ...]
    run: str
    scores: dict[tuple[str, str], Score] = field(default_factory=dict)
    protocols: dict[str, str] = field(default_factory=dict)

    def has_room(self, score: Score) -> bool:
        """Whether a score can stand in this row."""
        free = (score["set"], score["kind"]) not in self.scores
        return free and self.protocols.get(score["kind"], _describe_protocol(score)) == _describe_protocol(score)

    def add(self, score: Score) -> None:
        """Put a score into the row."""
        self.scores[score["set"], score["kind"]] = score
        self.protocols[score["kind"]] = _describe_protocol(score)


def summarize(scores: Scores) -> Summary:
    """The scores of runs as one table.

    Runs of one model are one row where they fit together. The best value of a column is marked, and the second, among
    ranked rows: those that have all rows of the set and few failures; a single one is not marked.
    """
    groups = _group_scores(scores)
    columns = {
        key: [column for name in HEADLINES[key[1]] for column in COLUMNS[key[1]] if column.label == name]
        for group in groups
        for key in group.scores
    }
    keys = [key for key, found in columns.items() if found]
    cells = {key: _mark_cells([group.scores.get(key) for group in groups], columns[key]) for key in keys}
    rows = [
        SummaryRow(label, ", ".join(dict.fromkeys(group.protocols.values())), tuple(cells[key][place] for key in keys))
        for place, (group, label) in enumerate(zip(groups, _name_rows(groups), strict=True))
    ]
    titles = _name_sets([(key, group.scores[key]) for key in keys for group in groups if key in group.scores])
    sets = [SummarySet(key[0], titles[key], tuple(column.label for column in columns[key])) for key in keys]
    return Summary(tuple(sets), tuple(row for row in rows if any(row.cells)))


def _group_scores(scores: Scores) -> list[_Group]:
    groups: list[_Group] = []
    for found in scores:
        about = found["model"]
        for score in found["sets"]:
            identity = (score["model"], *(str(about.get(name)) for name in ("spec", "revision", "processor")))
            row = next((group for group in groups if group.identity == identity and group.has_room(score)), None)
            if row is None:
                row = _Group(identity, found["run"])
                groups.append(row)
            row.add(score)
    return groups


def _describe_protocol(score: Score) -> str:
    return f"{score['protocol']}, {score['reader']}"


def _name_rows(groups: Sequence[_Group]) -> list[str]:
    """Names of models; what several rows share is told apart by protocol, or else by run."""
    names = Counter(group.identity[0] for group in groups)
    protocols = Counter((group.identity[0], *group.protocols.values()) for group in groups)
    labels = []
    for group in groups:
        name = group.identity[0]
        alone = protocols[name, *group.protocols.values()] == 1
        mark = "; ".join(dict.fromkeys(group.protocols.values())) if alone else group.run
        labels.append(name if names[name] == 1 else f"{name} ({mark})")
    return labels


def _name_sets(found: Sequence[tuple[tuple[str, str], Score]]) -> dict[tuple[str, str], str]:
    """Titles of sets; variants of one set are told apart by the options in which they differ."""
    titles = {key: str(score["facts"].get("title") or key[0]) for key, score in found}
    options = {key: key[0].partition(":")[2].split("+") for key in titles}
    named = {}
    for key, title in titles.items():
        others = [options[other] for other in titles if other != key and titles[other] == title]
        own = [option for option in options[key] if not all(option in other for other in others)]
        named[key] = f"{title} ({', '.join(own)})" if own else title
    return named


def _mark_cells(scores: Sequence[Score | None], columns: Sequence[AnyColumn]) -> list[tuple[Cell, ...] | None]:
    """The cells of one set, a row for each model."""
    marks = [_mark_values([_round_ranked(score, column) for score in scores], column) for column in columns]
    return [
        None if score is None else tuple(_make_cell(score, column, marks[k][row]) for k, column in enumerate(columns))
        for row, score in enumerate(scores)
    ]


def _round_ranked(score: Score | None, column: AnyColumn) -> float | None:
    value = None if score is None or not score["ranked"] else column.value(score)
    return None if value is None else round(value, PLACES)


def _mark_values(values: Sequence[float | None], column: AnyColumn) -> list[Mark]:
    known = [value for value in values if value is not None]
    order = sorted(set(known), reverse=column.higher_is_better) if len(known) > 1 else []
    names: dict[float, Mark] = dict(zip(order, ("best", "second"), strict=False))
    return ["" if value is None else names.get(value, "") for value in values]


def _make_cell(score: Score, column: AnyColumn, mark: Mark) -> Cell:
    coverage = score["coverage"]
    rows = "" if coverage["complete"] else format_rows(coverage)
    return Cell(column.value(score), column.interval(score), mark, rows, format_few(score))
