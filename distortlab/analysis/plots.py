"""Pictures of the statistics of a data set, with matplotlib (extra `plots`), off screen and without global state."""

import io
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from distortlab.analysis.findings import rejections
from distortlab.analysis.statistics import GRID, Statistics, visibility_of
from distortlab.core.errors import UserError
from distortlab.distortions.base import TARGETS
from distortlab.storage.atomic import new_file
from distortlab.tasks.terms import FAMILIES, LEVELS, PHRASES

__all__ = ["plotting", "write_plots"]

_INK, _FAINT, _LINE = "#1f2933", "#8a94a0", "#d9dee4"
_BLUE, _WARM = "#2f6fab", "#d1603d"
_LEVELS = ("#c6dbef", "#8fbfe0", "#4f93c7", "#22639f", "#0b3160")
_STYLE: Any = {
    "font.size": 10,
    "font.family": "DejaVu Sans",
    "axes.edgecolor": _FAINT,
    "axes.labelcolor": _INK,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.axisbelow": True,
    "grid.color": _LINE,
    "figure.dpi": 110,
    "savefig.facecolor": "white",
}
_FEWEST = 20
"""Draws of a setting from which the rejected share is shown."""
Figure = Any


def write_plots(found: Statistics, out: Path, only: Collection[str] = ()) -> list[Path]:
    """Write the pictures (all that there is something to show in, or those named) into a folder and return their paths.

    Raises `UserError` without matplotlib, or where nothing can be written.
    """
    matplotlib = plotting()
    written = []
    with matplotlib.rc_context(_STYLE):
        for name, draw in _PLOTS.items():
            figure = None if only and name not in only else draw(found)
            if figure is None:
                continue
            picture = io.BytesIO()
            figure.savefig(picture, format="png", bbox_inches="tight", pad_inches=0.2, metadata={"Software": None})
            path = out / f"{name}.png"
            with new_file(path) as file:
                file.write(picture.getvalue())
            written.append(path)
    return written


def plotting() -> Any:
    """matplotlib, or a `UserError` that says how to get it."""
    try:
        import matplotlib
    except ImportError:
        raise UserError(
            "pictures need matplotlib: pip install 'refine-iqa[plots]'; --no-plots prints the tables alone"
        ) from None
    return matplotlib


def _figure(width: float, height: float, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure as New

    figure = New(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, **options)


# --- counts ---------------------------------------------------------------------------------------------------------


def _counts(found: Statistics) -> Figure:
    """Family x severity x task."""
    tasks = [task for task in _tasks(found) if task]
    figure, axes = _figure(2.6 + 2.5 * (len(tasks) + 1), 5.2, 1, len(tasks) + 1, sharey=True, squeeze=False)
    panels: list[tuple[str, Callable[[str, int], int]]] = [("images", lambda f, s: found.cells[f, s])]
    panels += [(task, lambda f, s, task=task: found.asked[f, s, task]) for task in tasks]  # type: ignore[misc]
    for axis, (title, count) in zip(axes[0], panels, strict=True):
        values = np.array([[count(family, severity) for severity in range(1, 6)] for family in FAMILIES])
        _cells(axis, values, title)
    axes[0][0].set_yticks(range(len(FAMILIES)), [PHRASES[family] for family in FAMILIES])
    figure.supxlabel("severity", fontsize=10)
    return figure


def _tasks(found: Statistics) -> list[str]:
    return sorted({task for _, _, task in found.asked})


def _cells(axis: Any, values: np.ndarray, title: str) -> None:
    top = max(int(values.max()), 1)
    axis.imshow(values, cmap="Blues", vmin=0, vmax=1.7 * top, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        dark = value > 0.88 * top
        axis.text(column, row, f"{value:,}", ha="center", va="center", fontsize=8, color="white" if dark else _INK)
    axis.set_title(f"{title.replace('_', ', ')}\n{values.sum():,}", fontsize=10)
    axis.set_xticks(range(5), [str(k) for k in range(1, 6)])
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)


def _objects(found: Statistics) -> Figure | None:
    """The most frequent names, and the tail."""
    names = Counter({name: count for name, count in found.objects.items() if name})
    if not names:
        return None
    shown, rest = names.most_common(30), names.most_common()[30:]
    figure, (bars, tail) = _figure(11, 1.2 + 0.22 * len(shown), 1, 2, width_ratios=[3, 2])
    bars.barh(range(len(shown)), [count for _, count in shown], color=_BLUE, height=0.72)
    bars.set_yticks(range(len(shown)), [name for name, _ in shown], fontsize=9)
    bars.margins(y=0.01)
    bars.invert_yaxis()
    bars.set_xlabel("regions")
    bars.grid(axis="x")
    left = f"; {len(rest):,} more names hold {sum(c for _, c in rest):,}" if rest else ""
    bars.set_title(f"{len(names):,} names, {names.total():,} regions{left}", fontsize=11)
    counts = [count for _, count in names.most_common()]
    tail.plot(np.arange(1, len(counts) + 1), np.cumsum(counts) / names.total(), color=_BLUE, lw=2)
    tail.set(ylim=(0, 1.02), xlim=(0, len(counts) + 1), xlabel="names, most frequent first", ylabel="share of regions")
    tail.grid()
    tail.set_title("The tail", fontsize=11)
    return figure


# --- regions --------------------------------------------------------------------------------------------------------


def _areas(found: Statistics) -> Figure:
    areas = np.frombuffer(found.areas, np.float32)
    figure, axis = _figure(8, 3.6)
    low = max(float(areas.min()), 1e-4)
    axis.hist(areas, bins=np.geomspace(low, max(float(areas.max()), 1.01 * low), 40), color=_BLUE, ec="white", lw=0.5)
    middle = float(np.median(areas))
    axis.axvline(middle, color=_WARM, lw=1.5)
    axis.annotate(
        f"median {100 * middle:.1f} %",
        (middle, 1),
        (5, -4),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        color=_WARM,
        va="top",
    )
    axis.set_xscale("log")
    ticks = [t for t in (0.001, 0.003, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1) if low * 0.8 <= t <= areas.max() * 1.25]
    axis.set_xticks(ticks, [f"{100 * tick:g} %" for tick in ticks])
    axis.minorticks_off()
    axis.set(xlabel="area of the region, share of the image", ylabel="regions", title="How large regions are")
    axis.grid(axis="y")
    return figure


def _boxes(found: Statistics) -> Figure:
    """How often a place of the image lies in a distorted box."""
    figure, axis = _figure(6.4, 4.8)
    share = found.cover / max(len(found.areas), 1)
    shown = axis.imshow(100 * share, cmap="magma", vmin=0, extent=(0, 100, 100, 0), aspect=0.75)
    axis.set(xlabel="% of the width", ylabel="% of the height", title="Where boxes lie")
    bar = figure.colorbar(shown, ax=axis, shrink=0.85, format="%g %%")
    bar.outline.set_visible(False)
    bar.set_label("of the boxes cover this place")
    middle = share[GRID // 2 - 2 : GRID // 2 + 2, GRID // 2 - 2 : GRID // 2 + 2].mean()
    corner = np.mean([share[r, c] for r in (0, -1) for c in (0, -1)])
    axis.text(50, 50, f"{100 * middle:.0f} %", ha="center", va="center", color=_INK, fontsize=11, weight="bold")
    axis.text(3, 4, f"{100 * corner:.1f} % in the corners", ha="left", va="top", color="white", fontsize=9)
    axis.spines[:].set_visible(False)
    return figure


def _visibility(found: Statistics) -> Figure:
    """Quartiles and tails of V for every family and severity."""
    figure, axis = _figure(12, 4.6)
    for row, family in enumerate(FAMILIES):
        for severity in range(1, 6):
            v = visibility_of(found, family, severity)
            if not len(v):
                continue
            low, q1, median, q3, high = np.percentile(v, [5, 25, 50, 75, 95])
            x, colour = row + (severity - 3) * 0.16, _LEVELS[severity - 1]
            axis.plot([x, x], [low, high], color=_FAINT, lw=1, zorder=1)
            axis.plot([x, x], [q1, q3], color=colour, lw=8, solid_capstyle="butt", zorder=2)
            axis.plot(x, median, "o", color="white", mec=_INK, ms=4, mew=1, zorder=3)
    for severity, target in enumerate(TARGETS, 1):
        axis.axhline(target, color=_LEVELS[severity - 1], lw=0.8, ls=(0, (4, 3)), zorder=0)
        axis.text(11.62, target, f"{severity}  {LEVELS[severity - 1]}", va="center", fontsize=8, color=_INK)
    axis.axhline(1, color=_WARM, lw=1)
    axis.text(11.62, 1, "just visible", va="center", fontsize=8, color=_WARM)
    axis.set_yscale("log")
    ticks = (0.5, 1, 2, 3, 4.5, 6.5, 9, 15, 30)
    axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()
    axis.set_xlim(-0.6, 11.55)
    axis.set_ylim(0.8, max(16.0, 1.1 * float(np.percentile(np.frombuffer(found.v, np.float32), 99.5))))
    axis.set_xticks(range(len(FAMILIES)), [_wrapped(family) for family in FAMILIES], fontsize=9)
    axis.tick_params(axis="x", length=0)
    axis.set(ylabel="V, just-noticeable differences")
    axis.set_title("How visible: 5-95 %, quartiles, median; dashed: what a severity stands for")
    return figure


def _wrapped(family: str) -> str:
    return PHRASES[family].replace(" ", "\n").replace("-", "-\n")


# --- questions ------------------------------------------------------------------------------------------------------


def _places(found: Statistics) -> Figure | None:
    """How often the right answer stands in each place, with the band of 95 % that chance alone would give."""
    groups = sorted({(task, number) for task, number, _ in found.places})
    if not groups:
        return None
    across = min(len(groups), 4)
    down = -(-len(groups) // across)
    figure, axes = _figure(3.0 * across, 2.9 * down, down, across, squeeze=False)
    for axis in axes.flat[len(groups) :]:
        axis.set_visible(False)
    for axis, (task, number) in zip(axes.flat, groups, strict=False):
        counts = np.array([found.places[task, number, place] for place in range(number)])
        total, even = counts.sum(), 1 / number
        band = 1.96 * np.sqrt(even * (1 - even) / total)
        axis.axhspan(100 * (even - band), 100 * (even + band), color=_LINE, zorder=0)
        axis.axhline(100 * even, color=_FAINT, lw=1, zorder=1)
        axis.bar(range(number), 100 * counts / total, color=_BLUE, width=0.6, zorder=2)
        axis.set_xticks(range(number), [str(place + 1) for place in range(number)])
        axis.set_ylim(0, 100 * max(1.5 * even, counts.max() / total * 1.15))
        axis.set_title(f"{task.replace('_', ', ')}\n{total:,} questions, {number} candidates", fontsize=9)
        axis.set_xlabel("place of the right answer")
    for row in axes:
        row[0].set_ylabel("% of the questions")
    return figure


def _shortcuts(found: Statistics) -> Figure | None:
    """What is won without looking, beside chance."""
    rows = list(found.blind.rows) if found.blind else []
    if not rows:
        return None
    figure, axis = _figure(9, 1.0 + 0.24 * len(rows))
    for y, row in enumerate(rows):
        axis.plot([row.chance - row.margin, row.chance + row.margin], [y, y], color=_LINE, lw=9, solid_capstyle="butt")
        axis.plot([row.chance] * 2, [y - 0.3, y + 0.3], color=_FAINT, lw=1)
        axis.plot(row.score, y, "o", color=_WARM if row.leak else _BLUE, ms=6)
    axis.set_yticks(range(len(rows)), [f"{row.task.replace('_', ', ')} · {row.predictor}" for row in rows], fontsize=8)
    axis.margins(y=0.02)
    axis.invert_yaxis()
    axis.set_xlim(0, None)
    axis.grid(axis="x")
    axis.set_xlabel("mean score; band: chance, 95 %")
    axis.set_title("What is won without looking")
    return figure


# --- rejected draws -------------------------------------------------------------------------------------------------


def _rejected(found: Statistics) -> Figure | None:
    """Why draws were rejected, by family; and the settings that are rejected most."""
    reasons = _reasons(found.rejected)
    if not reasons:
        return None
    figure, (bars, worst) = _figure(12, 4.8, 1, 2, width_ratios=[3, 2])
    names = [name for name, _ in Counter({k: sum(v.values()) for k, v in reasons.items()}).most_common()]
    kinds = [kind for kind, _ in sum((Counter(v) for v in reasons.values()), Counter[str]()).most_common()]
    start = np.zeros(len(names))
    colours = ("#2f6fab", "#d1603d", "#e3a857", "#6b9e78", "#8a6fae", "#8a94a0", "#bcc4cc", "#444c55")
    for kind, colour in zip(kinds, colours, strict=False):
        width = np.array([reasons[name].get(kind, 0) for name in names])
        bars.barh(range(len(names)), width, left=start, color=colour, label=kind, height=0.7)
        start += width
    bars.set_yticks(range(len(names)), [PHRASES.get(name, name) for name in names], fontsize=9)
    bars.margins(y=0.01)
    bars.invert_yaxis()
    bars.grid(axis="x")
    bars.legend(frameon=False, fontsize=8, loc="lower right")
    bars.set_title(f"{sum(found.rejected.values()):,} rejected draws", fontsize=11)
    drawn = [(count / draws, f"{n} {s}") for n, s, draws, count in rejections(found) if draws >= _FEWEST]
    shares = sorted(drawn, reverse=True)[:15]
    worst.barh(range(len(shares)), [100 * share for share, _ in shares], color=_BLUE, height=0.7)
    worst.set_yticks(range(len(shares)), [name for _, name in shares], fontsize=8)
    worst.margins(y=0.01)
    worst.invert_yaxis()
    worst.grid(axis="x")
    worst.set_xlabel("% of the draws")
    worst.set_title("Variants and severities rejected most", fontsize=11)
    return figure


def _reasons(rejected: Mapping[str, int]) -> dict[str, Counter[str]]:
    """By family and reason, from `blur: flat region` and `blur.lens 2: not visible`."""
    out: dict[str, Counter[str]] = {}
    for text, count in rejected.items():
        what, _, reason = text.partition(": ")
        name = what.partition(".")[0] if reason else "any family"
        out.setdefault(name, Counter())[reason or what] += count
    return out


_PLOTS: Mapping[str, Callable[[Statistics], Figure | None]] = {
    "counts": _counts,
    "objects": _objects,
    "areas": _areas,
    "boxes": _boxes,
    "visibility": _visibility,
    "places": _places,
    "shortcuts": _shortcuts,
    "rejected": _rejected,
}
