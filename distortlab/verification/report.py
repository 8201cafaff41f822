"""What a check found, and what it could not look at."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

__all__ = ["Report"]

_MOST = 1_000


@dataclass(slots=True)
class Report:
    """What was checked, what could not be, and what is wrong (a sentence each; empty when all is well).

    `files`, `images` and `questions` were looked at; `rendered` recipes were done again, `not_rendered` not, by reason.
    `not_checked` says what else was left out, and why. Beyond a thousand problems only their number is kept (`more`).
    """

    files: int = 0
    images: int = 0
    questions: int = 0
    rendered: int = 0
    not_rendered: dict[str, int] = field(default_factory=dict)
    not_checked: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    more: int = 0

    def wrong(self, problems: Iterable[str]) -> None:
        """Note problems."""
        found = list(problems)
        room = max(0, _MOST - len(self.problems))
        self.problems += found[:room]
        self.more += len(found[room:])

    def add(self, other: "Report") -> None:
        """Take in the report of a part."""
        self.files += other.files
        self.images += other.images
        self.questions += other.questions
        self.rendered += other.rendered
        self.not_rendered = dict(Counter(self.not_rendered) + Counter(other.not_rendered))
        self.not_checked += [reason for reason in other.not_checked if reason not in self.not_checked]
        self.wrong(other.problems)
        self.more += other.more
