"""Pictures of counts: images, questions, objects."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from distortlab.analysis.plots.style import BLUE, INK, Figure, new_figure
from distortlab.analysis.statistics import Statistics
from distortlab.tasks.terms import FAMILIES, PHRASES

__all__ = ["draw_counts", "draw_objects"]


def draw_counts(statistics: Statistics) -> Figure:
    """Family x severity x task."""
    tasks = sorted(task for task in statistics.tasks if task)
    figure, axes = new_figure(2.6 + 2.5 * (len(tasks) + 1), 5.2, 1, len(tasks) + 1, sharey=True, squeeze=False)
    panels: list[tuple[str, Callable[[str, int], int]]] = [("images", lambda f, s: statistics.cells[f, s])]
    panels += [(task, lambda f, s, task=task: statistics.asked[f, s, task]) for task in tasks]  # type: ignore[misc]
    for axis, (title, count) in zip(axes[0], panels, strict=True):
        values = np.array([[count(family, severity) for severity in range(1, 6)] for family in FAMILIES])
        _draw_cells(axis, values, title)
    axes[0][0].set_yticks(range(len(FAMILIES)), [PHRASES[family] for family in FAMILIES])
    figure.supxlabel("severity", fontsize=10)
    return figure


def _draw_cells(axis: Any, values: np.ndarray, title: str) -> None:
    top = max(int(values.max()), 1)
    axis.imshow(values, cmap="Blues", vmin=0, vmax=1.7 * top, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        dark = value > 0.88 * top
        axis.text(column, row, f"{value:,}", ha="center", va="center", fontsize=8, color="white" if dark else INK)
    axis.set_title(f"{title.replace('_', ', ')}\n{values.sum():,}", fontsize=10)
    axis.set_xticks(range(5), [str(k) for k in range(1, 6)])
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)


def draw_objects(statistics: Statistics) -> Figure | None:
    """The most frequent names, and the tail."""
    names = Counter({name: count for name, count in statistics.objects.items() if name})
    if not names:
        return None
    shown, rest = names.most_common(30), names.most_common()[30:]
    figure, (bars, tail) = new_figure(11, 1.2 + 0.22 * len(shown), 1, 2, width_ratios=[3, 2])
    bars.barh(range(len(shown)), [count for _, count in shown], color=BLUE, height=0.72)
    bars.set_yticks(range(len(shown)), [name for name, _ in shown], fontsize=9)
    bars.margins(y=0.01)
    bars.invert_yaxis()
    bars.set_xlabel("regions")
    bars.grid(axis="x")
    left = f"; {len(rest):,} more names hold {sum(c for _, c in rest):,}" if rest else ""
    bars.set_title(f"{len(names):,} names, {names.total():,} regions{left}", fontsize=11)
    counts = [count for _, count in names.most_common()]
    tail.plot(np.arange(1, len(counts) + 1), np.cumsum(counts) / names.total(), color=BLUE, lw=2)
    tail.set(ylim=(0, 1.02), xlim=(0, len(counts) + 1), xlabel="names, most frequent first", ylabel="share of regions")
    tail.grid()
    tail.set_title("The tail", fontsize=11)
    return figure
