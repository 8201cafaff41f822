"""What the values of a recipe must be, beyond their types."""

import math
import re
from typing import Any

from distortlab.core.errors import BadRecipe, describe_unknown
from distortlab.recipe.schema import MOST_REGIONS, NATURAL, NEGATIVES, SEVERITIES, TABLES, TASKS, Recipe
from distortlab.tasks.terms import DIFFICULTIES, FAMILIES

__all__ = ["check_recipe"]


def check_recipe(recipe: Recipe, where: str) -> None:
    """Raise `BadRecipe` for values that no type can rule out."""
    _check_shares(recipe, where)
    _check_ranges(recipe, where)
    _check_combinations(recipe, where)


def _check_shares(recipe: Recipe, where: str) -> None:
    for kind, shares, known in (
        ("family", recipe.families, FAMILIES),
        ("severity", recipe.severities, SEVERITIES),
        ("difficulty", recipe.difficulties, DIFFICULTIES),
        ("task", recipe.tasks, TASKS),
        ("split", recipe.splits, tuple(recipe.splits)),
        ("number of regions", recipe.composition.regions, tuple(recipe.composition.regions)),
    ):
        for name, share in shares.items():
            if name not in known:
                raise BadRecipe(f"{where}: " + describe_unknown(kind, name, known))
            if not 0 <= share < float("inf"):
                raise BadRecipe(f"{where}: the share of {kind} {name!r} is {share}; shares are 0 or more")
        if not sum(shares.values()) > 0 and (shares or kind != "difficulty"):
            raise BadRecipe(f"{where}: no {kind} has a share above 0")
    for count in recipe.composition.regions:
        if count not in map(str, range(1, MOST_REGIONS + 1)):
            raise BadRecipe(f"{where}: composition.regions: an image has 1 to {MOST_REGIONS} regions, not {count!r}")
    if not any(recipe.composition.kinds.values()):
        raise BadRecipe(f"{where}: composition: pristine, whole and local are all 0; give one of them a share above 0")
    for name in recipe.splits:
        if not re.fullmatch(r"\w+(\.\w+)*", name):
            raise BadRecipe(f"{where}: a split is named with letters, digits and _; not {name!r}")


def _check_ranges(recipe: Recipe, where: str) -> None:
    for key, low, high in _RANGES:
        value: Any = recipe
        for part in key.split("."):
            value = getattr(value, part)
        if value is not None and not low <= value <= high:
            raise BadRecipe(f"{where}: {key} = {value} is outside {low} .. {high}")


def _check_combinations(recipe: Recipe, where: str) -> None:
    if "rft" not in recipe.tables or set(recipe.tables) - set(TABLES) or len(set(recipe.tables)) < len(recipe.tables):
        raise BadRecipe(f'{where}: tables = {list(recipe.tables)}; there are ["images", "rft"] and ["rft"]')
    for task in recipe.composition.negatives:
        if task not in NEGATIVES:
            raise BadRecipe(
                f"{where}: composition.negatives: " + describe_unknown("task about one region", task, NEGATIVES)
            )
        if not recipe.tasks.get(task, 0) or not recipe.composition.pristine:
            raise BadRecipe(
                f"{where}: composition.negatives asks {task} of pristine images: give tasks.{task} and "
                "composition.pristine shares above 0"
            )
    _check_controls(recipe, where)
    if recipe.samples_per_image > len(recipe.asked_tasks):
        raise BadRecipe(
            f"{where}: samples_per_image = {recipe.samples_per_image}, but only {len(recipe.asked_tasks)} tasks are "
            "asked, each at most once about an image"
        )
    for name in (*recipe.references.licenses.allow, *recipe.references.licenses.deny):
        if not name.strip():
            raise BadRecipe(f"{where}: references.licenses: a blank name stands for no license")
    if recipe.severity == "equalized" and recipe.profile != "matched":
        raise BadRecipe(f'{where}: severity = "equalized" aims at the targets of profile "matched"; "dq" has none')
    if recipe.difficulties and recipe.profile != "matched":
        raise BadRecipe(f'{where}: difficulties were measured on profile "matched"; "dq" has none')
    if recipe.regions.min_area >= recipe.regions.max_area:
        raise BadRecipe(f"{where}: regions.min_area must be below regions.max_area")


def _check_controls(recipe: Recipe, where: str) -> None:
    rules = recipe.controls
    if rules.natural + rules.seam > 1:
        raise BadRecipe(
            f"{where}: controls: natural = {rules.natural:g} and seam = {rules.seam:g} are shares of the pristine "
            "images, together at most 1"
        )
    if rules.is_wanted and not recipe.composition.pristine:
        raise BadRecipe(f"{where}: controls are pristine images: give composition.pristine a share above 0")
    for kind in rules.references:
        if kind not in NATURAL:
            raise BadRecipe(f"{where}: controls.references: " + describe_unknown("kind of photograph", kind, NATURAL))
    if rules.references and not any(rules.references.values()):
        raise BadRecipe(f"{where}: controls.references names no photograph; leave it out, and it is measured")


_RANGES = (
    ("n", 1, 100_000_000),
    ("seed", -(2**63), 2**63 - 1),
    ("images_per_reference", 1, 10_000),
    ("max_images_per_reference", 1, 10_000),
    ("samples_per_image", 1, len(TASKS)),
    ("images_per_shard", 1, 100_000),
    ("max_failures", 0, 1),
    ("composition.pristine", 0, 1_000_000),
    ("composition.whole", 0, 1_000_000),
    ("composition.local", 0, 1_000_000),
    ("controls.natural", 0, 1),
    ("controls.seam", 0, 1),
    ("questions.type_candidates", 2, 12),
    ("questions.object_candidates", 2, 26),
    ("regions.min_area", 0, 1),
    ("regions.max_area", 0, 1),
    ("regions.max_box", 0, 1),
    ("regions.min_largest_part", 0, 1),
    ("regions.min_side", 1, 100_000),
    ("regions.feather", 0, 16),
    ("references.max_side", 64, 16_000),
    ("references.min_side", 1, 16_000),
    ("visibility.minimum", 0, 100),
    ("visibility.tolerance", 1.01, math.inf),
    ("visibility.max_pixels", 0, 1_000_000_000),
    ("visibility.regions_per_reference", 1, 1000),
    ("visibility.references_per_image", 1, 1000),
)
