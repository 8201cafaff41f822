"""What the files of a run hold: keys of `run.json`, of a line of `items/SET.jsonl` and of one of `answers/SET.jsonl`.

Keys that may be absent are those of a kind of set or model, or younger than the oldest run that is still read.
"""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

__all__ = ["AnswerRow", "DecodingFacts", "ItemRow", "ProtocolFacts", "RunHead", "SetFacts", "find_difference"]

_ASKED = ("sha256", "protocol", "reader", "decoding")


class ItemRow(TypedDict):
    """An item of a set. What `truth` holds depends on the kind of the set."""

    id: str
    prompt: str
    truth: Mapping[str, Any]


class AnswerRow(TypedDict):
    """An answer to one sample of one item.

    `tokens`: [text, [[text, natural log of its probability], ...]] each. `seen`: for every image [columns, rows] of
    the file and of what the model was shown.
    """

    key: str
    item: str
    sample: int
    text: str
    finish: str
    seconds: float
    tokens: NotRequired[list[Any]]
    value: NotRequired[float]
    error: NotRequired[str]
    logits: NotRequired[dict[str, float]]
    usage: NotRequired[dict[str, int]]
    seen: NotRequired[list[tuple[tuple[int, int], tuple[int, int] | None]]]


class ProtocolFacts(TypedDict):
    """The protocol under which a set was asked."""

    name: str
    version: int
    sha256: str


class DecodingFacts(TypedDict):
    """The fields of `Decoding`."""

    temperature: float
    top_p: float
    top_k: int | None
    max_tokens: int
    samples: int
    seed: int
    top_logprobs: int


class SetFacts(TypedDict):
    """What is known of a set that was asked. `facts`: its title, citation and more; `expected`: rows of the variant."""

    set: str
    kind: str
    sha256: str
    protocol: ProtocolFacts
    decoding: DecodingFacts
    reader: NotRequired[str]
    reader_note: NotRequired[str]
    expected: NotRequired[int]
    problems: NotRequired[list[str]]
    facts: NotRequired[dict[str, Any]]
    images: NotRequired[str]


class RunHead(TypedDict):
    """`run.json`. `model`: what the model says of itself; `sets` by the name of their files."""

    format: int
    model: dict[str, Any]
    sets: dict[str, SetFacts]
    environment: NotRequired[dict[str, Any]]
    model_name: NotRequired[str]
    merged: NotRequired[list[str]]


def find_difference(one: Mapping[str, object], other: Mapping[str, object]) -> str | None:
    """Return the first key that keeps the answers of two sets out of one file; None where they may stand together.

    A key that one of them lacks does not count: runs of before `reader` was written lack it.
    """
    return next((name for name in _ASKED if name in one and name in other and one[name] != other[name]), None)
