"""Scoring runs: from what a run saved, and nothing else."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from distortlab.core.errors import UserError
from distortlab.storage.atomic import write_json
from refine_bench.prompts.answers import MISSING, Reading, parse_answer, read_choice, read_score
from refine_bench.prompts.protocols import LOGIT_READERS, Protocol, find_protocol
from refine_bench.runs.store import Run
from refine_bench.scoring import published
from refine_bench.scoring.choice import ChoiceAnswer, score_choice
from refine_bench.scoring.coverage import add_coverage
from refine_bench.scoring.diagnosis import score_diagnosis
from refine_bench.scoring.local import TaskAnswer, score_severity, score_tasks
from refine_bench.scoring.rated import RatedPrediction, score_rated
from refine_bench.scoring.score_predictions import check_reader, list_warnings

__all__ = ["count_sizes", "score_run"]


def score_run(folder: Path, *, reader: str | None = None, save: bool = True, name: str | None = None) -> dict[str, Any]:
    """Score a run from what it saved; nothing else is needed. `scores.json` is written beside it.

    `name` is what the model is called in the result; `Run.rename` is for good.
    """
    run = Run(folder)
    found = {
        "run": run.name,
        "model": run.head["model"],
        "sets": [_score_set(run, entry, reader) for entry in run.head["sets"]],
    }
    if save:
        write_json(folder / "scores.json", found)
    if name is None:
        return found
    return {**found, "sets": [{**score, "model": name} for score in found["sets"]]}


def _score_set(run: Run, entry: str, reader: str | None) -> dict[str, Any]:
    facts = run.head["sets"][entry]
    protocol = find_protocol(facts["protocol"]["name"])
    items, answers = run.read_items(entry), run.read_answers(entry)
    about = run.head["model"]
    check_reader(None if protocol.reader == "value" else protocol, reader) if facts["kind"] == "rated" else None
    chosen = _choose_reader(run, facts, protocol, reader)
    found = _SCORES[facts["kind"]](items, answers, protocol, chosen, about, facts)
    samples = range(facts["decoding"]["samples"])
    there = sum(all((item["id"], sample) in answers for sample in samples) for item in items)
    found = add_coverage(found, there, facts.get("expected") or len(items))
    return {
        "entry": entry,
        "set": facts["set"],
        "model": run.model,
        "protocol": protocol.name,
        "protocol_sha256": facts["protocol"]["sha256"],
        "reader": chosen or protocol.reader,
        "reader_note": facts.get("reader_note", ""),
        "sha256": facts["sha256"],
        "facts": {"title": facts["set"], "citation": "", **(facts.get("facts") or {})},
        "truth": f"labels of {facts['set']} (sha256 {facts['sha256'][:12]})",
        **found,
        "cost": _sum_cost(answers.values()),
        "sizes": count_sizes(answers.values()),
        "warnings": _list_run_warnings(found, facts, protocol, answers),
        "problems": facts.get("problems") or [],
        "published": published.list_published(facts["set"], protocol.name, found["coverage"], reader=chosen or ""),
    }


def _choose_reader(run: Run, facts: Mapping[str, Any], protocol: Protocol, reader: str | None) -> str | None:
    """The one asked for, else the one that the run was made with; None for the protocol's own."""
    made = facts.get("reader") or run.head["model"].get("reader")
    if reader in LOGIT_READERS and made == "text" and not facts["decoding"].get("top_logprobs"):
        raise UserError(f"{run.folder} has no log-probabilities for {facts['set']}: only --reader text reads it")
    return reader or (None if made == protocol.reader else made)


Answers = Mapping[tuple[str, int], Mapping[str, Any]]


def _read_samples(
    item: Mapping[str, Any], answers: Answers, samples: int, protocol: Protocol, reader: str | None
) -> tuple[Reading, ...]:
    rows = [answers.get((item["id"], sample)) for sample in range(samples)]
    return tuple(
        Reading(None, MISSING) if row is None else read_score(parse_answer(row), protocol, reader) for row in rows
    )


def _rated(
    items: Any, answers: Answers, protocol: Protocol, reader: str | None, about: Any, facts: Any
) -> dict[str, Any]:
    samples = facts["decoding"]["samples"]
    judged_items = [
        RatedPrediction(
            name=item["id"],
            readings=_read_samples(item, answers, samples, protocol, reader),
            truth=item["truth"]["mos"],
            cluster=item["truth"]["cluster"],
            sd=item["truth"]["sd"],
            n_ratings=item["truth"]["n_ratings"],
            kind=item["truth"]["kind"],
            source=item["truth"]["image"],
        )
        for item in items
    ]
    scale = None if protocol.reader == "value" else protocol.scale
    return score_rated(judged_items, sign=about.get("sign", 1.0), scale=scale)


def _choice(
    items: Any, answers: Answers, protocol: Protocol, reader: str | None, about: Any, facts: Any
) -> dict[str, Any]:
    return score_choice([_chosen(item, answers.get((item["id"], 0))) for item in items])


def _chosen(item: Mapping[str, Any], row: Mapping[str, Any] | None) -> ChoiceAnswer:
    truth = item["truth"]
    options = tuple(truth["options"])
    reading = Reading(None, MISSING) if row is None else read_choice(parse_answer(row), options)
    official = None
    if row is not None and truth["answer"] is not None:
        # Q-Bench's rule: the text of the right option is somewhere in the output.
        official = options[truth["answer"]].lower() in str(row.get("text", "")).lower()
    return ChoiceAnswer(
        name=item["id"],
        reading=reading,
        answer=truth["answer"],
        options=options,
        groups=truth["groups"],
        official=official,
        of=truth.get("of"),
        turn=truth.get("turn", 0),
    )


def _told(items: Any, answers: Answers) -> list[TaskAnswer]:
    return [_one_told(item, answers.get((item["id"], 0))) for item in items]


def _one_told(item: Mapping[str, Any], row: Mapping[str, Any] | None) -> TaskAnswer:
    if row is None:
        return TaskAnswer(item["id"], "", item["truth"], item["prompt"], error=MISSING)
    return TaskAnswer(
        item["id"],
        str(row.get("text") or ""),
        item["truth"],
        item["prompt"],
        error=row.get("error"),
        finish=str(row.get("finish") or "stop"),
    )


def _tasks(
    items: Any, answers: Answers, protocol: Protocol, reader: str | None, about: Any, facts: Any
) -> dict[str, Any]:
    return score_tasks(_told(items, answers))


def _diagnosis(
    items: Any, answers: Answers, protocol: Protocol, reader: str | None, about: Any, facts: Any
) -> dict[str, Any]:
    return score_diagnosis(_told(items, answers))


def _severity(
    items: Any, answers: Answers, protocol: Protocol, reader: str | None, about: Any, facts: Any
) -> dict[str, Any]:
    rows = [(item["id"], _read_samples(item, answers, 1, protocol, None)[0], item["truth"]) for item in items]
    return score_severity(rows, about.get("sign", 1.0))


def _described(
    items: Any, answers: Answers, protocol: Protocol, reader: str | None, about: Any, facts: Any
) -> dict[str, Any]:
    rows = [answers.get((item["id"], 0)) for item in items]
    failures = Counter(
        MISSING if row is None else "runtime_error" for row in rows if row is None or row.get("error") is not None
    )
    failed = failures.total()
    return {
        "kind": "describe",
        "n": len(items),
        "n_read": len(items) - failed,
        "failures": dict(sorted(failures.items())),
        "failure_rate": failed / len(items),
        "ranked": False,
        "undefined": "the golden descriptions are not public; the answers are saved",
    }


_SCORES: Mapping[str, Callable[..., dict[str, Any]]] = {
    "rated": _rated,
    "choice": _choice,
    "local": _tasks,
    "severity": _severity,
    "diagnosis": _diagnosis,
    "describe": _described,
}


def _sum_cost(answers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    rows = list(answers)
    seconds = sorted(float(row.get("seconds") or 0.0) for row in rows)
    usage: Counter[str] = Counter()
    for row in rows:
        usage.update({key: int(value) for key, value in (row.get("usage") or {}).items()})
    return {
        "answers": len(rows),
        "seconds": sum(seconds),
        "median_seconds": seconds[len(seconds) // 2] if seconds else None,
        "p95_seconds": seconds[int(len(seconds) * 0.95)] if seconds else None,
        **usage,
    }


def count_sizes(answers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """How often the processor showed the model fewer or more pixels than the file has, where it is known."""
    pairs = [pair for row in answers for pair in row.get("seen") or () if pair[1] is not None]
    areas = [(pair[1][0] * pair[1][1]) / (pair[0][0] * pair[0][1]) for pair in pairs]
    return {"known": len(areas), "smaller": sum(a < 0.95 for a in areas), "larger": sum(a > 1.05 for a in areas)}


def _list_run_warnings(
    found: Mapping[str, Any], facts: Mapping[str, Any], protocol: Protocol, answers: Answers
) -> list[str]:
    warnings = list_warnings(found)
    if facts["protocol"]["sha256"] != protocol.sha256:
        warnings.append(f"the protocol {protocol.name} has changed since these answers were given")
    if facts.get("reader_note"):
        warnings.append(f"read as text: {facts['reader_note']}; {protocol.name} reads {protocol.reader}")
    seen = count_sizes(answers.values())
    for key, what in (("smaller", "down-scaled"), ("larger", "up-scaled")):
        if seen[key]:
            share = seen[key] / seen["known"]
            warnings.append(f"the processor {what} {share:.0%} of the images: part of the quality is the processor's")
    return warnings
