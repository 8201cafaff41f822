"""Which questions are asked about an image: as many as planned, and of every task as many as the references allow.

Not every image can be asked about in every task: an object question needs something else that could have been
distorted in the same way. Where it is lacking, another task takes its place, and an image further on, which had no
object question, makes up for it. What happens depends on the images of the shard before, in their order, and on
nothing else.

Some families seldom show on two things of an image (saturation, where all is grey). If their object questions became
questions about the type, those families would be the answer more often than others. So every family keeps its number of
such questions: what comes on top is given back by a later image of the family, and grounding, which asks for no type,
takes what is left.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from distortlab.tasks import TASKS

__all__ = ["PairBalance", "TaskBalance"]

_GOOD_COUNT = 3
"""Candidates from which an object question is a good one: of two, every second guess is right."""
_PATIENCE = 8
"""Object questions with two candidates that may wait for an image with more."""
_TYPES, _FREE = ("recognition", "recognition_reference"), "grounding"
IMPOSSIBLE = "object: nothing else to choose from"
EASY = "object: one other thing to choose from"
ALIKE = "nothing far enough apart to compare"


@dataclass(slots=True)
class PairBalance:
    """Decides which images of a shard are asked about in tasks that compare: where what was made is too near to each
    other, a later image is asked about instead.

    `tasks` are those that compare, `owed` counts their questions that are still to be asked.
    """

    tasks: Sequence[str]
    owed: Counter[str] = field(default_factory=Counter)

    def settle(self, planned: Sequence[str], can_ask: Callable[[str], bool]) -> list[str]:
        """Decide in which of the tasks the next image is asked about.

        Parameters
        ----------
        planned
            Its tasks in the plan.
        can_ask
            Whether it can be asked about in a task.
        """
        chosen = []
        for task in self.tasks:
            is_planned = task in planned
            if (is_planned or self.owed[task] > 0) and can_ask(task):
                chosen.append(task)
            self.owed[task] += is_planned - (task in chosen)
        return chosen

    @property
    def left_out(self) -> Counter[str]:
        """Questions that none could take the place of, by reason."""
        return Counter({f"{task}: {ALIKE}": count for task, count in self.owed.items() if count > 0})


@dataclass(slots=True)
class TaskBalance:
    """Decides the tasks of every image of a shard, so that all tasks are asked as often as planned.

    `tasks` are those that the data set asks, of which those that compare are left to `pairs`, `left` images still to
    come, `candidates` how many an object question has at most. `owed` counts questions of a task about images of a
    family that were planned and are still to be asked, below 0 those asked beyond the plan; `replaced` those that
    another task took the place of, `left_out` those that none could, by reason.
    """

    tasks: Sequence[str]
    left: int
    candidates: int = 4
    owed: Counter[tuple[str, str]] = field(default_factory=Counter)
    replaced: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    pairs: PairBalance = field(init=False)

    def __post_init__(self) -> None:
        self.pairs = PairBalance([task for task in self.tasks if TASKS[task].subject == "pair"])

    def wants_object(self, planned: Sequence[str]) -> bool:
        """Whether it is worth finding out if the next image can be asked about in the object task."""
        return "object" in planned or ("object" in self.tasks and self.waiting > 0)

    @property
    def waiting(self) -> int:
        """Object questions that were planned and are still to be asked."""
        return self.totals["object"]

    @property
    def totals(self) -> Counter[str]:
        """`owed` over all families."""
        sums: Counter[str] = Counter()
        for (task, _), count in self.owed.items():
            sums[task] += count
        return sums

    def settle(
        self,
        planned: Sequence[str],
        candidates: int,
        family: str = "",
        is_local: bool = True,
        can_compare: Callable[[str], bool] = lambda task: False,
    ) -> tuple[str, ...]:
        """Decide the tasks of the next image.

        Parameters
        ----------
        planned
            Its tasks in the plan.
        candidates
            How many an object question would have; below 2 it cannot be asked.
        family
            Of its distortion.
        is_local
            Whether it has one distorted region, so that another question about that may take the place of one.
        can_compare
            Whether something can be compared in a task.

        Returns
        -------
        tuple of str
            Its tasks, in the order of `tasks`.
        """
        self.left -= 1
        chosen = {task for task in planned if TASKS[task].subject == "region"}
        if is_local and chosen:
            self._balance_regions(chosen, candidates, family)
        chosen.update(task for task in planned if TASKS[task].subject == "image")
        chosen.update(self.pairs.settle(planned, can_compare))
        return tuple(task for task in self.tasks if task in chosen)

    def _balance_regions(self, chosen: set[str], candidates: int, family: str) -> None:
        """Exchange questions about one region where that is needed."""
        if "object" in chosen:
            self._keep_or_replace(chosen, candidates, family)
        elif self._accepts(candidates):
            free = min(sorted(chosen, key=self.tasks.index), key=lambda task: (task in _TYPES, self.owed[task, family]))
            self._exchange(chosen, free, "object", family)
        self._restore_types(chosen, family)

    def skip(self) -> None:
        """Count an image that could not be made."""
        self.left -= 1

    @property
    def _patience(self) -> int:
        """How many questions may wait for a better image; none near the end of the shard."""
        return min(_PATIENCE, self.left // 32)

    def _accepts(self, candidates: int) -> bool:
        least = 2 if self.waiting > self._patience else self._good_count
        return self.waiting > 0 and candidates >= least

    @property
    def _good_count(self) -> int:
        return min(_GOOD_COUNT, self.candidates)

    def _keep_or_replace(self, chosen: set[str], candidates: int, family: str) -> None:
        others = [task for task in self.tasks if task not in chosen and TASKS[task].subject == "region"]
        if candidates >= self._good_count or (candidates >= 2 and (not others or self.waiting >= self._patience)):
            return
        reason = EASY if candidates >= 2 else IMPOSSIBLE
        if others:
            best = max(others, key=lambda task: (task not in _TYPES, self.owed[task, family]))
            self._exchange(chosen, "object", best, family)
            self.replaced[reason] += 1
        else:
            chosen.remove("object")
            self.left_out[reason] += 1

    def _restore_types(self, chosen: set[str], family: str) -> None:
        """Bring the questions about the type nearer to what was planned for this family."""
        for task in _TYPES:
            if self.owed[task, family] < 0 and task in chosen and _FREE in self.tasks and _FREE not in chosen:
                self._exchange(chosen, task, _FREE, family)
            elif self.owed[task, family] > 0 and task not in chosen and _FREE in chosen:
                self._exchange(chosen, _FREE, task, family)

    def _exchange(self, chosen: set[str], old: str, new: str, family: str) -> None:
        chosen.remove(old)
        chosen.add(new)
        self.owed[old, family] += 1
        self.owed[new, family] -= 1
