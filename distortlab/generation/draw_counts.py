"""The counts of what a shard could not use: draws that were rejected, references that were left out."""

from collections import Counter
from dataclasses import dataclass, field

__all__ = ["DrawCounts"]


@dataclass(slots=True)
class DrawCounts:
    """Rejected draws, screened references and skipped annotations of a shard, each by reason.

    `opened` counts the references that were opened; `failures` has those that could not be used, with the reason.
    """

    rejected: Counter[str] = field(default_factory=Counter)
    screened: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    opened: int = 0
    failures: list[dict[str, str]] = field(default_factory=list)
