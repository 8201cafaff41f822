"""The picture of rejected draws."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from distortlab.analysis.findings import count_rejections
from distortlab.analysis.plots.style import BLUE, Figure, new_figure
from distortlab.analysis.statistics import Statistics
from distortlab.tasks.terms import PHRASES

__all__ = ["draw_rejections"]


_MIN_DRAWS = 20
"""Draws of a setting from which the rejected share is shown."""


def draw_rejections(statistics: Statistics) -> Figure | None:
    """Why draws were rejected, by family; and the settings that are rejected most."""
    reasons = _reasons(statistics.rejected)
    if not reasons:
        return None
    figure, (bars, worst) = new_figure(12, 4.8, 1, 2, width_ratios=[3, 2])
    names = [name for name, _ in Counter({k: sum(v.values()) for k, v in reasons.items()}).most_common()]
    kinds = [kind for kind, _ in sum((Counter(v) for v in reasons.values()), Counter[str]()).most_common()]
    start = np.zeros(len(names))
    colors = ("#2f6fab", "#d1603d", "#e3a857", "#6b9e78", "#8a6fae", "#8a94a0", "#bcc4cc", "#444c55")
    for kind, color in zip(kinds, colors, strict=False):
        width = np.array([reasons[name].get(kind, 0) for name in names])
        bars.barh(range(len(names)), width, left=start, color=color, label=kind, height=0.7)
        start += width
    bars.set_yticks(range(len(names)), [PHRASES.get(name, name) for name in names], fontsize=9)
    bars.margins(y=0.01)
    bars.invert_yaxis()
    bars.grid(axis="x")
    bars.legend(frameon=False, fontsize=8, loc="lower right")
    bars.set_title(f"{sum(statistics.rejected.values()):,} rejected draws", fontsize=11)
    drawn = [(count / draws, f"{n} {s}") for n, s, draws, count in count_rejections(statistics) if draws >= _MIN_DRAWS]
    shares = sorted(drawn, reverse=True)[:15]
    worst.barh(range(len(shares)), [100 * share for share, _ in shares], color=BLUE, height=0.7)
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
