"""One set of a run as scorers take it: its items and saved answers, and what they mean under the set's protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from distortlab.core.errors import UserError
from refine_bench.datasets.local import LocalTruth
from refine_bench.prompts.answers import MISSING, Reading, parse_answer
from refine_bench.prompts.choice_reader import read_choice
from refine_bench.prompts.items import ChoiceTruth, RatedTruth
from refine_bench.prompts.protocols import LOGIT_READERS, Protocol, find_protocol
from refine_bench.prompts.score_reader import read_score
from refine_bench.runs.records import AnswerRow, ItemRow, SetFacts
from refine_bench.runs.store import Run
from refine_bench.scoring.choice import ChoiceAnswer
from refine_bench.scoring.rated import RatedPrediction
from refine_bench.scoring.score_predictions import check_reader
from refine_bench.scoring.severity import SeverityReading
from refine_bench.scoring.task_answers import TaskAnswer

__all__ = ["SavedSet", "list_choices", "list_ratings", "list_severities", "list_task_answers", "open_saved"]


@dataclass(frozen=True, slots=True)
class SavedSet:
    """One set of a run. `reader`: None for the protocol's own. `sign`: -1 where the model's numbers fall with quality.

    `answers` are found by (item, sample).
    """

    facts: SetFacts
    items: Sequence[ItemRow]
    answers: Mapping[tuple[str, int], AnswerRow]
    protocol: Protocol
    reader: str | None = None
    sign: float = 1.0

    @property
    def samples(self) -> range:
        """The samples that each item was asked for."""
        return range(self.facts["decoding"]["samples"])

    @property
    def answered(self) -> int:
        """How many items have an answer to every sample, readable or not."""
        return sum(all((item["id"], sample) in self.answers for sample in self.samples) for item in self.items)

    def find_answer(self, item: ItemRow, sample: int = 0) -> AnswerRow | None:
        """The answer to an item; None where none has come."""
        return self.answers.get((item["id"], sample))

    def read_score(self, item: ItemRow, sample: int = 0) -> Reading:
        """The score of an answer, by the protocol and reader of the set."""
        row = self.find_answer(item, sample)
        return Reading(None, MISSING) if row is None else read_score(parse_answer(row), self.protocol, self.reader)


def open_saved(run: Run, entry: str, reader: str | None) -> SavedSet:
    """Open a set of a run for scoring.

    Parameters
    ----------
    run
        The run.
    entry
        The name of the set's files, a key of "sets" in `run.json`.
    reader
        How to read the answers; None for the way that the run was made for.

    Raises
    ------
    UserError
        Where the protocol is none that is known, or the answers cannot be read so.
    """
    facts = run.head["sets"][entry]
    protocol = find_protocol(facts["protocol"]["name"])
    items, answers = run.read_items(entry), run.read_answers(entry)
    if facts["kind"] == "rated":
        check_reader(None if protocol.reader == "value" else protocol, reader)
    sign = run.head["model"].get("sign", 1.0)
    return SavedSet(facts, items, answers, protocol, _choose_reader(run, facts, protocol, reader), sign)


def _choose_reader(run: Run, facts: SetFacts, protocol: Protocol, reader: str | None) -> str | None:
    """The one asked for, else the one that the run was made with; None for the protocol's own."""
    usual = facts.get("reader") or run.head["model"].get("reader")
    if reader in LOGIT_READERS and usual == "text" and not facts["decoding"].get("top_logprobs"):
        raise UserError(f"{run.folder} has no log-probabilities for {facts['set']}: only --reader text reads it")
    return reader or (None if usual == protocol.reader else usual)


def list_ratings(saved: SavedSet) -> list[RatedPrediction]:
    """The images of a rated set, each with what was read from its answers."""
    return [_make_rating(saved, item) for item in saved.items]


def _make_rating(saved: SavedSet, item: ItemRow) -> RatedPrediction:
    truth = cast(RatedTruth, item["truth"])
    return RatedPrediction(
        name=item["id"],
        readings=tuple(saved.read_score(item, sample) for sample in saved.samples),
        truth=truth["mos"],
        cluster=truth["cluster"],
        sd=truth["sd"],
        n_ratings=truth["n_ratings"],
        kind=truth["kind"],
        source=truth["image"],
        attributes=truth.get("attributes") or {},
    )


def list_choices(saved: SavedSet) -> list[ChoiceAnswer]:
    """The multiple-choice questions of a set, each with the option that was chosen."""
    return [_make_choice(item, saved.find_answer(item)) for item in saved.items]


def _make_choice(item: ItemRow, row: AnswerRow | None) -> ChoiceAnswer:
    truth = cast(ChoiceTruth, item["truth"])
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


def list_task_answers(saved: SavedSet) -> list[TaskAnswer]:
    """The questions of a set made by `distortlab`, each with its answer as text."""
    return [_make_task_answer(item, saved.find_answer(item)) for item in saved.items]


def _make_task_answer(item: ItemRow, row: AnswerRow | None) -> TaskAnswer:
    truth = cast(LocalTruth, item["truth"])
    if row is None:
        return TaskAnswer(item["id"], "", truth, item["prompt"], error=MISSING)
    return TaskAnswer(
        name=item["id"],
        text=str(row.get("text") or ""),
        truth=truth,
        prompt=item["prompt"],
        error=row.get("error"),
        finish=str(row.get("finish") or "stop"),
    )


def list_severities(saved: SavedSet) -> list[SeverityReading]:
    """The images of a set made by `distortlab`, each with what a measure gave for it."""
    return [SeverityReading(saved.read_score(item), cast(LocalTruth, item["truth"])) for item in saved.items]
