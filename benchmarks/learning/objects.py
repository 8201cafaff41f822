"""Which of four things is distorted? Windows of four patches, each of another material, one of them distorted.

    python benchmarks/learning/objects.py

After `run.py`, which trains the eye. The patches are cut out of things of the built-in scenes, in any order; the answer
is the material. Held-out windows are of the pool `choose`; `report` is not opened.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

import cv2
import numpy as np
from local_runs import SEVERITY, VARIANTS, LocalTask, LocalWindow, run_script
from windows import PER_SCENE, SCENES, SIDE, load_references

import distortlab
from distortlab.core.image import Image
from distortlab.core.seeds import stream
from distortlab.references.base import NamedRegion
from distortlab.tasks import object as object_task

MATERIALS = ("brick", "denim", "grass", "wooden")
PART = SIDE // 2
CORNERS = tuple((x, y) for y in (0, PART) for x in (0, PART))


def make_mosaics(pool: str, scenes: int) -> list[LocalWindow]:
    """Windows, `PER_SCENE` for each of so many scenes, of patches of a pool: the scenes for the form are too few."""
    patches = cut_patches("train" if pool == "form" else pool)
    return [_make_mosaic(patches, pool, number) for number in range(scenes * PER_SCENE)]


def cut_patches(pool: str) -> dict[str, list[Image]]:
    """Patches of 32 x 32 pixels, by material."""
    found = defaultdict[str, list[Image]](list)
    for reference in load_references(*SCENES[pool]):
        for place in reference.regions:
            material = (place.object or "").partition(" ")[0]
            if material in MATERIALS:
                found[material] += _cut_patch(reference.image, place)
    if missing := [name for name in MATERIALS if not found[name]]:
        raise SystemExit(f"the scenes of {pool} have nothing that is {' or '.join(missing)}")
    return dict(found)


def _cut_patch(image: Image, place: NamedRegion) -> Iterator[Image]:
    """A patch that a thing fills, where there is one."""
    box, square = place.region.bbox, np.ones((PART, PART), np.uint8)
    corners = cv2.erode(place.region.mask, square, anchor=(0, 0), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    rows, columns = np.nonzero(corners)
    if len(rows):
        middle = len(rows) // 2
        y, x = box.y1 + rows[middle], box.x1 + columns[middle]
        yield image[y : y + PART, x : x + PART].copy()


def _make_mosaic(patches: Mapping[str, Sequence[Image]], pool: str, number: int) -> LocalWindow:
    draw = stream("learning", "object", pool, number)
    window, order = np.zeros((SIDE, SIDE, 3), np.uint8), draw.permute(MATERIALS)
    for (x, y), name in zip(CORNERS, order, strict=True):
        window[y : y + PART, x : x + PART] = patches[name][draw.below(len(patches[name]))]
    at, variant = draw.below(len(order)), VARIANTS[draw.below(len(VARIANTS))]
    x, y = CORNERS[at]
    box = (x, y, x + PART, y + PART)
    made = distortlab.distort(window, variant, SEVERITY, box=box, seed=number, feather=0)
    return LocalWindow(made.image, box, variant.partition(".")[0], object_task.truth(order[at]))


def measure_names(texts: Sequence[str], windows: Sequence[LocalWindow]) -> dict[str, float]:
    """The share of right names, its standard error, and the share of the name that is said most."""
    values = [object_task.score(text, window.solution).reward for text, window in zip(texts, windows, strict=True)]
    right, said = fmean(values), [object_task.read(text) for text in texts]
    error = (right * (1 - right) / len(values)) ** 0.5
    most = max(said.count(name) for name in MATERIALS) / len(said)
    return {"right name": right, "its standard error": error, "commonest name": most}


TASK = LocalTask(
    "object", "Which thing is distorted?", 40, make_mosaics, measure_names, {"right name": 1 / len(MATERIALS)}
)

if __name__ == "__main__":
    run_script(TASK, str(__doc__))
