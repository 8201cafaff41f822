"""The recipe of a data set: all that decides what is in it, except for the references.

`Recipe()` is the default; `manifests/refine-perception-20k.toml` writes it out. Unknown keys are errors.
"""

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from distortlab.core.config import from_values
from distortlab.core.errors import BadRecipe, describe_unknown
from distortlab.tasks.terms import DIFFICULTIES, FAMILIES

__all__ = [
    "CompositionRules",
    "ControlRules",
    "LicenseRules",
    "QuestionRules",
    "Recipe",
    "ReferenceRules",
    "RegionRules",
    "VisibilityRules",
    "default_recipe",
    "load_recipe",
    "parse_recipe",
    "read_stored_recipe",
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


def load_recipe(source: str | Path, **changes: object) -> Recipe:
    """A recipe from a TOML file, or one of those that come with the package.

    Parameters
    ----------
    source
        The path of a .toml file, or a name: "refine-perception-20k", "smoke".
    **changes
        Keys of `Recipe` that replace those of the file.

    Raises
    ------
    BadRecipe
        For a file that cannot be read, an unknown key, and a value out of its range.

    Examples
    --------
    >>> from distortlab import load_recipe
    >>> recipe = load_recipe("smoke", n=50)
    >>> recipe.n, recipe.seed, recipe.codec
    (50, 0, 'png')
    """
    path = Path(source)
    if path.suffix != ".toml" and not path.exists():
        text, where = _read_packaged(str(source)), str(source)
    else:
        try:
            text, where = path.read_text(encoding="utf-8"), str(path)
        except (OSError, UnicodeDecodeError) as error:
            raise BadRecipe(f"the recipe {path} cannot be read: {error}") from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadRecipe(f"the recipe {where} is not TOML: {error}") from error
    recipe = parse_recipe(values, where)  # a key that is replaced must be right as well
    return parse_recipe({**values, **changes}, where) if changes else recipe


def default_recipe(**changes: object) -> Recipe:
    """The recipe of the 20K data set.

    Parameters
    ----------
    **changes
        Keys of `Recipe` that replace its defaults.

    Raises
    ------
    BadRecipe
        For an unknown key, and a value out of its range.

    Examples
    --------
    >>> from distortlab import default_recipe
    >>> default_recipe(n=500, families={"blur": 2, "noise": 1}).families
    {'blur': 2.0, 'noise': 1.0}
    >>> default_recipe(profil="dq")
    Traceback (most recent call last):
    distortlab.core.errors.BadRecipe: the recipe: no key called 'profil'; did you mean 'profile'?
    """
    return parse_recipe(changes, "the recipe")


def list_recipes() -> Mapping[str, Path]:
    """The recipes that come with the package, by name."""
    folder = Path(str(resources.files("distortlab"))) / "manifests"
    if not folder.is_dir():  # an editable install: the folder stands beside the package
        folder = folder.parent.parent / "manifests"
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def _read_packaged(name: str) -> str:
    known = list_recipes()
    if name not in known:
        raise BadRecipe(describe_unknown("recipe", name, known, "or give the path of a .toml file"))
    return known[name].read_text(encoding="utf-8")


def parse_recipe(values: Mapping[str, object], where: str = "the recipe") -> Recipe:
    """Make a recipe from plain values, and check it. Missing keys take the default.

    Parameters
    ----------
    values
        Keys of `Recipe`, tables as nested mappings.
    where
        What the values belong to, e.g. the name of a file: the sentence of an error begins with it.

    Raises
    ------
    BadRecipe
        For an unknown key, and a value out of its range.
    """
    recipe = from_values(Recipe, values, where, BadRecipe)
    _check(recipe, where)
    return recipe


def read_stored_recipe(values: Mapping[str, Any], where: str) -> Recipe:
    """Read the recipe that is stored with a data set.

    A key that an earlier version did not know stands for what that version did, which is not the default of today.
    """
    tables = {name: {**before, **values.get(name, {})} for name, before in _BEFORE.items()}
    severity = values.get("severity", "ladder")
    if severity == "equalized" and tables["visibility"]["tolerance"] is None:
        tables["visibility"]["tolerance"] = 1.15
    return parse_recipe({**values, "severity": severity, **tables}, where)


_EQUALIZED_TOLERANCE = 1.2
_BEFORE: Mapping[str, Mapping[str, Any]] = {
    "regions": {"min_largest_part": 0.0},
    "visibility": {"tolerance": math.inf},
}


def _check(recipe: Recipe, where: str) -> None:
    """Raise `BadRecipe` for values that no type can rule out."""
    _check_shares(recipe, where)
    _check_ranges(recipe, where)
    _check_combinations(recipe, where)


def _check_shares(recipe: Recipe, where: str) -> None:
    for kind, shares, known in (
        ("family", recipe.families, FAMILIES),
        ("severity", recipe.severities, SEVERITIES),
        ("difficulty", recipe.difficulties, DIFFICULTIES),
        ("task", recipe.tasks, TASKS),
        ("split", recipe.splits, tuple(recipe.splits)),
        ("number of regions", recipe.composition.regions, tuple(recipe.composition.regions)),
    ):
        for name, share in shares.items():
            if name not in known:
                raise BadRecipe(f"{where}: " + describe_unknown(kind, name, known))
            if not 0 <= share < float("inf"):
                raise BadRecipe(f"{where}: the share of {kind} {name!r} is {share}; shares are 0 or more")
        if not sum(shares.values()) > 0 and (shares or kind != "difficulty"):
            raise BadRecipe(f"{where}: no {kind} has a share above 0")
    for count in recipe.composition.regions:
        if count not in map(str, range(1, MOST_REGIONS + 1)):
            raise BadRecipe(f"{where}: composition.regions: an image has 1 to {MOST_REGIONS} regions, not {count!r}")
    if not any(recipe.composition.kinds.values()):
        raise BadRecipe(f"{where}: composition: pristine, whole and local are all 0; give one of them a share above 0")
    for name in recipe.splits:
        if not re.fullmatch(r"\w+(\.\w+)*", name):
            raise BadRecipe(f"{where}: a split is named with letters, digits and _; not {name!r}")


def _check_ranges(recipe: Recipe, where: str) -> None:
    for key, low, high in _RANGES:
        value: Any = recipe
        for part in key.split("."):
            value = getattr(value, part)
        if value is not None and not low <= value <= high:
            raise BadRecipe(f"{where}: {key} = {value} is outside {low} .. {high}")


def _check_combinations(recipe: Recipe, where: str) -> None:
    if "rft" not in recipe.tables or set(recipe.tables) - set(TABLES) or len(set(recipe.tables)) < len(recipe.tables):
        raise BadRecipe(f'{where}: tables = {list(recipe.tables)}; there are ["images", "rft"] and ["rft"]')
    for task in recipe.composition.negatives:
        if task not in NEGATIVES:
            raise BadRecipe(
                f"{where}: composition.negatives: " + describe_unknown("task about one region", task, NEGATIVES)
            )
        if not recipe.tasks.get(task, 0) or not recipe.composition.pristine:
            raise BadRecipe(
                f"{where}: composition.negatives asks {task} of pristine images: give tasks.{task} and "
                "composition.pristine shares above 0"
            )
    _check_controls(recipe, where)
    if recipe.samples_per_image > len(recipe.asked_tasks):
        raise BadRecipe(
            f"{where}: samples_per_image = {recipe.samples_per_image}, but only {len(recipe.asked_tasks)} tasks are "
            "asked, each at most once about an image"
        )
    for name in (*recipe.references.licenses.allow, *recipe.references.licenses.deny):
        if not name.strip():
            raise BadRecipe(f"{where}: references.licenses: a blank name stands for no license")
    if recipe.severity == "equalized" and recipe.profile != "matched":
        raise BadRecipe(f'{where}: severity = "equalized" aims at the targets of profile "matched"; "dq" has none')
    if recipe.difficulties and recipe.profile != "matched":
        raise BadRecipe(f'{where}: difficulties were measured on profile "matched"; "dq" has none')
    if recipe.regions.min_area >= recipe.regions.max_area:
        raise BadRecipe(f"{where}: regions.min_area must be below regions.max_area")


def _check_controls(recipe: Recipe, where: str) -> None:
    rules = recipe.controls
    if rules.natural + rules.seam > 1:
        raise BadRecipe(
            f"{where}: controls: natural = {rules.natural:g} and seam = {rules.seam:g} are shares of the pristine "
            "images, together at most 1"
        )
    if rules.is_wanted and not recipe.composition.pristine:
        raise BadRecipe(f"{where}: controls are pristine images: give composition.pristine a share above 0")
    for kind in rules.references:
        if kind not in NATURAL:
            raise BadRecipe(f"{where}: controls.references: " + describe_unknown("kind of photograph", kind, NATURAL))
    if rules.references and not any(rules.references.values()):
        raise BadRecipe(f"{where}: controls.references names no photograph; leave it out, and it is measured")


_RANGES = (
    ("n", 1, 100_000_000),
    ("seed", -(2**63), 2**63 - 1),
    ("images_per_reference", 1, 10_000),
    ("max_images_per_reference", 1, 10_000),
    ("samples_per_image", 1, len(TASKS)),
    ("images_per_shard", 1, 100_000),
    ("max_failures", 0, 1),
    ("composition.pristine", 0, 1_000_000),
    ("composition.whole", 0, 1_000_000),
    ("composition.local", 0, 1_000_000),
    ("controls.natural", 0, 1),
    ("controls.seam", 0, 1),
    ("questions.type_candidates", 2, 12),
    ("questions.object_candidates", 2, 26),
    ("regions.min_area", 0, 1),
    ("regions.max_area", 0, 1),
    ("regions.max_box", 0, 1),
    ("regions.min_largest_part", 0, 1),
    ("regions.min_side", 1, 100_000),
    ("regions.feather", 0, 16),
    ("references.max_side", 64, 16_000),
    ("references.min_side", 1, 16_000),
    ("visibility.minimum", 0, 100),
    ("visibility.tolerance", 1.01, math.inf),
    ("visibility.max_pixels", 0, 1_000_000_000),
    ("visibility.regions_per_reference", 1, 1000),
    ("visibility.references_per_image", 1, 1000),
)
