"""Scores of runs, from what a run saved and nothing else."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

from distortlab.core.errors import UserError
from distortlab.storage.atomic import write_json
from refine_bench.datasets import find_facts
from refine_bench.prompts.answers import MISSING
from refine_bench.runs.ladders import KIND as LADDERS
from refine_bench.runs.store import Run
from refine_bench.scoring import published
from refine_bench.scoring.choice import score_choice
from refine_bench.scoring.cost import SizeCounts, count_sizes, sum_cost
from refine_bench.scoring.coverage import describe_coverage
from refine_bench.scoring.diagnosis import score_diagnosis
from refine_bench.scoring.failures import describe_failures
from refine_bench.scoring.local import score_tasks
from refine_bench.scoring.measures import DescriptionMeasures, Measures, RatedMeasures
from refine_bench.scoring.rated import score_rated
from refine_bench.scoring.saved import (
    SavedSet,
    list_choices,
    list_ratings,
    list_severities,
    list_task_answers,
    open_saved,
)
from refine_bench.scoring.score_warnings import list_warnings
from refine_bench.scoring.scores import RunScores, Score
from refine_bench.scoring.severity import score_severity

__all__ = ["score_run"]


def score_run(folder: Path, *, reader: str | None = None, save: bool = True, name: str | None = None) -> RunScores:
    """Score a run from what it saved.

    Parameters
    ----------
    folder
        The run's folder.
    reader
        How to read the answers: "text", "digits", "digits-tenths" or "levels"; None for the way that the run was made
        for.
    save
        Whether `scores.json` is written into the folder.
    name
        What the model is called in the result; `Run.rename` is for good.

    Returns
    -------
    RunScores
        Ready for JSON: "run", "model", and in "sets" the score of each set that was asked.

    Raises
    ------
    UserError
        Where the folder is no run, a file of it is damaged, or the answers cannot be read so.
    """
    run = Run(folder)
    scores = [_score_set(run, entry, reader) for entry in run.head["sets"]]
    found: RunScores = {"run": run.name, "model": run.head["model"], "sets": scores}
    if save:
        write_json(folder / "scores.json", found)
    if name is None:
        return found
    for score in scores:
        score["model"] = name
    return found


def _score_set(run: Run, entry: str, reader: str | None) -> Score:
    if run.head["sets"][entry]["kind"] == LADDERS:
        raise UserError(
            f"{run.folder} is a run on ladders: its scores are in sensitivity.json and sensitivity.html, and the same "
            "refine-bench sensitivity command makes them again"
        )
    saved = open_saved(run, entry, reader)
    facts, protocol, answers = saved.facts, saved.protocol, saved.answers.values()
    found = _SCORERS[facts["kind"]](saved)
    coverage = describe_coverage(saved.answered, facts.get("expected") or len(saved.items))
    sizes = count_sizes(answers)
    joined = {
        "entry": entry,
        "set": facts["set"],
        "model": run.model,
        "protocol": protocol.name,
        "protocol_sha256": facts["protocol"]["sha256"],
        "reader": saved.reader or protocol.reader,
        "reader_note": facts.get("reader_note", ""),
        "sha256": facts["sha256"],
        "facts": {"title": facts["set"], "citation": "", **(facts.get("facts") or {})},
        "truth": f"labels of {facts['set']} (sha256 {facts['sha256'][:12]})",
        **found,
        "ranked": found["ranked"] and coverage["complete"],
        "coverage": coverage,
        "cost": sum_cost(answers),
        "sizes": sizes,
        "warnings": [*list_warnings(found, coverage), *_list_run_warnings(saved, sizes)],
        "problems": facts.get("problems") or [],
        "published": published.list_published(facts["set"], protocol.name, coverage, saved.reader or ""),
        **_list_published_diagnoses(found),
    }
    # The measures of a kind with this are the score of that kind, which no checker of types can follow.
    return cast(Score, joined)


def _list_published_diagnoses(found: Measures) -> dict[str, object]:
    """Beside everything that describes images as sets of regions; they are on another set in any case."""
    has_sets = found["kind"] == "diagnosis" or (found["kind"] == "local" and "diagnosis" in found["tasks"])
    return {"published_diagnoses": published.list_published_diagnoses()} if has_sets else {}


def _score_ratings(saved: SavedSet) -> RatedMeasures:
    scale = None if saved.protocol.reader == "value" else saved.protocol.scale
    groups = find_facts(saved.facts["set"]).groups
    return score_rated(list_ratings(saved), sign=saved.sign, scale=scale, groups=groups)


def _score_descriptions(saved: SavedSet) -> DescriptionMeasures:
    """Descriptions are counted and not scored."""
    rows = [saved.find_answer(item) for item in saved.items]
    statuses = [
        MISSING if row is None else "runtime_error" for row in rows if row is None or row.get("error") is not None
    ]
    return {
        "kind": "describe",
        "n": len(rows),
        "n_read": len(rows) - len(statuses),
        **describe_failures(statuses, len(rows), can_rank=False),
        "undefined": "the golden descriptions are not public; the answers are saved",
    }


_SCORERS: Mapping[str, Callable[[SavedSet], Measures]] = {
    "rated": _score_ratings,
    "choice": lambda saved: score_choice(list_choices(saved)),
    "local": lambda saved: score_tasks(list_task_answers(saved)),
    "severity": lambda saved: score_severity(list_severities(saved), saved.sign),
    "diagnosis": lambda saved: score_diagnosis(list_task_answers(saved)),
    "describe": _score_descriptions,
}
"""How a set is scored, by its kind."""


def _list_run_warnings(saved: SavedSet, sizes: SizeCounts) -> list[str]:
    """What one must know of how the answers of a set came about."""
    facts, protocol = saved.facts, saved.protocol
    warnings = []
    if facts["protocol"]["sha256"] != protocol.sha256:
        warnings.append(f"the protocol {protocol.name} has changed since these answers were given")
    if note := facts.get("reader_note"):
        warnings.append(f"read as text: {note}; {protocol.name} reads {protocol.reader}")
    for count, what in ((sizes["smaller"], "down-scaled"), (sizes["larger"], "up-scaled")):
        if count:
            share = count / sizes["known"]
            warnings.append(f"the processor {what} {share:.0%} of the images: part of the quality is the processor's")
    return warnings
