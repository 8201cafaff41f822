"""Scores of quality measures on data sets made by `distortlab`: does a measure fall as severity rises?"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from refine_bench.datasets.local import LocalTruth
from refine_bench.prompts.answers import Reading
from refine_bench.scoring.failures import describe_failures
from refine_bench.scoring.measures import CorrelationCell, SeverityMeasures
from refine_bench.statistics.correlation import mean, srcc
from refine_bench.statistics.intervals import estimate_srcc_interval, list_bounds
from refine_bench.statistics.units import describe_units

__all__ = ["SeverityReading", "score_severity"]


@dataclass(frozen=True, slots=True)
class SeverityReading:
    """What a measure gave for a distorted image, and what is in it."""

    reading: Reading
    truth: LocalTruth


def score_severity(items: Sequence[SeverityReading], sign: float) -> SeverityMeasures:
    """Score how well a measure of quality falls as severity rises, over all images and within each family.

    Parameters
    ----------
    items
        One for each image; only those with one distorted region count: of a set there is no one severity.
    sign
        -1 where the measure falls with quality.

    Returns
    -------
    SeverityMeasures
        Ready for JSON. `srcc`: over all images, with an interval clustered by reference; `srcc_within`: the mean over
        families.
    """
    read = [item for item in items if item.reading.value is not None and len(item.truth["regions"]) == 1]
    values = [sign * item.reading.value for item in read if item.reading.value is not None]
    regions = [item.truth["regions"][0] for item in read]
    mildness = [-float(region["severity"]) for region in regions]
    clusters = [item.truth["reference_id"] for item in read]
    families: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for region, value, mild in zip(regions, values, mildness, strict=True):
        families[region["family"]].append((value, mild))
    by: dict[str, CorrelationCell] = {
        name: {"n": len(pairs), "srcc": srcc(*map(list, zip(*pairs, strict=True)))}
        for name, pairs in sorted(families.items())
    }
    statuses = [item.reading.status for item in items if item.reading.value is None]
    return {
        "kind": "severity",
        "n": len(items),
        "n_read": len(read),
        **describe_failures(statuses, len(items), can_rank=bool(read)),
        "srcc": srcc(values, mildness),
        "interval": list_bounds(estimate_srcc_interval(values, mildness, clusters)),
        **describe_units(len(read), clusters),
        "srcc_within": mean([entry["srcc"] for entry in by.values()]),
        "by_family": by,
    }
