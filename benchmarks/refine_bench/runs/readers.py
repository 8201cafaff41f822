"""How answers will be read: from log-probabilities where the model gives them, otherwise from the text."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from distortlab.core.errors import UserError, describe_unknown
from refine_bench.models import LOGITS, PREFIX, TOP_K, Model
from refine_bench.prompts.protocols import Decoding, Protocol

__all__ = ["CHOICES", "Reader", "check_choice", "choose_reader", "find_needs"]

CHOICES = ("auto", "logits", "text")
WRITTEN = ("text", "digits", "digits-tenths", "levels")


@dataclass(frozen=True, slots=True)
class Reader:
    """How the answers of one set are read. `note`: why not as the protocol says; empty where it is as it says."""

    name: str
    decoding: Decoding
    note: str = ""


def check_choice(choice: str, protocols: list[Protocol], model: Model) -> None:
    """Raise `UserError` for a choice that does not exist, or that no protocol and model have a use for."""
    if choice not in CHOICES:
        raise UserError(describe_unknown("reader", choice, CHOICES))
    names = ", ".join(sorted({f"{protocol.name} reads {protocol.reader}" for protocol in protocols}))
    if choice == "logits" and not any(protocol.needs_logits for protocol in protocols):
        raise UserError(f"--reader logits is for protocols that read log-probabilities; {names}")
    if choice == "logits" and model.about.get("reader") == "text":
        raise UserError(f"--reader logits: {model.spec} answers in text alone")
    if choice == "text" and not any(protocol.reader in WRITTEN for protocol in protocols):
        raise UserError(f"--reader text is for protocols that read a score; {names}")


def find_needs(protocol: Protocol, decoding: Decoding, choice: str) -> frozenset[str]:
    """What a model must be able to do for a protocol: of `LOGITS`, `PREFIX`, `TOP_K`."""
    needs = {
        LOGITS: protocol.needs_logits and choice != "text",
        PREFIX: bool(protocol.prefix),
        TOP_K: decoding.top_k is not None,
    }
    return frozenset(name for name, needed in needs.items() if needed)


def choose_reader(
    protocol: Protocol, decoding: Decoding, choice: str, model: Model, limits: Mapping[str, str]
) -> Reader:
    """The reader of a protocol under a choice; `limits` as `Model.find_limits` gives them.

    Raises `UserError` where the model cannot do what the protocol is about, or "logits" was chosen and there are none.
    """
    for need in sorted(find_needs(protocol, decoding, choice) & limits.keys()):
        if need != LOGITS:
            raise UserError(f"{model.spec} {limits[need]}, which {protocol.name} asks for; {_REMEDIES[need]}")
        if choice == "logits":
            raise UserError(f"{model.spec} {limits[LOGITS]}, which {protocol.name} reads; {_REMEDIES[LOGITS]}")
    if not protocol.needs_logits:
        return Reader(protocol.reader, decoding)
    if model.about.get("reader") == "text":
        return Reader("text", decoding)
    written = Reader("text", replace(decoding, top_logprobs=0))
    if choice == "text":
        return replace(written, note="--reader text was chosen")
    return (
        replace(written, note=f"the model {limits[LOGITS]}") if LOGITS in limits else Reader(protocol.reader, decoding)
    )


_REMEDIES = {
    LOGITS: "vLLM and SGLang return them (vLLM: --max-logprobs 20 or more), a model loaded here has them "
    "(--model FOLDER), --reader text does without",
    PREFIX: "vLLM and SGLang do it (continue_final_message), and so does a model loaded here (--model FOLDER); "
    "refine-iqa-no-think and refine-iqa-think need no beginning",
    TOP_K: "vLLM and SGLang know it; other protocols do without (refine-bench list)",
}
