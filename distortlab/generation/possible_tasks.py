"""Which questions can be asked about the images of a plan, and which of those are.

A question about one distortion needs an image with one, and most of them a distorted region; a comparison of regions
needs two of them that are far enough apart, one of images the image before it, of the same reference. Shares of tasks
are met as far as images allow.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

from distortlab.core.errors import BadRecipe
from distortlab.core.seeds import stream
from distortlab.distortions.base import TARGETS
from distortlab.generation.allocation import largest_remainder
from distortlab.generation.composition import EditRequest, list_kinds
from distortlab.recipe import NEGATIVES, Recipe
from distortlab.tasks import comparison

__all__ = [
    "SURE",
    "assign_possible_tasks",
    "can_compare",
    "check_tasks",
    "list_possible_tasks",
    "list_preferred_tasks",
]

Edits = Sequence[EditRequest]

SURE = 1.2
"""How far above its margin the ratio of two targets must be for V of what is made to keep it nearly always."""


def list_possible_tasks(edits: Edits, before: Edits | None = None, negatives: Sequence[str] = ()) -> frozenset[str]:
    """The tasks in which an image can be asked about, if it turns out as planned.

    Parameters
    ----------
    edits
        Of the image.
    before
        Those of the image that it may be compared with, where there is one of the same reference.
    negatives
        Tasks about one region in which pristine images are asked about.
    """
    tasks = {"diagnosis", *(negatives if not edits else ())}
    if len(edits) == 1:
        tasks |= {"recognition", "recognition_reference"}
        tasks |= {"object", "grounding"} if edits[0].place == "region" else set()
    if any(can_compare(pair) for pair in combinations(edits, 2)):
        tasks.add("comparison_regions")
    if before is not None and _can_compare_images(before, edits):
        tasks.add("comparison")
    return frozenset(tasks)


def list_preferred_tasks(edits: Edits, before: Edits | None, has_names: bool) -> frozenset[str]:
    """The tasks in which an image is better asked about than others are.

    Parameters
    ----------
    edits, before
        As in `list_possible_tasks`.
    has_names
        Whether its reference is likely to have three names or more, for the object task.
    """
    tasks = {"object"} if has_names else set[str]()
    if any(can_compare(pair, SURE) for pair in combinations(edits, 2)):
        tasks.add("comparison_regions")
    if before and edits and _can_compare_images(before, edits, SURE):
        tasks.add("comparison")  # not only a distorted image with a pristine one
    return frozenset(tasks)


def _can_compare_images(first: Edits, second: Edits, slack: float = 1.0) -> bool:
    both = [*first, *second]
    if first and second:
        return all(edit.place == "whole" for edit in both) and can_compare(both, slack)
    return bool(both)


def can_compare(pair: Edits, slack: float = 1.0) -> bool:
    """Whether the targets of two edits are far enough apart to be compared, and `slack` times farther."""
    one, other = pair
    margin = comparison.MARGIN if one.family == other.family else comparison.MARGIN_BETWEEN_FAMILIES
    return comparison.has_margin(TARGETS[one.severity - 1], TARGETS[other.severity - 1], slack * margin)


def check_tasks(recipe: Recipe, asked: Mapping[str, float]) -> None:
    """Raise `BadRecipe` where no image of a recipe can be asked about in a task, or an image in none."""
    kinds = list_kinds(recipe.composition)
    possible = {kind: _list_tasks_of_kind(kind, kinds, recipe.composition.negatives) for kind in kinds}
    for task in asked:
        if not any(task in tasks for tasks in possible.values()):
            raise BadRecipe(
                f"tasks asks for {task}, and composition makes no image that this can be asked about: {_NEEDS[task]}"
            )
    for kind, tasks in possible.items():
        if not tasks.difference(_UNSURE).intersection(asked):
            always = "always " if tasks.intersection(asked) else ""
            raise BadRecipe(
                f"composition makes images {_describe(kind)}, about which none of the tasks can {always}be asked: give "
                "diagnosis a share"
            )


_TYPES = ("recognition", "recognition_reference")
_UNSURE = {"comparison", "comparison_regions"}
"""Tasks in which some images of a kind can be asked about and others cannot: their distortions may be too alike."""


def _list_tasks_of_kind(kind: Sequence[str], kinds: Sequence[Sequence[str]], negatives: Sequence[str]) -> set[str]:
    """What images with edits in these places can be asked, whatever their families and severities are."""
    request = {"region": EditRequest("blur", 1), "whole": EditRequest("blur", 1, "whole")}
    tasks = set(list_possible_tasks([request[place] for place in kind], negatives=negatives))
    tasks |= {"comparison_regions"} if len(kind) > 1 else set()
    partners = [other for other in kinds if (not other) != (not kind) or tuple(other) == tuple(kind) == ("whole",)]
    return tasks | ({"comparison"} if partners else set())


def _describe(kind: Sequence[str]) -> str:
    if not kind:
        return "without distortion"
    return "that are distorted as a whole" if kind[0] == "whole" else f"with {len(kind)} regions"


_NEEDS = {
    **dict.fromkeys(("recognition", "recognition_reference"), "it needs images with one distortion"),
    **dict.fromkeys(("object", "grounding"), "it needs images with one distorted region"),
    "comparison_regions": "it needs images with two regions or more",
    "comparison": "it needs images that are distorted as a whole, or pristine ones beside others",
}


def assign_possible_tasks(
    recipe: Recipe,
    split: str,
    asked: Mapping[str, float],
    possible: Sequence[frozenset[str]],
    preferred: Sequence[frozenset[str]],
    pristine: Sequence[bool],
) -> list[tuple[str, ...]]:
    """Return the tasks of every image: totals in proportion to the shares, as far as images allow, and one at least.

    Parameters
    ----------
    recipe
        Says how many questions there are for each image.
    split
        Its name.
    asked
        The shares of tasks.
    possible
        The tasks in which every image can be asked about.
    preferred
        Those of them in which it is better asked about than others are.
    pristine
        Which images are: their share of the questions about one region is their share of the images that can be asked.
    """
    source, chosen = stream(recipe.seed, split, "tasks"), [set[str]() for _ in possible]
    room = {task: sum(task in own for own in possible) for task in asked}
    quota = _share_room(asked, math.ceil(len(possible) * recipe.samples_per_image), room)
    order = source.permute(range(len(possible)))
    # Comparisons choose before a task that suits as many images: most would else be asked beside it, not in its place.
    for task in sorted(quota, key=lambda task: (room[task], task != "comparison")):
        fits = [image for image in order if task in possible[image]]
        fits.sort(key=lambda image: (task not in preferred[image], len(chosen[image])))
        negative = [image for image in fits if pristine[image]] if task in NEGATIVES else []
        positive = [image for image in fits if not (negative and pristine[image])]
        of_negative = round(quota[task] * len(negative) / max(len(fits), 1))
        if task in _TYPES:  # of frames and of regions alike: what is asked must not tell whether there is anything
            positive = _mix(*_split(positive, lambda image: "grounding" in possible[image]))
        for image in (*negative[:of_negative], *positive[: quota[task] - of_negative]):
            chosen[image].add(task)
    for image, own in enumerate(chosen):
        if not own:
            own.add(max((task for task in asked if task in possible[image]), key=lambda task: quota[task]))
    return [tuple(task for task in asked if task in own) for own in chosen]


def _split(images: Sequence[int], is_first: Callable[[int], bool]) -> tuple[list[int], list[int]]:
    return [image for image in images if is_first(image)], [image for image in images if not is_first(image)]


def _mix(one: Sequence[int], other: Sequence[int]) -> list[int]:
    """Both lists in their order, so that the first so many images are of each in its share."""
    places = [((at + 0.5) / len(part), image) for part in (one, other) for at, image in enumerate(part)]
    return [image for _, image in sorted(places)]


def _share_room(asked: Mapping[str, float], total: int, room: Mapping[str, int]) -> dict[str, int]:
    """Totals in proportion to the shares, none above its room; what is cut off goes to the others."""
    shares, fixed = dict(asked), dict[str, int]()
    while shares:
        counts = largest_remainder(shares, total - sum(fixed.values()))
        over = [task for task in counts if counts[task] > room[task]]
        if not over:
            return {**fixed, **counts}
        for task in over:
            fixed[task] = room[task]
            del shares[task]
    return fixed
