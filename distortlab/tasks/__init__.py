"""The tasks: question, truth and score of each in one file, on the standard library alone.

The generator asks (`question`, `truth`), the trainer and the harness score; none of them knows the rule. A
sample is scored from two strings, the completion and the `solution` that `truth` returned.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from distortlab.tasks import grounding, object, quality, recognition
from distortlab.tasks.answer import Unread, Verdict, format_score, read_answer

__all__ = ["TASKS", "Task", "Unread", "Verdict", "format_score", "read_answer", "score"]


@dataclass(frozen=True, slots=True)
class Task:
    """A kind of question: how many images it shows, how many wordings it has, and who scores an answer."""

    name: str
    images: int
    wordings: int
    score: Callable[[str, str], Verdict]


TASKS: Mapping[str, Task] = MappingProxyType(
    {
        task.name: task
        for task in (
            Task("recognition", 1, recognition.WORDINGS, recognition.score),
            Task("recognition_reference", 2, recognition.WORDINGS, recognition.score),
            Task("object", 1, object.WORDINGS, object.score),
            Task("grounding", 1, grounding.WORDINGS, grounding.score),
            Task("quality", 1, quality.WORDINGS, quality.score),
        )
    }
)
"""By name, as in the `task` column of a data set. `quality` is asked about rated images, not by the generator."""


def score(task: str, completion: str, solution: str) -> Verdict:
    """The verdict on a completion. An unknown task or a broken solution raises, a completion never does."""
    if task not in TASKS:
        raise ValueError(f"no task called {task!r}; known: {', '.join(TASKS)}")
    return TASKS[task].score(completion, solution)
