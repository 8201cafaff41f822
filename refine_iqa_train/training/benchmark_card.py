"""Scores by `refine-bench` in the card of a trained model: for readers a table, for the Hub `model-index`."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from distortlab.core.errors import UserError
from distortlab.storage.atomic import write_text

__all__ = ["EVAL_RESULTS", "add_benchmarks"]

CARD = "README.md"
EVAL_RESULTS = ".eval_results/refine-bench.yaml"
TITLE = "## Benchmarks"
NEXT = "## Recipe"
"""The section of the card before which the table stands; at the end of a card without one."""


def add_benchmarks(out: str | Path, runs: Sequence[str | Path], hub_sets: Sequence[str] = ()) -> list[Path]:
    """Put scores of the model into its card, in place of those that it had.

    Parameters
    ----------
    out
        The folder of the model, with its card.
    runs
        Runs of `refine-bench` with this model; patterns such as "runs/ours-*" as well.
    hub_sets
        SET=USER/NAME[#TASK] for sets that are benchmarks of the Hub: with any, their headline numbers are written to
        `.eval_results/` as well.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    UserError
        Where there is no card, its YAML cannot be read, or the runs are of several models.
    """
    from refine_bench.report.board import make_boards
    from refine_bench.report.measure_rows import find_runs, score_runs
    from refine_bench.report.model_index import make_eval_results, make_model_index, read_benchmarks
    from refine_bench.report.plain import format_markdown
    from refine_bench.report.summary import summarize

    path = Path(out) / CARD
    front, text = _read_card(path)
    benchmarks = read_benchmarks(hub_sets)
    folders = find_runs(runs)
    name = Path(out).resolve().name
    found, scores = score_runs(folders, dict.fromkeys(folders, name), save=False)
    _check_one_model([run.head["model"] for run in found])
    boards = make_boards(scores)
    front["model-index"] = make_model_index(boards, benchmarks)
    table = format_markdown(summarize(scores), boards, per_set=False, intervals=True).partition("\n\n")[2]
    results = make_eval_results(boards, benchmarks) if benchmarks else []
    write_text(path, f"---\n{_dump(front)}---\n{_put_section(text, table)}")
    if not results:
        return [path]
    (Path(out) / EVAL_RESULTS).parent.mkdir(exist_ok=True)
    write_text(Path(out) / EVAL_RESULTS, _dump(results))
    return [path, Path(out) / EVAL_RESULTS]


def _dump(value: object) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True)


def _read_card(path: Path) -> tuple[dict[str, Any], str]:
    """The YAML of a card, and what stands below it."""
    if not path.is_file():
        raise UserError(f"{path.parent} holds no trained model: there is no {path.name}")
    match = re.match(r"---\n(.*?\n)---\n", text := path.read_text(encoding="utf-8"), re.DOTALL)
    try:
        front = yaml.safe_load(match[1]) if match else None
    except yaml.YAMLError:
        front = None
    if match is None or not isinstance(front, dict):
        raise UserError(f"{path} is no card: it does not begin with YAML between two lines of ---")
    return front, text[match.end() :]


def _check_one_model(models: Sequence[Mapping[str, Any]]) -> None:
    specs = list(dict.fromkeys(str(model.get("spec")) for model in models))
    if len(specs) > 1:
        raise UserError(f"the card is of one model, and these are runs of {', '.join(specs)}: name those of one")


def _put_section(text: str, table: str) -> str:
    section = f"{TITLE}\n\nBy `refine-bench`, with 95 % intervals.\n\n{table.rstrip()}\n\n"
    text = re.sub(rf"^{TITLE}\n.*?(?=^## |\Z)", "", text, flags=re.MULTILINE | re.DOTALL)
    before, mark, after = text.partition(f"\n{NEXT}\n")
    return f"{before}\n{section}{NEXT}\n{after}" if mark else f"{text.rstrip()}\n\n{section.rstrip()}\n"
