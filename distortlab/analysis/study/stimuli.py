"""The images of a data set that people can be asked about, and the truth of what they are asked."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from distortlab.core.region import Box
from distortlab.dataset.reader import StoredDataset
from distortlab.dataset.selection import report_damaged_rows
from distortlab.storage.atomic import hash_file
from distortlab.tasks import comparison
from distortlab.tasks.terms import FAMILIES, LEVELS

__all__ = [
    "REFERENCE",
    "TASKS",
    "Pair",
    "Stimuli",
    "Stimulus",
    "find_study_data",
    "list_pairs",
    "name_reference",
    "read_stimuli",
]

TASKS = ("detection", "recognition", "comparison", "grounding")
"""What people are asked: is there a distortion, which of twelve, which of two is worse, where. The last three are named
as the tasks of models that ask the same."""
REFERENCE = "reference:"
"""What the name of an undistorted reference begins with."""

_REGION = "regions.list.element"
_LABELS = [
    "image_id",
    "reference_id",
    "width",
    "height",
    *(f"{_REGION}.{name}" for name in ("bbox", "area", "distortion", "variant", "severity", "visibility.v")),
]


@dataclass(frozen=True, slots=True)
class Stimulus:
    """An image with one distortion. `v` is above 0, `area` is the region's share of the image, `split` the image's."""

    image_id: str
    reference_id: str
    split: str
    family: str
    variant: str
    severity: int
    v: float
    box: Box
    area: float

    @property
    def is_whole(self) -> bool:
        """Whether the whole frame is distorted: there is nothing to be found."""
        return self.area >= 1.0


@dataclass(frozen=True, slots=True)
class Pair:
    """Two images of one reference, the worse one first by their labels. `other` is None for the reference itself."""

    worse: Stimulus
    other: Stimulus | None

    @property
    def ratio(self) -> float:
        """How many times the smaller V the larger one is; infinite beside the reference."""
        return math.inf if self.other is None else self.worse.v / self.other.v

    @property
    def names(self) -> tuple[str, str]:
        """The names of both, the worse one first."""
        other = name_reference(self.worse.reference_id) if self.other is None else self.other.image_id
        return self.worse.image_id, other


@dataclass(slots=True)
class Stimuli:
    """What a data set has for a study. `distorted`: by image id; `sizes`: (width, height) of every image and reference
    by name; `pristine`: names of what is undistorted; `skipped`: images that are not asked about, by reason.
    """

    name: str
    sha256: str
    distorted: dict[str, Stimulus] = field(default_factory=dict)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    pristine: set[str] = field(default_factory=set)
    skipped: dict[str, int] = field(default_factory=dict)

    def skip(self, reason: str) -> None:
        """Count an image that is not asked about."""
        self.skipped[reason] = self.skipped.get(reason, 0) + 1


def name_reference(reference_id: str) -> str:
    """The name of an undistorted reference, as `refine-bench` has it."""
    return f"{REFERENCE}{reference_id}"


def find_study_data(stored: StoredDataset) -> tuple[str, str]:
    """Return the name of a data set and the SHA-256 of its manifest, which answers carry."""
    return stored.folder.resolve().name, hash_file(stored.folder / "MANIFEST.json")


def read_stimuli(stored: StoredDataset, split: str | None = None) -> Stimuli:
    """Read from the labels of a data set what people can be asked about; no pixels are read.

    Parameters
    ----------
    stored
        The data set.
    split
        Only this one; all unless given.
    """
    found = Stimuli(*find_study_data(stored))
    for group in stored.groups("images", split):
        with report_damaged_rows(stored, group):
            for row in stored.read(group, _LABELS).to_pylist():
                _add_row(found, row, group.part.split)
    return found


def _add_row(found: Stimuli, row: Mapping[str, object], split: str) -> None:
    name, reference = str(row["image_id"]), name_reference(str(row["reference_id"]))
    size = (int(str(row["width"])), int(str(row["height"])))
    found.sizes[name] = found.sizes[reference] = size
    found.pristine.add(reference)
    regions = row["regions"]
    if not isinstance(regions, Sequence) or not regions:
        found.pristine.add(name)
    elif len(regions) > 1:
        found.skip("several distortions")
    elif stimulus := _make_stimulus(row, regions[0], split):
        found.distorted[name] = stimulus
    else:
        found.skip("labels without a known family, a severity and a V above 0")


def _make_stimulus(row: Mapping[str, object], region: Mapping[str, object], split: str) -> Stimulus | None:
    visibility = region["visibility"]
    v = float(visibility["v"]) if isinstance(visibility, Mapping) else math.nan
    family, severity, box = region["distortion"], region["severity"], region["bbox"]
    if family not in FAMILIES or severity not in range(1, len(LEVELS) + 1) or not 0.0 < v < math.inf:
        return None
    if not isinstance(box, Sequence) or len(box) != 4:
        return None
    return Stimulus(
        str(row["image_id"]),
        str(row["reference_id"]),
        split,
        str(family),
        str(region["variant"]),
        int(str(severity)),
        v,
        Box(*map(int, box)),
        float(str(region["area"])),
    )


def list_pairs(stimuli: Sequence[Stimulus], with_references: bool = True) -> Iterator[Pair]:
    """Yield the pairs of images of one reference whose V are as far apart as a question asks for (`tasks.comparison`).

    Parameters
    ----------
    stimuli
        The images.
    with_references
        Whether a reference may be the other one of a pair.
    """
    groups: dict[str, list[Stimulus]] = {}
    for stimulus in stimuli:
        groups.setdefault(stimulus.reference_id, []).append(stimulus)
    for members in groups.values():
        for pair in combinations(members, 2):
            other, worse = sorted(pair, key=lambda one: one.v)
            same = worse.family == other.family
            if comparison.has_margin(
                worse.v, other.v, comparison.MARGIN if same else comparison.MARGIN_BETWEEN_FAMILIES
            ):
                yield Pair(worse, other)
        if with_references:
            yield from (Pair(one, None) for one in members if one.v >= comparison.VISIBLE)
