"""Pictures of regions: how large, where, how visible."""

import numpy as np

from distortlab.analysis.plots.style import BLUE, FAINT, INK, LEVEL_COLORS, WARM, Figure, new_figure
from distortlab.analysis.statistics import GRID, Statistics, get_local_areas, get_visibility_values
from distortlab.distortions.base import TARGETS
from distortlab.tasks.terms import FAMILIES, LEVELS, PHRASES

__all__ = ["draw_areas", "draw_boxes", "draw_visibility"]


def draw_areas(statistics: Statistics) -> Figure | None:
    """Histogram of the areas of regions that are not the whole frame."""
    areas = get_local_areas(statistics)
    if not len(areas):
        return None
    figure, axis = new_figure(8, 3.6)
    low = max(float(areas.min()), 1e-4)
    axis.hist(areas, bins=np.geomspace(low, max(float(areas.max()), 1.01 * low), 40), color=BLUE, ec="white", lw=0.5)
    middle = float(np.median(areas))
    axis.axvline(middle, color=WARM, lw=1.5)
    axis.annotate(
        f"median {100 * middle:.1f} %",
        (middle, 1),
        (5, -4),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        color=WARM,
        va="top",
    )
    axis.set_xscale("log")
    ticks = [t for t in (0.001, 0.003, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1) if low * 0.8 <= t <= areas.max() * 1.25]
    axis.set_xticks(ticks, [f"{100 * tick:g} %" for tick in ticks])
    axis.minorticks_off()
    axis.set(xlabel="area of the region, share of the image", ylabel="regions", title="How large regions are")
    axis.grid(axis="y")
    return figure


def draw_boxes(statistics: Statistics) -> Figure | None:
    """How often a place of the image lies in a distorted box that is not the whole frame."""
    if not statistics.covering:
        return None
    figure, axis = new_figure(6.4, 4.8)
    share = statistics.cover / max(statistics.covering, 1)
    shown = axis.imshow(100 * share, cmap="magma", vmin=0, extent=(0, 100, 100, 0), aspect=0.75)
    axis.set(xlabel="% of the width", ylabel="% of the height", title="Where boxes lie")
    bar = figure.colorbar(shown, ax=axis, shrink=0.85, format="%g %%")
    bar.outline.set_visible(False)
    bar.set_label("of the boxes cover this place")
    middle = share[GRID // 2 - 2 : GRID // 2 + 2, GRID // 2 - 2 : GRID // 2 + 2].mean()
    corner = np.mean([share[r, c] for r in (0, -1) for c in (0, -1)])
    axis.text(50, 50, f"{100 * middle:.0f} %", ha="center", va="center", color=INK, fontsize=11, weight="bold")
    axis.text(3, 4, f"{100 * corner:.1f} % in the corners", ha="left", va="top", color="white", fontsize=9)
    axis.spines[:].set_visible(False)
    return figure


def draw_visibility(statistics: Statistics) -> Figure | None:
    """Quartiles and tails of V for every family and severity."""
    if not statistics.v:
        return None
    figure, axis = new_figure(12, 4.6)
    for row, family in enumerate(FAMILIES):
        for severity in range(1, 6):
            v = get_visibility_values(statistics, family, severity)
            if not len(v):
                continue
            low, q1, median, q3, high = np.percentile(v, [5, 25, 50, 75, 95])
            x, color = row + (severity - 3) * 0.16, LEVEL_COLORS[severity - 1]
            axis.plot([x, x], [low, high], color=FAINT, lw=1, zorder=1)
            axis.plot([x, x], [q1, q3], color=color, lw=8, solid_capstyle="butt", zorder=2)
            axis.plot(x, median, "o", color="white", mec=INK, ms=4, mew=1, zorder=3)
    for severity, target in enumerate(TARGETS, 1):
        axis.axhline(target, color=LEVEL_COLORS[severity - 1], lw=0.8, ls=(0, (4, 3)), zorder=0)
        axis.text(11.62, target, f"{severity}  {LEVELS[severity - 1]}", va="center", fontsize=8, color=INK)
    axis.axhline(1, color=WARM, lw=1)
    axis.text(11.62, 1, "just visible", va="center", fontsize=8, color=WARM)
    axis.set_yscale("log")
    ticks = (0.5, 1, 2, 3, 4.5, 6.5, 9, 15, 30)
    axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()
    axis.set_xlim(-0.6, 11.55)
    axis.set_ylim(0.8, max(16.0, 1.1 * float(np.percentile(np.frombuffer(statistics.v, np.float32), 99.5))))
    axis.set_xticks(range(len(FAMILIES)), [_break_words(family) for family in FAMILIES], fontsize=9)
    axis.tick_params(axis="x", length=0)
    axis.set(ylabel="V, just-noticeable differences")
    axis.set_title("How visible: 5-95 %, quartiles, median; dashed: what a severity stands for")
    return figure


def _break_words(family: str) -> str:
    return PHRASES[family].replace(" ", "\n").replace("-", "-\n")
