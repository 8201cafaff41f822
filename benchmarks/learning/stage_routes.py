"""Whether stage 1 helps stage 2: routes of equal data and seeds, from one cold start that taught form alone.

(a) stage 2; (b) stage 1, then stage 2; (c) stage 2, for as long as both stages of (b) took; (d) stage 1 with rewards
that change places, then stage 2. The claim holds only if (b) beats (c) and (d).
"""

import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rated_windows import LISTING, RatedWindows
from settings import COLD, GRPO
from stage_scores import score_windows
from training import BLIND, Arm, describe_conditions, run_once, train_model
from windows import hash_windows

from distortlab.storage.atomic import hash_file
from distortlab.tasks import quality

COLD_BOTH: dict[str, Any] = {**COLD, "max_steps": 300}
"""Two kinds of questions: more steps than for one."""
STAGE_1: dict[str, Any] = GRPO
STAGE_2: dict[str, Any] = {**GRPO, "per_device_train_batch_size": 128, "max_steps": 64}
"""Half the rollouts of a step: with the probability difference each costs twice as much."""
_FORM = {"data.shuffle_solutions": True, "data.perception_share": 0.5, "cold_start.direct_share": 0.5}


class Route(NamedTuple):
    """What follows the cold start.

    Parameters
    ----------
    first
        "none", "stage1", or "shuffled": stage 1 with rewards that change places.
    lengthened
        Whether stage 2 takes as long as both stages of route b.
    keys
        Of the configuration of stage 2.
    """

    first: str = "none"
    lengthened: bool = False
    keys: Mapping[str, Any] = {}


_GRADED = {"rewards.quality.answer": "graded"}
"""A score is paid the more the nearer it is: with hits alone 80 steps came less far on the scenes for choices."""
_NO_DIFFERENCE = {"rewards.weights": {"probability_difference": 0.0}}
_PLAIN = {"rewards.advantages": "plain"}
ROUTES: dict[str, Route] = {
    "b": Route("stage1"),
    "a": Route(),
    "d": Route("shuffled"),
    "c": Route(lengthened=True),
    "a without difference": Route(keys=_NO_DIFFERENCE),
    "b without difference": Route("stage1", keys=_NO_DIFFERENCE),
    "a plain": Route(keys=_PLAIN),
    "b plain": Route("stage1", keys=_PLAIN),
}
"""In the order in which they are run: (c) needs the time of (b), and what decides comes first."""
COLD_ROUTE = "cold"
TITLES = {
    COLD_ROUTE: "cold start",
    "a": "(a) cold start, stage 2",
    "b": "(b) cold start, stage 1, stage 2",
    "c": "(c) as (a), for as long as (b)",
    "d": "(d) stage 1 with shuffled rewards, stage 2",
    "a without difference": "(a) without the probability difference",
    "b without difference": "(b) without the probability difference",
    "a plain": "(a) with plain advantages",
    "b plain": "(b) with plain advantages",
}


class StageData(NamedTuple):
    """Folders of questions, and keys of a configuration that name ratings: of other windows for the form."""

    form_questions: str
    form_ratings: Mapping[str, Any]
    questions: str
    ratings: Mapping[str, Any]


def save_short_model(out: Path, seed: int) -> None:
    """Write a tiny model of random weights to whom each question about quality is one token.

    The questions never change, and spelt out they are 110 and 142 of the 185 tokens of an answer: with them a step of
    stage 2 takes twice as long.
    """
    from refine_iqa_train.training.tiny_model import build_tiny_model
    from refine_iqa_train.training.tiny_processor import build_tiny_processor

    processor: Any = build_tiny_processor("qwen3_vl")
    processor.tokenizer.add_tokens([quality.question(think=think) for think in (True, False)])
    build_tiny_model("qwen3_vl", processor.tokenizer, seed).save_pretrained(out)
    processor.save_pretrained(out)


def train_cold_start(folder: Path, seed: int, eye: Path, data: StageData, held: RatedWindows) -> dict[str, Any]:
    """The cold start of a seed, both kinds of questions with solutions of other windows, and the scores it gives."""
    start = folder / BLIND
    shutil.rmtree(start, ignore_errors=True)
    save_short_model(start, seed)
    arm = Arm("sft", COLD_BOTH, {**_FORM, **data.form_ratings, "vision": str(eye)})

    def train(out: Path) -> dict[str, Any]:
        return {**train_model(start, out, arm, data.form_questions, seed), "scores": score_windows(out, held)}

    rated = hash_ratings(data.form_ratings)
    conditions = describe_conditions(
        start, arm, seed, data.form_questions, rated=rated, held=hash_windows(held.windows)
    )
    return run_once(folder / COLD_ROUTE, conditions, train)


def train_first(folder: Path, seed: int, kind: str, data: StageData) -> dict[str, Any]:
    """Stage 1 of a seed; its seconds and curves."""
    start, questions = folder / COLD_ROUTE, data.questions
    arm = Arm("stage1", STAGE_1, {"rewards.shuffle": "group"} if kind == "shuffled" else {})
    conditions = describe_conditions(start, arm, seed, questions)
    return run_once(folder / kind, conditions, lambda out: train_model(start, out, arm, questions, seed))


def train_route(
    folder: Path, seed: int, name: str, data: StageData, held: RatedWindows, longer: float = 1.0
) -> dict[str, Any]:
    """Stage 2 of a route of a seed, and the scores that its model gives.

    A lengthened route takes `longer` times as many steps.
    """
    route = ROUTES[name]
    steps = math.ceil(STAGE_2["max_steps"] * longer) if route.lengthened else STAGE_2["max_steps"]
    start = folder / (COLD_ROUTE if route.first == "none" else route.first)
    arm = Arm("stage2", {**STAGE_2, "max_steps": steps}, {**data.ratings, **_GRADED, **route.keys})

    def train(out: Path) -> dict[str, Any]:
        return {"steps": steps, **train_model(start, out, arm, None, seed), "scores": score_windows(out, held)}

    rated, held_out = hash_ratings(data.ratings), hash_windows(held.windows)
    conditions = describe_conditions(start, arm, seed, None, rated=rated, held=held_out)
    return run_once(folder / name.replace(" ", "-"), conditions, train)


def hash_ratings(keys: Mapping[str, Any]) -> str:
    """SHA-256 of the list that the keys of a configuration name."""
    return hash_file(Path(keys["data.rated_root"]) / LISTING)
