"""Small windows of the built-in scenes, each distorted in one of four ways, and one short question: enough to learn on
a CPU.

The pictures, the distortions and the answers are those of the generator. Its own data sets have local distortions in
large pictures and questions of two hundred words: a model of a million weights would spend hours on them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

import distortlab
from distortlab.core.seeds import stream
from distortlab.dataset.schema import RFT, Picture, Sample
from distortlab.dataset.writer import make_table
from distortlab.imaging.encode import CODECS
from distortlab.recipe import ReferenceRules, RegionRules
from distortlab.severity.difficulty import find_difficulty
from distortlab.tasks import recognition

VARIANTS = ("noise.gaussian_rgb", "blur.gaussian", "quantization.uniform", "saturate_weaken.ycbcr")
"""Four that a model this small learns to tell apart in minutes. Blur and pixelation it does not."""
SEVERITY = 4
SIDE = 64
"""Of a window, in pixels. Windows are cut out, not made small: blur of a thumbnail cannot be seen."""
SCENE_SIDE = 384
PER_SCENE = 8
QUESTION = "Which distortion, how severe?"


def make_data(out: Path, images: int) -> Path:
    """`images` windows as a data set of questions; one scene in eight is held out, with all its windows."""
    out.mkdir(parents=True, exist_ok=True)
    rows: dict[str, list[dict[str, Any]]] = {"train": [], "validation": []}
    for scene, picture in enumerate(_pictures(images // PER_SCENE)):
        split = "validation" if scene % 8 == 7 else "train"
        rows[split] += [_sample(picture, scene, copy).as_row() for copy in range(PER_SCENE)]
    for split, listed in rows.items():
        pq.write_table(make_table(listed, RFT), out / f"{split}.parquet")
    return out


def _pictures(count: int) -> Iterator[Any]:
    small = ReferenceRules(max_side=SCENE_SIDE)
    for entry in distortlab.open_references("scenes").entries(count):
        yield entry.load(small, RegionRules()).image


def _sample(picture: Any, scene: int, copy: int) -> Sample:
    draw = stream("learning", scene, copy)
    name = draw.permute(VARIANTS)[0]
    y, x = (draw.permute(range(length - SIDE))[0] for length in picture.shape[:2])
    made = distortlab.distort(picture, name, SEVERITY, box=(x, y, x + SIDE, y + SIDE), seed=scene, feather=0)
    window = made.image[y : y + SIDE, x : x + SIDE]
    family = name.partition(".")[0]
    key = f"{scene:05d}-{copy}"
    return Sample(
        sample_id=key,
        image_id=key,
        prompt=QUESTION,
        images=(Picture(CODECS["png"](window), f"{key}.png"),),
        solution=recognition.truth(family, SEVERITY),
        task="recognition",
        bbox=(0, 0, SIDE, SIDE),
        distortion=family,
        severity=SEVERITY,
        difficulty=find_difficulty(name, SEVERITY),
    )
