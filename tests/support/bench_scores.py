"""Simulated predictions and opinions; scores of runs as they are saved; answers to the items of a data set."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refine_bench.datasets import local
from refine_bench.scoring.task_answers import TaskAnswer

Floats = NDArray[np.float64]


def make_scores(seed: int, n: int = 400, noise: float = 0.6) -> tuple[Floats, Floats]:
    """(latent predictions, MOS on 1-5)."""
    rng = np.random.default_rng(seed)
    quality = rng.normal(size=n)
    return quality + noise * rng.normal(size=n), np.clip(3 + 0.8 * quality, 1, 5)


def make_rated_score(model: str, name: str, value: float | None, *, of: int = 10, **more: Any) -> dict[str, Any]:
    """The score of a model on a rated set of 10 rows, as far as tables need it."""
    rows = more.pop("rows", of)
    usual = {
        "model": model,
        "set": name,
        "kind": "rated",
        "protocol": "q-align",
        "reader": "levels",
        "srcc": value,
        "plcc": value,
        "intervals": {"srcc": [-0.5, 0.5], "plcc": None},
        "ranked": rows == of and value is not None,
        "coverage": {"rows": rows, "of": of, "complete": rows == of},
        "facts": {"title": name.partition(":")[0].upper()},
    }
    return {**usual, **more}


def make_run_score(run: str, *scores: Mapping[str, Any], spec: str = "") -> dict[str, Any]:
    """The scores of a run."""
    return {"run": run, "model": {"spec": spec or run, "revision": "1", "processor": "p"}, "sets": list(scores)}


def answer_items(folder: Path, view: str, answer: Callable[[Any], str]) -> list[TaskAnswer]:
    """The items of a view with what `answer` says to the truth of each."""
    found = local.list_items(folder, "validation", view)
    return [TaskAnswer(item.id, answer(item.truth), item.truth, item.question) for item in found]
