"""The keys of a recipe, with their defaults."""

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from distortlab.tasks.terms import FAMILIES

__all__ = [
    "DEFAULT_TASKS",
    "MOST_REGIONS",
    "NATURAL",
    "NEGATIVES",
    "SEVERITIES",
    "TABLES",
    "TASKS",
    "CompositionRules",
    "ControlRules",
    "LicenseRules",
    "QuestionRules",
    "Recipe",
    "ReferenceRules",
    "RegionRules",
    "VisibilityRules",
]

SEVERITIES = ("1", "2", "3", "4", "5")
TABLES = ("images", "rft")
NATURAL = ("bokeh", "low_light", "motion")
"""What photographs may be as they were taken."""
NEGATIVES = ("recognition", "recognition_reference", "grounding")
"""Tasks about one region that can be asked where there is none."""
DEFAULT_TASKS = ("recognition", "recognition_reference", "object", "grounding")
TASKS = (*DEFAULT_TASKS, "diagnosis", "comparison", "comparison_regions")
MOST_REGIONS = 12
"""The most regions that an image may be asked to have."""
_EQUALIZED_TOLERANCE = 1.2


@dataclass(frozen=True, slots=True)
class LicenseRules:
    """Which references may be used, by the names of their licenses (see `licences`): those in `allow`, or all where
    that is empty, but for those in `deny`.
    """

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReferenceRules:
    """Which reference images are good enough, how large they may be (see `references.screening`), whether their files
    keep their metadata (EXIF, XMP, comments, thumbnails), and under which licenses they may be.
    """

    max_side: int = 1024
    min_side: int = 256
    min_sharpness: float = 20.0
    max_blockiness: float = 1.5
    min_chroma: float = 4.5
    keep_metadata: bool = False
    licenses: LicenseRules = LicenseRules()


@dataclass(frozen=True, slots=True)
class RegionRules:
    """Which regions may be distorted. Areas are shares of the image, `min_side` is in pixels of the stored image.

    `min_largest_part` is the share of a region that its largest connected part must hold; 0 allows any number of parts.
    """

    min_area: float = 0.01
    max_area: float = 0.5
    max_box: float = 0.9
    min_largest_part: float = 0.75
    min_side: int = 32
    feather: int = 2
    crowd: bool = False


@dataclass(frozen=True, slots=True)
class VisibilityRules:
    """What an edit must do to be kept, and how often to try. See `visibility`.

    `tolerance` is the factor by which V may be off its severity's target (`distortion.TARGETS`); None takes what
    belongs to `severity` (`Recipe.tolerance`). `max_pixels` above 0 also demands that the edit can be seen by a model
    whose processor shrinks images to so many pixels, e.g. 1280 tokens of 28 x 28 (`model_size`).
    """

    minimum: float = 1.0
    tolerance: float | None = None
    max_pixels: int = 0
    regions_per_reference: int = 4
    references_per_image: int = 16


@dataclass(frozen=True, slots=True)
class CompositionRules:
    """What an image consists of: relative shares of pristine images, of those with one distortion of the whole frame,
    and of those with distorted regions; `regions` are shares of how many.

    `overlap` allows regions that overlap, painted in order; else they are disjoint. `repeat_families` allows a family
    twice in an image. `negatives` are tasks about one region in which pristine images are asked about as well: all
    their questions offer the answer None then.
    """

    pristine: float = 0.0
    whole: float = 0.0
    local: float = 1.0
    regions: dict[str, float] = field(default_factory=lambda: {"1": 1.0})
    overlap: bool = False
    repeat_families: bool = False
    negatives: tuple[str, ...] = ()

    @property
    def kinds(self) -> dict[str, float]:
        """The shares of "pristine", "whole" and "local"."""
        return {"pristine": self.pristine, "whole": self.whole, "local": self.local}

    @property
    def most_regions(self) -> int:
        """The most regions that some images are to have; 0 where none has any."""
        return max((int(count) for count, share in self.regions.items() if share > 0 and self.local > 0), default=0)


@dataclass(frozen=True, slots=True)
class ControlRules:
    """Which pristine images are controls, as shares of all of them (docs/diagnosis.md).

    `natural`: made of photographs that are blurred in parts, dark or moved as they were taken. Which are is measured,
    or named in `references`, ids by kind ("bokeh", "low_light", "motion"). `seam`: one region goes through the mask and
    is changed so little that nobody sees it.
    """

    natural: float = 0.0
    seam: float = 0.0
    references: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_wanted(self) -> bool:
        """Whether there are any."""
        return self.natural > 0 or self.seam > 0


@dataclass(frozen=True, slots=True)
class QuestionRules:
    """How questions are asked."""

    type_candidates: int = 4
    object_candidates: int = 4
    coordinates: Literal["thousandths", "pixels"] = "thousandths"


def _share_evenly(names: tuple[str, ...]) -> dict[str, float]:
    return dict.fromkeys(names, 1.0)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a data set holds. Shares are relative: `{blur = 2, noise = 1}` asks for twice as many blurred images.

    `tables` are ("images", "rft"), or ("rft",) to keep pictures in questions only, at half the size.
    `images_per_reference` is the mean where there are references enough, `max_images_per_reference` the most that
    one may give where there are not. `samples_per_image` questions are asked about an image on average. `severity` says
    where settings come from: "equalized" predicts the setting that gives a region the V of the severity, and searches
    on where the prediction was off; "ladder" takes that of the profile for every region. Left out, it is "equalized"
    for the profile "matched"; "dq" has no V to aim at, and takes its ladder.
    `difficulties` are shares of how hard the family is to tell (`severity.difficulty`); empty takes them as they come.
    """

    name: str = "refine-perception-20k"
    n: int = 20_907
    seed: int = 0
    profile: Literal["matched", "dq"] = "matched"
    severity: Literal["equalized", "ladder"] | None = None
    codec: Literal["png", "webp"] = "png"
    tables: tuple[str, ...] = TABLES
    keep_references: bool = True
    images_per_reference: float = 2.543
    max_images_per_reference: int = 24
    samples_per_image: float = 2.64
    images_per_shard: int = 512
    max_failures: float = 0.01
    splits: dict[str, float] = field(default_factory=lambda: {"train": 0.95, "validation": 0.05})
    families: dict[str, float] = field(default_factory=lambda: _share_evenly(FAMILIES))
    severities: dict[str, float] = field(default_factory=lambda: _share_evenly(SEVERITIES))
    difficulties: dict[str, float] = field(default_factory=dict)
    tasks: dict[str, float] = field(default_factory=lambda: _share_evenly(DEFAULT_TASKS))
    composition: CompositionRules = CompositionRules()
    controls: ControlRules = ControlRules()
    questions: QuestionRules = QuestionRules()
    regions: RegionRules = RegionRules()
    references: ReferenceRules = ReferenceRules()
    visibility: VisibilityRules = VisibilityRules()

    def __post_init__(self) -> None:
        """What belongs to another key is filled in, so that what is stored with a data set says it."""
        if self.severity is None:
            object.__setattr__(self, "severity", "equalized" if self.profile == "matched" else "ladder")
        if self.severity == "equalized" and self.visibility.tolerance is None:
            object.__setattr__(self, "visibility", replace(self.visibility, tolerance=_EQUALIZED_TOLERANCE))

    @property
    def asked_tasks(self) -> tuple[str, ...]:
        """The tasks with a share above 0."""
        return tuple(task for task in TASKS if self.tasks.get(task, 0) > 0)

    @property
    def tolerance(self) -> float:
        """The factor by which V may be off its target: as given, or what belongs to the ladder. `dq` has no targets."""
        if self.visibility.tolerance is not None:
            return self.visibility.tolerance
        return 1.4 if self.profile == "matched" else math.inf

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON: without `composition` and `controls` where they are the default, as in earlier
        versions.
        """
        values = asdict(self)
        for name, usual in (("composition", CompositionRules()), ("controls", ControlRules())):
            if getattr(self, name) == usual:
                del values[name]
        return values
