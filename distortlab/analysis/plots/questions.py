"""Pictures of questions: places of right answers, and what is won without looking."""

import numpy as np

from distortlab.analysis.plots.style import BLUE, FAINT, LINE, WARM, Figure, new_figure
from distortlab.analysis.statistics import Statistics

__all__ = ["draw_places", "draw_shortcuts"]


def draw_places(statistics: Statistics) -> Figure | None:
    """How often the right answer stands in each place, with the band of 95 % that chance alone would give."""
    groups = sorted({(task, number) for task, number, _ in statistics.places})
    if not groups:
        return None
    across = min(len(groups), 4)
    down = -(-len(groups) // across)
    figure, axes = new_figure(3.0 * across, 2.9 * down, down, across, squeeze=False)
    for axis in axes.flat[len(groups) :]:
        axis.set_visible(False)
    for axis, (task, number) in zip(axes.flat, groups, strict=False):
        counts = np.array([statistics.places[task, number, place] for place in range(number)])
        total, even = counts.sum(), 1 / number
        band = 1.96 * np.sqrt(even * (1 - even) / total)
        axis.axhspan(100 * (even - band), 100 * (even + band), color=LINE, zorder=0)
        axis.axhline(100 * even, color=FAINT, lw=1, zorder=1)
        axis.bar(range(number), 100 * counts / total, color=BLUE, width=0.6, zorder=2)
        axis.set_xticks(range(number), [str(place + 1) for place in range(number)])
        axis.set_ylim(0, 100 * max(1.5 * even, counts.max() / total * 1.15))
        axis.set_title(f"{task.replace('_', ', ')}\n{total:,} questions, {number} candidates", fontsize=9)
        axis.set_xlabel("place of the right answer")
    for row in axes:
        row[0].set_ylabel("% of the questions")
    return figure


def draw_shortcuts(statistics: Statistics) -> Figure | None:
    """What is won without looking, beside chance."""
    rows = list(statistics.blind.rows) if statistics.blind else []
    if not rows:
        return None
    figure, axis = new_figure(9, 1.0 + 0.24 * len(rows))
    for y, row in enumerate(rows):
        axis.plot([row.chance - row.margin, row.chance + row.margin], [y, y], color=LINE, lw=9, solid_capstyle="butt")
        axis.plot([row.chance] * 2, [y - 0.3, y + 0.3], color=FAINT, lw=1)
        axis.plot(row.score, y, "o", color=WARM if row.leak else BLUE, ms=6)
    axis.set_yticks(range(len(rows)), [f"{row.task.replace('_', ', ')} · {row.predictor}" for row in rows], fontsize=8)
    axis.margins(y=0.02)
    axis.invert_yaxis()
    axis.set_xlim(0, None)
    axis.grid(axis="x")
    axis.set_xlabel("mean score; band: chance, 95 %")
    axis.set_title("What is won without looking")
    return figure
