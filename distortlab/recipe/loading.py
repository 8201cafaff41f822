"""Recipes from files, from plain values, and from data sets."""

import math
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from distortlab.core.config import from_values
from distortlab.core.errors import BadRecipe, describe_unknown
from distortlab.recipe.checks import check_recipe
from distortlab.recipe.schema import Recipe

__all__ = ["default_recipe", "list_recipes", "load_recipe", "parse_recipe", "read_stored_recipe"]

_BEFORE: Mapping[str, Mapping[str, Any]] = {
    "regions": {"min_largest_part": 0.0},
    "visibility": {"tolerance": math.inf},
}


def load_recipe(source: str | Path, **changes: object) -> Recipe:
    """A recipe from a TOML file, or one of those that come with the package.

    Parameters
    ----------
    source
        The path of a .toml file, or a name: "refine-perception-20k", "smoke".
    **changes
        Keys of `Recipe` that replace those of the file.

    Raises
    ------
    BadRecipe
        For a file that cannot be read, an unknown key, and a value out of its range.

    Examples
    --------
    >>> from distortlab import load_recipe
    >>> recipe = load_recipe("smoke", n=50)
    >>> recipe.n, recipe.seed, recipe.codec
    (50, 0, 'png')
    """
    path = Path(source)
    if path.suffix != ".toml" and not path.exists():
        text, where = _read_packaged(str(source)), str(source)
    else:
        try:
            text, where = path.read_text(encoding="utf-8"), str(path)
        except (OSError, UnicodeDecodeError) as error:
            raise BadRecipe(f"the recipe {path} cannot be read: {error}") from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadRecipe(f"the recipe {where} is not TOML: {error}") from error
    recipe = parse_recipe(values, where)  # a key that is replaced must be right as well
    return parse_recipe({**values, **changes}, where) if changes else recipe


def default_recipe(**changes: object) -> Recipe:
    """The recipe of the 20K data set.

    Parameters
    ----------
    **changes
        Keys of `Recipe` that replace its defaults.

    Raises
    ------
    BadRecipe
        For an unknown key, and a value out of its range.

    Examples
    --------
    >>> from distortlab import default_recipe
    >>> default_recipe(n=500, families={"blur": 2, "noise": 1}).families
    {'blur': 2.0, 'noise': 1.0}
    >>> default_recipe(profil="dq")
    Traceback (most recent call last):
    distortlab.core.errors.BadRecipe: the recipe: no key called 'profil'; did you mean 'profile'?
    """
    return parse_recipe(changes, "the recipe")


def list_recipes() -> Mapping[str, Path]:
    """The recipes that come with the package, by name."""
    folder = Path(str(resources.files("distortlab"))) / "manifests"
    if not folder.is_dir():  # an editable install: the folder stands beside the package
        folder = folder.parent.parent / "manifests"
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def _read_packaged(name: str) -> str:
    known = list_recipes()
    if name not in known:
        raise BadRecipe(describe_unknown("recipe", name, known, "or give the path of a .toml file"))
    return known[name].read_text(encoding="utf-8")


def parse_recipe(values: Mapping[str, object], where: str = "the recipe") -> Recipe:
    """Make a recipe from plain values, and check it. Missing keys take the default.

    Parameters
    ----------
    values
        Keys of `Recipe`, tables as nested mappings.
    where
        What the values belong to, e.g. the name of a file: the sentence of an error begins with it.

    Raises
    ------
    BadRecipe
        For an unknown key, and a value out of its range.
    """
    recipe = from_values(Recipe, values, where, BadRecipe)
    check_recipe(recipe, where)
    return recipe


def read_stored_recipe(values: Mapping[str, Any], where: str) -> Recipe:
    """Read the recipe that is stored with a data set.

    A key that an earlier version did not know stands for what that version did, which is not the default of today.
    """
    tables = {name: {**before, **values.get(name, {})} for name, before in _BEFORE.items()}
    severity = values.get("severity", "ladder")
    if severity == "equalized" and tables["visibility"]["tolerance"] is None:
        tables["visibility"]["tolerance"] = 1.15
    return parse_recipe({**values, "severity": severity, **tables}, where)
