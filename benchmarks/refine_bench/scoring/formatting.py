"""Numbers of scores as text, the same on the console, on the page and in tables."""

from typing import cast

from refine_bench.scoring.measures import DescriptionMeasures
from refine_bench.scoring.scores import Coverage
from refine_bench.statistics.units import UnitFacts

__all__ = ["format_few", "format_number", "format_rows"]


def format_number(value: float | None, places: int = 3) -> str:
    """Return a number with so many decimals, or a dash for what is undefined."""
    return "–" if value is None else f"{value:.{places}f}"


def format_rows(coverage: Coverage) -> str:
    """Return "2,015" for a whole set, "40 of 2,015" for a part."""
    rows, of = coverage["rows"], coverage["of"]
    if coverage["complete"]:
        return f"{rows:,}"
    return f"{rows:,} of {'?' if of is None else format(of, ',')}"


def format_few(found: UnitFacts | DescriptionMeasures) -> str:
    """Return "12 references" where an interval rests on too few; empty where it does not, or there is none."""
    if not found.get("few_clusters"):
        return ""
    facts = cast(UnitFacts, found)
    return f"{facts['units']} {facts['unit']}"
