"""Object: which of these objects has been distorted? Answer: its name, as listed.

Where one of the names stands for several things in the image (one person of nine), the question asks which kind of
object an instance of was distorted.
"""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from distortlab.tasks.answer import Unread, Verdict, format_instruction, format_prompt, is_answerable, read_answer

__all__ = ["WORDINGS", "normalize_name", "question", "read", "read_candidates", "score", "truth"]

SHAPE = "name of the object"

ASKED = (
    "One object in this image has been distorted; everything else is untouched. Which object is "
    "it?\n\n"
    "Objects:\n"
    "{listed}\n\n"
    "Answer with the name of exactly one object, as it is written in the list.",
    "The quality of a single object in this picture was degraded on purpose. Choose that object from "
    "the following list.\n\n"
    "{listed}\n\n"
    "The answer is one line of the list, word for word.",
    "Exactly one of the objects below is in this image with a visible distortion. Not every object "
    "in the list needs to be in the image.\n\n"
    "{listed}\n\n"
    "Name the distorted object, exactly as listed and with no other words.",
    "Look at the quality of each object in this image. One of them looks worse than its surroundings "
    "because a distortion was applied to it.\n\n"
    "Candidates:\n"
    "{listed}\n\n"
    "Which candidate is it? Copy its name from the list and add nothing.",
    "A distortion covers one object in this image and nothing else. The object is one of these:\n\n"
    "{listed}\n\n"
    "Say which one. Give only the name, spelled as above.",
    "You are checking an image for a local fault. The fault lies on one object. Pick the object from "
    "these options.\n\n"
    "{listed}\n\n"
    "Reply with the one option that is right, written exactly as it is here.",
)
"""One candidate a line, because names may hold commas and quotes."""

ASKED_OF_KINDS = (
    "One object in this image has been distorted; everything else is untouched, other objects of the "
    "same kind included. The object is an instance of one of these kinds:\n\n"
    "{listed}\n\n"
    "Which kind is it? Answer with exactly one name, as it is written in the list.",
    "The quality of a single object in this picture was degraded on purpose. It is an instance of one "
    "of the kinds in the following list; the picture may show more of that kind, which are as they "
    "were. Choose the kind.\n\n"
    "{listed}\n\n"
    "The answer is one line of the list, word for word.",
    "In this image an instance of exactly one of the kinds below has a visible distortion. Not every "
    "kind in the list needs to be in the image, and other instances of the same kind may be clean.\n\n"
    "{listed}\n\n"
    "Name the kind of the distorted object, exactly as listed and with no other words.",
    "Look at the quality of each object in this image. One of them, an instance of one of the kinds "
    "below, looks worse than its surroundings because a distortion was applied to it and to nothing "
    "else.\n\n"
    "Candidates:\n"
    "{listed}\n\n"
    "What is it an instance of? Copy the name from the list and add nothing.",
    "A distortion covers one object in this image and nothing else. The object is an instance of one "
    "of these kinds, of which there may be others beside it:\n\n"
    "{listed}\n\n"
    "Say which one. Give only the name, spelled as above.",
    "You are checking an image for a local fault. The fault lies on one object, an instance of one of "
    "the options; others of its kind may be free of it. Pick the kind from these options.\n\n"
    "{listed}\n\n"
    "Reply with the one option that is right, written exactly as it is here.",
)
"""The same six for images that show a candidate more than once."""

WORDINGS = len(ASKED)
_ARTICLES = ("a", "an", "the")


@lru_cache(maxsize=1 << 14)
def normalize_name(name: str) -> str:
    """The form in which names are compared: no case, no punctuation, no article, single spaces.

    "Hot-dog." and "the hot dog" are the same; "dog" is another. Candidates with one key cannot be told apart.
    A name of nothing but punctuation is its own key.
    """
    text = unicodedata.normalize("NFKC", name).casefold()
    words = "".join(" " if unicodedata.category(char)[0] in "PZC" or char == "`" else char for char in text).split()
    if len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    return " ".join(words or text.split())


def question(candidates: Sequence[str], wording: int = 0, *, of_kinds: bool = False) -> str:
    """The prompt.

    Parameters
    ----------
    candidates
        Names in the order in which they are shown; their normalized names must differ.
    wording
        0 to `WORDINGS` - 1.
    of_kinds
        The names are kinds of which the image may show several, and one instance was distorted. It must not depend on
        which candidate is right.
    """
    names = [truth(name) for name in candidates]
    if len(names) < 2 or len({normalize_name(name) for name in names}) < len(names):
        raise ValueError(f"at least two candidates that differ by more than case and punctuation; not {names!r}")
    return format_prompt(
        ASKED_OF_KINDS if of_kinds else ASKED, wording, SHAPE, listed="\n".join(f"- {name}" for name in names)
    )


def read_candidates(prompt: str) -> list[str]:
    """The names that a question offers, in the order in which it shows them."""
    asked = prompt.removesuffix(format_instruction(SHAPE))
    return [line.removeprefix("- ") for line in asked.split("\n") if line.startswith("- ")]


def truth(name: str) -> str:
    """The solution: the name on one line. Blank names, very long ones and names with tags are refused."""
    solution = " ".join(name.split())
    if not (is_answerable(solution) and normalize_name(solution)):
        raise ValueError(f"not a name that can be asked for: {name[:80]!r}")
    return solution


def read(completion: str) -> str | Unread:
    """The normalized name that a completion answers with."""
    text = read_answer(completion)
    return text if isinstance(text, Unread) else normalize_name(text)


def score(completion: str, solution: str) -> Verdict:
    """1 for the name, 0 for anything else: part of a name, or two names, is not the name."""
    given = read(completion)
    return Verdict.unread(given) if isinstance(given, Unread) else Verdict(float(given == normalize_name(solution)))
