"""Where is it? Windows of which one quarter is distorted, and the same frozen eye: does the IoU of answered boxes rise?

    python benchmarks/learning/grounding.py

After `run.py`, which trains the eye. It was aimed at statistics of whole windows: what its tokens know about places was
not asked of them. Held-out windows are of the pool `choose`; `report` is not opened.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
from measure import generate_answers
from page import make_table
from settings import COLD, GRPO
from training import COLD_START, Arm, add_keys, train_model
from windows import PER_SCENE, SCENES, SIDE, load_scenes

import distortlab
from distortlab.core.seeds import stream
from distortlab.dataset.schema import RFT, Picture, Sample
from distortlab.dataset.writer import make_table as make_arrow_table
from distortlab.imaging.encode import CODECS
from distortlab.tasks import grounding
from distortlab.tasks.grounding import THOUSANDTHS, Box

QUESTION = "Where is the distortion?"
PART, PLACES = SIDE // 2, (0, SIDE // 4, SIDE // 2)
"""The distorted part, a square, and where it may begin, in both directions: nine boxes."""
VARIANTS = ("noise.gaussian_rgb", "blur.gaussian", "saturate_weaken.ycbcr", "pixelate.block")
SEVERITY = 5
TOKENS = 80
"""Of a completion: the box stands in the thinking and in the answer, a token for each digit."""
LEARN: dict[str, Any] = {**GRPO, "max_completion_length": TOKENS}


class LocalWindow(NamedTuple):
    """A window, the box of its distorted part in pixels, and the family."""

    image: np.ndarray
    box: Box
    family: str


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
        corner = (x + left, y + top)
        box = (*corner, *(edge + PART for edge in corner))
        made = distortlab.distort(picture, name, SEVERITY, box=box, seed=scene * PER_SCENE + copy, feather=0)
        window = made.image[y : y + SIDE, x : x + SIDE].copy()
        yield LocalWindow(window, (left, top, left + PART, top + PART), name.partition(".")[0])


def write_solution(box: Box) -> str:
    """The true answer, in thousandths, as Qwen3-VL is asked."""
    return str(list(grounding.rescale(box, (SIDE, SIDE), THOUSANDTHS)))


def write_local_questions(out: Path, windows: Sequence[LocalWindow]) -> str:
    """Windows as a data set of questions; a folder that exists is left as it is."""
    if not out.exists():
        out.mkdir(parents=True)
        rows = [
            Sample(
                sample_id=f"{place:06d}",
                image_id=f"{place:06d}",
                prompt=QUESTION,
                images=(Picture(CODECS["png"](window.image), f"{place:06d}.png"),),
                solution=write_solution(window.box),
                task="grounding",
                bbox=window.box,
                distortion=window.family,
                severity=SEVERITY,
                difficulty=None,
            ).as_row()
            for place, window in enumerate(windows)
        ]
        for split in ("train", "validation"):
            pq.write_table(make_arrow_table(rows, RFT), out / f"{split}.parquet")
    return str(out)


def measure_boxes(model: Path, windows: Sequence[LocalWindow]) -> dict[str, dict[str, float]]:
    """Mean IoU with its standard error, and the share of exact boxes, by manner."""
    answers = generate_answers(model, np.stack([window.image for window in windows]), TOKENS, QUESTION)
    found = {}
    for manner, texts in answers.items():
        pairs = zip(texts, windows, strict=True)
        values = [grounding.score(text, write_solution(window.box)).reward for text, window in pairs]
        error = stdev(values) / len(values) ** 0.5
        found[manner] = {"iou": fmean(values), "error": error, "exact": fmean(value > 0.99 for value in values)}
    return found


def compute_chance() -> float:
    """The mean IoU of a box drawn from the nine with the true one."""
    boxes = [(x, y, x + PART, y + PART) for x in PLACES for y in PLACES]
    return fmean(grounding.iou(a, b) for a in boxes for b in boxes)


def run_grounding(out: Path, seed: int, steps: int) -> dict[str, Any]:
    """Cold start and GRPO; what each answers to held-out windows."""
    from refine_iqa_train.training.tiny_model import save_tiny_model

    folder = out / f"grounding-{seed}"
    form = write_local_questions(out / "grounding-form", make_local_windows("form", 12))
    fresh = write_local_questions(out / "grounding-train", make_local_windows("train", 200))
    held = make_local_windows("choose", 40)
    save_tiny_model(folder / "blind", "qwen3_vl", seed)
    learn = {**LEARN, "max_steps": steps}
    arms = {
        "cold": ("blind", add_keys(COLD_START, vision=str(out / "eye.pt"))._replace(trainer=COLD), form),
        "grpo": ("cold", Arm("stage1", learn), fresh),
    }
    results: dict[str, Any] = {"n": len(held), "chance": compute_chance()}
    for name, (start, arm, data) in arms.items():
        results[name] = train_model(folder / start, folder / name, arm, data, seed)
        results[name] |= measure_boxes(folder / name, held)
    return results


def format_boxes(results: dict[str, Any]) -> str:
    """Mean IoU before and after."""
    rows = [
        (f"{manner}: {name}", *(f"{results[arm][manner][key]:.3f}" for arm in ("cold", "grpo")))
        for manner in ("sampled", "greedy")
        for name, key in (("mean IoU", "iou"), ("its standard error", "error"), ("exact box", "exact"))
    ]
    return make_table((f"{results['n']} windows, chance {results['chance']:.3f}", "cold start", "GRPO"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=50, help="of GRPO")
    parser.add_argument("--out", type=Path, default=Path("out/learning"))
    given = parser.parse_args()
    results = run_grounding(given.out, given.seed, given.steps)
    (given.out / "grounding.json").write_text(json.dumps(results) + "\n", encoding="utf-8")
    print(format_boxes(results))


if __name__ == "__main__":
    main()
