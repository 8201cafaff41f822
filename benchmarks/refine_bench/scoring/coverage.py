"""Whether a score is of a whole set, and why a score has no rank: for the console, reports and comparisons."""

from collections.abc import Mapping
from typing import Any

from refine_bench.scoring.formatting import format_rows

__all__ = ["add_coverage", "explain_unranked"]


def add_coverage(found: Mapping[str, Any], rows: int, of: int | None) -> dict[str, Any]:
    """Return a score with its coverage; without all rows of the variant it is not ranked.

    Parameters
    ----------
    found
        A score of `score_rated`, `score_choice`, ..., with "ranked".
    rows
        Rows of the set that have an answer, readable or not.
    of
        Rows of the variant; None where nobody knows.
    """
    complete = of is not None and rows == of
    coverage = {"rows": rows, "of": of, "complete": complete}
    return {**found, "ranked": bool(found["ranked"]) and complete, "coverage": coverage}


def explain_unranked(score: Mapping[str, Any]) -> str:
    """Return why a score has no rank; empty where it has one."""
    if score["ranked"]:
        return ""
    if score.get("undefined"):
        return str(score["undefined"])
    if not score["coverage"]["complete"]:
        return f"{format_rows(score['coverage'])} rows"
    return f"{score['failure_rate']:.1%} not read"
