"""The distortions as albumentations transforms (extra `albumentations`, the last MIT release, 2.0.8).

import albumentations as A
from distortlab.albumentations import as_transform

augment = A.Compose([A.HorizontalFlip(), as_transform("blur.motion", severity=(1, 3), p=0.5)])
"""

import os
from typing import Any

import numpy as np

from distortlab.catalog import amount_of, find
from distortlab.distortion import Profile
from distortlab.edit import distort
from distortlab.errors import UserError

__all__ = ["as_transform"]


def as_transform(
    name: str, severity: int | tuple[int, int] = 3, *, profile: Profile = "matched", p: float = 1.0
) -> Any:
    """A distortion of the whole image as an `ImageOnlyTransform`; `severity` 1..5, or a range to draw from.

    The randomness of the noise comes from the pipeline's own seed. uint8 RGB images only.
    """
    low, high = (severity, severity) if isinstance(severity, int) else severity
    for level in (low, high):
        amount_of(find(name), level, profile)
    if low > high:
        raise UserError(f"the severities {low} to {high} are the wrong way round")
    return _transform_class()(name=name, severity=(low, high), profile=profile, p=p)


def _transform_class() -> Any:
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it looks for a newer release when it is imported
    try:
        from albumentations.core.transforms_interface import ImageOnlyTransform
    except ImportError as error:
        raise UserError("albumentations is not installed: pip install 'refine-iqa[albumentations]'") from error

    class Distort(ImageOnlyTransform):  # type: ignore[misc]
        """One distortion of the catalogue."""

        class InitSchema(ImageOnlyTransform.InitSchema):  # type: ignore[misc]
            name: str
            severity: tuple[int, int]
            profile: str

        def __init__(self, name: str, severity: tuple[int, int], profile: Profile, p: float = 1.0) -> None:
            super().__init__(p=p)
            self.name, self.severity, self.profile = name, severity, profile

        def get_params(self) -> dict[str, Any]:
            return {"level": self.py_random.randint(*self.severity), "seed": self.py_random.randrange(1 << 31)}

        def apply(self, img: np.ndarray, level: int, seed: int, **_: Any) -> np.ndarray:
            return distort(img, self.name, level, seed=seed, profile=self.profile, feather=0).image

        def get_transform_init_args_names(self) -> tuple[str, ...]:
            return ("name", "severity", "profile")

    return Distort
