"""Options read from answers to multiple-choice questions: by their letter, by their text, or by both."""

import re
from collections.abc import Sequence

from distortlab.tasks import read_answer
from refine_bench.prompts.answers import LIMIT, Answer, Reading, explain_failure
from refine_bench.prompts.protocols import format_letter

__all__ = ["read_choice"]

_THOUGHT = re.compile(r"^.*</think>", re.I | re.S)


def read_choice(answer: Answer, options: Sequence[str]) -> Reading:
    """Read which option an answer chooses, by its letter, by its text, or by both where they agree.

    Parameters
    ----------
    answer
        What the model said.
    options
        The options, in the order in which they were asked.

    Returns
    -------
    Reading
        The place of the option, from 0, or None and one of `FAILURES`.

    Examples
    --------
    >>> from refine_bench.prompts.answers import Answer
    >>> from refine_bench.prompts.choice_reader import read_choice
    >>> read_choice(Answer("B. Blurry"), ["Sharp", "Blurry"]).value
    1.0
    >>> read_choice(Answer("sharp or blurry"), ["Sharp", "Blurry"]).status
    'multiple'
    """
    if answer.error is not None:
        return Reading(None, "runtime_error")
    text = answer.text[:LIMIT]
    if not text.strip():
        return Reading(None, "truncated" if answer.finish == "length" else "empty")
    inside = read_answer(text)
    body = inside if isinstance(inside, str) else _THOUGHT.sub("", text)
    places = _find_options(body, options)
    if len(places) == 1:
        return Reading(float(places.pop()))
    return Reading(None, "multiple" if places else explain_failure(answer, "no_tag"))


def _find_options(text: str, options: Sequence[str]) -> set[int]:
    bare = re.sub(r"[*_`#]", "", text).strip()
    letters = "".join(format_letter(place) for place in range(len(options)))
    same = {place for place, option in enumerate(options) if _normalize_text(option) == _normalize_text(bare)}
    if same:
        return same
    headed = re.match(rf"\(?([{letters}{letters.lower()}])(?:[).:,]|\s*$)\s*(.*)", bare, re.S)
    if headed:
        place = letters.index(headed[1].upper())
        others = {
            k
            for k, option in enumerate(options)
            if k != place and _normalize_text(option) == _normalize_text(headed[2])
        }
        return {place} | others
    named = {
        m.upper() for m in re.findall(rf"(?:answer|option|choice)(?:\s+is)?\s*:?\s*\(?([{letters}])\b", bare, re.I)
    }
    if named:
        return {letters.index(name) for name in named}
    # A lone letter counts too ("A" is also an article), so that "a clear photo, so B" is two things.
    alone = {letters.index(found) for found in re.findall(rf"\b([{letters[1:]}])\b", bare)}
    return alone | {k for k, option in enumerate(options) if re.search(rf"\b{re.escape(option)}(?!\w)", bare, re.I)}


def _normalize_text(text: str) -> str:
    return re.sub(r"\W+", " ", text).strip().casefold()
