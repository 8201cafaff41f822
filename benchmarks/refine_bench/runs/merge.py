"""Runs of one model put together: parts of a set, or other sets."""

import json
from collections.abc import Sequence
from pathlib import Path

from distortlab.core.errors import UserError
from distortlab.storage.atomic import new_file, write_json
from refine_bench.runs.records import AnswerRow, SetFacts, find_difference
from refine_bench.runs.store import FORMAT, Run, open_runs, read_lines

__all__ = ["merge_runs"]


def merge_runs(folders: Sequence[Path], out: Path) -> int:
    """Write a new run with the items and answers of several.

    Parameters
    ----------
    folders
        Runs of one model. Of several answers to one question, the first that did not fail is kept.
    out
        A new folder.

    Returns
    -------
    int
        How many answers it has.

    Raises
    ------
    UserError
        Where models, protocols, sets or the truths of an item differ.
    """
    runs = open_runs(folders)
    if out.exists() and any(out.iterdir()):
        raise UserError(f"{out} is not empty; merge into a new folder")
    first = runs[0].head
    for run in runs[1:]:
        for name in ("spec", "revision", "processor"):
            if run.head["model"].get(name) != first["model"].get(name):
                raise UserError(f"{run.folder} is of another model than {runs[0].folder}: their {name} differ")
    entries = list(dict.fromkeys(entry for run in runs for entry in run.head["sets"]))
    heads = {entry: _merge_heads(runs, entry) for entry in entries}
    total = sum(_merge_set(runs, entry, out) for entry in entries)
    merged = {"merged": [run.name for run in runs], "sets": heads}
    write_json(out / "run.json", {**first, "format": FORMAT, **merged})
    return total


def _merge_heads(runs: Sequence[Run], entry: str) -> SetFacts:
    heads = [run.head["sets"][entry] for run in runs if entry in run.head["sets"]]
    for head in heads[1:]:
        name = find_difference(head, heads[0])
        if name is not None:
            raise UserError(f"{entry} was asked in two ways: its {name} differs")
    return heads[0]


def _merge_set(runs: Sequence[Run], entry: str, out: Path) -> int:
    items: dict[str, dict[str, object]] = {}
    answers: dict[tuple[str, int], AnswerRow] = {}
    for run in runs:
        for row in read_lines(run.find_file("items", entry)):
            if items.setdefault(row["id"], row) != row:
                raise UserError(f"{row['id']} of {entry} is not the same in {run.folder} as before")
        for place, answer in run.read_answers(entry).items():
            if place not in answers or (answers[place].get("error") is not None and answer.get("error") is None):
                answers[place] = answer
    for kind, rows in (("items", items), ("answers", answers)):
        with new_file(out / kind / f"{entry}.jsonl") as file:
            for line in rows.values():
                file.write(json.dumps(line).encode() + b"\n")
    return len(answers)
