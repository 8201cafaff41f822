"""Where is it? Windows of which one quarter is distorted, and the same frozen eye: does the IoU of answered boxes rise?

    python benchmarks/learning/grounding.py

After `run.py`, which trains the eye. It was aimed at statistics of whole windows: what its tokens know about places was
not asked of them. Held-out windows are of the pool `choose`; `report` is not opened.
"""

from collections.abc import Iterator, Sequence
from statistics import fmean, stdev

import numpy as np
from local_runs import SEVERITY, VARIANTS, LocalTask, LocalWindow, run_script
from windows import PER_SCENE, SCENES, SIDE, load_scenes

import distortlab
from distortlab.core.seeds import stream
from distortlab.tasks import grounding
from distortlab.tasks.grounding import THOUSANDTHS, Box

PART, PLACES = SIDE // 2, (0, SIDE // 4, SIDE // 2)
"""The distorted part, a square, and where it may begin, in both directions: nine boxes."""


def make_local_windows(pool: str, scenes: int) -> list[LocalWindow]:
    """The windows of the first scenes of a pool, each distorted in one of nine places."""
    start = SCENES[pool][0]
    return [
        one for scene, picture in load_scenes(start, start + scenes) for one in _distort_parts(picture, pool, scene)
    ]


def _distort_parts(picture: np.ndarray, pool: str, scene: int) -> Iterator[LocalWindow]:
    for copy in range(PER_SCENE):
        draw = stream("learning", "grounding", pool, scene, copy)
        name = draw.permute(VARIANTS)[0]
        y, x = (draw.below(length - SIDE) for length in picture.shape[:2])
        left, top = draw.permute(PLACES)[0], draw.permute(PLACES)[0]
        box = (x + left, y + top, x + left + PART, y + top + PART)
        made = distortlab.distort(picture, name, SEVERITY, box=box, seed=scene * PER_SCENE + copy, feather=0)
        window, inside = made.image[y : y + SIDE, x : x + SIDE].copy(), (left, top, left + PART, top + PART)
        yield LocalWindow(window, inside, name.partition(".")[0], write_solution(inside))


def write_solution(box: Box) -> str:
    """The true answer, in thousandths, as Qwen3-VL is asked."""
    return str(list(grounding.rescale(box, (SIDE, SIDE), THOUSANDTHS)))


def measure_boxes(texts: Sequence[str], windows: Sequence[LocalWindow]) -> dict[str, float]:
    """Mean IoU with its standard error, and the share of exact boxes."""
    values = [grounding.score(text, window.solution).reward for text, window in zip(texts, windows, strict=True)]
    error = stdev(values) / len(values) ** 0.5
    exact = fmean(value > 0.99 for value in values)
    return {"mean IoU": fmean(values), "its standard error": error, "exact box": exact}


def compute_chance() -> float:
    """The mean IoU of a box drawn from the nine with the true one."""
    boxes = [(x, y, x + PART, y + PART) for x in PLACES for y in PLACES]
    return fmean(grounding.iou(a, b) for a in boxes for b in boxes)


# 80 tokens: the box stands in the thinking and in the answer, a token for each digit.
TASK = LocalTask(
    "grounding", "Where is the distortion?", 80, make_local_windows, measure_boxes, {"mean IoU": compute_chance()}
)

if __name__ == "__main__":
    run_script(TASK, str(__doc__))
