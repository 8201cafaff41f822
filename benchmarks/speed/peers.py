"""The twelve families as a user of albumentations 2.0.8 would write them."""

from collections.abc import Callable
from typing import Any


def transforms() -> Callable[[int, int], Any]:
    """A function of (family 0..11, severity 1..5) that returns a transform."""
    import os

    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    import albumentations as A

    def tone(s: int, brightness: float, contrast: float) -> Any:
        return A.RandomBrightnessContrast((brightness * s, brightness * s), (contrast * s, contrast * s), p=1)

    def saturation(s: int, shift: int) -> Any:
        return A.HueSaturationValue((0, 0), (shift * s, shift * s), (0, 0), p=1)

    table: tuple[Callable[[int], Any], ...] = (
        lambda s: A.GaussianBlur(sigma_limit=(1.0 * s, 1.0 * s), blur_limit=0, p=1),
        lambda s: A.GaussNoise(std_range=(0.03 * s, 0.03 * s), p=1),
        lambda s: A.ImageCompression(compression_type="jpeg", quality_range=(max(2, 32 - 6 * s),) * 2, p=1),
        lambda s: tone(s, 0.08, 0),
        lambda s: tone(s, -0.08, 0),
        lambda s: tone(s, 0, 0.3),
        lambda s: tone(s, 0, -0.15),
        lambda s: saturation(s, 30),
        lambda s: saturation(s, -30),
        lambda s: A.Sharpen(alpha=(0.2 * s, 0.2 * s), lightness=(1, 1), p=1),
        lambda s: A.Downscale(scale_range=(1 / (1 + s), 1 / (1 + s)), p=1),
        lambda s: A.Posterize(num_bits=max(1, 6 - s), p=1),
    )
    return lambda family, severity: table[family](severity)
