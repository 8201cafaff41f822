"""The pictures of docs/people.md."""

import io
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from fit import Curves
from PIL import Image as pillow
from summary import OperatorRow

from distortlab.distortions.base import TARGETS

mpl.use("Agg")
import matplotlib.pyplot as plt

INK, FAINT = "#222222", "#999999"
COLORS = ("#1f6fb2", "#d1495b", "#157f5b", "#e08e1b", "#7a5195", "#6b6b6b", "#17a2b8")
MARKS = ("o", "s", "^")
plt.rcParams.update({
    "font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": FAINT,
    "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "figure.dpi": 110,
    "savefig.bbox": "tight", "axes.titlesize": 9.5, "axes.titlelocation": "left",
})  # fmt: skip
TICKS = (0.1, 0.3, 1, *TARGETS, 15)
_LEAST = 0.1


def draw_scores(rows: list[OperatorRow], curve: Curves, file: Path) -> None:
    """V against the human score: the core on the left, the others on the right, each with the curve of the core."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.6), sharey=True, layout="constrained")
    groups = ([row for row in rows if row.group == "core"], [row for row in rows if row.group != "core"])
    titles = ("the core, which the curve is fitted on", "tone, pixelation and color: not in the fit")
    for axis, members, title in zip(axes, groups, titles, strict=True):
        _draw_axis(axis, members, curve)
        axis.set_title(title)
    axes[0].set_ylabel("mean human score\n1 very annoying .. 5 imperceptible")
    _save(figure, file)


def _draw_axis(axis: Any, rows: list[OperatorRow], curve: Curves) -> None:
    line = np.geomspace(_LEAST, 17, 200)
    axis.plot(line, curve.predict(line)[0], color=INK, linewidth=1.2, zorder=1)
    for place, row in enumerate(rows):
        axis.plot(
            np.maximum(row.v, _LEAST), row.human, color=COLORS[place % len(COLORS)], linewidth=0.7, alpha=0.95,
            marker=MARKS[place // len(COLORS)], markersize=4.5, label=row.name,
        )  # fmt: skip
    for target in TARGETS:
        axis.axvline(target, color=FAINT, linewidth=0.5, linestyle=(0, (4, 3)), zorder=0)
    axis.set(xscale="log", xlabel="V (dashed: severities 1 to 5)", ylim=(1, 5), xlim=(0.09, 18))
    axis.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS])
    axis.minorticks_off()
    axis.legend(frameon=False, fontsize=7.5, loc="lower left", ncols=1, handlelength=1.4, labelspacing=0.25)


def _save(figure: Any, file: Path) -> None:
    """As a PNG of 64 colors, a third of the size of one of 16 million."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    plt.close(figure)
    pillow.open(drawn).convert("RGB").quantize(64).save(file, optimize=True)
