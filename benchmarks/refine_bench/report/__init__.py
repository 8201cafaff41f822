"""Reports over runs: a page, or tables as Markdown, CSV and LaTeX."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from distortlab.core.errors import UserError, describe_unknown
from distortlab.storage.atomic import write_text
from refine_bench.report.board import make_boards
from refine_bench.report.measure_rows import score_runs
from refine_bench.report.model_index import Benchmark, make_eval_results, make_model_index
from refine_bench.report.summary import summarize
from refine_bench.report.yaml_text import format_yaml
from refine_bench.scoring.people import PeopleScore, read_people
from refine_bench.scoring.scores import RunScores

__all__ = ["CARD_FORMATS", "FORMATS", "find_format", "format_report", "name_runs", "write_report"]

FORMATS: Mapping[str, str] = {".html": "html", ".md": "markdown", ".csv": "csv", ".tex": "latex"}
"""Formats by the ending of a file."""
CARD_FORMATS = ("model-index", "eval-results")
"""YAML for the card of one model; never guessed from the ending of a file."""
_YAML = (".yaml", ".yml")


def find_format(named: str | None, out: Path | None) -> str:
    """The format that was named, or that of the file; else a page. Raises `UserError` where they differ."""
    ending = "" if out is None else out.suffix.lower()
    if named in CARD_FORMATS:
        if out is not None and ending not in _YAML:
            raise UserError(f"--format {named} is YAML, and {out} is not by its ending: name it .yaml")
        return str(named)
    if named is None:
        if ending in _YAML:
            raise UserError(f"say what {out} is to hold: --format {' or --format '.join(CARD_FORMATS)}")
        if out is not None and ending not in FORMATS:
            raise UserError(describe_unknown("kind of report", ending, FORMATS, str(out)))
        return FORMATS.get(ending, "html")
    if named not in FORMATS.values():
        raise UserError(describe_unknown("format", named, (*FORMATS.values(), *CARD_FORMATS)))
    if FORMATS.get(ending, named) != named:
        raise UserError(f"{out} is {FORMATS[ending]} by its ending, and --format says {named}; leave one of them out")
    return named


def name_runs(names: Sequence[str], folders: Sequence[Path]) -> dict[Path, str]:
    """Names for the models of runs, from RUN=NAME each; of a single run NAME alone is enough. Raises `UserError`."""
    found: dict[Path, str] = {}
    for text in names:
        places = [place for place, character in enumerate(text) if character == "="]
        pairs = [(folder, text[k + 1 :]) for k in places for folder in folders if _is_run(text[:k], folder)]
        if not pairs and len(folders) == 1 and not places:
            pairs = [(folders[0], text)]
        if not pairs or not pairs[0][1].strip():
            raise UserError(f"--name {text!r} is not RUN=NAME; the runs are {', '.join(map(str, folders))}")
        found |= {folder: name for folder, name in pairs if name == pairs[0][1]}
    return found


def _is_run(text: str, folder: Path) -> bool:
    return bool(text) and (text == folder.name or Path(text).resolve() == folder.resolve())


def format_report(
    folders: Sequence[Path],
    kind: str = "html",
    *,
    names: Mapping[Path, str] | None = None,
    per_set: bool = False,
    intervals: bool = False,
    people: Sequence[Path] = (),
    benchmarks: Mapping[str, Benchmark] | None = None,
) -> str:
    """Score runs from their saved answers and report on them.

    Parameters
    ----------
    folders
        Runs.
    kind
        One of the values of `FORMATS`, or of `CARD_FORMATS`.
    names
        What models are called in this report, by folder.
    per_set
        A table of all numbers for each set, instead of one table over all sets. The page has both.
    intervals
        Whether the one table has intervals.
    people
        Scores of studies with people, by `distortlab study --score`: rows on the boards of their data sets.
    benchmarks
        Data sets of the Hub, by the sets that they are, for the card of a model.

    Returns
    -------
    str
        The page or the tables.

    Raises
    ------
    UserError
        Where there is no run, and where a study is of a data set that no run is on.
    """
    if not folders:
        raise UserError("name a run")
    runs, scores = score_runs(folders, names)
    if kind in CARD_FORMATS:
        return _format_for_card(kind, scores, benchmarks or {})
    studies = _read_studies(people, scores)
    if studies and kind != "html" and not per_set:
        raise UserError(
            "people have no line in the one table over all sets: add --per-set, or write a page (-o report.html)"
        )
    if kind == "html":
        from refine_bench.report.page import render_page

        return render_page(runs, scores, studies)
    from refine_bench.report.plain import WRITERS

    return WRITERS[kind](summarize(scores), make_boards(scores, studies), per_set=per_set, intervals=intervals)


def _format_for_card(kind: str, scores: Sequence[RunScores], benchmarks: Mapping[str, Benchmark]) -> str:
    boards = make_boards(scores)
    if kind == "model-index":
        return format_yaml({kind: make_model_index(boards, benchmarks)})
    return format_yaml(make_eval_results(boards, benchmarks))


def _read_studies(files: Sequence[Path], scores: Sequence[RunScores]) -> list[PeopleScore]:
    """The studies, each of a data set that a run was asked the questions of."""
    sets = {score["sha256"] for found in scores for score in found["sets"] if score["kind"] == "local"}
    studies = [read_people(file) for file in files]
    for file, study in zip(files, studies, strict=True):
        if study.sha256 not in sets:
            raise UserError(
                f"{file} is about another data set (manifest {study.sha256[:12]}) than the questions of these runs; "
                "name a run on local:FOLDER with that data set"
            )
    return studies


def write_report(folders: Sequence[Path], out: Path) -> None:
    """Write a report; its format follows from the ending of `out`."""
    write_text(out, format_report(folders, find_format(None, out)))
