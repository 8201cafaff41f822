"""From a distorted image to its questions: candidates, their order and the wording, all drawn by address.

Candidates must not give the answer away. Types are drawn with the same chance from all families that the data set
has, and shuffled. Objects are the image's own other objects first, then names from the vocabulary, weighted so that a
name is as often the answer as chance has it (`plan`). Of the image's own objects only those count that could have been
distorted themselves: a bottle is often there and too small to be chosen, and who only reads the candidates would soon
know that it is never a bottle.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from distortlab.recipe import Recipe
from distortlab.region import Box
from distortlab.seeds import Stream, stream
from distortlab.tasks import TASKS, grounding, recognition
from distortlab.tasks import object as object_task
from distortlab.tasks.answer import answerable
from distortlab.tasks.terms import FAMILIES

__all__ = ["Subject", "ask", "object_candidates", "type_candidates"]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked about: an image's one edit, and what else is in the image. `size` is (width, height).

    `others` are the names of the image's other regions that could have been distorted.
    """

    image_id: str
    family: str
    severity: int
    box: Box
    size: tuple[int, int]
    object: str | None
    others: tuple[str, ...]


def ask(task: str, subject: Subject, recipe: Recipe, vocabulary: Mapping[str, float]) -> tuple[str, str] | None:
    """(question, solution) of one task, or None where it cannot be asked (no name, or no other name to offer)."""
    source = stream(recipe.seed, subject.image_id, "question", task)
    wording = source.below(TASKS[task].wordings)
    rules = recipe.questions
    if task == "grounding":
        return (
            grounding.question(rules.coordinates, subject.size, wording),
            grounding.truth(subject.box, subject.size, rules.coordinates),
        )
    if task == "object":
        names = object_candidates(subject, vocabulary, rules.object_candidates, source)
        if subject.object is None or len(names) < 2:
            return None
        return object_task.question(names, wording), object_task.truth(subject.object)
    types = type_candidates(subject.family, recipe.families, rules.type_candidates, source)
    with_reference = TASKS[task].images == 2
    return (
        recognition.question(types, with_reference, wording),
        recognition.truth(subject.family, subject.severity),
    )


def type_candidates(truth: str, shares: Mapping[str, float], count: int, source: Stream) -> list[str]:
    """`count` families in random order, the true one among them."""
    others = source.shuffled([family for family, share in shares.items() if share > 0 and family != truth])
    if not others:  # a data set of one family: its type is no question, but there must be something to choose
        others = source.shuffled([family for family in FAMILIES if family != truth])
    return source.shuffled([truth, *others[: count - 1]])


def object_candidates(subject: Subject, vocabulary: Mapping[str, float], count: int, source: Stream) -> list[str]:
    """Up to `count` names in random order, the true one among them, no two that read alike."""
    if subject.object is None or not answerable(subject.object):
        return []
    chosen = [subject.object]
    for name in chain(source.shuffled(subject.others), _drawn(vocabulary, source)):
        if len(chosen) == count:
            break
        if answerable(name) and object_task.key(name) not in {object_task.key(other) for other in chosen}:
            chosen.append(name)
    return source.shuffled(chosen)


def _drawn(vocabulary: Mapping[str, float], source: Stream) -> Iterator[str]:
    """Names drawn without replacement, in proportion to their frequency."""
    left = dict(vocabulary)
    while any(share > 0 for share in left.values()):
        name = list(left)[source.weighted(list(left.values()))]
        del left[name]
        yield name
