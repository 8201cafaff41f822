"""Answers of models, and what is read from them: a value, or why there is none.

An answer is its text, why it ended, and tokens with their most probable alternatives where those were asked for.
`score_reader` and `choice_reader` read them: nothing is guessed, and no answer raises.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from distortlab.tasks import Unread

__all__ = ["FAILURES", "MISSING", "REASONS", "Answer", "Reading", "Token", "explain_failure", "parse_answer"]

FAILURES = (
    "empty",
    "refusal",
    "truncated",
    "no_tag",
    "no_number",
    "multiple",
    "out_of_range",
    "no_level",
    "runtime_error",
)
"""Why there is no value. `multiple`: two things were named, and which was meant is not for us to say."""
REASONS: Mapping[Unread, str] = MappingProxyType(
    {Unread.MISSING: "no_tag", Unread.UNCLOSED: "truncated", Unread.REPEATED: "multiple", Unread.EMPTY: "empty"}
)
"""What a reason of `distortlab.tasks` is. An answer without a tag has come; "missing" is one that has not."""
OK = "ok"
MISSING = "missing"
"""The status of a question whose answer has not come: no failure of the model."""
LIMIT = 100_000
_REFUSAL = re.compile(
    r"\b(?:i(?:'m| am) (?:sorry|unable|not able)|i (?:cannot|can't|can not|won't)|as an ai\b"
    r"|unable to (?:rate|assess|view|see))",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A token of an answer. `top`: (text, natural log of its probability), most probable first; may be empty."""

    text: str
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said once. `finish`: "stop", "length" or what the server calls it. `logits`: by word, where
    known.
    """

    text: str = ""
    finish: str = "stop"
    tokens: tuple[Token, ...] = ()
    value: float | None = None
    error: str | None = None
    logits: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """A value and "ok", or None and one of `FAILURES`. `mass`: probability that the tokens it was read from have
    together.
    """

    value: float | None
    status: str = OK
    mass: float | None = None


def parse_answer(row: Mapping[str, Any]) -> Answer:
    """Return an answer from its line in a run."""
    tokens = tuple(Token(str(text), tuple((str(t), float(p)) for t, p in top)) for text, top in row.get("tokens") or ())
    return Answer(
        text=str(row.get("text") or ""),
        finish=str(row.get("finish") or "stop"),
        tokens=tokens,
        value=row.get("value"),
        error=row.get("error"),
        logits=row.get("logits") or {},
    )


def explain_failure(answer: Answer, otherwise: str) -> str:
    """Return why nothing was found in an answer: it refuses, was cut off, or else `otherwise`."""
    if _REFUSAL.search(answer.text[:2000]):
        return "refusal"
    return "truncated" if answer.finish == "length" else otherwise
