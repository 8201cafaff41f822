"""What must stand beside a score so that it is not taken for more than it is."""

from refine_bench.scoring.failures import MAX_FAILURES
from refine_bench.scoring.formatting import format_few, format_rows
from refine_bench.scoring.measures import Measures, RatedMeasures
from refine_bench.scoring.scores import Coverage
from refine_bench.statistics.units import FEW

__all__ = ["list_warnings"]


def list_warnings(found: Measures, coverage: Coverage) -> list[str]:
    """Return a sentence for each weakness of a score: part of a set, few references, many failures, no correlation."""
    warnings = _list_rated_warnings(found) if found["kind"] == "rated" else []
    if not coverage["complete"]:
        warnings.append(f"{format_rows(coverage)} rows of the set: no rank, and no published numbers beside it")
    if few := format_few(found):
        warnings.append(f"only {few}: below {FEW} the intervals are not to be trusted")
    if found["failure_rate"] > MAX_FAILURES:
        warnings.append(f"{found['failure_rate']:.1%} of the answers were not read: no rank")
    return warnings


def _list_rated_warnings(found: RatedMeasures) -> list[str]:
    warnings = []
    if (found["srcc"] or 0) < 0:
        warnings.append("the correlation is negative: the predictions fall with quality, or the direction is wrong")
    if found["undefined"]:
        warnings.append(f"no correlation: {found['undefined']}")
    return warnings
