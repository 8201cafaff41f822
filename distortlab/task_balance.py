"""Which questions are asked about an image: as many as planned, and of every task as many as the references allow.

Not every image can be asked about in every task: an object question needs something else that could have been
distorted in the same way. Where it is lacking, another task takes its place, and an image further on, which had no
object question, makes up for it. What happens depends on the images of the shard before, in their order, and on
nothing else.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["TaskBalance"]

_ENOUGH = 3
"""Candidates from which an object question is a good one: of two, every second guess is right."""
_PATIENCE = 8
"""Object questions with two candidates that may wait for an image with more."""
IMPOSSIBLE = "object: nothing else to choose from"
EASY = "object: one other thing to choose from"


@dataclass(slots=True)
class TaskBalance:
    """The account of a shard. `tasks`: those that the data set asks; `left`: images still to come.

    `owed` counts questions of a task that were planned and are still to be asked, below 0 those asked beyond the plan;
    `replaced` those that another task took the place of, `left_out` those that none could, by reason.
    """

    tasks: Sequence[str]
    left: int
    candidates: int = 4
    owed: Counter[str] = field(default_factory=Counter)
    replaced: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)

    def wants_object(self, planned: Sequence[str]) -> bool:
        """Whether it is worth finding out if the next image can be asked about in the object task."""
        return "object" in planned or ("object" in self.tasks and self.owed["object"] > 0)

    def settle(self, planned: Sequence[str], candidates: int) -> tuple[str, ...]:
        """The tasks of the next image. `candidates`: how many an object question would have; below 2 there is none."""
        self.left -= 1
        chosen = set(planned)
        if "object" in chosen:
            self._keep_or_replace(chosen, candidates)
        elif self._takes(candidates):
            self._exchange(chosen, min(planned, key=lambda task: self.owed[task]), "object")
        return tuple(task for task in self.tasks if task in chosen)

    def skip(self) -> None:
        """The next image could not be made."""
        self.left -= 1

    @property
    def _patience(self) -> int:
        """Few images from the end nothing may wait any more."""
        return min(_PATIENCE, self.left // 32)

    def _takes(self, candidates: int) -> bool:
        least = 2 if self.owed["object"] > self._patience else self._enough
        return self.owed["object"] > 0 and candidates >= least

    @property
    def _enough(self) -> int:
        return min(_ENOUGH, self.candidates)

    def _keep_or_replace(self, chosen: set[str], candidates: int) -> None:
        others = [task for task in self.tasks if task not in chosen]
        if candidates >= self._enough or (candidates >= 2 and (not others or self.owed["object"] >= self._patience)):
            return
        reason = EASY if candidates >= 2 else IMPOSSIBLE
        if others:
            self._exchange(chosen, "object", max(others, key=lambda task: self.owed[task]))
            self.replaced[reason] += 1
        else:
            chosen.remove("object")
            self.left_out[reason] += 1

    def _exchange(self, chosen: set[str], old: str, new: str) -> None:
        chosen.remove(old)
        chosen.add(new)
        self.owed[old] += 1
        self.owed[new] -= 1
