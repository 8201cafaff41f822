"""The tasks: question, truth and score of each in one file, on the standard library alone.

The generator asks (`question`, `truth`), the trainer and the harness score; none of them knows the rule. A
sample is scored from two strings, the completion and the `solution` that `truth` returned.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from distortlab.tasks import comparison, diagnosis, grounding, object, quality, recognition
from distortlab.tasks.answer import LIMIT, Unread, Verdict, format_score, read_answer
from distortlab.tasks.region_lists import LIMIT as LIST_LIMIT

__all__ = ["TASKS", "Task", "Unread", "Verdict", "format_score", "read_answer", "score"]


@dataclass(frozen=True, slots=True)
class Task:
    """A kind of question.

    Parameters
    ----------
    name
        As in the `task` column of a data set.
    images
        How many images it shows.
    wordings
        How many ways there are to put it.
    score
        The verdict on (completion, solution).
    shows_reference
        Whether the first of its images is the clean reference of the second.
    subject
        What it is about: one distorted "region", an "image" with all that was done to it, or a "pair" of images or of
        regions that are compared.
    limit
        The longest answer that is read, in characters.
    """

    name: str
    images: int
    wordings: int
    score: Callable[[str, str], Verdict]
    shows_reference: bool
    subject: Literal["region", "image", "pair"]
    limit: int = LIMIT


TASKS: Mapping[str, Task] = MappingProxyType(
    {
        task.name: task
        for task in (
            Task("recognition", 1, recognition.WORDINGS, recognition.score, False, "region"),
            Task("recognition_reference", 2, recognition.WORDINGS, recognition.score, True, "region"),
            Task("object", 1, object.WORDINGS, object.score, False, "region"),
            Task("grounding", 1, grounding.WORDINGS, grounding.score, False, "region"),
            Task("diagnosis", 1, diagnosis.WORDINGS, diagnosis.score, False, "image", LIST_LIMIT),
            Task("comparison", 2, comparison.WORDINGS, comparison.score, False, "pair"),
            Task("comparison_regions", 1, comparison.WORDINGS, comparison.score, False, "pair"),
            Task("quality", 1, quality.WORDINGS, quality.score, False, "image"),
        )
    }
)
"""By name, as in the `task` column of a data set. `quality` is asked about rated images, not by the generator."""


def score(task: str, completion: str, solution: str) -> Verdict:
    """The verdict on a completion.

    Parameters
    ----------
    task
        A key of `TASKS`, as in the `task` column of a data set.
    completion
        Whatever a model wrote; nothing in it raises.
    solution
        What the task's `truth` returned, as in the `solution` column.

    Returns
    -------
    Verdict
        `value` in [0, 1], or None with the reason in `status` where no answer could be read.

    Raises
    ------
    ValueError
        For an unknown task and a text that is no solution of it.

    Examples
    --------
    >>> from distortlab import tasks
    >>> tasks.score("object", "<answer>The dog.</answer>", "dog")
    Verdict(value=1.0, status='scored')
    >>> tasks.score("object", "It is the dog.", "dog")
    Verdict(value=None, status='missing')
    """
    if task not in TASKS:
        raise ValueError(f"no task called {task!r}; known: {', '.join(TASKS)}")
    return TASKS[task].score(completion, solution)
