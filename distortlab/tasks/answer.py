"""The answer: how it is asked for, how it is found in a completion, and what a verdict on it looks like.

This is the one place that knows the tags. Every question ends with `format_instruction`, every completion is opened
with `read_answer`. A completion is text from a model and may be anything: the work done on it is linear in
its length, and nothing in it raises.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

__all__ = [
    "LIMIT",
    "SCORED",
    "Unread",
    "Verdict",
    "format_completion",
    "format_instruction",
    "format_prompt",
    "format_score",
    "is_answerable",
    "read_answer",
]

LIMIT = 1000
"""The longest answer that is read, in characters, where a task does not say otherwise: far longer than any that is
asked for.
"""

SCORED = "scored"

_TAG = re.compile(r"</?(?:think|answer)>", re.IGNORECASE | re.ASCII)
_FORMAT = ["<think>", "</think>", "<answer>", "</answer>"]


class Unread(Enum):
    """Why there is no answer to score. No answer is not a wrong answer."""

    MISSING = "missing"
    """No answer tag."""
    UNCLOSED = "unclosed"
    """An answer was begun and not ended: cut off."""
    REPEATED = "repeated"
    """More than one answer: which one was meant is not for us to say."""
    MISPLACED = "misplaced"
    """The answer stands inside the thinking, or the thinking inside the answer: a draft."""
    EMPTY = "empty"
    """The tags hold nothing."""
    LONG = "long"
    """The tags hold more characters than the task reads, or a list holds more regions."""
    MALFORMED = "malformed"
    """The tags are out of order, or what they hold is not what was asked for."""
    INCOMPLETE = "incomplete"
    """A part of the answer is not there: a type without a severity."""
    AMBIGUOUS = "ambiguous"
    """It names two things, or could mean two things."""
    IMPOSSIBLE = "impossible"
    """Four numbers that are no box: negative, without area, corners swapped."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A value in [0, 1] with the status "scored", or no value and the reason (the value of an `Unread`)."""

    value: float | None
    status: str = SCORED

    def __post_init__(self) -> None:
        if (self.value is None) == (self.status == SCORED):
            raise ValueError(f"a verdict has a value or a reason, not {self.value!r} and {self.status!r}")
        if self.value is not None and not 0.0 <= self.value <= 1.0:
            raise ValueError(f"a verdict's value is in [0, 1], not {self.value!r}")

    @classmethod
    def unread(cls, reason: Unread) -> "Verdict":
        """The verdict on a completion that could not be read."""
        return cls(None, reason.value)

    @property
    def reward(self) -> float:
        """The value, and 0 where there is none: what reinforcement learning pays for it."""
        return 0.0 if self.value is None else self.value


def format_instruction(shape: str) -> str:
    """How to answer. `shape` is the form of the answer in words, never an answer that could be right."""
    return (
        "First think it through and write your reasoning between <think> and </think>. "
        "Then write the final answer, and nothing else, between <answer> and </answer>. "
        f"Reply in exactly this form:\n<think>your reasoning</think><answer>{shape}</answer>"
    )


def format_prompt(wordings: Sequence[str], wording: int, shape: str, **fields: str) -> str:
    """The prompt: one of the wordings with its fields filled in, then the instruction."""
    if not 0 <= wording < len(wordings):
        raise ValueError(f"no wording {wording}; there are {len(wordings)}, counted from 0")
    return f"{wordings[wording].format(**fields)}\n\n{format_instruction(shape)}"


def is_answerable(text: str, limit: int = LIMIT) -> bool:
    """Whether a text can stand in an answer and be read again: not blank, not too long, without the tags."""
    return bool(text.strip()) and len(text) <= limit and not _TAG.search(text)


def format_completion(answer: str, thinking: str | None, limit: int = LIMIT) -> str:
    """A completion in the form that `format_instruction` asks for, e.g. for a cold start.

    Without `thinking` it is the answer alone.
    """
    if not is_answerable(answer, limit) or (thinking is not None and (not thinking.strip() or _TAG.search(thinking))):
        raise ValueError(f"blank, too long, or with the tags inside: {answer[:80]!r}, {str(thinking)[:80]!r}")
    return ("" if thinking is None else f"<think>{thinking}</think>") + f"<answer>{answer}</answer>"


def read_answer(completion: str, limit: int = LIMIT) -> str | Unread:
    """What stands between the one pair of answer tags, without blanks around it.

    Tags count whatever their case. Thinking is not needed for an answer to be read (that is a matter for
    `format_score`), but an answer inside the thinking is a draft and not read.

    Parameters
    ----------
    completion
        Whatever a model wrote.
    limit
        The longest answer that the task reads, in characters.

    Returns
    -------
    str or Unread
        The answer, 1 to `limit` characters, or why there is none.

    Examples
    --------
    >>> from distortlab.tasks import read_answer
    >>> read_answer("<think>Soft edges.</think><answer> Blur, Severe </answer>")
    'Blur, Severe'
    >>> read_answer("<answer>Blur")
    <Unread.UNCLOSED: 'unclosed'>
    """
    tags = [(tag.group().lower(), tag.start(), tag.end()) for tag in _TAG.finditer(completion)]
    names = [name for name, _, _ in tags]
    if (fault := _fault(names)) is not None:
        return fault
    at = names.index("<answer>")
    text = completion[tags[at][2] : tags[at + 1][1]].strip()
    if not text:
        return Unread.EMPTY
    return text if len(text) <= limit else Unread.LONG


def _fault(names: list[str]) -> Unread | None:
    """What keeps these tags (lower case, in order) from framing one answer."""
    opened, closed = names.count("<answer>"), names.count("</answer>")
    if opened > 1:
        return Unread.REPEATED
    if not opened:
        return Unread.MALFORMED if closed else Unread.MISSING
    at = names.index("<answer>")
    if names[at - 1 : at] == ["<think>"] or any("think" in name for name in names[at:]):
        return Unread.MISPLACED
    if not closed:
        return Unread.UNCLOSED
    return None if names[at:] == ["<answer>", "</answer>"] and closed == 1 else Unread.MALFORMED


def format_score(completion: str) -> float:
    """1 if the whole completion is one think block, then one answer block, neither of them blank; else 0.

    Blanks are allowed before, between and after the blocks; tags are in lower case.
    """
    tags = list(_TAG.finditer(completion))
    if [tag.group() for tag in tags] != _FORMAT:
        return 0.0
    edges = [0, *(edge for tag in tags for edge in tag.span()), len(completion)]
    before, thinking, between, answer, after = (
        completion[start:end].strip() for start, end in zip(edges[::2], edges[1::2], strict=True)
    )
    return float(bool(thinking and answer) and not (before or between or after))
