"""Windows of 64 x 64 pixels of the built-in scenes, each distorted as a whole, and one short question about each.

Pictures, distortions and answers are the generator's. Its own data sets have local distortions in large pictures and
questions of two hundred words: a model of a million weights would spend hours on them. Windows are cut out and not made
small: on a thumbnail blur cannot be seen.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq

import distortlab
from distortlab.core.image import Image, pixels_sha256
from distortlab.core.seeds import stream
from distortlab.dataset.schema import RFT, Picture, Sample
from distortlab.dataset.writer import make_table
from distortlab.distortions.base import Profile
from distortlab.distortions.catalog import CATALOG
from distortlab.imaging.encode import CODECS
from distortlab.recipe import ReferenceRules, RegionRules
from distortlab.references.base import Reference
from distortlab.tasks import recognition

SIDE = 64
SCENE_SIDE = 384
PER_SCENE = 12
QUESTION = "Which distortion, how severe?"
SCENES = {
    "eye": (0, 1000),
    "form": (1000, 1012),
    "train": (1012, 1512),
    "choose": (2000, 2044),
    "report": (2172, 2300),
}
"""Which scenes a pool is cut from. No scene is in two pools. Scenes 2044 to 2171 were opened once, by a run that was
stopped (openings.jsonl)."""


class Windows(NamedTuple):
    """Distorted windows, (n, 64, 64, 3) uint8, with the family of the distortion and the severity of each."""

    images: np.ndarray
    families: tuple[str, ...]
    severities: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Mixture:
    """What is done to windows.

    Parameters
    ----------
    variants
        By family: one of them is drawn. Every family has the same number of windows of a scene, as far as they go.
    severities
        One of them is drawn.
    profile
        The ladder that severities are read by.
    equalize
        Search the setting for every window, so that it changes by as much as its severity says.
    pristine
        Leave as many windows as they are as there are of one severity; theirs is 0.
    """

    variants: dict[str, tuple[str, ...]]
    severities: tuple[int, ...]
    profile: Profile = "matched"
    equalize: bool = False
    pristine: bool = False


def list_variants(profile: Profile = "matched") -> dict[str, tuple[str, ...]]:
    """All variants of the catalogue that have a ladder, by family."""
    found: dict[str, tuple[str, ...]] = {}
    for row in CATALOG:
        if row.get_ladder(profile) is not None:
            found[row.family] = (*found.get(row.family, ()), row.name)
    return found


def make_windows(pool: str, mixture: Mixture, per_scene: int = PER_SCENE) -> Windows:
    """Cut and distort the windows of a pool of scenes. The same arguments give the same pixels."""
    made = [
        one
        for scene, picture in load_scenes(*SCENES[pool])
        for one in _distort_windows(picture, pool, scene, mixture, per_scene)
    ]
    images, families, severities = zip(*made, strict=True)
    return Windows(np.stack(images), families, severities)


def load_scenes(start: int, end: int) -> Iterator[tuple[int, Image]]:
    """The numbers and the pixels of scenes."""
    for scene, reference in enumerate(load_references(start, end), start):
        yield scene, reference.image


def load_references(start: int, end: int) -> Iterator[Reference]:
    """Scenes with their regions."""
    rules = ReferenceRules(max_side=SCENE_SIDE)
    for scene, entry in enumerate(distortlab.open_references("scenes").entries(end)):
        if scene >= start:
            yield entry.load(rules, RegionRules())


def _distort_windows(
    picture: Image, pool: str, scene: int, mixture: Mixture, count: int
) -> Iterator[tuple[Image, str, int]]:
    draw = stream("learning", pool, scene)
    families = list(mixture.variants)
    dealt = draw.permute([families[place % len(families)] for place in range(count)])
    for copy, family in enumerate(dealt):
        draw = stream("learning", pool, scene, copy)
        severities = (*mixture.severities, 0) if mixture.pristine else mixture.severities
        name, severity = draw.permute(mixture.variants[family])[0], draw.permute(severities)[0]
        y, x = (draw.below(length - SIDE) for length in picture.shape[:2])
        box, seed = (x, y, x + SIDE, y + SIDE), scene * PER_SCENE + copy
        image = _distort_box(picture, name, severity, box, seed, mixture) if severity else picture
        yield image[y : y + SIDE, x : x + SIDE].copy(), family, severity


def _distort_box(
    picture: Image, name: str, severity: int, box: tuple[int, int, int, int], seed: int, mixture: Mixture
) -> Image:
    profile, equalize = mixture.profile, mixture.equalize
    return distortlab.distort(
        picture, name, severity, box=box, seed=seed, profile=profile, equalize=equalize, feather=0
    ).image


def keep_windows(file: Path, pool: str, mixture: Mixture, per_scene: int = PER_SCENE) -> Windows:
    """Read windows from a file, or make them and write it."""
    if not file.exists():
        made = make_windows(pool, mixture, per_scene)
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, images=made.images, families=made.families, severities=made.severities)
    return read_windows(file)


def read_windows(file: Path) -> Windows:
    """Windows as `keep_windows` writes them."""
    with np.load(file) as found:
        families, severities = (tuple(found[name].tolist()) for name in ("families", "severities"))
        return Windows(found["images"], families, severities)


def hash_windows(windows: Windows) -> str:
    """SHA-256 of pixels, families and severities, in hex."""
    names = pixels_sha256(windows.images) + repr((windows.families, windows.severities))
    return hashlib.sha256(names.encode()).hexdigest()


def select_windows(windows: Windows, places: Sequence[int]) -> Windows:
    """The windows at these places."""
    families, severities = (tuple(values[place] for place in places) for values in windows[1:])
    return Windows(windows.images[np.asarray(places)], families, severities)


def permute_severities(windows: Windows) -> Windows:
    """The same windows, and severities that change places among those of a family: families stay true."""
    severities = list(windows.severities)
    for family in sorted(set(windows.families)):
        places = [place for place, name in enumerate(windows.families) if name == family]
        moved = stream("learning", "severities", family).permute([severities[place] for place in places])
        for place, severity in zip(places, moved, strict=True):
            severities[place] = severity
    return windows._replace(severities=tuple(severities))


def write_questions(out: Path, windows: Windows) -> str:
    """Write windows as a data set of questions, both splits alike; a folder that exists is left as it is."""
    return write_rows(out, (make_row(place, *one) for place, one in enumerate(zip(*windows, strict=True))))


def write_rows(out: Path, rows: Iterable[dict[str, Any]]) -> str:
    """Write rows of questions as a data set, both splits alike; a folder that exists is left as it is."""
    if not out.exists():
        table = make_table(list(rows), RFT)
        out.mkdir(parents=True)
        for split in ("train", "validation"):
            pq.write_table(table, out / f"{split}.parquet")
    return str(out)


def make_row(place: int, image: Image, family: str, severity: int) -> dict[str, Any]:
    """A window as a row of a data set of questions."""
    key = f"{place:06d}"
    return Sample(
        sample_id=key,
        image_id=key,
        prompt=QUESTION,
        images=(Picture(CODECS["png"](image), f"{key}.png"),),
        solution=recognition.truth(family, severity),
        task="recognition",
        bbox=(0, 0, SIDE, SIDE),
        distortion=family,
        severity=severity,
        difficulty=None,
    ).as_row()
