"""The picture of docs/stages.md: what every route of every seed came to."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")
import matplotlib.pyplot as plt
import stage_scores as scoring
from stage_routes import TITLES


def draw_routes(results: Mapping[str, Any], out: Path) -> None:
    """Spearman's correlation of each seed, a dot, and the mean of the seeds, a line, by route and manner."""
    routes = [name for name in TITLES if all(name in found["routes"] for found in results["seeds"].values())]
    figure, axes = plt.subplots(1, 2, figsize=(12, 0.42 * len(routes) + 1.2), sharey=True, layout="constrained")
    for axis, manner in zip(axes, scoring.MANNERS, strict=True):
        for place, name in enumerate(routes):
            _draw_route(axis, place, _correlate_seeds(results, name, manner))
        axis.axvline(results["probe"], color="0.5", lw=0.8, ls=":")
        axis.axvline(0, color="0.5", lw=0.8)
        axis.set(title=scoring.MANNER_TITLES[manner], xlabel="SRCC with the scores of held-out windows")
        axis.grid(axis="x", alpha=0.3)
    axes[0].set_yticks(range(len(routes)), [TITLES[name] for name in routes])
    axes[0].invert_yaxis()
    figure.savefig(out, dpi=100)
    plt.close(figure)


def _draw_route(axis: Any, place: int, values: Sequence[float]) -> None:
    axis.plot(values, [place] * len(values), "o", color="tab:blue", alpha=0.55, ms=6, mew=0)
    axis.plot([sum(values) / len(values)] * 2, [place - 0.3, place + 0.3], color="tab:blue", lw=2.5)


def _correlate_seeds(results: Mapping[str, Any], name: str, manner: str) -> list[float]:
    return [
        scoring.correlate(found["routes"][name]["scores"][manner], results["truth"])
        for found in results["seeds"].values()
    ]
