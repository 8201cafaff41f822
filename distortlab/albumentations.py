"""The distortions as albumentations transforms (extra `albumentations`, the last MIT release, 2.0.8).

    import albumentations as A
    from distortlab.albumentations import as_transform

    augment = A.Compose([A.HorizontalFlip(), as_transform("blur.motion", severity=(1, 3), p=0.5)])

Importing this module imports albumentations; nothing else of distortlab does.
"""

import os
from typing import Any

import numpy as np

from distortlab.api import distort
from distortlab.core.errors import UserError
from distortlab.distortions.base import Profile
from distortlab.distortions.catalog import find, get_amount

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it asks the network for a newer release when imported
try:
    from albumentations.core.transforms_interface import ImageOnlyTransform
except ImportError as error:
    raise UserError("albumentations is not installed: pip install 'refine-iqa[albumentations]'") from error

__all__ = ["Distort", "as_transform"]


class Distort(ImageOnlyTransform):  # type: ignore[misc]
    """One distortion of the whole image; `as_transform` checks its arguments first."""

    class InitSchema(ImageOnlyTransform.InitSchema):  # type: ignore[misc]
        """What albumentations checks."""

        name: str
        severity: tuple[int, int]
        profile: str

    def __init__(self, name: str, severity: tuple[int, int], profile: Profile = "matched", p: float = 1.0) -> None:
        super().__init__(p=p)
        self.name, self.severity, self.profile = name, severity, profile

    def get_params(self) -> dict[str, Any]:
        """A severity and a seed, from the pipeline's own randomness."""
        return {"level": self.py_random.randint(*self.severity), "seed": self.py_random.randrange(1 << 31)}

    def apply(self, img: np.ndarray, level: int, seed: int, **_: object) -> np.ndarray:
        """uint8 RGB (rows, columns, 3) in and out."""
        return distort(img, self.name, level, seed=seed, profile=self.profile, feather=0).image

    def get_transform_init_args_names(self) -> tuple[str, ...]:
        """What it takes to make the transform again."""
        return ("name", "severity", "profile")


def as_transform(
    name: str, severity: int | tuple[int, int] = 3, *, profile: Profile = "matched", p: float = 1.0
) -> Distort:
    """A distortion of the whole image as an `ImageOnlyTransform`; `severity` 1..5, or a range to draw from.

    The randomness of the noise comes from the pipeline's own seed. uint8 RGB images only.
    """
    levels: tuple[Any, ...] = tuple(severity) if isinstance(severity, tuple | list) else (severity, severity)
    if len(levels) != 2:
        raise UserError(f"severity is a number 1..5 or a range like (1, 3), not {severity!r}")
    for level in levels:
        get_amount(find(name), level, profile)
    low, high = (int(level) for level in levels)
    if low > high:
        raise UserError(f"the severities {low} to {high} are the wrong way round")
    return Distort(name=name, severity=(low, high), profile=profile, p=p)
