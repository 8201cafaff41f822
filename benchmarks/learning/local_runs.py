"""Tasks about a part of a window: a cold start, GRPO, and what is answered to held-out windows. One short run each."""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from measure import generate_answers
from page import make_table
from settings import COLD, GRPO
from training import COLD_START, Arm, add_keys, train_model
from windows import write_rows

from distortlab.dataset.schema import Picture, Sample
from distortlab.imaging.encode import CODECS
from distortlab.tasks.grounding import Box

VARIANTS = ("noise.gaussian_rgb", "blur.gaussian", "saturate_weaken.ycbcr", "pixelate.block")
SEVERITY = 5


class LocalWindow(NamedTuple):
    """A window, the box of its distorted part in pixels, the family, and the true answer."""

    image: np.ndarray
    box: Box
    family: str
    solution: str


class LocalTask(NamedTuple):
    """A task about the distorted part of a window.

    Parameters
    ----------
    name
        In `distortlab.tasks`.
    question
        The same for all windows.
    tokens
        Of a completion, at most.
    make
        The windows of a pool, so many scenes of it.
    measure
        What of answers to windows is reported, by name.
    chance
        What is reported beside it.
    """

    name: str
    question: str
    tokens: int
    make: Callable[[str, int], list[LocalWindow]]
    measure: Callable[[Sequence[str], Sequence[LocalWindow]], dict[str, float]]
    chance: dict[str, float]


def write_local_questions(out: Path, task: LocalTask, windows: Sequence[LocalWindow]) -> str:
    """Windows as a data set of questions; a folder that exists is left as it is."""
    return write_rows(out, (_make_row(f"{place:06d}", task, window) for place, window in enumerate(windows)))


def _make_row(key: str, task: LocalTask, window: LocalWindow) -> dict[str, Any]:
    return Sample(
        sample_id=key,
        image_id=key,
        prompt=task.question,
        images=(Picture(CODECS["png"](window.image), f"{key}.png"),),
        solution=window.solution,
        task=task.name,
        bbox=window.box,
        distortion=window.family,
        severity=SEVERITY,
        difficulty=None,
    ).as_row()


def run_local_task(task: LocalTask, out: Path, seed: int, steps: int) -> dict[str, Any]:
    """Cold start and GRPO; what each answers to held-out windows, by manner."""
    from refine_iqa_train.training.tiny_model import save_tiny_model

    folder = out / f"{task.name}-{seed}"
    form = write_local_questions(out / f"{task.name}-form", task, task.make("form", 12))
    fresh = write_local_questions(out / f"{task.name}-train", task, task.make("train", 200))
    held = task.make("choose", 40)
    save_tiny_model(folder / "blind", "qwen3_vl", seed)
    learn = {**GRPO, "max_completion_length": task.tokens, "max_steps": steps}
    arms = {
        "cold": ("blind", add_keys(COLD_START, vision=str(out / "eye.pt"))._replace(trainer=COLD), form),
        "grpo": ("cold", Arm("stage1", learn), fresh),
    }
    results: dict[str, Any] = {"n": len(held), "chance": task.chance}
    images = np.stack([window.image for window in held])
    for name, (start, arm, data) in arms.items():
        results[name] = train_model(folder / start, folder / name, arm, data, seed)
        answers = generate_answers(folder / name, images, task.tokens, task.question)
        results[name] |= {manner: task.measure(texts, held) for manner, texts in answers.items()}
    return results


def format_local_task(results: dict[str, Any]) -> str:
    """What was measured before and after."""
    rows = [
        (f"{manner}: {name}", *(f"{results[arm][manner][name]:.3f}" for arm in ("cold", "grpo")))
        for manner in ("sampled", "greedy")
        for name in results["cold"][manner]
    ]
    chance = ", ".join(f"{name} {value:.3f}" for name, value in results["chance"].items())
    return make_table((f"{results['n']} windows; chance: {chance}", "cold start", "GRPO"), rows)


def run_script(task: LocalTask, description: str) -> None:
    """The command line of a task."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=50, help="of GRPO")
    parser.add_argument("--out", type=Path, default=Path("out/learning"))
    given = parser.parse_args()
    results = run_local_task(task, given.out, given.seed, given.steps)
    (given.out / f"{task.name}.json").write_text(json.dumps(results) + "\n", encoding="utf-8")
    print(format_local_task(results))
