"""Pictures of counts: what images consist of, images, questions, objects."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from distortlab.analysis.plots.style import BLUE, INK, Figure, new_figure
from distortlab.analysis.statistics import Statistics, name_things
from distortlab.dataset.composition import describe_kind
from distortlab.tasks.terms import FAMILIES, PHRASES

__all__ = ["draw_composition", "draw_counts", "draw_objects"]


def draw_composition(statistics: Statistics) -> Figure | None:
    """What images consist of, and which two families are in one image; None where each has one distorted region."""
    kinds = sorted(statistics.kinds, key=lambda kind: (kind.isdecimal(), len(kind), kind))
    if kinds == ["1"]:
        return None
    figure, (bars, cells) = new_figure(13, 5.2, 1, 2, width_ratios=[2, 3])
    counts = [statistics.kinds[kind] for kind in kinds]
    shown = bars.barh(range(len(kinds)), counts, color=BLUE, height=0.72)
    bars.bar_label(shown, [f"{count:,}" for count in counts], padding=4, fontsize=9)
    bars.set_yticks(range(len(kinds)), [describe_kind(kind) for kind in kinds])
    bars.invert_yaxis()
    bars.margins(x=0.15)
    bars.set_xlabel("images")
    bars.set_title("What images consist of", fontsize=11)
    values = np.array([[statistics.pairs[a, b] + statistics.pairs[b, a] for b in FAMILIES] for a in FAMILIES])
    _draw_cells(cells, values, "", [str(at) for at in range(1, len(FAMILIES) + 1)])
    cells.set_title("Images by two families that are both in them", fontsize=11)
    cells.set_yticks(range(len(FAMILIES)), [f"{PHRASES[family]}  {at}" for at, family in enumerate(FAMILIES, 1)])
    return figure


def draw_counts(statistics: Statistics) -> Figure:
    """Family x severity x task."""
    tasks = sorted({task for _, _, task in statistics.asked if task})
    figure, axes = new_figure(2.6 + 2.5 * (len(tasks) + 1), 5.2, 1, len(tasks) + 1, sharey=True, squeeze=False)
    panels: list[tuple[str, Callable[[str, int], int]]] = [
        (name_things(statistics), lambda f, s: statistics.cells[f, s])
    ]
    panels += [(task, lambda f, s, task=task: statistics.asked[f, s, task]) for task in tasks]  # type: ignore[misc]
    for axis, (title, count) in zip(axes[0], panels, strict=True):
        values = np.array([[count(family, severity) for severity in range(1, 6)] for family in FAMILIES])
        _draw_cells(axis, values, title)
    axes[0][0].set_yticks(range(len(FAMILIES)), [PHRASES[family] for family in FAMILIES])
    figure.supxlabel("severity", fontsize=10)
    return figure


def _draw_cells(axis: Any, values: np.ndarray, title: str, columns: Sequence[str] = "12345") -> None:
    top = max(int(values.max()), 1)
    axis.imshow(values, cmap="Blues", vmin=0, vmax=1.7 * top, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        dark = value > 0.88 * top
        axis.text(column, row, f"{value:,}", ha="center", va="center", fontsize=8, color="white" if dark else INK)
    axis.set_title(f"{title.replace('_', ', ')}\n{values.sum():,}", fontsize=10)
    axis.set_xticks(range(len(columns)), [*columns])
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
