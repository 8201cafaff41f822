"""Scores for the card of a model on the Hugging Face Hub.

`model-index` stands in the YAML of a card, for every set and measure. Files in `.eval_results/` are newer: the Hub
shows them beside the leaderboard of a benchmark that is a data set there, one number for each.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from distortlab import __version__
from distortlab.core.errors import UserError
from refine_bench.report.board import Board
from refine_bench.report.measure_rows import MeasureRow, list_measures
from refine_bench.report.summary import HEADLINES

__all__ = ["Benchmark", "make_eval_results", "make_model_index", "read_benchmarks"]

_PLACES = 4
_TASK = "image-text-to-text"


class Benchmark(NamedTuple):
    """A data set of the Hub that a set of a run is: its name there, and the task in its eval.yaml."""

    id: str
    task: str


def read_benchmarks(texts: Sequence[str]) -> dict[str, Benchmark]:
    """Read SET=USER/NAME or SET=USER/NAME#TASK. Raises `UserError` for anything else."""
    found = {}
    for text in texts:
        match = re.fullmatch(r"(.+)=([\w.-]+/[\w.-]+?)(?:#([\w.-]+))?", text)
        if match is None:
            raise UserError(f"--hub-set {text!r} is not SET=USER/NAME or SET=USER/NAME#TASK, e.g. koniq=user/koniq10k")
        found[match[1]] = Benchmark(match[2], match[3] or "default")
    return found


def make_model_index(
    boards: Sequence[Board], benchmarks: Mapping[str, Benchmark] | None = None
) -> list[dict[str, Any]]:
    """Make the value of `model-index`.

    Parameters
    ----------
    boards
        Scores of runs of one model.
    benchmarks
        Data sets of the Hub, by the name of a set or by what stands before its colon.

    Returns
    -------
    list of dict
        One model with its results, as `huggingface_hub.ModelCardData` takes it: a result for each set and protocol,
        a metric for each number that is defined, with n and its 95 % interval as `args`.

    Raises
    ------
    UserError
        Where the runs are of several models, or have no number.
    """
    titles = {(board.set, board.kind): board.title for board in boards}
    rows = list(_list_known(boards))
    name = _find_model([row for _, row in rows])
    results = [
        _make_result(titles[key[0]], [row for _, row in group], _find_benchmark(key[0][0], benchmarks or {}))
        for key, group in groupby(rows, key=lambda pair: (pair[0], pair[1]["run"], pair[1]["protocol"]))
    ]
    return [{"name": name, "results": results}]


def _list_known(boards: Sequence[Board]) -> Iterator[tuple[tuple[str, str], MeasureRow]]:
    """Every number that is defined, with the set and the kind of its board."""
    for board in boards:
        yield from (((board.set, board.kind), row) for row in list_measures([board]) if row["value"] is not None)


def _find_model(rows: Sequence[MeasureRow]) -> str:
    names = list(dict.fromkeys(row["model"] for row in rows))
    if not names:
        raise UserError("these runs have no number to put into the card of a model")
    if len(names) > 1:
        raise UserError(
            f"a card is of one model, and these are runs of {', '.join(names)}: name the runs of one, or give them one "
            "name with --name RUN=NAME"
        )
    return names[0]


def _find_benchmark(name: str, benchmarks: Mapping[str, Benchmark]) -> Benchmark | None:
    return benchmarks.get(name) or benchmarks.get(name.partition(":")[0])


def _make_result(title: str, rows: Sequence[MeasureRow], benchmark: Benchmark | None) -> dict[str, Any]:
    first = rows[0]
    kind, _, variant = first["set"].partition(":")
    part = "" if first["complete"] else f" ({first['n']:,} of {first['of'] or '?'} rows)"
    return {
        "task": {"type": _TASK, "name": f"image quality assessment ({first['protocol']})"},
        "dataset": {
            "name": f"{title}{part}",
            "type": benchmark.id if benchmark else kind,
            **({"config": variant} if variant else {}),
        },
        "metrics": [_make_metric(row) for row in rows],
    }


def _make_metric(row: MeasureRow) -> dict[str, Any]:
    kind = re.sub(r"[^a-z0-9]+", "-", row["metric"].lower()).strip("-")
    args: dict[str, Any] = {"n": row["n"]}
    if row["low"] is not None and row["high"] is not None:
        args["interval_95"] = [round(row["low"], _PLACES), round(row["high"], _PLACES)]
    return {"type": kind, "value": round(row["value"] or 0.0, _PLACES), "name": row["metric"], "args": args}


def make_eval_results(boards: Sequence[Board], benchmarks: Mapping[str, Benchmark]) -> list[dict[str, Any]]:
    """Make the entries of a file in `.eval_results/`: the headline of each set that is a benchmark of the Hub.

    Parameters
    ----------
    boards
        Scores of runs of one model.
    benchmarks
        Data sets of the Hub, by the name of a set or by what stands before its colon.

    Raises
    ------
    UserError
        Where no set is a benchmark, the runs are of several models, or a set was not asked in full.
    """
    rows = list(_list_known(boards))
    _find_model([row for _, row in rows])
    entries = []
    for (name, kind), row in rows:
        benchmark = _find_benchmark(name, benchmarks)
        if benchmark is None or row["metric"] not in HEADLINES[kind][:1]:
            continue
        if not row["complete"]:
            raise UserError(
                f"{name}: {row['n']:,} of {row['of'] or '?'} rows were asked, and a leaderboard compares whole sets"
            )
        entries.append(_make_entry(row, benchmark))
    if not entries:
        sets = ", ".join(dict.fromkeys(name for (name, _), _ in rows))
        raise UserError(f"say which set is which benchmark of the Hub: --hub-set SET=USER/NAME; the sets are {sets}")
    return entries


def _make_entry(row: MeasureRow, benchmark: Benchmark) -> dict[str, Any]:
    spread = "" if row["low"] is None else f", 95 % [{row['low']:.3f}, {row['high']:.3f}]"
    notes = f"{row['metric']}{spread}; {row['protocol']}; {row['n']:,} rows; refine-bench {__version__}"
    return {
        "dataset": {"id": benchmark.id, "task_id": benchmark.task},
        "value": round(row["value"] or 0.0, _PLACES),
        "notes": notes,
    }
