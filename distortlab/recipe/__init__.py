"""The recipe of a data set: all that decides what is in it, except for the references.

`Recipe()` is the default; `manifests/refine-perception-20k.toml` writes it out. Unknown keys are errors.
"""

from distortlab.recipe.loading import default_recipe, list_recipes, load_recipe, parse_recipe, read_stored_recipe
from distortlab.recipe.schema import (
    DEFAULT_TASKS,
    MOST_REGIONS,
    NATURAL,
    NEGATIVES,
    SEVERITIES,
    TABLES,
    TASKS,
    CompositionRules,
    ControlRules,
    LicenseRules,
    QuestionRules,
    Recipe,
    ReferenceRules,
    RegionRules,
    VisibilityRules,
)

__all__ = [
    "DEFAULT_TASKS",
    "MOST_REGIONS",
    "NATURAL",
    "NEGATIVES",
    "SEVERITIES",
    "TABLES",
    "TASKS",
    "CompositionRules",
    "ControlRules",
    "LicenseRules",
    "QuestionRules",
    "Recipe",
    "ReferenceRules",
    "RegionRules",
    "VisibilityRules",
    "default_recipe",
    "list_recipes",
    "load_recipe",
    "parse_recipe",
    "read_stored_recipe",
]
