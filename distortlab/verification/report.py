"""What a check found, and what it could not look at."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from distortlab.distortions.edit import MEASURE_VERSION

__all__ = ["Report"]

_MOST = 1_000


@dataclass(slots=True)
class Report:
    """What was checked, what could not be, and what is wrong.

    Attributes
    ----------
    files, images, questions
        How many were checked.
    rendered
        How many recipes were rendered again.
    not_rendered
        How many were not: reason -> images.
    not_checked
        What else was left out and why, a sentence each.
    problems
        What is wrong, a sentence each, at most a thousand; empty when all is well.
    more
        How many problems there are beyond those.
    """

    files: int = 0
    images: int = 0
    questions: int = 0
    rendered: int = 0
    not_rendered: dict[str, int] = field(default_factory=dict)
    not_checked: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    more: int = 0

    def add_problems(self, problems: Iterable[str]) -> None:
        """Note problems, a sentence each."""
        new = list(problems)
        room = max(0, _MOST - len(self.problems))
        self.problems += new[:room]
        self.more += len(new[room:])

    def leave_out(self, reason: str) -> None:
        """Count an image whose recipe is not rendered again."""
        self.not_rendered[reason] = self.not_rendered.get(reason, 0) + 1

    def note_measure(self, version: int) -> None:
        """Note that visibility measured by another version of the measure is not judged."""
        reason = f"V by version {version} of the measure, which is version {MEASURE_VERSION} here: not measured again"
        if version != MEASURE_VERSION and reason not in self.not_checked:
            self.not_checked.append(reason)

    def add(self, other: "Report") -> None:
        """Take in the report of a part."""
        self.files += other.files
        self.images += other.images
        self.questions += other.questions
        self.rendered += other.rendered
        self.not_rendered = dict(Counter(self.not_rendered) + Counter(other.not_rendered))
        self.not_checked += [reason for reason in other.not_checked if reason not in self.not_checked]
        self.add_problems(other.problems)
        self.more += other.more
