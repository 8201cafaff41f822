"""The plan: which images and which questions a data set asks for, before any pixel is touched.

A slot asks for one image: the edits it is to have, the tasks, and the reference to try first. A shard holds
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
from distortlab.core.seeds import stream
from distortlab.dataset.layout import FORMAT
from distortlab.distortions.catalog import CATALOG, list_variants
from distortlab.distortions.edit import MEASURE_VERSION
from distortlab.generation.allocation import largest_remainder
from distortlab.generation.composition import EditRequest, check_composition
from distortlab.generation.controls import ControlKind, assign_controls, check_controls, spread_listed
from distortlab.generation.difficulties import CellShares, share_cells
from distortlab.generation.possible_tasks import check_tasks
from distortlab.generation.requests import has_choice, request_images
from distortlab.recipe import Recipe
from distortlab.references.base import Entry, References
from distortlab.severity.predictor import compute_fingerprint
from distortlab.tasks import TASKS

__all__ = [
    "EditRequest",
    "Plan",
    "Shard",
    "Slot",
    "check_families",
    "describe_code",
    "find_most_regions",
    "make_plan",
    "select_tasks",
    "weigh_vocabulary",
]

_SPARE = 1.25
"""How many references with a choice of names are wanted for each that object questions need: in one of five images a
distortion shows on one name only.
"""

_DRAWS_VERSION = 3
"""Of how regions, variants, candidates and wordings are drawn for an image: 2 since they come from short streams, 3
since slots beside each other fall back on the same references.
"""


@dataclass(frozen=True, slots=True)
class Slot:
    """One image to be made.

    Parameters
    ----------
    image_id
        Its id in the data set; it names the randomness of everything about the image.
    edits
        What is to be done to the reference, in order; nothing for a pristine image.
    tasks
        The questions that are planned about it.
    entry
        The reference to try first, as an index into the shard's entries.
    turn
        How many images are planned from that reference before this one: each starts with another region.
    control
        What a pristine image is to be a control of; None for any other.
    """

    image_id: str
    edits: tuple[EditRequest, ...]
    tasks: tuple[str, ...]
    entry: int
    turn: int
    control: ControlKind | None = None

    @property
    def family(self) -> str:
        """The family of the only edit; a ValueError where there is not exactly one."""
        return self._only_edit.family

    @property
    def severity(self) -> int:
        """The severity of the only edit, 1..5; a ValueError where there is not exactly one."""
        return self._only_edit.severity

    @property
    def difficulty(self) -> str | None:
        """The difficulty of the only edit, or None; a ValueError where there is not exactly one."""
        return self._only_edit.difficulty

    @property
    def _only_edit(self) -> EditRequest:
        if len(self.edits) != 1:
            raise ValueError(f"{self.image_id} asks for {len(self.edits)} edits, not for one: read its edits")
        return self.edits[0]


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
    def spare(self) -> int:
        """How many entries are spare."""
        return len(self.entries) - self.primary

    @property
    def file_name(self) -> str:
        """`train-00000-of-00041.parquet`."""
        return f"{self.split}-{self.number:05d}-of-{self.of:05d}.parquet"


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a data set is made from.

    Parameters
    ----------
    recipe
        What is asked for.
    source, license, fingerprint
        Of the references.
    vocabulary
        Names to offer beside the only name of an image, by how often each is the only one itself.
    skipped
        References and annotations that were left out while listing, by reason.
    shards
        The slots of all splits.
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
            **describe_code(),
            "references": {"source": self.source, "fingerprint": self.fingerprint},
            "recipe": self.recipe.as_dict(),
        }

    @property
    def sha256(self) -> str:
        """The hash of the identity."""
        return hashlib.sha256(json.dumps(self.identity, sort_keys=True).encode()).hexdigest()


def describe_code() -> dict[str, Any]:
    """The versions of the code that makes pixels and rows."""
    return {
        "format": FORMAT,
        "generator_version": __version__,
        "operators": {row.name: row.version for row in CATALOG},
        "measure": MEASURE_VERSION,
        "predictor": compute_fingerprint(),
        "draws": _DRAWS_VERSION,
    }


def make_plan(recipe: Recipe, references: References) -> Plan:
    """Plan a data set: families, severities, tasks and references of all images. No image is opened.

    Parameters
    ----------
    recipe
        What is asked for.
    references
        Where the clean images come from.

    Raises
    ------
    BadRecipe
        The references cannot give so many images, or the families no such difficulties; the message says what they can.
    """
    check_families(recipe)
    cell_shares = share_cells(recipe)
    counts = _count_images(recipe, recipe.n)
    primary = _count_references(recipe, counts, references.count)
    wanted = sum(primary.values())
    entries = spread_listed(recipe, _order_entries(recipe, references, wanted), wanted)
    check_composition(recipe, find_most_regions(recipe, entries))
    check_controls(recipe, entries)
    vocabulary = weigh_vocabulary(references)
    asked = select_tasks(recipe, vocabulary)
    spare = largest_remainder(primary, len(entries) - wanted)
    shards: list[Shard] = []
    first, first_spare = 0, wanted
    for split, count in counts.items():
        own = entries[first : first + primary[split]]
        extra = entries[first_spare : first_spare + spare[split]]
        first, first_spare = first + primary[split], first_spare + spare[split]
        shards += _make_shards(recipe, split, count, own, extra, asked, cell_shares, len(shards))
    return Plan(
        recipe,
        references.name,
        references.license,
        references.fingerprint,
        vocabulary,
        dict(references.skipped),
        tuple(shards),
    )


def check_families(recipe: Recipe) -> None:
    """Raise `BadRecipe` for a family that no variant of the profile belongs to."""
    for family, share in recipe.families.items():
        if share > 0 and not list_variants(family, recipe.profile):
            raise BadRecipe(f"family {family!r} has no variant with a {recipe.profile!r} ladder")


def _count_images(recipe: Recipe, n: int) -> dict[str, int]:
    """The images of every split that has any."""
    return {split: count for split, count in largest_remainder(recipe.splits, n).items() if count}


def _count_references(recipe: Recipe, counts: Mapping[str, int], available: int | None) -> dict[str, int]:
    """How many references each split gets for its images: as the recipe has it, or fewer where there are not enough."""
    most = recipe.max_images_per_reference
    mean = min(recipe.images_per_reference, most)
    least = {split: math.ceil(n / most) for split, n in counts.items()}
    if available is not None and len(counts) > available:
        raise BadRecipe(f"{available} references cannot fill {len(counts)} splits that share none of them")
    if available is not None and sum(least.values()) > available:
        raise BadRecipe(_explain_limit(recipe, available))
    total = max(math.ceil(recipe.n / mean), sum(least.values()))
    total = total if available is None else min(total, available)
    room = {split: math.ceil(n / mean) - least[split] for split, n in counts.items()}
    more = largest_remainder(room, total - sum(least.values()))
    return {split: least[split] + more[split] for split in counts}


def _explain_limit(recipe: Recipe, available: int) -> str:
    most = recipe.max_images_per_reference

    def fits(n: int) -> bool:
        return sum(math.ceil(count / most) for count in _count_images(recipe, n).values()) <= available

    possible = next((n for n in range(available * most, 0, -1) if fits(n)), 0)
    return (
        f"n = {recipe.n} is more than these references can give: {available} of them have a region that passes the "
        f"rules, at {most} images each (max_images_per_reference) and with splits that share none that is {possible} "
        "images"
    )


def _order_entries(recipe: Recipe, references: References, wanted: int) -> Sequence[Entry]:
    """The entries in the order of use; those after the first `wanted` are spare."""
    if references.count is None:
        return references.entries(wanted + max(32, wanted // 4))
    entries = stream(recipe.seed, "references").permute(references.entries(references.count))
    needed = wanted * _object_share(recipe, select_tasks(recipe, references.vocabulary)) * _SPARE
    lacking = min(wanted, math.ceil(needed)) - sum(map(has_choice, entries[:wanted]))
    # As they come, but that those without a choice make room for some that have one, as many as object questions need.
    given = [at for at in range(wanted - 1, -1, -1) if not has_choice(entries[at])]
    better = [at for at in range(wanted, len(entries)) if has_choice(entries[at])]
    for old, new in list(zip(given, better, strict=False))[: max(0, lacking)]:
        entries[old], entries[new] = entries[new], entries[old]
    return entries


def find_most_regions(recipe: Recipe, entries: Sequence[Entry]) -> int | None:
    """The most regions of a reference; None where that is not known of all of them, or makes no difference."""
    if recipe.composition.most_regions < 2:
        return None
    counts = [entry.region_count for entry in entries]
    return max(counts) if all(counts) else None


def _object_share(recipe: Recipe, asked: Mapping[str, float]) -> float:
    """The share of the images that are asked about in the object task."""
    if "object" not in asked:
        return 0.0
    return min(1.0, asked["object"] / sum(asked.values()) * recipe.samples_per_image)


def select_tasks(recipe: Recipe, vocabulary: Mapping[str, float]) -> dict[str, float]:
    """The tasks that can be asked, with their shares: none on objects without names, none that shows a reference where
    references are not kept.
    """
    asked = {task: recipe.tasks[task] for task in recipe.asked_tasks}
    if len(vocabulary) < 2:
        asked.pop("object", None)
    if not recipe.keep_references:
        asked = {task: share for task, share in asked.items() if not TASKS[task].shows_reference}
    if not asked:
        raise BadRecipe("no task is left: these references have no names for the object task, and no other is asked")
    check_tasks(recipe, asked)
    return asked


def weigh_vocabulary(references: References) -> dict[str, float]:
    """How often each name is the only one of an image, and so the answer beside names from elsewhere. Never quite
    nothing: what is left of an image once it is opened may differ from what its annotations promised.
    """
    alone, shares = references.alone, references.vocabulary
    return {name: max(alone.get(name, 0.0), 0.01 * shares[name]) for name in sorted(shares)}


def _make_shards(
    recipe: Recipe,
    split: str,
    count: int,
    own: Sequence[Entry],
    extra: Sequence[Entry],
    asked: Mapping[str, float],
    cell_shares: CellShares,
    first_index: int,
) -> list[Shard]:
    of = max(1, min(math.ceil(count / recipe.images_per_shard), len(own)))
    owners = [image * len(own) // count for image in range(count)]
    requests = request_images(recipe, split, owners, own, asked, cell_shares)
    ids = [own[owner].id for owner in owners]
    controls = assign_controls(recipe, split, [edits for edits, _ in requests], ids)
    starts = [shard * len(own) // of for shard in range(of + 1)]
    spares = [shard * len(extra) // of for shard in range(of + 1)]
    shards: list[Shard] = []
    image = 0
    for k in range(of):
        slots: list[Slot] = []
        while image < count and owners[image] < starts[k + 1]:
            turn = slots[-1].turn + 1 if slots and owners[image] == owners[image - 1] else 0
            name = f"{split}-{image:06d}"
            slots.append(Slot(name, *requests[image], owners[image] - starts[k], turn, controls[image]))
            image += 1
        chosen = (*own[starts[k] : starts[k + 1]], *_limit_spares(extra[spares[k] : spares[k + 1]], len(slots)))
        primary = starts[k + 1] - starts[k]
        shards.append(Shard(first_index + k, split, k, of, tuple(slots), chosen, primary))
    return shards


def _limit_spares(extra: Sequence[Entry], slots: int) -> Sequence[Entry]:
    """Spares cost memory while they wait; as many as there are slots are plenty."""
    return extra[: max(32, slots)]
