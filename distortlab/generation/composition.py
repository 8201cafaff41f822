"""What the images of a data set consist of: nothing (pristine), the whole frame, or so many regions.

Here it is decided for all images of a split before any is opened: which kind each is, how families are dealt to the
edits so that none comes twice in an image, and what makes two regions of one image disjoint.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import cv2
import numpy as np

from distortlab.core.errors import BadRecipe
from distortlab.core.region import Box, Region
from distortlab.core.seeds import Stream, stream
from distortlab.generation.allocation import largest_remainder
from distortlab.recipe import CompositionRules, Recipe

__all__ = [
    "EditRequest",
    "Place",
    "Places",
    "are_apart",
    "arrange_comparisons",
    "assign_places",
    "check_composition",
    "list_kinds",
    "separate_families",
]

Place = Literal["region", "whole"]
Places = tuple[Place, ...]
"""Where the edits of an image are: none for a pristine one."""


@dataclass(frozen=True, slots=True)
class EditRequest:
    """One distortion that an image is to have.

    Parameters
    ----------
    family, severity
        Of the distortion; severity 1..5.
    place
        "region": in one region of the reference; "whole": the whole frame.
    difficulty
        How hard its family must be to tell; None where the recipe asks for no shares.
    """

    family: str
    severity: int
    place: Place = "region"
    difficulty: str | None = None


PRISTINE: Places = ()
WHOLE: Places = ("whole",)
_REGION: Place = "region"

_GAP = 2
"""Pixels between two disjoint regions, beyond those over which each is blended in."""
_ROUNDED = 5
"""How many edits too many a family can have because each of its severities is a whole number of them."""
_MOST_COMMON = 0.5
"""Boxes of disjoint regions have an IoU below it, or one box in an answer could stand for both."""


def check_composition(recipe: Recipe, room: int | None) -> None:
    """Raise `BadRecipe` where no image can be what is asked for.

    Parameters
    ----------
    recipe
        What is asked for.
    room
        The most regions that a reference has; None where that is not known.
    """
    rules, most = recipe.composition, recipe.composition.most_regions
    families = [family for family, share in recipe.families.items() if share > 0]
    if not rules.repeat_families and len(families) < most:
        raise BadRecipe(
            f"an image of {most} regions with a family each needs {most} families, and the recipe has {len(families)}: "
            "ask for fewer regions, for more families, or for composition.repeat_families = true"
        )
    if room is not None and not rules.overlap and room < most:
        raise BadRecipe(
            f"composition.regions asks for images of {most} regions, and none of these references has more than {room} "
            "that could be distorted: ask for fewer, or take other references"
        )


def assign_places(
    recipe: Recipe, split: str, owners: Sequence[int], room: Mapping[int, int], is_unique: bool = True
) -> list[Places]:
    """Return where the edits of every image of a split are: exact shares, in an order drawn by address.

    Parameters
    ----------
    recipe
        Its `composition` has the shares.
    split
        Its name.
    owners
        The reference of every image, as a number.
    room
        How many regions a reference has, where that is known: images of many regions go to those that can hold them.
    is_unique
        Whether a reference gives one pristine image only.

    Raises
    ------
    BadRecipe
        Where more pristine images are asked for than there are references: two of one reference would be the same.
    """
    shares = _share_places(recipe.composition)
    if len(shares) == 1 and PRISTINE not in shares:
        return [*shares] * len(owners)
    source = stream(recipe.seed, split, "composition")
    counts = largest_remainder({places: shares[places] for places in source.permute([*shares])}, len(owners))
    free = source.permute(range(len(owners)))
    chosen: dict[int, Places] = {}
    for places in sorted(counts, key=_rank_choice):
        fits = [image for image in free if len(places) <= room.get(owners[image], len(places)) or places == WHOLE]
        if places == PRISTINE and is_unique:
            fits = _take_one_of_each(fits, owners, counts[places])
        rest = sorted(set(free).difference(fits), key=lambda image: -room.get(owners[image], 0))
        taken = [*fits, *rest][: counts[places]]
        chosen.update(dict.fromkeys(taken, places))
        free = [image for image in free if image not in chosen]
    return [chosen[image] for image in range(len(owners))]


def list_kinds(rules: CompositionRules) -> tuple[Places, ...]:
    """Where the edits of images can be: a tuple for each kind of image that has a share."""
    return tuple(_share_places(rules))


def _share_places(rules: CompositionRules) -> dict[Places, float]:
    whole = sum(rules.regions.values())
    regions: dict[Places, float] = {
        (_REGION,) * int(count): rules.local * share / whole for count, share in sorted(rules.regions.items())
    }
    shares = {PRISTINE: rules.pristine, WHOLE: rules.whole, **regions}
    return {places: share for places, share in shares.items() if share > 0}


def _rank_choice(places: Places) -> int:
    """In which order images are chosen: those without regions first, from all references alike, then those of many."""
    return {PRISTINE: -99, WHOLE: -98}.get(places, -len(places))


def _take_one_of_each(images: Sequence[int], owners: Sequence[int], count: int) -> list[int]:
    """Images of so many references, one each."""
    first: dict[int, int] = {}
    for image in images:
        first.setdefault(owners[image], image)
    if len(first) < count:
        raise BadRecipe(
            f"composition.pristine asks for {count} pristine images of {len(first)} references, which give one each: "
            "ask for a smaller share, or for a smaller images_per_reference, or take more references"
        )
    return [*first.values()][:count]


def separate_families(cells: Sequence[tuple[str, int]], images: Sequence[int]) -> list[tuple[str, int]]:
    """Swap cells so that no image has a family twice.

    Parameters
    ----------
    cells
        (family, severity) of every edit.
    images
        The image of every edit, as a number; the edits of an image stand side by side.

    Raises
    ------
    BadRecipe
        Where there are more edits of a family than images.
    """
    cells, held = list(cells), [set[int]() for _ in range(max(images, default=-1) + 1)]
    for edit, image in enumerate(images):
        held[image].add(edit)

    def has_twin(edit: int, family: str) -> bool:
        return any(cells[other][0] == family for other in held[images[edit]] if other != edit)

    for edit, (family, _) in enumerate(cells):
        if not has_twin(edit, family):
            continue
        order = (*range(edit + 1, len(cells)), *range(edit - 1, -1, -1))
        partner = next((o for o in order if not has_twin(edit, cells[o][0]) and not has_twin(o, family)), None)
        if partner is None:
            return _deal_families(cells, held)
        cells[edit], cells[partner] = cells[partner], cells[edit]
    return cells


def _deal_families(cells: Sequence[tuple[str, int]], held: Sequence[set[int]]) -> list[tuple[str, int]]:
    """Give the largest families first to the images with most edits left: where that fails nothing succeeds (Gale 1957,
    Ryser 1957). What a family has too much by rounding becomes another one.
    """
    left, dealt = [sorted(edits) for edits in held], dict[int, tuple[str, int]]()
    own: dict[str, list[int]] = {}
    for family, severity in cells:
        own.setdefault(family, []).append(severity)
    while own:
        family = max(own, key=lambda name: len(own[name]))
        severities = own.pop(family)
        images = sorted((image for image, edits in enumerate(left) if edits), key=lambda image: -len(left[image]))
        surplus = severities[len(images) :]
        if len(surplus) > (_ROUNDED if own else 0):
            raise BadRecipe(
                f"family {family!r} has so large a share that it would come twice in an image: ask for less of it, or "
                "for composition.repeat_families = true"
            )
        for severity in surplus:
            own[min(own, key=lambda name: len(own[name]))].append(severity)
        dealt.update((left[i].pop(0), (family, severity)) for i, severity in zip(images, severities, strict=False))
    return [dealt[edit] for edit in range(len(cells))]


def arrange_comparisons(
    cells: Sequence[tuple[str, int]], images: Sequence[int], pairs: Sequence[tuple[int, int]], source: Stream
) -> list[tuple[str, int]]:
    """Swap cells so that pairs of images can be compared.

    Every other pair has one family at severities that are two levels apart or more, the others the lowest and the
    highest severity.

    Parameters
    ----------
    cells
        (family, severity) of every edit.
    images
        The image of every edit.
    pairs
        The edits of two images that are distorted as a whole.
    source
        Draws what is swapped.
    """
    cells, fixed = list(cells), {edit for pair in pairs for edit in pair}
    free = source.permute([edit for edit in range(len(cells)) if edit not in fixed])
    families = [set[str]() for _ in range(max(images, default=-1) + 1)]
    for image, (family, _) in zip(images, cells, strict=True):
        families[image].add(family)

    def swap(edit: int, is_wanted: Callable[[tuple[str, int]], bool]) -> None:
        """Exchange a cell for a wanted one, if there is one whose image can take it."""
        for place, other in enumerate(free):
            if is_wanted(cells[other]) and cells[edit][0] not in families[images[other]]:
                families[images[other]] ^= {cells[edit][0], cells[other][0]}
                cells[edit], cells[other] = cells[other], cells[edit]
                free.append(free.pop(place))
                return

    for number, (first, second) in enumerate(pairs):
        if number % 2:
            swap(second, partial(_is_far_in_family, cells[first]))
        else:
            if not _is_extreme(cells[first]):
                swap(first, _is_extreme)
            if _is_extreme(cells[first]):
                swap(second, partial(_is_opposite, cells[first]))
        if (cells[first][1] > cells[second][1]) == bool(number // 2 % 2):  # each is the stronger one as often
            cells[first], cells[second] = cells[second], cells[first]
    return cells


def _is_far_in_family(first: tuple[str, int], cell: tuple[str, int]) -> bool:
    return cell[0] == first[0] and abs(cell[1] - first[1]) >= 2


def _is_extreme(cell: tuple[str, int]) -> bool:
    return cell[1] in (1, 5)


def _is_opposite(first: tuple[str, int], cell: tuple[str, int]) -> bool:
    return cell[1] == 6 - first[1]


def are_apart(one: Region, other: Region, feather: int) -> bool:
    """Whether two regions of an image are disjoint: there is a gap between them, and no box could stand for both."""
    gap = feather + _GAP
    near, box = one.bbox.grow(gap, one.size), other.bbox
    window = Box(max(near.x1, box.x1), max(near.y1, box.y1), min(near.x2, box.x2), min(near.y2, box.y2))
    if window.x1 >= window.x2 or window.y1 >= window.y2:
        return True
    if _compute_iou(one.bbox, box) >= _MOST_COMMON:
        return False
    grown = np.zeros((near.height, near.width), np.uint8)
    grown[one.bbox.relative_to(near).slices] = one.mask
    grown = cv2.dilate(grown, np.ones((2 * gap + 1, 2 * gap + 1), np.uint8))
    return not (grown[window.relative_to(near).slices] & other.mask[window.relative_to(box).slices]).any()


def _compute_iou(one: Box, other: Box) -> float:
    width = max(0, min(one.x2, other.x2) - max(one.x1, other.x1))
    height = max(0, min(one.y2, other.y2) - max(one.y1, other.y1))
    common = width * height
    return common / (one.width * one.height + other.width * other.height - common)
