"""Scores of finished runs, from the states that the trainer saved, as one table."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from distortlab.errors import UserError
from distortlab.tasks import TASKS

__all__ = ["Score", "scores_of", "table"]

Score = Mapping[str, float | None]


def scores_of(out: str | Path) -> dict[str, Score]:
    """Held-out metrics of a run: before training and after. Raises `UserError` where there are none."""
    file = Path(out) / "trainer_state.json"
    if not file.exists():
        raise UserError(f"{out} holds no finished run: there is no {file.name}")
    history = json.loads(file.read_text(encoding="utf-8"))["log_history"]
    found = [_metrics(entry) for entry in history if "eval_held_out/n" in entry]
    if not found:
        raise UserError(f"nothing was validated in {out}: set validation.every")
    return {"before": found[0], "after": found[-1]}


def _metrics(entry: Mapping[str, Any]) -> Score:
    kept = (name for name in entry if name.startswith("eval_"))
    return {
        name.removeprefix("eval_"): entry[name]
        for name in kept
        if name.removeprefix("eval_").split("/")[0] in ("held_out", *TASKS)
    }


def table(runs: Mapping[str, Mapping[str, Score]]) -> str:
    """Lines of text: a metric, and before and after of each run."""
    names = _ordered(name for scores in runs.values() for name in scores["before"])
    width = max(map(len, names))
    head = " " * width + "".join(f"  {Path(run).name + ': before':>18}  {'after':>8}" for run in runs)
    lines = [
        f"{name:<{width}}"
        + "".join(f"  {_cell(s['before'], name):>18}  {_cell(s['after'], name):>8}" for s in runs.values())
        for name in names
    ]
    return "\n".join([head, *lines])


def _ordered(names: Iterable[str]) -> Sequence[str]:
    return sorted(set(names), key=lambda name: (name != "held_out/n", name))


def _cell(score: Score, name: str) -> str:
    value = score.get(name)
    return "-" if value is None else f"{value:.3f}" if name != "held_out/n" else f"{value:.0f}"
