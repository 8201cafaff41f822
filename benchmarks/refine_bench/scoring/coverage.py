"""Whether a score is of a whole set, and why a score has no rank: for the console, reports and comparisons."""

from refine_bench.scoring.formatting import format_rows
from refine_bench.scoring.scores import Coverage, Score

__all__ = ["describe_coverage", "explain_unranked"]


def describe_coverage(rows: int, of: int | None) -> Coverage:
    """Describe how much of a set was asked; a score of a part is not ranked.

    Parameters
    ----------
    rows
        Rows of the set that have an answer, readable or not.
    of
        Rows of the variant; None where nobody knows.
    """
    return {"rows": rows, "of": of, "complete": of is not None and rows == of}


def explain_unranked(score: Score) -> str:
    """Return why a score has no rank; empty where it has one."""
    if score["ranked"]:
        return ""
    if reason := score.get("undefined"):
        return str(reason)
    if not score["coverage"]["complete"]:
        return f"{format_rows(score['coverage'])} rows"
    return f"{score['failure_rate']:.1%} not read"
