"""Regions in several parts: how much the largest holds, the rule, and what a question says of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distortlab.core.region import Region
from distortlab.recipe import RegionRules, default_recipe, read_stored_recipe
from distortlab.references.regions.rules import find_rule_violation
from distortlab.tasks import grounding


def in_parts(*sides: int) -> Region:
    """Squares side by side that do not touch."""
    mask, x = np.zeros((300, 400), np.uint8), 5
    for side in sides:
        mask[20 : 20 + side, x : x + side] = 1
        x += side + 2
    return Region.from_mask(mask)


@given(st.lists(st.integers(1, 90), min_size=1, max_size=4))
def test_the_largest_part_is_the_largest_square(sides: list[int]) -> None:
    squares = [side * side for side in sides]
    assert in_parts(*sides).largest_part == max(squares) / sum(squares)


def test_corners_connect() -> None:
    assert Region.from_mask(np.eye(40, dtype=np.uint8)).largest_part == 1.0


@pytest.mark.parametrize(("sides", "reason"), [((100,), None), ((100, 50), None), ((100, 80), "in pieces")])
def test_the_largest_part_holds_most_of_a_region(sides: tuple[int, ...], reason: str | None) -> None:
    assert find_rule_violation(in_parts(*sides), RegionRules()) == reason
    assert find_rule_violation(in_parts(*sides), RegionRules(min_largest_part=0)) is None


@pytest.mark.parametrize("coordinates", ["thousandths", "pixels"])
@pytest.mark.parametrize("wording", range(grounding.WORDINGS))
def test_every_grounding_question_says_that_one_box_encloses_all_parts(
    coordinates: grounding.Coordinates, wording: int
) -> None:
    size = (640, 480)
    prompt = grounding.question(coordinates, size, wording)
    assert "one box encloses all of them" in prompt
    assert grounding.find_form(prompt, size) == grounding.Form(coordinates, wording, parts=True)
    older = grounding.question(coordinates, size, wording, parts=False)
    assert "encloses all" not in older
    assert grounding.find_form(older, size) == grounding.Form(coordinates, wording, parts=False)


def test_a_stored_recipe_from_before_a_rule_does_not_have_it() -> None:
    values = default_recipe().as_dict()
    assert read_stored_recipe(values, "the plan") == default_recipe()
    del values["regions"]["min_largest_part"]
    assert read_stored_recipe(values, "the plan").regions.min_largest_part == 0
