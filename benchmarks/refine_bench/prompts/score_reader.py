"""Scores read from answers: from their text, or as an expectation over the odds of their tokens."""

import math
import re
from collections.abc import Sequence

from distortlab.tasks import Unread, quality, read_answer
from refine_bench.prompts.answers import LIMIT, REASONS, Answer, Reading, Token, explain_failure
from refine_bench.prompts.protocols import Protocol

__all__ = ["read_score"]

_NUMBER = re.compile(r"(?<![\w.,-])-?\d{1,6}(?:\.\d{1,12})?(?![\w]|[.,]\d)")
_SCORED = re.compile(
    r"\s*(?:score|rating)?\s*[:=]?\s*(?P<value>-?\d{1,6}(?:\.\d{1,12})?)\s*(?:/\s*5(?:\.0+)?)?\s*\.?\s*", re.I
)
_LAST = re.compile(r"<answer>(?P<inside>(?:(?!<answer>).)*?)</answer>", re.I | re.S)
_RATING = re.compile(r'["\']rating["\']\s*:\s*["\']?(?P<value>-?\d{1,6}(?:\.\d{1,12})?)', re.I)


def read_score(answer: Answer, protocol: Protocol, reader: str | None = None) -> Reading:
    """Read the score of an answer under a protocol. Nothing is guessed, and no answer raises.

    Parameters
    ----------
    answer
        What the model said, with its tokens where log-probabilities are read.
    protocol
        How it was asked.
    reader
        How to read it instead of the protocol's own way: "text", "digits", "digits-tenths", "levels" or "value".

    Returns
    -------
    Reading
        A value on the protocol's scale, or None and one of `FAILURES`.

    Examples
    --------
    >>> from refine_bench.prompts.answers import Answer
    >>> from refine_bench.prompts.protocols import find_protocol
    >>> from refine_bench.prompts.score_reader import read_score
    >>> protocol = find_protocol("visualquality-r1")
    >>> read_score(Answer("<think>a little noise</think><answer>3.5</answer>"), protocol).value
    3.5
    >>> read_score(Answer("about 3 or 4"), protocol).status
    'no_tag'
    """
    reader = reader or protocol.reader
    if answer.error is not None:
        return Reading(None, "runtime_error")
    if reader == "value":
        known = answer.value is not None and math.isfinite(answer.value)
        return Reading(answer.value) if known else Reading(None, "no_number")
    if reader == "levels":
        return _read_levels(answer, protocol)
    if protocol.levels:
        return _read_level_word(answer, protocol)
    found = _find_number(answer, protocol)
    if isinstance(found, Reading):
        return found
    start, text = found
    value = float(text)
    if not 1.0 <= value <= 5.0:
        return Reading(None, "out_of_range")
    return Reading(value) if reader == "text" else _expect_score(answer, start, text, tenths=reader == "digits-tenths")


# --- text -----------------------------------------------------------------------------------------------------------


def _find_number(answer: Answer, protocol: Protocol) -> tuple[int, str] | Reading:
    """(place in the text, digits) of the one score, or why there is none."""
    text = answer.text[:LIMIT]
    if not text.strip():
        return Reading(None, "truncated" if answer.finish == "length" else "empty")
    if protocol.answer == "rating":
        return _require_one(list(_RATING.finditer(text)), answer)
    if protocol.answer == "last":
        blocks = list(_LAST.finditer(text))
        if not blocks:
            return Reading(None, explain_failure(answer, "no_tag"))
        inside = blocks[-1]
        number = _NUMBER.search(inside["inside"])
        return (inside.start("inside") + number.start(), number.group()) if number else Reading(None, "no_number")
    return _find_tagged_number(text, answer)


def _find_tagged_number(text: str, answer: Answer) -> tuple[int, str] | Reading:
    """The score in the one pair of answer tags, as `distortlab.tasks` finds them."""
    inside = read_answer(text)
    if isinstance(inside, Unread):
        reason = REASONS.get(inside, "no_tag")
        return Reading(None, explain_failure(answer, "no_tag") if reason == "no_tag" else reason)
    match = _SCORED.fullmatch(inside)
    if match is None:
        return Reading(None, "multiple" if len(_NUMBER.findall(inside)) > 1 else "no_number")
    return text.rindex(inside) + match.start("value"), match["value"]


def _require_one(matches: Sequence[re.Match[str]], answer: Answer) -> tuple[int, str] | Reading:
    if not matches:
        return Reading(None, explain_failure(answer, "no_number"))
    if len({match["value"] for match in matches}) > 1:
        return Reading(None, "multiple")
    return matches[-1].start("value"), matches[-1]["value"]


# --- probabilities --------------------------------------------------------------------------------------------------


def _expect_score(answer: Answer, start: int, text: str, *, tenths: bool) -> Reading:
    """The expectation over the integer digit, renormalised over 1 to 5; with `tenths`, that of the next digit on
    top.
    """
    whole = _expect_digit(answer, start, range(1, 6))
    if whole is None:
        return Reading(None, "no_level")
    value, mass = whole
    if tenths and len(text) > 2:
        fraction = _expect_digit(answer, start + 2, range(10))
        if fraction is None:
            return Reading(None, "no_level")
        value += fraction[0] / 10
    return Reading(min(value, 5.0), mass=mass)


def _expect_digit(answer: Answer, place: int, digits: range) -> tuple[float, float] | None:
    """(expectation, probability of all digits together) at a place of the text; None without alternatives there."""
    at = _find_offset(answer)
    if at is None:
        return None
    for token in answer.tokens:
        if at <= place < at + len(token.text):
            head = token.text[: place - at]
            break
        at += len(token.text)
    else:
        return None
    odds = dict.fromkeys(digits, 0.0)
    for text, logprob in token.top:
        digit = text[len(head) :] if text.startswith(head) else text.strip()
        if len(digit) == 1 and digit.isascii() and digit.isdigit() and int(digit) in odds:
            odds[int(digit)] += math.exp(logprob)
    return quality.compute_expected_digit(odds)


def _find_offset(answer: Answer) -> int | None:
    """Where the first token begins in the text: servers leave out end marks, or set reasoning apart."""
    joined = "".join(token.text for token in answer.tokens)
    if joined.startswith(answer.text):
        return 0
    if answer.text in joined:
        return -joined.index(answer.text)
    for end in (joined, joined.partition("<|")[0]):
        if end and answer.text.endswith(end):
            return len(answer.text) - len(end)
    return None


def _read_levels(answer: Answer, protocol: Protocol) -> Reading:
    """The expectation over level words: from logits by word, from the first token's alternatives, or the word
    itself.
    """
    words = [word for word, _ in protocol.levels]
    logits = {word: answer.logits[word] for word in words if word in answer.logits}
    mass = None
    if len(logits) < len(words) and answer.tokens:
        logits, mass = _find_word_logits(answer.tokens, words)
    if len(logits) == len(words) and all(map(math.isfinite, logits.values())):
        return Reading(
            _average_levels([(logits[word], value) for word, value in protocol.levels], protocol.divide), mass=mass
        )
    return _read_level_word(answer, protocol)


def _read_level_word(answer: Answer, protocol: Protocol) -> Reading:
    """The value of the one level word that the text names."""
    named = [value for word, value in protocol.levels if re.search(rf"\b{word}\b", answer.text[:LIMIT], re.I)]
    if len(named) == 1:
        return Reading(named[0])
    return Reading(
        None, "multiple" if named else ("empty" if not answer.text.strip() else explain_failure(answer, "no_level"))
    )


def _find_word_logits(tokens: Sequence[Token], words: Sequence[str]) -> tuple[dict[str, float], float | None]:
    """Log probabilities of the words at the first token that is not blank, or nothing if none of them is there.

    A word beyond the alternatives gets the least one: the most it can have.
    """
    first = next((token for token in tokens if token.text.strip()), None)
    if first is None or not first.top:
        return {}, None
    found: dict[str, float] = {}
    for text, logprob in first.top:
        name = text.strip().lower()
        word = next((word for word in words if word == name or (len(name) > 2 and word.startswith(name))), None)
        if word is not None:
            found[word] = max(found.get(word, -math.inf), logprob)
    if not found:
        return {}, None
    least = min(logprob for _, logprob in first.top)
    return {word: found.get(word, least) for word in words}, sum(math.exp(value) for value in found.values())


def _average_levels(pairs: Sequence[tuple[float, float]], divide: float) -> float:
    highest = max(logit for logit, _ in pairs)
    # Not shifted where it need not be: then Q-Bench's released scores come out to the last bit, and near-ties rank
    # alike.
    shift = 0.0 if max(abs(logit) for logit, _ in pairs) < 500.0 * divide else highest
    weights = [(math.exp((logit - shift) / divide), value) for logit, value in pairs]
    return sum(weight * value for weight, value in weights) / sum(weight for weight, _ in weights)
