"""The picture of docs/learning.md: all seeds, the control, entropy, KL, what is said and what is recalled."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")
import matplotlib.pyplot as plt
import numpy as np
from measure import list_recalls, wilson_interval

COLORS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#8c564b")
FLAT = "#999999"
SMOOTH = 5
"""Steps that a curve is averaged over."""
NAMES = {"cold": "cold start", "shuffled": "shuffled\nrewards", "grpo": "GRPO", "supervised": "supervised"}


def draw_results(results: Mapping[str, Any], out: Path) -> None:
    """Draw the results of all seeds to a file."""
    figure, axes = plt.subplots(2, 3, figsize=(14, 7), layout="constrained")
    seeds = results["seeds"]
    _draw_accuracy(axes[0, 0], seeds, results["chance"])
    _draw_curves(axes[0, 1], seeds, "entropy", "entropy, nats for each token")
    _draw_curves(axes[0, 2], seeds, "kl", "KL to the cold start, nats for each token")
    _draw_held_out(axes[1, 0], results)
    _draw_families(axes[1, 1], seeds)
    _draw_recalls(axes[1, 2], seeds)
    figure.savefig(out, dpi=100)
    plt.close(figure)


def smooth_curve(values: Sequence[float], window: int = SMOOTH) -> tuple[np.ndarray, np.ndarray]:
    """Steps, counted from 1, and the mean of the last `window` values; fewer at the beginning."""
    sums = np.cumsum([0.0, *values])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - window)
    return ends, (sums[ends] - sums[starts]) / (ends - starts)


def _draw_accuracy(axis: Any, seeds: Mapping[str, Any], chance: float) -> None:
    _draw_curves(axis, seeds, "recognition/type", "type is right in training (sampled, new windows)")
    for color, found in zip(COLORS, seeds.values(), strict=False):
        last = len(found["grpo"]["curves"]["reward"])
        for step, name in ((0, "cold"), (last, "grpo")):
            counts = found[name]["sampled"]
            share, (low, high) = counts["answer"] / counts["n"], wilson_interval(counts["answer"], counts["n"])
            axis.errorbar([step], [share], [[share - low], [high - share]], fmt="o", color=color, capsize=2, ms=4)
    axis.axhline(chance, color="black", lw=0.7, ls=":")
    axis.set(ylim=(0, 1))
    axis.legend(frameon=False, fontsize=8, loc="center right")


def _draw_curves(axis: Any, seeds: Mapping[str, Any], curve: str, title: str) -> None:
    for color, (seed, found) in zip(COLORS, seeds.items(), strict=False):
        axis.plot(*smooth_curve(found["grpo"]["curves"][curve]), color=color, label=f"GRPO, seed {seed}")
    for place, found in enumerate(seeds.values()):
        label = "shuffled rewards, all seeds" if not place else None
        axis.plot(*smooth_curve(found["shuffled"]["curves"][curve]), color=FLAT, lw=1, label=label)
    axis.set_title(title, fontsize=10)
    axis.set_xlabel("step")
    axis.grid(alpha=0.3)


def _draw_held_out(axis: Any, results: Mapping[str, Any]) -> None:
    seeds, arms = results["seeds"], list(NAMES)
    for place, (color, found) in enumerate(zip(COLORS, seeds.values(), strict=False)):
        for manner, shift, mark in (("sampled", -0.12, "o"), ("greedy", 0.12, "^")):
            for x, arm in enumerate(arms):
                counts = found[arm][manner]
                share, (low, high) = counts["answer"] / counts["n"], wilson_interval(counts["answer"], counts["n"])
                at = x + shift + 0.05 * (place - 1)
                axis.errorbar([at], [share], [[share - low], [high - share]], fmt=mark, color=color, ms=4, lw=1)
    probe = results["probe"]
    axis.axhline(probe["right"] / probe["total"], color="black", lw=1, ls="--")
    ceiling = probe["right"] / probe["total"]
    axis.text(0.75, ceiling - 0.05, "linear probe of the eye, with labels", ha="center", fontsize=8)
    axis.axhline(results["chance"], color="black", lw=0.7, ls=":")
    axis.set_xticks(range(len(arms)), NAMES.values())
    axis.set_ylim(0, 1)
    axis.set_title("type is right, held out (circles sampled, triangles greedy)", fontsize=10)
    axis.grid(alpha=0.3, axis="y")


def _draw_families(axis: Any, seeds: Mapping[str, Any]) -> None:
    """The reward of each family in training: a class that is lost falls to the bottom."""
    curves = [found["grpo"]["curves"] for found in seeds.values()]
    names = sorted(name for name in curves[0] if name.startswith("families/"))
    for color, name in zip(COLORS, names, strict=False):
        for place, curve in enumerate(curves):
            label = name.split("/")[1].replace("_", " ") if not place else None
            axis.plot(*smooth_curve(curve[name]), color=color, lw=1, label=label)
    axis.set_title("type is right in training by family, GRPO, all seeds", fontsize=10)
    axis.set(xlabel="step", ylim=(0, 1))
    axis.legend(frameon=False, fontsize=8, loc="lower right")
    axis.grid(alpha=0.3)


def _draw_recalls(axis: Any, seeds: Mapping[str, Any]) -> None:
    """Held out and sampled: the share of each family that is called so, and that of what is said."""
    classes = list(next(iter(seeds.values()))["grpo"]["sampled"]["confusion"])
    for place, (color, found) in enumerate(zip(COLORS, seeds.values(), strict=False)):
        confusion = found["grpo"]["sampled"]["confusion"]
        recalls, total = list_recalls(confusion), sum(sum(said.values()) for said in confusion.values())
        said = [sum(row[name] for row in confusion.values()) / total for name in classes]
        at = np.arange(len(classes)) + 0.2 * (place - 1)
        axis.bar(at, [recalls[name] for name in classes], 0.18, color=color)
        axis.plot(at, said, "kD", ms=4, label="share of all answers" if not place else None)
    axis.axhline(0.3, color="black", lw=0.7, ls=":")
    axis.set_xticks(range(len(classes)), [name.replace("_", "\n") for name in classes], fontsize=8)
    axis.set(ylim=(0, 1.15))
    axis.set_title("recall after GRPO, held out, sampled (bars)", fontsize=10)
    axis.legend(frameon=False, fontsize=8, loc="upper left")
