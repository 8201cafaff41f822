"""Two or more runs on the same items: paired tests, corrected for their number."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import TypedDict

import numpy as np

from distortlab.core.errors import UserError
from refine_bench.runs.store import Run, open_runs
from refine_bench.scoring.coverage import explain_unranked
from refine_bench.scoring.run import score_run
from refine_bench.scoring.scores import ChoiceScore, LocalScore, RatedScore, Score
from refine_bench.statistics.intervals import estimate_mean_difference, list_bounds
from refine_bench.statistics.paired import compare_models, holm, mcnemar
from refine_bench.statistics.units import UnitFacts, describe_units

__all__ = ["Comparisons", "PairedTest", "compare_runs"]

Scores = Sequence[Score]
Truths = Mapping[str, Mapping[str, object]]
BY_REFERENCE = "paired jackknife by reference"
# Kinds of sets that have a paired test, and how many items it needs.
_TESTED: Mapping[str, int] = {"rated": 4, "choice": 1, "local": 1}


class TestResult(UnitFacts):
    """A paired test of two runs. `values`: of the first and of the second; `p`: the p value that counts."""

    metric: str
    n: int
    values: list[float | None]
    difference: float | None
    interval: list[float] | None
    test: str
    p: float | None
    p_jackknife: float | None


class PairFacts(TypedDict):
    """Two runs on one set. `of`: its rows, None where nobody knows; `notes`: in what the runs differ."""

    first: str
    second: str
    set: str
    of: int | None
    notes: list[str]


class PairResult(PairFacts, TestResult):
    """A test of a pair."""


class PairedTest(PairResult):
    """The same with its p value corrected for the number of all tests."""

    p_holm: float | None


class Comparisons(TypedDict):
    """What was compared, and why the rest was not."""

    runs: list[str]
    tests: list[PairedTest]
    lacking: list[str]


def compare_runs(folders: Sequence[Path]) -> Comparisons:
    """Compare every pair of runs on every set that both have.

    Parameters
    ----------
    folders
        Two runs or more.

    Returns
    -------
    Comparisons
        Ready for JSON: "tests", their p values corrected by Holm's method over all of them, and in "lacking" a sentence
        for each set that was not compared.

    Raises
    ------
    UserError
        Where there is nothing to compare, or a set differs in its labels.
    """
    if len(folders) < 2:
        raise UserError("name at least two runs")
    runs = [(run, score_run(run.folder, save=False)) for run in open_runs(folders)]
    tests: list[PairResult] = []
    lacking: list[str] = []
    for (one, first), (two, second) in combinations(runs, 2):
        found, reasons = _compare_pair(one, first["sets"], two, second["sets"])
        tests += found
        lacking += reasons
    if not tests:
        raise UserError(f"nothing to compare: {'; '.join(lacking)}")
    corrected = holm([test["p"] for test in tests])
    return {
        "runs": [run.name for run, _ in runs],
        "tests": [{**test, "p_holm": p} for test, p in zip(tests, corrected, strict=True)],
        "lacking": lacking,
    }


def _compare_pair(one: Run, first: Scores, two: Run, second: Scores) -> tuple[list[PairResult], list[str]]:
    """(tests on every set that both have, a sentence for every set that was not compared)."""
    tests: list[PairResult] = []
    others = {score["set"]: score for score in second}
    shared = [score for score in first if score["set"] in others]
    lacking = _list_unshared(one, first, two, second)
    for score in shared:
        name, other = score["set"], others[score["set"]]
        if other["sha256"] != score["sha256"]:
            raise UserError(f"{one.folder} and {two.folder} have different labels of {name}")
        # The tests of a set of tasks are on one task each: how many rows the set has says nothing of those.
        of = None if score["kind"] == "local" else score["coverage"]["of"]
        pair: PairFacts = {
            "first": one.name,
            "second": two.name,
            "set": name,
            "of": of,
            "notes": _list_notes(score, other),
        }
        found = _test_scores(one, score, other)
        tests += [{**pair, **test} for test in found]
        if not found:
            lacking.append(f"{name}: {_explain_untested(one, score, two, other)}")
    return tests, lacking


def _list_unshared(one: Run, first: Scores, two: Run, second: Scores) -> list[str]:
    """The sets that only one of two runs has; one sentence where they share none."""
    names, others = ([score["set"] for score in scores] for scores in (first, second))
    if not set(names) & set(others):
        mine, theirs = (", ".join(group) or "none" for group in (names, others))
        return [f"no set is in both: {one.name} has {mine}; {two.name} has {theirs}"]
    pairs = ((one, set(names) - set(others)), (two, set(others) - set(names)))
    return [f"{name}: only {run.name} has it" for run, alone in pairs for name in sorted(alone)]


def _explain_untested(one: Run, score: Score, two: Run, other: Score) -> str:
    """Why a set that both runs have was not compared: what they share, and what is lacking."""
    if score["kind"] != other["kind"] or score["kind"] not in _TESTED:
        return f"no paired test for what is scored by {score['kind']}"
    if score["kind"] == "choice" and score["undefined"]:
        return score["undefined"]
    mine, theirs = _list_values(score), _list_values(other)
    shared = mine.keys() & theirs.keys()
    both = sum(mine[name] is not None and theirs[name] is not None for name in shared)
    asked = f"{len(shared):,} items are in both" if shared else "no item is in both"
    read = [f"{run.name} read {s['n_read']:,} of {s['n']:,}" for run, s in ((one, score), (two, other))]
    return f"{asked}; {read[0]}, {read[1]}, both {both:,}, and {_TESTED[score['kind']]} are needed"


def _list_values(score: Score) -> dict[str, float | None]:
    """What a run came to on every item; None where the answer was not read."""
    if score["kind"] == "rated":
        return {name: value for name, value, _, _ in score["points"]}
    if score["kind"] == "choice":
        return dict(score["rows"]) if score["n_read"] else dict.fromkeys((name for name, _ in score["rows"]), None)
    if score["kind"] == "local":
        return {name: value for task in score["tasks"].values() for name, value, _ in task["rows"]}
    return {}


def _list_notes(score: Score, other: Score) -> list[str]:
    notes = []
    if score["protocol"] != other["protocol"]:
        notes.append(f"asked under {score['protocol']} and {other['protocol']}")
    if score["reader"] != other["reader"]:
        notes.append(f"read by {score['reader']} and {other['reader']}")
    notes += [f"{s['model']}: {reason}" for s in (score, other) if (reason := explain_unranked(s))]
    return notes


def _test_scores(run: Run, score: Score, other: Score) -> list[TestResult]:
    if not (score["n_read"] and other["n_read"]):
        return []
    truths = {item["id"]: item["truth"] for item in run.read_items(score["entry"])}
    if score["kind"] == "rated" and other["kind"] == "rated":
        return _test_rated(score, other, truths)
    if score["kind"] == "local" and other["kind"] == "local":
        return [t for task in score["tasks"] if task in other["tasks"] for t in _test_task(task, score, other, truths)]
    return _test_choice(score, other) if score["kind"] == "choice" and other["kind"] == "choice" else []


def _test_rated(score: RatedScore, other: RatedScore, truths: Truths) -> list[TestResult]:
    """On the images that both have read."""
    theirs = {name: value for name, value, _, _ in other["points"]}
    rows = [
        (name, value, second, truth)
        for name, value, truth, _ in score["points"]
        if value is not None and (second := theirs.get(name)) is not None
    ]
    if len(rows) < _TESTED["rated"]:
        return []
    clusters = [truths[name]["cluster"] for name, *_ in rows]
    known = all(clusters)
    first, others, opinions = [row[1] for row in rows], [row[2] for row in rows], [row[3] for row in rows]
    found = compare_models(first, others, opinions, clusters if known else None)
    return [
        {
            "metric": test.metric,
            "n": test.n,
            "values": [test.first, test.second],
            "difference": test.difference,
            "interval": list_bounds(test.interval),
            "test": BY_REFERENCE if known else test.test,
            # Williams and Meng take images for independent; where they share references, only the jackknife knows.
            "p": test.p_jackknife if known else test.p_test,
            "p_jackknife": test.p_jackknife,
            **describe_units(test.n, clusters if known else None),
        }
        for test in found
    ]


def _test_choice(score: ChoiceScore, other: ChoiceScore) -> list[TestResult]:
    theirs = dict(other["rows"])
    rows = [
        (right, other_right)
        for name, right in score["rows"]
        if right is not None and (other_right := theirs.get(name)) is not None
    ]
    if not rows:
        return []
    a, b = [right for right, _ in rows], [other_right for _, other_right in rows]
    return [_test_means("accuracy", a, b, None, "McNemar, exact", mcnemar(a, b))]


def _test_task(task: str, score: LocalScore, other: LocalScore, truths: Truths) -> list[TestResult]:
    theirs = {name: value for name, value, _ in other["tasks"][task]["rows"]}
    rows = [
        (name, value or 0.0, theirs[name] or 0.0) for name, value, _ in score["tasks"][task]["rows"] if name in theirs
    ]
    clusters = [truths[name]["reference_id"] for name, _, _ in rows]
    if not rows:
        return []
    return [_test_means(task, [a for _, a, _ in rows], [b for _, _, b in rows], clusters, BY_REFERENCE, None)]


def _test_means(
    metric: str, a: Sequence[float], b: Sequence[float], clusters: Sequence[object] | None, test: str, p: float | None
) -> TestResult:
    delta = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    found, jackknife = estimate_mean_difference(delta, clusters)
    return {
        "metric": metric,
        "n": len(delta),
        "values": [float(np.mean(a)), float(np.mean(b))],
        "difference": float(delta.mean()),
        "interval": list_bounds(found),
        "test": test,
        "p": jackknife if clusters is not None else p,
        "p_jackknife": jackknife,
        **describe_units(len(delta), clusters),
    }
