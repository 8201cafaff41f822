"""Why an item of a stream could not be made, and what is said where nothing takes its place."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["ItemFailure", "Reason", "explain_failures"]

Reason = Literal["no reference can be used", "every draw was rejected", "nothing can be asked"]


_MOST_TRIES = 9
_MOST_BARREN = 3
"""Of so many times 64 references none can be used: few will be."""


@dataclass(frozen=True, slots=True)
class ItemFailure:
    """An item that could not be made.

    Parameters
    ----------
    reason
        What it is counted under.
    counts
        References that cannot be used, or rejected draws, by their reasons.
    references
        How many it could have been made from.
    has_all
        Whether there are no other references.
    """

    reason: Reason
    counts: Mapping[str, int]
    references: int
    has_all: bool = False

    @property
    def most_tries(self) -> int:
        """How many times the item is planned, with other references each time, before it is an error."""
        if self.reason == "no reference can be used":
            return 1 if self.has_all else _MOST_BARREN
        return _MOST_TRIES


def explain_failures(index: int, failures: Sequence[ItemFailure], tasks: Sequence[str]) -> str:
    """Say in one sentence why neither an item nor any of its replacements could be made.

    Parameters
    ----------
    index
        Of the item.
    failures
        That of the item, then those of its replacements.
    tasks
        Those that the recipe asks.
    """
    last = failures[-1].reason
    alike = [failure for failure in failures if failure.reason == last]
    counts = sum((Counter(failure.counts) for failure in alike), Counter[str]())
    again = f" and {len(failures) - 1} in its place" if len(failures) > 1 else ""
    if last == "no reference can be used":
        found = ", ".join(f"{count} {reason}" for reason, count in counts.items())
        return (
            f"none of the {sum(failure.references for failure in alike)} references that item {index} of the stream"
            f"{again} may be made from can be used ({found}): take other references, or loosen [references] and "
            "[regions] in the recipe"
        )
    if last == "nothing can be asked":
        return (
            f"nothing can be asked about item {index} of the stream{again}: none of the tasks of the recipe "
            f"({', '.join(tasks)}) suits these images; take other references, or change [tasks] or [composition]"
        )
    reasons = ", ".join(f"{count} {reason}" for reason, count in counts.most_common(3))
    return (
        f"item {index} of the stream{again} could not be made: every draw was rejected, most often for {reasons}; take "
        "other references, or loosen [visibility] and [regions] in the recipe"
    )
