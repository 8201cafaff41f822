"""What a server cannot do of what protocols ask: found once, before the first question."""

import io
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from PIL import Image as Pillow

from distortlab.core.errors import UserError
from refine_bench.models.base import LOGITS, PREFIX, TOP_K, Request
from refine_bench.prompts.answers import Answer
from refine_bench.prompts.protocols import Decoding

__all__ = ["find_server_limits"]

SIDE = 224
PLAIN = Request(
    key="limits",
    item="limits",
    sample=0,
    images=(),
    prompt="Rate the quality of this picture.",
    decoding=Decoding(max_tokens=8),
    seed=1,
)


def find_server_limits(
    name: str, ask: Callable[[Sequence[Request]], Sequence[Answer]], needed: Collection[str]
) -> dict[str, str]:
    """Ask about a grey picture with and without what is needed.

    Parameters
    ----------
    name
        The server, for messages.
    ask
        Answers to requests, in their order.
    needed
        Of `LOGITS`, `PREFIX` and `TOP_K`.

    Returns
    -------
    dict
        The needs that are not met, each with a clause that says how: "returns no log-probabilities".

    Raises
    ------
    UserError
        Where a plain question is not answered either: the server is broken, and lacks no feature.
    """
    if not needed:
        return {}
    plain = replace(PLAIN, images=(_make_grey_picture(),))
    bare, full = ask([plain, _add_features(plain, needed)])
    if bare.error is not None:
        raise UserError(f"{name} does not answer a plain question: {bare.error}")
    if not any(_has_failed(full, feature) for feature in needed):
        return {}
    each = sorted(needed)
    answers = [full] if len(each) == 1 else ask([_add_features(plain, [feature]) for feature in each])
    found = zip(each, answers, strict=True)
    return {feature: _describe_limit(answer, feature) for feature, answer in found if _has_failed(answer, feature)}


def _make_grey_picture() -> bytes:
    out = io.BytesIO()
    Pillow.new("RGB", (SIDE, SIDE), (127, 127, 127)).save(out, "PNG")
    return out.getvalue()


def _add_features(plain: Request, features: Collection[str]) -> Request:
    decoding = replace(
        plain.decoding,
        top_logprobs=20 if LOGITS in features else 0,
        top_k=50 if TOP_K in features else None,
    )
    return replace(plain, decoding=decoding, prefix="The quality of the picture is" if PREFIX in features else "")


def _has_failed(answer: Answer, feature: str) -> bool:
    lacks = feature == LOGITS and not any(token.top for token in answer.tokens)
    return answer.error is not None or lacks


def _describe_limit(answer: Answer, feature: str) -> str:
    if answer.error is None:
        return "returns no log-probabilities"
    return f"refuses {_NAMES[feature]} ({answer.error[:200]})"


_NAMES = {LOGITS: "log-probabilities", PREFIX: "to continue the beginning of an answer", TOP_K: "top_k"}
