"""Scores on multiple choice: accuracy, by group, beside chance; consistency where options were shuffled."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from refine_bench.prompts.answers import Reading
from refine_bench.scoring.failures import MAX_FAILURES, describe_failures
from refine_bench.scoring.measures import AccuracyFacts, ChoiceMeasures, ShuffleFacts
from refine_bench.statistics.correlation import mean
from refine_bench.statistics.intervals import estimate_mean_interval, list_bounds
from refine_bench.statistics.units import describe_units

__all__ = ["ChoiceAnswer", "score_choice"]


@dataclass(frozen=True, slots=True)
class ChoiceAnswer:
    """A question with the place of the option that was chosen.

    Attributes
    ----------
    answer
        The place of the right option; None where it is not public.
    official
        Whether it is right by Q-Bench's own rule, a substring.
    of, turn
        Where options are shuffled, the question, and by how many places its options are rotated.
    """

    name: str
    reading: Reading
    answer: int | None
    options: tuple[str, ...]
    groups: Mapping[str, str]
    official: bool | None = None
    of: str | None = None
    turn: int = 0

    @property
    def right(self) -> float | None:
        """1 or 0; None where the right answer is not known. An answer that was not read is not right."""
        return None if self.answer is None else float(self.reading.value == self.answer)


def score_choice(items: Sequence[ChoiceAnswer], max_failures: float = MAX_FAILURES) -> ChoiceMeasures:
    """Score a model on one set of multiple-choice questions.

    Parameters
    ----------
    items
        One for each question, or for each rotation of its options.
    max_failures
        Share of unread answers above which there is no rank.

    Returns
    -------
    ChoiceMeasures
        Ready for JSON. "accuracy" counts what was not read as wrong, "accuracy_read" leaves it out.
    """
    known = [item for item in items if item.right is not None]
    plain = [item for item in known if item.turn == 0]
    statuses = [item.reading.status for item in items if item.reading.value is None]
    return {
        "kind": "choice",
        "n": len(items),
        "n_read": sum(item.reading.value is not None for item in items),
        "n_known": len(known),
        **describe_failures(statuses, len(items), can_rank=bool(plain), max_failures=max_failures),
        "undefined": None if plain else "the right answers of this set are not public",
        **_measure_accuracy(plain),
        "official": mean([float(item.official) for item in plain if item.official is not None]),
        "groups": {
            name: {value: _measure_accuracy(group) for value, group in by.items()}
            for name, by in _group_items(plain).items()
        },
        "shuffled": _score_shuffles(known),
        "rows": [(item.name, item.right) for item in items],
    }


def _measure_accuracy(items: Sequence[ChoiceAnswer]) -> AccuracyFacts:
    right = [item.right for item in items if item.right is not None]
    return {
        "accuracy": mean(right),
        "interval": list_bounds(estimate_mean_interval(right)) if right else None,
        "accuracy_read": mean([item.right for item in items if item.reading.value is not None]),
        "chance": mean([1.0 / len(item.options) for item in items]),
        "questions": len(right),
        **describe_units(len(right), None),
    }


def _group_items(items: Sequence[ChoiceAnswer]) -> dict[str, dict[str, list[ChoiceAnswer]]]:
    found: dict[str, dict[str, list[ChoiceAnswer]]] = defaultdict(lambda: defaultdict(list))
    for item in items:
        for name, value in item.groups.items():
            found[name][value].append(item)
    return {name: dict(sorted(by.items())) for name, by in found.items()}


def _score_shuffles(items: Sequence[ChoiceAnswer]) -> ShuffleFacts | None:
    """Over questions that were asked in several orders."""
    turns: dict[str, list[ChoiceAnswer]] = defaultdict(list)
    for item in items:
        if item.of is not None:
            turns[item.of].append(item)
    whole = [group for group in turns.values() if len(group) > 1]
    if not whole:
        return None
    return {
        "questions": len(whole),
        "all_right": mean([float(all(item.right for item in group)) for group in whole]),
        "consistent": mean([float(_is_consistent(group)) for group in whole]),
        "chance": mean([float(len(group[0].options)) ** -len(group) for group in whole]),
    }


def _is_consistent(group: Sequence[ChoiceAnswer]) -> bool:
    texts = {item.options[int(item.reading.value)] for item in group if item.reading.value is not None}
    return len(texts) == 1 and all(item.reading.value is not None for item in group)
