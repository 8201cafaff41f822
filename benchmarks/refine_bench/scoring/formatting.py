"""Numbers of scores as text, the same on the console, on the page and in tables."""

from collections.abc import Mapping
from typing import Any

__all__ = ["format_few", "format_number", "format_rows"]


def format_number(value: float | None, places: int = 3) -> str:
    """Return a number with so many decimals, or a dash for what is undefined."""
    return "–" if value is None else f"{value:.{places}f}"


def format_rows(coverage: Mapping[str, Any]) -> str:
    """Return "2,015" for a whole set, "40 of 2,015" for a part."""
    rows, of = coverage["rows"], coverage["of"]
    if coverage["complete"]:
        return f"{rows:,}"
    return f"{rows:,} of {'?' if of is None else format(of, ',')}"


def format_few(score: Mapping[str, Any]) -> str:
    """Return "12 references" where the interval of a score rests on too few; empty where it does not."""
    return f"{score['units']} {score['unit']}" if score.get("few_clusters") else ""
