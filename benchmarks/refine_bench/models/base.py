"""What a model is: something that takes requests and gives responses, in any order, as they come."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from refine_bench.prompts.answers import Answer
from refine_bench.prompts.protocols import Decoding

__all__ = ["LOGITS", "PREFIX", "TOP_K", "Model", "Request", "Response"]

LOGITS, PREFIX, TOP_K = "logits", "prefix", "top_k"
"""What a protocol may need: log-probabilities of tokens; an answer that begins as it is told; top-k sampling."""


@dataclass(frozen=True, slots=True)
class Request:
    """One question, once. `images`: files, as they are on the disk. `words`: level words whose odds are wanted."""

    key: str
    item: str
    sample: int
    images: tuple[bytes, ...]
    prompt: str
    decoding: Decoding
    seed: int
    system: str = ""
    prefix: str = ""
    reference: bytes | None = None
    words: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    truth: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    """What came back. `seen`: for every image [columns, rows] of the file and of what the model was shown, where
    known.
    """

    request: Request
    answer: Answer
    seconds: float = 0.0
    usage: Mapping[str, int] = field(default_factory=dict)
    seen: tuple[tuple[tuple[int, int], tuple[int, int] | None], ...] = ()


class Model(Protocol):
    """A model. `revision` and `processor` are part of every answer's key."""

    spec: str
    revision: str
    processor: str

    @property
    def about(self) -> Mapping[str, Any]:
        """What a run records: kind, name, and what else matters."""
        ...

    def find_limits(self, needed: Collection[str]) -> Mapping[str, str]:
        """Which of `LOGITS`, `PREFIX` and `TOP_K` it cannot do, each with a clause that says how; usually none.

        Raises `UserError` where the model answers nothing at all.
        """
        ...

    def answer(self, requests: Iterable[Request]) -> Iterator[Response]:
        """Responses as they come. A request that fails is a response with an error; what stops the run raises."""
        ...

    def close(self) -> None:
        """Let go of what is held."""
        ...
