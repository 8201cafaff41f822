"""Some images of a data set: which ones fit a filter, a sample of those, and their rows.

Choosing reads no pixels: labels and names only, a row group at a time. Then only the row groups that hold a chosen row
are read, one in memory at a time, so that a data set of any size can be looked at.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from distortlab.core.errors import UserError, describe_unknown
from distortlab.core.seeds import stream
from distortlab.dataset.reader import RowGroup, StoredDataset
from distortlab.dataset.rows import ImageRow, RegionRow, SampleRow
from distortlab.distortions.catalog import FAMILIES
from distortlab.recipe import MOST_REGIONS
from distortlab.tasks import TASKS

__all__ = [
    "Filter",
    "RowLocation",
    "Selection",
    "find_images",
    "read_images",
    "read_questions",
    "report_damaged_rows",
    "sample_images",
]

_REGION = "regions.list.element"
_LABELS = [
    "image_id",
    "reference_id",
    *(f"{_REGION}.{name}" for name in ("distortion", "severity", "visibility.v")),
]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which images: one region must have one of the families and one of the severities and a V between the ends, a
    question about the image one of the tasks, and the image one of the numbers of distortions in `edits`, where 0 is a
    pristine one. What is empty or None asks for nothing.
    """

    families: Sequence[str] = ()
    severities: Sequence[int] = ()
    tasks: Sequence[str] = ()
    least: float | None = None
    most: float | None = None
    edits: Sequence[int] = ()

    def __post_init__(self) -> None:
        for kind, names, known in (("family", self.families, FAMILIES), ("task", self.tasks, TASKS)):
            for name in names:
                if name not in known:
                    raise UserError(describe_unknown(kind, name, known))
        for severity in self.severities:
            if severity not in range(1, 6):
                raise UserError(f"severity {severity} is not one of 1, 2, 3, 4, 5")
        for number in self.edits:
            if number not in range(MOST_REGIONS + 1):
                raise UserError(f"an image has 0 (pristine) to {MOST_REGIONS} distortions, not {number}")
        if self.least is not None and self.most is not None and not self.least <= self.most:
            raise UserError(f"a visibility of at least {self.least:g} and at most {self.most:g} is none at all")

    @property
    def of_regions(self) -> bool:
        """Whether a region is asked for: an image without one does not fit then."""
        return bool(self.families or self.severities) or self.least is not None or self.most is not None

    def fits_image(self, regions: Sequence[RegionRow]) -> bool:
        """Whether an image with these regions is one of those asked for."""
        if self.edits and len(regions) not in self.edits:
            return False
        return not self.of_regions or any(map(self.fits, regions))

    def fits(self, region: RegionRow) -> bool:
        """Whether a region is one of those asked for."""
        v = region["visibility"]["v"]
        return (
            (not self.families or region["distortion"] in self.families)
            and (not self.severities or region["severity"] in self.severities)
            and (self.least is None or v >= self.least)
            and (self.most is None or v <= self.most)
        )

    def __str__(self) -> str:
        parts = [
            f"with {_either(self.edits)} distortions" if self.edits else "",
            f"of {_either(self.families)}" if self.families else "",
            f"at severity {_either(self.severities)}" if self.severities else "",
            f"with V from {self.least:g}" if self.least is not None else "",
            f"with V up to {self.most:g}" if self.most is not None else "",
            f"with a question of the task {_either(self.tasks)}" if self.tasks else "",
        ]
        return " ".join(part for part in parts if part)


def _either(values: Sequence[object]) -> str:
    return " or ".join(map(str, values))


class RowLocation(NamedTuple):
    """Where the row of an image lies, and what it was made from."""

    group: RowGroup
    row: int
    image_id: str
    reference_id: str


@dataclass(slots=True)
class Selection:
    """The images that fit, and what there is to choose from."""

    places: list[RowLocation] = field(default_factory=list)
    total: int = 0
    families: Counter[str] = field(default_factory=Counter)
    severities: Counter[int] = field(default_factory=Counter)
    tasks: Counter[str] = field(default_factory=Counter)
    edits: Counter[int] = field(default_factory=Counter)
    visibility: tuple[float, float] = (float("inf"), float("-inf"))

    def count(self, region: RegionRow) -> None:
        """Take note of a region."""
        self.families[region["distortion"]] += 1
        self.severities[region["severity"]] += 1
        v, (low, high) = region["visibility"]["v"], self.visibility
        self.visibility = (min(low, v), max(high, v))

    def __str__(self) -> str:
        low, high = self.visibility
        parts = [
            _format_counts("families", self.families),
            _format_counts("severities", dict(sorted(self.severities.items()))),
            _format_counts("tasks", self.tasks),
            _format_counts("distortions", dict(sorted(self.edits.items()))) if set(self.edits) != {1} else "",
            f"V from {low:.1f} to {high:.1f}" if low <= high else "",
        ]
        return "; ".join(part for part in parts if part)


def _format_counts(kind: str, counts: Mapping[str, int] | Mapping[int, int]) -> str:
    return f"{kind} {', '.join(f'{name} ({n:,})' for name, n in counts.items())}" if counts else ""


def find_images(stored: StoredDataset, wanted: Filter) -> Selection:
    """The places of all images that fit, in the order of the data set.

    Raises
    ------
    UserError
        Where none does, and where the images have no pictures.
    """
    stored.require_pictures()
    found = Selection()
    ids = _with_task(stored, wanted, found)
    for group in stored.groups("images"):
        with report_damaged_rows(stored, group):
            for number, row in enumerate(stored.read(group, _LABELS).to_pylist()):
                found.total += 1
                found.edits[len(row["regions"])] += 1
                for region in row["regions"]:
                    found.count(region)
                if wanted.fits_image(row["regions"]) and (ids is None or row["image_id"] in ids):
                    found.places.append(RowLocation(group, number, row["image_id"], row["reference_id"]))
    if not found.total:
        raise UserError(f"{stored.folder} holds no images")
    if not found.places:
        raise UserError(f"{stored.folder} has no image {wanted}; it has {found}")
    return found


@contextmanager
def report_damaged_rows(stored: StoredDataset, group: RowGroup) -> Iterator[None]:
    """One sentence for rows that are not what the schema says: a null where there must be a value."""
    try:
        yield
    except (TypeError, KeyError, IndexError, ValueError, AttributeError) as error:
        raise UserError(f"{stored.folder / group.part.path} holds a row that is damaged: {error}") from error


def _with_task(stored: StoredDataset, wanted: Filter, found: Selection) -> set[str] | None:
    """The images that are asked about in one of the tasks; None where any will do."""
    if not wanted.tasks:
        return None
    ids = set()
    for row in stored.rows("samples", ["image_id", "task"]):
        found.tasks[row["task"]] += 1
        if row["task"] in wanted.tasks:
            ids.add(row["image_id"])
    return ids


def sample_images(
    places: Sequence[RowLocation], count: int, seed: int, whole_references: bool = False
) -> list[RowLocation]:
    """Return up to `count` places at random, in the order of the data set.

    With `whole_references`, references are drawn and not images: what was made from one stays together.
    """
    source = stream(seed, "sheet")
    if not whole_references:
        return sorted(source.permute(places)[:count])
    images: dict[str, list[RowLocation]] = {}
    for place in places:
        images.setdefault(place.reference_id, []).append(place)
    drawn = [place for reference in source.permute(list(images)) for place in images[reference]]
    return sorted(drawn[:count])


def read_images(stored: StoredDataset, places: Sequence[RowLocation]) -> Iterator[tuple[RowLocation, ImageRow]]:
    """The rows of `images` at these places, with their pictures; a row group is read once."""
    for group, members in groupby(places, key=lambda place: place.group):
        table = stored.read(group)
        for place in members:
            yield place, table.slice(place.row, 1).to_pylist()[0]


def read_questions(stored: StoredDataset, ids: set[str]) -> dict[str, list[SampleRow]]:
    """The rows of `samples` about these images, by image, in the order of the data set."""
    out: dict[str, list[SampleRow]] = {name: [] for name in ids}
    columns = ["image_id", "task", "prompt", "solution", "boxes", "other_image_id"]
    for table in stored.tables("samples", columns):
        for row, name in enumerate(table["image_id"].to_pylist()):
            if name in ids:
                out[name] += table.slice(row, 1).to_pylist()
    return out
