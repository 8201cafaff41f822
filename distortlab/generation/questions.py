"""From a distorted image to its questions: candidates, their order and the wording, all drawn by address.

Candidates must not give the answer away: whoever only reads them must find each as likely as the others. Types are
drawn from all families that the data set has, by their shares, and shuffled. Objects are the image's own, those
that could have been distorted in the same way; any of them could have been the answer. Names from elsewhere would be
known by the company they do not keep (fork, knife, giraffe), so they are offered only beside a name that is alone in
its image, and then drawn so that each of the names offered is as often the one (`_draw_unrelated`). Where no other
object of an image could have been distorted so, the question is not asked (`task_balance`). Nothing is offered that was
distorted as well, because most of it lies inside the region (`candidates`).
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from distortlab.core.region import Box
from distortlab.core.seeds import Source, short_stream
from distortlab.recipe import Recipe
from distortlab.tasks import TASKS, grounding, recognition
from distortlab.tasks import object as object_task
from distortlab.tasks.answer import is_answerable
from distortlab.tasks.terms import FAMILIES

__all__ = ["Subject", "ask", "draw_object_candidates", "draw_type_candidates", "list_choices"]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked about: one edit of an image, and what else is in the image. `size` is (width, height).

    `distractors` are the names of the image's other regions that could have been distorted in this way; `alone` says
    that there are no other names at all. `is_whole`: the whole frame was distorted. `inside` are names of which most
    lies inside the distorted region, `instances` counts how often each name is in the image.
    """

    image_id: str
    family: str
    severity: int
    box: Box
    size: tuple[int, int]
    object: str | None
    distractors: tuple[str, ...]
    alone: bool = False
    is_whole: bool = False
    inside: frozenset[str] = frozenset()
    instances: Mapping[str, int] = field(default_factory=dict)


def ask(task: str, subject: Subject, recipe: Recipe, vocabulary: Mapping[str, float]) -> tuple[str, str] | None:
    """Make the question of one task about an image.

    Parameters
    ----------
    task
        A name in `distortlab.tasks.TASKS`, of a task that is about one region.
    subject
        What is asked about.
    recipe
        Its rules for questions; its seed draws candidates and wording.
    vocabulary
        Names by how often each is the only one of an image.

    Returns
    -------
    tuple of str or None
        (question, solution); None where it cannot be asked: the region has no name, or no other name can be offered.
    """
    source = short_stream(recipe.seed, subject.image_id, "question", task)
    wording = source.below(TASKS[task].wordings)
    rules = recipe.questions
    if task == "grounding":
        return (
            grounding.question(
                rules.coordinates, subject.size, wording, may_be_none=task in recipe.composition.negatives
            ),
            grounding.truth(subject.box, subject.size, rules.coordinates),
        )
    if task == "object":
        names = list_choices(subject, recipe, vocabulary)
        if subject.object is None or len(names) < 2:
            return None
        of_kinds = subject.alone or any(subject.instances.get(name, 0) > 1 for name in names)
        return object_task.question(names, wording, of_kinds=of_kinds), object_task.truth(subject.object)
    if task.startswith("recognition"):
        types = draw_type_candidates(subject.family, recipe.families, rules.type_candidates, source)
        return (
            recognition.question(
                types,
                TASKS[task].shows_reference,
                wording,
                may_be_none=task in recipe.composition.negatives,
                is_whole=subject.is_whole,
            ),
            recognition.truth(subject.family, subject.severity),
        )
    raise ValueError(f"questions of {task} are not about one region")


def list_choices(subject: Subject, recipe: Recipe, vocabulary: Mapping[str, float]) -> list[str]:
    """The candidates of the object question about an image; fewer than two where it cannot be asked."""
    source = short_stream(recipe.seed, subject.image_id, "question", "object", "candidates")
    return draw_object_candidates(subject, vocabulary, recipe.questions.object_candidates, source)


def draw_type_candidates(truth: str, shares: Mapping[str, float], count: int, source: Source) -> list[str]:
    """`count` families in random order, the true one among them; fewer where one family has most of the shares."""
    asked = {family: share for family, share in shares.items() if share > 0}
    if truth in asked and len(set(asked.values())) > 1 and (found := _draw_unrelated(truth, asked, count, source)):
        return source.permute([truth, *found])
    others = source.permute([family for family in asked if family != truth])
    if not others:  # a data set of one family: its type is no question, but there must be something to choose
        others = source.permute([family for family in FAMILIES if family != truth])
    return source.permute([truth, *others[: count - 1]])


def draw_object_candidates(subject: Subject, vocabulary: Mapping[str, float], count: int, source: Source) -> list[str]:
    """Up to `count` names in random order, the true one among them, no two that read alike.

    `vocabulary` says how often each name is the only one of an image.
    """
    if subject.object is None or not is_answerable(subject.object):
        return []
    others = _drop_duplicates(source.permute(subject.distractors), subject.object)
    if subject.alone:
        others = _draw_unrelated(subject.object, vocabulary, count, source)
    inside = {object_task.normalize_name(name) for name in subject.inside}
    others = [name for name in others if object_task.normalize_name(name) not in inside]
    return source.permute([subject.object, *others[: count - 1]])


def _drop_duplicates(names: Iterable[str], own: str) -> list[str]:
    """The names that can stand in an answer and read like none before them, nor like `own`."""
    kept = {object_task.normalize_name(own): own}
    for name in names:
        if is_answerable(name):
            kept.setdefault(object_task.normalize_name(name), name)
    return list(kept.values())[1:]


def _draw_unrelated(own: str, vocabulary: Mapping[str, float], count: int, source: Source) -> list[str]:
    """Names to stand beside `own`, such that the set tells nothing about which of its members is the true one.

    Systematic sampling with unequal probabilities (Madow 1949): every name has an arc of a circle, in random order, as
    long as `vocabulary` has it often as the answer; points at equal distances, one of them in the arc of `own`, hit
    the others. So any set comes up as often from each of its members. Where one name has more than a quarter of the
    circle, there are fewer points, and two at least; a name with more than half may find itself at both: no question.
    """
    names = [own, *_drop_duplicates(vocabulary, own)]
    share = {name: vocabulary.get(name, 0.0) for name in names}
    share[own] = share[own] or min((value for value in share.values() if value > 0), default=1.0)
    points = max(2, min(count, int(sum(share.values()) / max(share.values()) + 1e-9)))
    arcs = source.permute([name for name in names if share[name] > 0])
    ends = list(accumulate(share[name] for name in arcs))
    start = ends[arcs.index(own)] - share[own] * source.uniform()
    hit = (bisect_right(ends, (start + ends[-1] * step / points) % ends[-1]) for step in range(1, points))
    return list(dict.fromkeys(name for at in hit if (name := arcs[min(at, len(arcs) - 1)]) != own))
