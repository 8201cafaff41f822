"""Windows with the scores that people would give them, from calibrated severities, with the noise of raters."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from windows import Mixture, Windows, keep_windows

from distortlab.distortions.base import TARGETS
from distortlab.imaging.encode import CODECS
from distortlab.severity.human_scores import BEST, ERROR, estimate_score

RATERS, SPREAD = 30, 0.8
"""People of a mean score, and the deviation of one of them: those of KADID-10k, nearly."""
NOISE = float(np.hypot(ERROR, SPREAD / RATERS**0.5))
"""Of a mean score about the curve: what the curve misses of a distortion, and what thirty raters leave."""
LOW, HIGH = 1.0, 5.0
LISTING = "ratings.json"


class RatedWindows(NamedTuple):
    """Windows and the score of each, 1 to 5; severity 0 is a window as it was cut."""

    windows: Windows
    scores: tuple[float, ...]


def rate_windows(windows: Windows, seed: int) -> RatedWindows:
    """Score windows as thirty raters would: the human score of their severity, and noise."""
    expected = [BEST if not severity else estimate_score(TARGETS[severity - 1]) for severity in windows.severities]
    noise = np.random.default_rng(seed).normal(0, NOISE, len(expected))
    return RatedWindows(windows, tuple(np.clip(np.add(expected, noise), LOW, HIGH).round(2).tolist()))


def keep_rated_windows(file: Path, pool: str, mixture: Mixture, seed: int) -> RatedWindows:
    """Read or make rated windows: those of the mixture, and as many without a distortion as of one severity."""
    return rate_windows(keep_windows(file, pool, replace(mixture, equalize=True, pristine=True)), seed)


def write_ratings(out: Path, rated: RatedWindows) -> dict[str, str]:
    """Write rated windows as files and a list, unless they lie there; the keys of a configuration that name them."""
    listing = out / LISTING
    if not listing.exists():
        (out / "images").mkdir(parents=True, exist_ok=True)
        names = [_write_image(out, place, image) for place, image in enumerate(rated.windows.images)]
        listing.write_text(json.dumps(_list_items(names, rated.scores)), encoding="utf-8")
    return {"data.rated": f"meta:{listing}+norm", "data.rated_root": str(out)}


def _write_image(out: Path, place: int, image: np.ndarray) -> str:
    name = f"images/{place:06d}.png"
    (out / name).write_bytes(CODECS["png"](image))
    return name


def _list_items(names: Sequence[str], scores: Sequence[float]) -> list[dict[str, object]]:
    return [{"image": name, "gt_score_norm": score} for name, score in zip(names, scores, strict=True)]
