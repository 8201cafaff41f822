"""Shortcut controls measured on photographs: the tables of docs/diagnosis.md.

    python benchmarks/controls.py --refs coco:FILE.json,FOLDER --refs coco:OTHER.json,FOLDER

What is natural is counted over all photographs; V of seams over the first two regions of `--photographs` of the first
source. `--pictures FOLDER` writes the natural ones there, to be looked at.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from distortlab.core.errors import BadReference
from distortlab.core.image import Image
from distortlab.core.region import Region, blend
from distortlab.distortions.controls import SEAM, Control, render_control
from distortlab.recipe import ReferenceRules, RegionRules
from distortlab.references import open_references
from distortlab.references.base import Reference
from distortlab.references.natural import measure_natural_kind
from distortlab.severity.scene import Scene
from distortlab.severity.visibility import measure_visibility

FEATHER = 2


def load_photographs(spec: str) -> Iterator[Reference]:
    """All that can be read."""
    references = open_references(spec)
    for entry in references.entries(references.count or 200):
        try:
            yield entry.load(ReferenceRules(), RegionRules())
        except BadReference as error:
            print(f"{entry.id}: {error}")


def _paste(change: Callable[[Image], Image], image: Image, region: Region) -> Image:
    inside = np.ascontiguousarray(image[region.bbox.slices])
    changed = np.ascontiguousarray(change(image)[region.bbox.slices])
    return blend(inside, changed, region.feather_mask(FEATHER))


def _use(operation: str, image: Image, region: Region) -> Image:
    control = Control(SEAM, region, operation, FEATHER, ("benchmark",))
    return render_control(image, control)[region.bbox.slices]


OPERATIONS: dict[str, Callable[[Image, Region], Image]] = {
    "the same pixels pasted again": lambda image, region: _paste(lambda whole: whole, image, region),
    "JPEG of quality 95 (recode)": lambda image, region: _use("recode", image, region),
    "one level (level)": lambda image, region: _use("level", image, region),
    "between two pixels": lambda image, region: _paste(
        lambda whole: ((whole.astype(np.uint16) + np.roll(whole, 1, axis=1) + 1) // 2).astype(np.uint8), image, region
    ),
    "one pixel to the right": lambda image, region: _paste(lambda whole: np.roll(whole, 1, axis=1), image, region),
}


def measure_seams(photographs: Iterator[Reference]) -> None:
    """Print V of every operation over the first two regions of some photographs."""
    found: dict[str, list[float]] = {name: [] for name in OPERATIONS}
    for photograph in photographs:
        for place in photograph.regions[:2]:
            scene = Scene.of_region(photograph.image, place.region)
            for name, operate in OPERATIONS.items():
                after = np.ascontiguousarray(operate(photograph.image, place.region))
                found[name].append(measure_visibility(scene, after, "compression.jpeg").v)
    for name, values in found.items():
        v = np.array(values)
        middle, ends, share = np.median(v), f"{v.min():.2f}-{v.max():.2f}", (v < 1).mean()
        print(f"{name}: {len(v)} regions, V {middle:.2f} ({ends}), below 1: {share:.0%}")


def count_natural(specs: list[str], pictures: Path | None) -> None:
    """Print how many photographs are natural, by kind."""
    counts: Counter[str | None] = Counter()
    for photograph in (one for spec in specs for one in load_photographs(spec)):
        kind = measure_natural_kind(photograph.image)
        counts[kind] += 1
        if pictures and kind:
            pictures.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(pictures / f"{kind}-{photograph.id}.jpg"), photograph.image[..., ::-1])
    print(dict(counts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--refs", action="append", required=True, help="as for distortlab generate; may be given again")
    parser.add_argument("--photographs", type=int, default=40)
    parser.add_argument("--pictures", type=Path)
    arguments = parser.parse_args()
    measure_seams(islice(load_photographs(arguments.refs[0]), arguments.photographs))
    count_natural(arguments.refs, arguments.pictures)


if __name__ == "__main__":
    main()
