"""The plan: which images and which questions a data set asks for, before any pixel is touched.

A slot asks for one distorted image: its family, its severity, the tasks, and the reference to try first. A shard holds
the slots of its own references, and spare references in case some of those cannot be used; what a shard comes to
depends on nothing outside of it. So shards can be built in any order, by any number of processes, again and again.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from distortlab import __version__
from distortlab.core.errors import BadRecipe
from distortlab.core.seeds import Stream, stream
from distortlab.dataset.layout import FORMAT
from distortlab.distortions.catalog import CATALOG, list_variants
from distortlab.recipe import Recipe
from distortlab.references.base import Entry, References

__all__ = ["Plan", "Shard", "Slot", "asked_tasks", "largest_remainder", "make_plan"]

_SPARE = 1.25
"""How many references with a choice of names are wanted for each that object questions need: in one of five images a
distortion shows on one name only.
"""


@dataclass(frozen=True, slots=True)
class Slot:
    """One distorted image to be made. `entry` is its first reference, as an index into the shard's entries; `turn`
    counts the images planned from that reference before this one, so that each starts with another region.
    """

    image_id: str
    family: str
    severity: int
    tasks: tuple[str, ...]
    entry: int
    turn: int


@dataclass(frozen=True, slots=True)
class Shard:
    """The `number`-th of `of` shards of a split. Its first `primary` entries have slots, the others are spare."""

    index: int
    split: str
    number: int
    of: int
    slots: tuple[Slot, ...]
    entries: tuple[Entry, ...]
    primary: int

    @property
    def file_name(self) -> str:
        """`train-00000-of-00041.parquet`."""
        return f"{self.split}-{self.number:05d}-of-{self.of:05d}.parquet"


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a data set is made from. `vocabulary` has the names for images with a single one, by how often each is
    that one.
    """

    recipe: Recipe
    source: str
    license: str
    fingerprint: str
    vocabulary: Mapping[str, float]
    skipped: Mapping[str, int]
    shards: tuple[Shard, ...]

    @property
    def identity(self) -> dict[str, Any]:
        """What must be the same for a build to be continued: recipe, references, and the code that makes pixels."""
        return {
            "format": FORMAT,
            "generator_version": __version__,
            "operators": {row.name: row.version for row in CATALOG},
            "references": {"source": self.source, "fingerprint": self.fingerprint},
            "recipe": self.recipe.as_dict(),
        }

    @property
    def sha256(self) -> str:
        """The hash of the identity."""
        return hashlib.sha256(json.dumps(self.identity, sort_keys=True).encode()).hexdigest()


def make_plan(recipe: Recipe, references: References) -> Plan:
    """The plan of a data set. Refuses, with the number that is possible, what the references cannot give."""
    _check_families(recipe)
    counts = _split_counts(recipe, recipe.n)
    primary = _references_of(recipe, counts, references.count)
    wanted = sum(primary.values())
    entries = _entries(recipe, references, wanted)
    vocabulary = _offered(references)
    asked = asked_tasks(recipe, vocabulary)
    spare = largest_remainder(primary, len(entries) - wanted)
    shards: list[Shard] = []
    first, first_spare = 0, wanted
    for split, count in counts.items():
        own = entries[first : first + primary[split]]
        extra = entries[first_spare : first_spare + spare[split]]
        first, first_spare = first + primary[split], first_spare + spare[split]
        shards += _split_shards(recipe, split, count, own, extra, asked, len(shards))
    return Plan(
        recipe,
        references.name,
        references.license,
        references.fingerprint,
        vocabulary,
        dict(references.skipped),
        tuple(shards),
    )


def _check_families(recipe: Recipe) -> None:
    for family, share in recipe.families.items():
        if share > 0 and not list_variants(family, recipe.profile):
            raise BadRecipe(f"family {family!r} has no variant with a {recipe.profile!r} ladder")


def _split_counts(recipe: Recipe, n: int) -> dict[str, int]:
    """The images of every split that has any."""
    return {split: count for split, count in largest_remainder(recipe.splits, n).items() if count}


def _references_of(recipe: Recipe, counts: Mapping[str, int], available: int | None) -> dict[str, int]:
    """How many references each split gets for its images: as the recipe has it, or fewer where there are not enough."""
    most = recipe.max_images_per_reference
    mean = min(recipe.images_per_reference, most)
    least = {split: math.ceil(n / most) for split, n in counts.items()}
    if available is not None and len(counts) > available:
        raise BadRecipe(f"{available} references cannot fill {len(counts)} splits that share none of them")
    if available is not None and sum(least.values()) > available:
        raise BadRecipe(_too_many(recipe, available))
    total = max(math.ceil(recipe.n / mean), sum(least.values()))
    total = total if available is None else min(total, available)
    room = {split: math.ceil(n / mean) - least[split] for split, n in counts.items()}
    more = largest_remainder(room, total - sum(least.values()))
    return {split: least[split] + more[split] for split in counts}


def _too_many(recipe: Recipe, available: int) -> str:
    most = recipe.max_images_per_reference

    def fits(n: int) -> bool:
        return sum(math.ceil(count / most) for count in _split_counts(recipe, n).values()) <= available

    possible = next((n for n in range(available * most, 0, -1) if fits(n)), 0)
    return (
        f"n = {recipe.n} is more than these references can give: {available} of them have a region that passes the "
        f"rules, at {most} images each (max_images_per_reference) and with splits that share none that is {possible} "
        "images"
    )


def _entries(recipe: Recipe, references: References, wanted: int) -> Sequence[Entry]:
    """The entries in the order of use; those after the first `wanted` are spare."""
    if references.count is None:
        return references.entries(wanted + max(32, wanted // 4))
    entries = stream(recipe.seed, "references").permute(references.entries(references.count))
    needed = wanted * _object_share(recipe, asked_tasks(recipe, references.vocabulary)) * _SPARE
    lacking = min(wanted, math.ceil(needed)) - sum(map(has_choice, entries[:wanted]))
    # As they come, but that those without a choice make room for some that have one, as many as object questions need.
    given = [at for at in range(wanted - 1, -1, -1) if not has_choice(entries[at])]
    better = [at for at in range(wanted, len(entries)) if has_choice(entries[at])]
    for old, new in list(zip(given, better, strict=False))[: max(0, lacking)]:
        entries[old], entries[new] = entries[new], entries[old]
    return entries


def has_choice(entry: Entry) -> bool:
    """Whether an object question about an image of this reference is likely to have three candidates or more."""
    return entry.name_count >= 3


def _object_share(recipe: Recipe, asked: Mapping[str, float]) -> float:
    """The share of the images that are asked about in the object task."""
    if "object" not in asked:
        return 0.0
    return min(1.0, asked["object"] / sum(asked.values()) * recipe.samples_per_image)


def asked_tasks(recipe: Recipe, vocabulary: Mapping[str, float]) -> dict[str, float]:
    """The tasks that can be asked, with their shares: no object without names, no reference that is not kept."""
    asked = {task: recipe.tasks[task] for task in recipe.asked_tasks}
    if len(vocabulary) < 2:
        asked.pop("object", None)
    if not recipe.keep_references:
        asked.pop("recognition_reference", None)
    if not asked:
        raise BadRecipe("no task is left: these references have no names for the object task, and no other is asked")
    return asked


def _offered(references: References) -> dict[str, float]:
    """How often each name is the only one of an image, and so the answer beside names from elsewhere. Never quite
    nothing: what is left of an image once it is opened may differ from what its annotations promised.
    """
    alone, shares = references.alone, references.vocabulary
    return {name: max(alone.get(name, 0.0), 0.01 * shares[name]) for name in sorted(shares)}


def largest_remainder(shares: Mapping[Any, float], total: int) -> dict[Any, int]:
    """Whole numbers in proportion to `shares` that add up to `total` (Hamilton's method)."""
    whole = sum(shares.values()) or 1.0
    exact = {key: total * share / whole for key, share in shares.items()}
    counts = {key: int(value) for key, value in exact.items()}
    by_remainder = sorted(exact, key=lambda key: counts[key] - exact[key])
    for key in by_remainder[: total - sum(counts.values())]:
        counts[key] += 1
    return counts


def _split_shards(
    recipe: Recipe,
    split: str,
    count: int,
    own: Sequence[Entry],
    extra: Sequence[Entry],
    asked: Mapping[str, float],
    first_index: int,
) -> list[Shard]:
    of = max(1, min(math.ceil(count / recipe.images_per_shard), len(own)))
    owners = [image * len(own) // count for image in range(count)]
    cells = _cells(recipe, split, owners)
    tasks = _tasks(recipe, split, asked, count)
    tasks = _matched(tasks, [has_choice(own[owner]) for owner in owners], stream(recipe.seed, split, "matched"))
    starts = [shard * len(own) // of for shard in range(of + 1)]
    spares = [shard * len(extra) // of for shard in range(of + 1)]
    shards: list[Shard] = []
    image = 0
    for k in range(of):
        slots: list[Slot] = []
        while image < count and owners[image] < starts[k + 1]:
            turn = slots[-1].turn + 1 if slots and owners[image] == owners[image - 1] else 0
            name = f"{split}-{image:06d}"
            slots.append(Slot(name, *cells[image], tasks[image], owners[image] - starts[k], turn))
            image += 1
        chosen = (*own[starts[k] : starts[k + 1]], *_some(extra[spares[k] : spares[k + 1]], len(slots)))
        primary = starts[k + 1] - starts[k]
        shards.append(Shard(first_index + k, split, k, of, tuple(slots), chosen, primary))
    return shards


def _some(extra: Sequence[Entry], slots: int) -> Sequence[Entry]:
    """Spares cost memory while they wait; as many as there are slots are plenty."""
    return extra[: max(32, slots)]


def _cells(recipe: Recipe, split: str, owners: Sequence[int]) -> list[tuple[str, int]]:
    """(family, severity) for every image: exact shares, random order, and families differ within a reference."""
    shares = {
        (family, int(severity)): a * b
        for family, a in recipe.families.items()
        for severity, b in recipe.severities.items()
    }
    source = stream(recipe.seed, split, "cells")
    shuffled = {cell: shares[cell] for cell in source.permute(sorted(shares))}
    counts = largest_remainder(shuffled, len(owners))
    cells = source.permute([cell for cell in sorted(counts) for _ in range(counts[cell])])
    return _spread(cells, owners)


def _spread(cells: list[tuple[str, int]], owners: Sequence[int]) -> list[tuple[str, int]]:
    """Swap cells so that the images of one reference have different families, as far as a short look ahead allows."""
    seen: set[str] = set()
    for i, owner in enumerate(owners):
        if i == 0 or owner != owners[i - 1]:
            seen = set()
        j = next((j for j in range(i, min(i + 64, len(cells))) if cells[j][0] not in seen), i)
        cells[i], cells[j] = cells[j], cells[i]
        seen.add(cells[i][0])
    return cells


def _tasks(recipe: Recipe, split: str, asked: Mapping[str, float], count: int) -> list[tuple[str, ...]]:
    """The tasks of every image: totals in proportion to the shares, never one twice about an image."""
    per_image = min(recipe.samples_per_image, float(len(asked)))
    quota = _capped(asked, math.ceil(count * per_image), count)
    source, out = stream(recipe.seed, split, "tasks"), []
    for image in range(count):
        number = math.ceil((image + 1) * per_image) - math.ceil(image * per_image)
        order = source.permute([task for task in asked if quota[task] > 0])
        chosen = sorted(order, key=lambda task: -quota[task])[:number]
        for task in chosen:
            quota[task] -= 1
        out.append(tuple(task for task in asked if task in chosen))
    return out


def _matched(tasks: list[tuple[str, ...]], choice: Sequence[bool], source: Stream) -> list[tuple[str, ...]]:
    """The same tasks in another order: object questions go first of all to images that have a choice of names."""
    if len(set(choice)) < 2:
        return tasks
    images = sorted(source.permute(range(len(tasks))), key=lambda image: not choice[image])
    ordered = sorted(source.permute(tasks), key=lambda own: "object" not in own)
    placed = dict(zip(images, ordered, strict=True))
    return [placed[image] for image in range(len(tasks))]


def _capped(asked: Mapping[str, float], total: int, most: int) -> dict[str, int]:
    """Totals in proportion to the shares, none above `most`; what is cut off goes to the others."""
    shares, fixed = dict(asked), dict[str, int]()
    while True:
        counts = largest_remainder(shares, total - sum(fixed.values()))
        over = [task for task in counts if counts[task] > most]
        if not over:
            return {**fixed, **counts}
        for task in over:
            fixed[task] = most
            del shares[task]
