"""The pictures of docs/severity.md."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd

from distortlab.distortions.base import TARGETS
from distortlab.distortions.catalog import CATALOG

mpl.use("Agg")
import matplotlib.pyplot as plt

INK, FAINT = "#222222", "#999999"
COLOURS = ("#8fb8de", "#1f6fb2", "#157f5b", "#d1495b")
plt.rcParams.update({
    "font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": FAINT,
    "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "figure.dpi": 110,
    "savefig.bbox": "tight", "axes.titlesize": 9.5, "axes.titlelocation": "left",
})  # fmt: skip

Populations = Mapping[str, pd.DataFrame]
ORDER = [row.name for row in CATALOG]


def _boxes(axis: Any, groups: Sequence[Sequence[np.ndarray]], colours: Sequence[str]) -> None:
    """Boxes (quartiles, 5 % and 95 %) side by side: groups[k][severity - 1]."""
    width = 0.8 / len(groups)
    for k, (values, colour) in enumerate(zip(groups, colours, strict=True)):
        places = np.arange(1, 6) - 0.4 + width * (k + 0.5)
        drawn = axis.boxplot(
            values, positions=places, widths=0.82 * width, whis=(5, 95), showfliers=False, patch_artist=True,
            medianprops={"color": "white", "linewidth": 1.4},
            whiskerprops={"color": colour}, capprops={"color": colour},
        )  # fmt: skip
        for box in drawn["boxes"]:
            box.set(facecolor=colour, edgecolor=colour)
    axis.set_xticks(range(1, 6), [f"{k}" for k in range(1, 6)])
    axis.set_xlim(0.5, 5.5)


def _by_severity(edits: pd.DataFrame, measure: str) -> list[np.ndarray]:
    return [edits.loc[edits.severity == s, measure].dropna().to_numpy() for s in range(1, 6)]


def _legend(figure: Any, names: Sequence[str], colours: Sequence[str]) -> None:
    handles = [plt.Rectangle((0, 0), 1, 1, color=colour) for colour in colours]
    figure.legend(handles, names, loc="outside upper center", ncols=len(names), frameon=False)


def visibility(populations: Populations, file: Path) -> None:
    """V at each severity, with the targets."""
    figure, axis = plt.subplots(figsize=(8.6, 4.2), layout="constrained")
    _boxes(axis, [_by_severity(edits, "v") for edits in populations.values()], COLOURS)
    for s, target in enumerate(TARGETS, 1):
        axis.plot([s - 0.45, s + 0.45], [target, target], color=INK, linewidth=0.9, linestyle=(0, (4, 2)), zorder=5)
    axis.axhline(1, color=FAINT, linewidth=0.8)
    axis.text(0.52, 1.03, "just visible", color=FAINT, fontsize=8, va="bottom")
    axis.set(yscale="log", xlabel="severity", ylabel="V, just-noticeable differences", ylim=(0.3, 25))
    axis.set_yticks([0.5, 1, 2, 3, 4.5, 6.5, 9, 15], ["0.5", "1", "2", "3", "4.5", "6.5", "9", "15"])
    axis.minorticks_off()
    _legend(figure, list(populations), COLOURS)
    _save(figure, file)


def measures(populations: Populations, file: Path) -> None:
    """The same edits by four published measures."""
    panels = (("ssim", "SSIM"), ("psnr", "PSNR, dB"), ("delta_e", "CIEDE2000"), ("gmsd", "GMSD"))
    figure, axes = plt.subplots(2, 2, figsize=(9, 5.6), layout="constrained")
    for axis, (name, label) in zip(axes.flat, panels, strict=True):
        _boxes(axis, [_by_severity(edits, name) for edits in populations.values()], COLOURS)
        axis.set_title(label)
    for axis in axes[1]:
        axis.set_xlabel("severity")
    _legend(figure, list(populations), COLOURS)
    _save(figure, file)


def variants(populations: Populations, file: Path) -> None:
    """How far the median V of a variant is from the target of its severity, in octaves."""
    figure, axes = plt.subplots(1, len(populations), figsize=(2.3 * len(populations) + 2.2, 8.4), sharey=True,
                                layout="constrained")  # fmt: skip
    for axis, (name, edits) in zip(axes, populations.items(), strict=True):
        medians = edits.groupby(["name", "severity"]).v.median().unstack().reindex(ORDER)
        off = np.log2(medians / np.array(TARGETS))
        drawn = axis.imshow(off, cmap="PuOr", vmin=-1.5, vmax=1.5, aspect="auto")
        for (y, x), value in np.ndenumerate(medians.to_numpy()):
            if np.isfinite(value):
                dark = abs(off.to_numpy()[y, x]) > 1
                axis.text(x, y, f"{value:.1f}", ha="center", va="center", fontsize=6.5, color="white" if dark else INK)
        axis.set(title=name, xticks=range(5), xticklabels=range(1, 6), xlabel="severity")
        axis.spines[:].set_visible(False)
    axes[0].set_yticks(range(len(ORDER)), ORDER, fontsize=7.5)
    bar = figure.colorbar(drawn, ax=axes, shrink=0.4, ticks=[-1, 0, 1])
    bar.ax.set_yticklabels(["half the target", "on it", "twice"])
    _save(figure, file)


def small(labels: pd.DataFrame, file: Path) -> None:
    """The share of labels of large photographs that vanish when a model shrinks them."""
    lost = (labels.v_small < 1).groupby([labels.name, labels.severity]).mean().unstack().reindex(ORDER)
    lost = lost.dropna(how="all")
    figure, axis = plt.subplots(figsize=(4.6, 0.2 * len(lost) + 1), layout="constrained")
    axis.imshow(lost, cmap="Reds", vmin=0, vmax=0.8, aspect="auto")
    for (y, x), value in np.ndenumerate(lost.to_numpy()):
        if np.isfinite(value) and value > 0:
            dark = value > 0.45
            axis.text(x, y, f"{100 * value:.0f}", ha="center", va="center", fontsize=7, color="white" if dark else INK)
    axis.set(title="labels that vanish, %", xticks=range(5), xticklabels=range(1, 6), xlabel="severity")
    axis.set_yticks(range(len(lost)), lost.index, fontsize=7.5)
    axis.spines[:].set_visible(False)
    _save(figure, file)


def _save(figure: Any, file: Path) -> None:
    figure.savefig(file, metadata={"Software": None})
    plt.close(figure)
