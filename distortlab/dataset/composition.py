"""What an image of a data set consists of: its kind, and the shares of kinds that a recipe asks for."""

from collections.abc import Mapping
from typing import Any

from distortlab.recipe import CompositionRules

__all__ = ["describe_kind", "find_kind", "is_whole", "share_kinds"]

Row = Mapping[str, Any]
_AS_IS = CompositionRules(whole=1)


def is_whole(row: Row, rules: CompositionRules = _AS_IS) -> bool:
    """Whether a row of `images` is of an image that was distorted as a whole, if there are such by the rules."""
    return rules.whole > 0 and [region["area"] for region in row["regions"]] == [1.0]


def find_kind(row: Row, rules: CompositionRules = _AS_IS) -> str:
    """What a row of `images` is: "pristine", "whole", or the number of its regions."""
    count = len(row["regions"])
    return "pristine" if not count else "whole" if is_whole(row, rules) else str(count)


def share_kinds(rules: CompositionRules) -> dict[str, float]:
    """The share of every kind of image that rules ask for; together 1."""
    total, local = sum(rules.kinds.values()), sum(rules.regions.values())
    regions = {count: rules.local / total * share / local for count, share in rules.regions.items()}
    shares = {"pristine": rules.pristine / total, "whole": rules.whole / total, **regions}
    return {kind: share for kind, share in shares.items() if share > 0}


def describe_kind(kind: str) -> str:
    """A kind in words."""
    if not kind.isdecimal():
        return {"pristine": "pristine", "whole": "distorted as a whole"}[kind]
    return f"distorted in {kind} region{'s' if kind != '1' else ''}"
