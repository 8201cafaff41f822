"""Scores of runs in long form, a row for each model, set and measure: for CSV, for pandas, for the cards of models."""

import glob
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from distortlab.core.errors import UserError
from distortlab.core.extras import import_extra
from refine_bench.report.board import Board, make_boards, separate_labels
from refine_bench.runs.store import Run, open_runs
from refine_bench.scoring.run import score_run
from refine_bench.scoring.scores import RunScores

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MeasureRow", "find_runs", "list_measures", "load_runs", "score_runs"]


class MeasureRow(TypedDict):
    """A number of a run. `n` of `of` rows of the set were answered; `rank` is None where the run has none; `low` and
    `high` bound the 95 % interval, `floor` is what chance gives, each None where there is none.
    """

    set: str
    run: str
    model: str
    protocol: str
    n: int
    of: int | None
    complete: bool
    failure_rate: float
    rank: int | None
    metric: str
    value: float | None
    low: float | None
    high: float | None
    floor: float | None


def list_measures(boards: Sequence[Board]) -> Iterator[MeasureRow]:
    """Yield every number of boards, set by set, the best run first."""
    for board in boards:
        for entry in board.entries:
            for k, label in enumerate(board.columns):
                low, high = entry.intervals[k] or (None, None)
                yield {
                    "set": board.set,
                    "run": entry.run,
                    "model": entry.model,
                    "protocol": entry.protocol,
                    "n": entry.n,
                    "of": entry.of,
                    "complete": entry.complete,
                    "failure_rate": entry.failure_rate,
                    "rank": entry.rank,
                    "metric": label,
                    "value": entry.values[k],
                    "low": low,
                    "high": high,
                    "floor": entry.floors[k],
                }


def score_runs(
    folders: Sequence[Path], names: Mapping[Path, str] | None = None, *, save: bool = True
) -> tuple[list[Run], list[RunScores]]:
    """Open runs and score them, under names that tell them apart.

    Parameters
    ----------
    folders
        Runs.
    names
        What models are called, by folder; as they call themselves unless given.
    save
        Whether `scores.json` is written into the folders.

    Raises
    ------
    UserError
        Where a folder is no run, is named twice, or holds what cannot be read.
    """
    known = names or {}
    runs = open_runs(folders)
    scores: list[RunScores] = [
        {**score_run(run.folder, name=known.get(run.folder), save=save), "run": run.name} for run in runs
    ]
    return runs, separate_labels(scores)


def find_runs(runs: str | Path | Sequence[str | Path]) -> list[Path]:
    """Return the folders of runs.

    Parameters
    ----------
    runs
        A folder, a pattern such as "runs/*", or several of them. Of what a pattern matches, folders without run.json
        are left out.

    Raises
    ------
    UserError
        Where a pattern matches no run.
    """
    found: list[Path] = []
    for place in [runs] if isinstance(runs, str | Path) else runs:
        text = str(Path(place).expanduser())
        if not glob.has_magic(text) or Path(text).is_dir():
            found.append(Path(text))
            continue
        matches = sorted(map(Path, glob.glob(text, recursive=True)))  # noqa: PTH207  (Path.glob: no absolute patterns)
        own = [path for path in matches if (path / "run.json").is_file()]
        if not own:
            why = f"{len(matches):,} names match, and none is a folder with run.json" if matches else "nothing matches"
            raise UserError(f"there is no run at {str(place)!r}: {why}")
        found += own
    return list(dict.fromkeys(found))


def load_runs(runs: str | Path | Sequence[str | Path]) -> "pd.DataFrame":
    """Score runs from their saved answers, and return the numbers of the report as a pandas data frame.

    Nothing is written. Needs the extras `bench` and `pandas`.

    Parameters
    ----------
    runs
        A folder, a pattern such as "runs/*", or several of them.

    Returns
    -------
    pandas.DataFrame
        A row for each set, model and measure, with the columns of `MeasureRow`: those of
        `refine-bench report --per-set --format csv`.

    Raises
    ------
    UserError
        Where there is no run, a run is damaged or of a newer version, or pandas is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from refine_bench import load_runs
    >>> try:
    ...     load_runs(tempfile.gettempdir() + "/nothing-here-*")
    ... except Exception as error:
    ...     print(str(error).rpartition(": ")[2])
    nothing matches
    """
    pandas = import_extra("pandas", "pandas", "load_runs")
    _, scores = score_runs(find_runs(runs), save=False)
    frame = pandas.DataFrame(list(list_measures(make_boards(scores))), columns=list(MeasureRow.__annotations__))
    return frame.astype({"of": "Int64", "rank": "Int64", **dict.fromkeys(("value", "low", "high", "floor"), "float64")})
