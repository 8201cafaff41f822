"""Plain values become dataclasses: what pydantic takes too kindly is refused."""

from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distortlab.core.config import from_values, is_misplaced_boolean
from distortlab.core.errors import UserError


@dataclass(frozen=True, slots=True)
class Inner:
    width: float = 1.0
    on: bool = False


@dataclass(frozen=True, slots=True)
class Outer:
    count: int = 1
    share: float | None = None
    either: bool | int = 0
    digits: Literal["name"] | tuple[float, float] = "name"
    weights: dict[str, float] = field(default_factory=dict)
    inner: Inner = Inner()
    parts: tuple[Inner, ...] = ()


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"count": True}, "count = true"),
        ({"share": False}, "share = false"),
        ({"digits": [0, True]}, "digits[1] = true"),
        ({"weights": {"a": True}}, "weights.a = true"),
        ({"inner": {"width": True}}, "inner.width = true"),
        ({"parts": [{"width": 2}, {"width": True}]}, "parts[1].width = true"),
    ],
)
def test_true_and_false_are_no_numbers(values: dict[str, Any], key: str) -> None:
    with pytest.raises(UserError) as caught:
        from_values(Outer, values, "here")
    assert str(caught.value).startswith(f"here: {key}: input should be a number")


def test_switches_are_taken() -> None:
    found = from_values(Outer, {"either": True, "inner": {"on": True}, "share": None}, "here")
    assert found.either is True
    assert found.inner.on


@given(st.integers() | st.floats(allow_nan=False) | st.text() | st.none())
def test_only_booleans_are_misplaced(value: Any) -> None:
    for hint in (int, float, float | None, tuple[int, ...], bool, str):
        assert not is_misplaced_boolean(hint, value)


def test_a_recipe_says_so_too() -> None:
    from distortlab.recipe import Recipe

    with pytest.raises(UserError, match="n = true: input should be a number"):
        from_values(Recipe, {"n": True}, "recipe")
