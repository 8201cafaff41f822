"""Runs with images made fresh: their keys, and what they logged."""

import json
from pathlib import Path
from typing import Any

__all__ = ["SETS", "read_sampler_log", "write_sampler_keys"]


SETS = """
name = "sets"
samples_per_image = 1
[references]
max_side = 160
min_side = 64
[composition]
pristine = 1
whole = 1
local = 2
regions = { 1 = 1, 2 = 1 }
[tasks]
diagnosis = 1
"""
"""A recipe of small images with none, one or several distortions."""


def write_sampler_keys(folder: Path) -> dict[str, Any]:
    """The keys below `data` of a run on small images made fresh by their rewards; their recipe lies in the folder."""
    recipe = folder / "small.toml"
    recipe.write_text('name = "small"\n[references]\nmax_side = 160\nmin_side = 64\n')
    return {
        "perception": f"stream:{recipe}",
        "references": "scenes",
        "tasks": ["recognition"],
        "families": ["blur", "noise", "quantization"],
        "sampler": "reward",
        "reward_sampler": {"tau": 0.1, "severities": True},
    }


def read_sampler_log(out: Path) -> dict[int, dict[str, float]]:
    """Everything that was logged of the sampler, and the rewards, by step."""
    history: list[dict[str, Any]] = json.loads((out / "trainer_state.json").read_text())["log_history"]
    kept = ("sampler/", "reward")
    return {
        entry["step"]: {name: value for name, value in entry.items() if name.startswith(kept)}
        for entry in history
        if "reward" in entry
    }
