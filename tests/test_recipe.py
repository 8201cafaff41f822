"""Where settings come from, as a recipe says it, leaves it out, or said it in data sets that are there already."""

import math
from pathlib import Path
from typing import Any

import pytest

from distortlab.core.errors import BadRecipe
from distortlab.recipe import DEFAULT_TASKS, TASKS, Recipe, default_recipe, load_recipe, read_stored_recipe


@pytest.mark.parametrize(
    ("changes", "severity", "tolerance"),
    [
        ({}, "equalized", 1.2),
        ({"severity": "equalized"}, "equalized", 1.2),
        ({"severity": "ladder"}, "ladder", 1.4),
        ({"profile": "dq"}, "ladder", math.inf),
        ({"profile": "dq", "severity": "ladder"}, "ladder", math.inf),
        ({"visibility": {"tolerance": 1.3}}, "equalized", 1.3),
        ({"profile": "dq", "visibility": {"tolerance": 2}}, "ladder", 2),
    ],
)
def test_what_is_left_out_belongs_to_the_profile(changes: dict[str, Any], severity: str, tolerance: float) -> None:
    recipe = default_recipe(**changes)
    assert (recipe.severity, recipe.tolerance) == (severity, tolerance)
    assert read_stored_recipe(recipe.as_dict(), "the plan") == recipe


def test_a_recipe_made_by_hand_is_filled_in_too() -> None:
    assert Recipe() == default_recipe()
    assert Recipe(profile="dq").severity == "ladder"


def test_a_file_for_dq_need_not_name_the_ladder(tmp_path: Path) -> None:
    file = tmp_path / "dq.toml"
    file.write_text('profile = "dq"\n')
    assert load_recipe(file).severity == "ladder"
    for name in ("refine-perception-20k", "smoke"):
        assert load_recipe(name, profile="dq").severity == "ladder"
        assert load_recipe(name).severity == "equalized"


def test_the_tasks_of_a_recipe_that_names_none_stay_what_they_were() -> None:
    assert default_recipe().asked_tasks == tuple(default_recipe().tasks) == DEFAULT_TASKS
    assert set(TASKS) - set(DEFAULT_TASKS) == {"diagnosis", "comparison", "comparison_regions"}


def test_the_search_on_dq_is_refused() -> None:
    with pytest.raises(BadRecipe, match=r'severity = "equalized" aims at the targets of profile "matched"'):
        default_recipe(profile="dq", severity="equalized")


def test_recipes_of_data_sets_that_are_there_keep_what_they_did() -> None:
    """The key did not exist, or it was "ladder"; the search had a tolerance of its own."""
    values = default_recipe(severity="ladder").as_dict()
    assert read_stored_recipe(values, "the plan").tolerance == 1.4
    del values["severity"]
    assert read_stored_recipe(values, "the plan").severity == "ladder"
    searched = {**values, "severity": "equalized", "visibility": {**values["visibility"], "tolerance": None}}
    assert read_stored_recipe(searched, "the plan").tolerance == 1.15
