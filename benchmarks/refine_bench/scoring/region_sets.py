"""What answers that list distorted regions come to: the measures of GS-IQA's Diag-Bench, with intervals and floors.

Given and true regions are matched by `distortlab.tasks.matching`; a pair counts from an IoU of 0.5. An answer that was
not read has found nothing, and says nothing about pristine images.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from distortlab.tasks.diagnosis import DistortedRegion
from distortlab.tasks.grounding import THOUSANDTHS, Size
from distortlab.tasks.matching import Match, match_regions
from refine_bench.scoring.measures import FamilyDetection, RegionSetMeasures
from refine_bench.statistics.correlation import mean
from refine_bench.statistics.intervals import estimate_ratio_interval, list_bounds

__all__ = ["METRICS", "RegionSet", "find_best_floor", "measure_regions", "name_kind"]


@dataclass(frozen=True)
class RegionSet:
    """The regions of an image as an answer lists them, and as they are.

    Parameters
    ----------
    given
        None where the answer cannot be read.
    right
        None of them in a pristine image.
    cluster
        The reference of the image.
    frame
        (width, height) of the image in the units of the boxes.
    """

    given: Sequence[DistortedRegion] | None
    right: Sequence[DistortedRegion]
    cluster: str
    frame: Size = THOUSANDTHS

    @cached_property
    def hits(self) -> tuple[Match, ...]:
        """The matched pairs that count."""
        return tuple(match for match in match_regions(self.given or (), self.right) if match.is_hit)

    @property
    def count(self) -> int:
        """How many regions were given."""
        return len(self.given or ())

    @property
    def is_alarm(self) -> bool:
        """Whether a pristine image is said to be distorted."""
        return not self.right and self.count > 0


def name_kind(regions: Sequence[DistortedRegion], frame: Size) -> str:
    """The kind of an image: "pristine", "whole image", "1 region", "2 regions", ..."""
    if not regions:
        return "pristine"
    if len(regions) == 1:
        return "whole image" if tuple(regions[0].box) == (0, 0, *frame) else "1 region"
    return f"{len(regions)} regions"


def _is_severity_right(match: Match) -> bool:
    return match.given is not None and match.given.severity == match.right.severity


_Ratio = Callable[[RegionSet], tuple[float, float]]
_RATIOS: Mapping[str, _Ratio] = {
    "precision": lambda item: (len(item.hits), item.count),
    "recall": lambda item: (len(item.hits), len(item.right)),
    "f1": lambda item: (2 * len(item.hits), item.count + len(item.right)),
    "mean_iou": lambda item: (sum(match.iou for match in item.hits), len(item.hits)),
    "type_accuracy": lambda item: (sum(match.is_type_right for match in item.hits), len(item.hits)),
    "severity_accuracy": lambda item: (sum(map(_is_severity_right, item.hits)), len(item.hits)),
    "false_alarms": lambda item: (item.is_alarm, not item.right and item.given is not None),
}
"""Each metric as a sum over images that is divided by another one."""
METRICS = tuple(_RATIOS)


def measure_regions(items: Sequence[RegionSet]) -> RegionSetMeasures:
    """Measure sets of regions.

    Returns
    -------
    RegionSetMeasures
        Ready for JSON. Precision, recall and F1 over all regions of all images; `mean_iou`, `type_accuracy` (ClsAcc)
        and `severity_accuracy` (SevAcc) over matched pairs; `false_alarms` over pristine images. Intervals are
        clustered by reference.
    """
    values = {name: _compute_ratio(items, ratio) for name, ratio in _RATIOS.items()}
    return {
        "precision": values["precision"],
        "recall": values["recall"],
        "f1": values["f1"],
        "mean_iou": values["mean_iou"],
        "type_accuracy": values["type_accuracy"],
        "severity_accuracy": values["severity_accuracy"],
        "pristine": sum(not item.right and item.given is not None for item in items),
        "false_alarms": values["false_alarms"],
        "intervals": {name: _estimate_interval(items, ratio) for name, ratio in _RATIOS.items()},
        "floors": {name: _measure_floor(items, floor) for name, floor in _FLOORS.items()},
        "by_family": _measure_families(items),
    }


def _compute_ratio(items: Sequence[RegionSet], ratio: _Ratio) -> float | None:
    """Undefined where there is nothing to find, or nothing was said."""
    parts = [ratio(item) for item in items]
    below = sum(part[1] for part in parts)
    return sum(part[0] for part in parts) / below if below else None


def _estimate_interval(items: Sequence[RegionSet], ratio: _Ratio) -> list[float] | None:
    """Images that have nothing to do with a metric, and their references, are left out."""
    parts = [(*ratio(item), item.cluster) for item in items]
    counted = [(float(above), float(below), cluster) for above, below, cluster in parts if below]
    if not counted:
        return None
    above, below, clusters = zip(*counted, strict=True)
    return list_bounds(estimate_ratio_interval(above, below, clusters))


# --- floors ---------------------------------------------------------------------------------------------------------


def _give_nothing(items: Sequence[RegionSet]) -> list[RegionSet]:
    return [replace(item, given=()) for item in items]


def _give_frame(items: Sequence[RegionSet]) -> list[RegionSet]:
    """The whole image, with the family and severity that are most frequent together."""
    kinds = Counter((region.family, region.severity) for item in items for region in item.right)
    family, severity = max(kinds, key=lambda kind: (kinds[kind], str(kind)), default=(None, None))
    return [replace(item, given=(DistortedRegion((0, 0, *item.frame), family, severity),)) for item in items]


_FLOORS: Mapping[str, Callable[[Sequence[RegionSet]], list[RegionSet]]] = {
    "constant": _give_nothing,
    "whole": _give_frame,
}
"""What is said without looking: that nothing is distorted; that the whole image is."""


def _measure_floor(
    items: Sequence[RegionSet], floor: Callable[[Sequence[RegionSet]], list[RegionSet]]
) -> dict[str, float | None]:
    answered = floor(items)
    return {name: _compute_ratio(answered, ratio) for name, ratio in _RATIOS.items()}


def find_best_floor(floors: Mapping[str, Mapping[str, float | None]], metric: str) -> float | None:
    """The best value of a metric that is reached without looking."""
    values = [value for floor in floors.values() if (value := floor[metric]) is not None]
    return (min if metric == "false_alarms" else max)(values, default=None)


# --- families -------------------------------------------------------------------------------------------------------


def _measure_families(items: Sequence[RegionSet]) -> dict[str, FamilyDetection]:
    there = Counter(str(region.family) for item in items for region in item.right)
    hits: dict[str, list[Match]] = defaultdict(list)
    for match in (match for item in items for match in item.hits):
        hits[str(match.right.family)].append(match)
    return {
        family: {
            "n": count,
            "recall": len(hits[family]) / count,
            "type_accuracy": mean([float(match.is_type_right) for match in hits[family]]),
            "severity_accuracy": mean([float(_is_severity_right(match)) for match in hits[family]]),
        }
        for family, count in sorted(there.items())
    }
