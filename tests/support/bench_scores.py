"""Simulated predictions and opinions."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def make_scores(seed: int, n: int = 400, noise: float = 0.6) -> tuple[Floats, Floats]:
    """(latent predictions, MOS on 1-5)."""
    rng = np.random.default_rng(seed)
    quality = rng.normal(size=n)
    return quality + noise * rng.normal(size=n), np.clip(3 + 0.8 * quality, 1, 5)
