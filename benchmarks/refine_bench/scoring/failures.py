"""Answers that could not be read: how many, of which kinds, and whether there are too many of them for a rank."""

from collections import Counter
from collections.abc import Iterable
from typing import TypedDict

__all__ = ["MAX_FAILURES", "FailureFacts", "describe_failures"]

MAX_FAILURES = 0.05
"""Share of unread answers above which a result gets no rank."""


class FailureFacts(TypedDict):
    """The part of a score that speaks of failures. `failure_rate`: their share of what was asked, 0 to 1."""

    failures: dict[str, int]
    failure_rate: float
    ranked: bool


def describe_failures(
    statuses: Iterable[str], asked: int, *, can_rank: bool, max_failures: float = MAX_FAILURES
) -> FailureFacts:
    """Count the answers that could not be read.

    Parameters
    ----------
    statuses
        Why each of them could not be read, one of `answers.FAILURES` or `answers.MISSING`.
    asked
        Answers that were asked for.
    can_rank
        Whether a score without failures would have a rank.
    max_failures
        Share of `asked` above which there is none.
    """
    failures = Counter(statuses)
    rate = failures.total() / asked if asked else 0.0
    return {
        "failures": dict(sorted(failures.items())),
        "failure_rate": rate,
        "ranked": rate <= max_failures and can_rank,
    }
