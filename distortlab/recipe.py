"""The recipe of a data set: everything that decides what is in it, but for the references.

`Recipe()` is the default; `manifests/refine-perception-20k.toml` is the same thing written out. Unknown keys are errors.
"""

import tomllib
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from distortlab.errors import BadRecipe, unknown

__all__ = ["QuestionRules", "Recipe", "ReferenceRules", "RegionRules", "VisibilityRules", "load_recipe"]

FAMILIES = (
    "blur",
    "noise",
    "compression",
    "brighten",
    "darken",
    "contrast_strengthen",
    "contrast_weaken",
    "saturate_strengthen",
    "saturate_weaken",
    "oversharpen",
    "pixelate",
    "quantization",
)
SEVERITIES = (1, 2, 3, 4, 5)
TASKS = ("recognition", "recognition_reference", "object", "grounding")


@dataclass(frozen=True, slots=True)
class ReferenceRules:
    """Which reference images are good enough, and how large they may be. See `references.screening`."""

    max_side: int = 1024
    min_side: int = 256
    min_sharpness: float = 20.0
    max_blockiness: float = 2.0
    min_chroma: float = 3.0


@dataclass(frozen=True, slots=True)
class RegionRules:
    """Which regions may be distorted. Areas are shares of the image, `min_side` is in pixels of the stored image."""

    min_area: float = 0.01
    max_area: float = 0.5
    max_box: float = 0.9
    min_side: int = 32
    feather: int = 2
    crowd: bool = False


@dataclass(frozen=True, slots=True)
class VisibilityRules:
    """What an edit must do to be kept, and how often to try. See `visibility`."""

    minimum: float = 1.0
    regions_per_reference: int = 4
    references_per_image: int = 16


@dataclass(frozen=True, slots=True)
class QuestionRules:
    """How questions are asked."""

    type_candidates: int = 4
    object_candidates: int = 4
    coordinates: Literal["thousandths", "pixels"] = "thousandths"


def _even(names: tuple[Any, ...]) -> dict[str, float]:
    return {str(name): 1.0 for name in names}


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a data set holds. Shares are relative: `{blur = 2, noise = 1}` asks for twice as many blurred images."""

    name: str = "refine-perception-20k"
    n: int = 20_907
    seed: int = 0
    profile: Literal["matched", "dq"] = "matched"
    codec: Literal["png", "webp"] = "png"
    keep_references: bool = True
    images_per_reference: float = 2.543
    max_images_per_reference: int = 24
    samples_per_image: float = 2.64
    images_per_shard: int = 512
    max_failures: float = 0.01
    splits: dict[str, float] = field(default_factory=lambda: {"train": 0.95, "validation": 0.05})
    families: dict[str, float] = field(default_factory=lambda: _even(FAMILIES))
    severities: dict[str, float] = field(default_factory=lambda: _even(SEVERITIES))
    tasks: dict[str, float] = field(default_factory=lambda: _even(TASKS))
    questions: QuestionRules = QuestionRules()
    regions: RegionRules = RegionRules()
    references: ReferenceRules = ReferenceRules()
    visibility: VisibilityRules = VisibilityRules()
