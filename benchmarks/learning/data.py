"""Small pictures, each distorted as a whole in one of four ways, and one short question: enough to learn on a CPU.

The pictures are the built-in scenes, the distortions and the answers those of the generator. Its own data sets have
local distortions and questions of two hundred words: a model of a million weights would spend hours on them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

import distortlab
from distortlab.codecs import CODECS
from distortlab.recipe import ReferenceRules, RegionRules
from distortlab.schema import RFT, Picture, Sample, table
from distortlab.seeds import stream
from distortlab.tasks import recognition
from distortlab.tasks.terms import LEVELS, PHRASES

VARIANTS = ("noise.gaussian_rgb", "blur.gaussian", "pixelate.block", "saturate_weaken.ycbcr")
SEVERITIES = (3, 4, 5)
PER_SCENE = 4
QUESTION = (
    f"Which distortion? {', '.join(PHRASES[name.partition('.')[0]] for name in VARIANTS)}. "
    f"Which severity? {', '.join(LEVELS)}. Answer: Type, Severity."
)


def make_data(out: Path, images: int) -> Path:
    """`images` pictures, 96 pixels wide, as a data set of questions; one in eight is held out, with its scene."""
    out.mkdir(parents=True, exist_ok=True)
    rows: dict[str, list[dict[str, Any]]] = {"train": [], "validation": []}
    for scene, picture in enumerate(_pictures(images // PER_SCENE)):
        split = "validation" if scene % 8 == 7 else "train"
        rows[split] += [_sample(picture, scene, copy).as_row() for copy in range(PER_SCENE)]
    for split, listed in rows.items():
        pq.write_table(table(listed, RFT), out / f"{split}.parquet")
    return out


def _pictures(count: int) -> Iterator[Any]:
    small = ReferenceRules(max_side=96, min_side=48)
    for entry in distortlab.open_references("scenes").entries(count):
        yield entry.load(small, RegionRules()).image


def _sample(picture: Any, scene: int, copy: int) -> Sample:
    draw = stream("learning", scene, copy)
    name, severity = draw.shuffled(VARIANTS)[0], draw.shuffled(SEVERITIES)[0]
    made = distortlab.distort(picture, name, severity, seed=scene)
    family = name.partition(".")[0]
    key = f"{scene:05d}-{copy}"
    return Sample(
        sample_id=key,
        image_id=key,
        prompt=QUESTION,
        images=(Picture(CODECS["png"](made.image), f"{key}.png"),),
        solution=recognition.truth(family, severity),
        task="recognition",
        bbox=made.edit.bbox,
        distortion=family,
        severity=severity,
    )
