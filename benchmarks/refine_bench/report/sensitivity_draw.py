"""Drawings of the page on sensitivity, as SVG text. Numbers and names of the catalogue go in, no text of others."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from refine_bench.report.draw import choose_ticks
from refine_bench.scoring.kadid_means import PeopleCell
from refine_bench.scoring.sensitivity import CopyFacts, Curve, VariantFacts

__all__ = ["average_curves", "draw_family", "draw_people", "draw_thresholds", "find_range"]

V_LOW, V_HIGH = 0.1, 16.0
_V_TICKS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 16)
_POINTS = 120
_SHOWN = (0.01, 0.99)
Range = tuple[float, float]


class _Plot:
    """A frame in pixels: V across, on a logarithmic scale; a score up, turned round where a lower one is better."""

    def __init__(
        self, width: float, height: float, left: float, up: Range, is_turned: bool = False, right: float = 10
    ) -> None:
        self.width, self.height, self.left, self.end = width, height, left, width - right
        self.up = (up[1], up[0]) if is_turned else up

    def across(self, v: float) -> float:
        """The x of a V; those outside of the frame are on its edge."""
        share = math.log(min(max(v, V_LOW), V_HIGH) / V_LOW) / math.log(V_HIGH / V_LOW)
        return round(self.left + share * (self.end - self.left), 1)

    def rise(self, score: float) -> float:
        """The y of a score; those outside of the frame are on its edge."""
        share = (score - self.up[0]) / (self.up[1] - self.up[0])
        return round(8 + (1 - min(max(share, 0.0), 1.0)) * (self.height - 40), 1)

    def draw_v_axis(self) -> str:
        """Ticks at the bottom, and a line where a change is just visible."""
        low = self.height - 32
        parts = [
            f'<line class="{"one" if v == 1 else "grid"}" x1="{x}" x2="{x}" y1="8" y2="{low}"/>'
            f'<text x="{x}" y="{low + 14}" text-anchor="middle">{v:g}</text>'
            for v, x in ((v, self.across(v)) for v in _V_TICKS)
        ]
        middle = (self.left + self.end) / 2
        parts.append(
            f'<text class="label" x="{middle}" y="{self.height - 3}" text-anchor="middle">V of the change</text>'
        )
        return "".join(parts)

    def draw_score_axis(self) -> str:
        """Ticks at the left."""
        low, high = sorted(self.up)
        ticks = [found + 0.0 for found in choose_ticks(low, high)]  # no minus zero
        return "".join(
            f'<line class="grid" x1="{self.left}" x2="{self.end}" y1="{y}" y2="{y}"/>'
            f'<text x="{self.left - 6}" y="{y + 3.5}" text-anchor="end">{tick:g}</text>'
            for tick, y in ((tick, self.rise(tick)) for tick in ticks)
        )

    def draw_line(self, points: Sequence[tuple[float, float]], name: str) -> str:
        """A line of a class through (V, score); nothing without points."""
        places = "L".join(f"{self.across(v)} {self.rise(score)}" for v, score in points)
        return f'<path class="{name}" d="M{places}"/>' if points else ""

    def wrap(self, label: str, inside: str) -> str:
        """The drawing."""
        return f'<svg viewBox="0 0 {self.width} {self.height}" role="img" aria-label="{label}">{inside}</svg>'


def find_range(variants: Sequence[VariantFacts], photographs: Mapping[str, CopyFacts]) -> Range:
    """The scores that the axes of all curves hold: 98 % of those of the mean curves, and those of the photographs."""
    values = [float(s) for each in variants for s in average_curves(each)[1]]
    values = [float(value) for value in np.quantile(values, _SHOWN)] if values else []
    values += [each["reference"] for each in photographs.values() if each["reference"] is not None]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    gap = 0.05 * (high - low) or 0.5
    return low - gap, high + gap


def average_curves(variant: VariantFacts) -> tuple[list[float], list[float]]:
    """The mean score over photographs at V that all of their ladders reach, as (V, scores)."""
    read = []
    for curve in variant["curves"]:
        if points := _list_read(curve):
            v, scores = map(np.array, zip(*points, strict=True))
            read.append((np.maximum.accumulate(v), scores))
    if not read:
        return [], []
    low = max(V_LOW, *(float(v[0]) for v, _ in read))
    high = min(float(v[-1]) for v, _ in read)
    if low >= high:
        return [], []
    grid = np.geomspace(low, high, _POINTS)
    mean = np.mean([np.interp(grid, v, scores) for v, scores in read], axis=0)
    return [round(float(v), 3) for v in grid], [float(s) for s in mean]


def _list_read(curve: Curve) -> list[tuple[float, float]]:
    """(V, score) of the settings that were read."""
    return [(v, score) for v, score in zip(curve["v"], curve["scores"], strict=True) if score is not None]


def draw_family(
    variants: Sequence[VariantFacts], photographs: Mapping[str, CopyFacts], up: Range, is_turned: bool
) -> str:
    """The curves of the variants of a family: means over photographs, each photograph thin behind them."""
    plot = _Plot(400, 270, 46, up, is_turned)
    parts = [plot.draw_v_axis(), plot.draw_score_axis(), _draw_noise(plot, photographs)]
    thin, thick = [], []
    for place, each in enumerate(variants):
        thin += [plot.draw_line(_list_read(curve), f"thin c{place}") for curve in each["curves"]]
        thick.append(plot.draw_line(list(zip(*average_curves(each), strict=True)), f"line c{place}"))
    return plot.wrap(variants[0]["family"], "".join([*parts, *thin, *thick]))


def _draw_noise(plot: _Plot, photographs: Mapping[str, CopyFacts]) -> str:
    """The mean score of the photographs, and the mean noise around it."""
    known = [(p["reference"], p["noise"]) for p in photographs.values() if p["reference"] is not None]
    if not known:
        return ""
    middle = float(np.mean([reference for reference, _ in known]))
    noise = float(np.mean([noise or 0.0 for _, noise in known]))
    top, bottom = sorted((plot.rise(middle - noise), plot.rise(middle + noise)))
    left, right = plot.left, plot.end
    return (
        f'<rect class="noise" x="{left}" width="{right - left}" y="{top}" height="{max(bottom - top, 0.8):.1f}"/>'
        f'<line class="clean" x1="{left}" x2="{right}" y1="{plot.rise(middle)}" y2="{plot.rise(middle)}"/>'
    )


def draw_thresholds(variants: Sequence[VariantFacts]) -> str:
    """From which V on each variant is noticed: a dot for each photograph, a bar from least to most; at the right, on
    how many photographs.
    """
    order = sorted(variants, key=lambda each: (each["notices_v"] is None, each["notices_v"] or 0.0))
    step, width, left = 19, 530, 184
    plot = _Plot(width, step * len(order) + 48, left, (0, 1), right=46)
    parts = [plot.draw_v_axis()]
    for row, each in enumerate(order):
        y = 8 + step * (row + 0.5)
        parts.append(f'<text class="label" x="{left - 8}" y="{y + 3.5}" text-anchor="end">{each["variant"]}</text>')
        parts.append(f'<line class="grid" x1="{left}" x2="{plot.end}" y1="{y}" y2="{y}"/>')
        if each["v_range"]:
            low, high = map(plot.across, each["v_range"])
            parts.append(f'<line class="span" x1="{low}" x2="{high}" y1="{y}" y2="{y}"/>')
        for curve in each["curves"]:
            found = curve["notices"]
            if found is not None:
                title = f"V {found['v']:.2f}, {each['variant']} {found['amount']:.3g}, as {found['side']}"
                x = plot.across(found["v"])
                parts.append(f'<circle class="{found["side"]}" cx="{x}" cy="{y}" r="4"><title>{title}</title></circle>')
        text = f"{each['noticed']} of {len(each['curves'])}"
        parts.append(f'<text x="{width - 4}" y="{y + 3.5}" text-anchor="end">{text}</text>')
    return plot.wrap("from which V on each variant is noticed", "".join(parts))


def draw_people(cells: Sequence[PeopleCell], families: Sequence[str], sign: float) -> str:
    """People's mean across, the score up, turned round where `sign` is negative; a line joins the levels of a
    variant.
    """
    scores = [sign * cell["quality"] for cell in cells]
    gap = 0.05 * (max(scores) - min(scores)) or 0.5
    plot = _Plot(480, 380, 52, (min(scores) - gap, max(scores) + gap), sign < 0)

    def across(people: float) -> float:
        return round(52 + (people - 1) / 4 * (480 - 62), 1)

    parts = [plot.draw_score_axis()]
    for tick in range(1, 6):
        parts.append(f'<line class="grid" x1="{across(tick)}" x2="{across(tick)}" y1="8" y2="348"/>')
        parts.append(f'<text x="{across(tick)}" y="362" text-anchor="middle">{tick}</text>')
    label = "people's mean score, 5 imperceptible"
    parts.append(f'<text class="label" x="261" y="377" text-anchor="middle">{label}</text>')
    for name in dict.fromkeys(cell["variant"] for cell in cells):
        own = [cell for cell in cells if cell["variant"] == name]
        color = f"c{families.index(name.partition('.')[0])}"
        points = [(across(cell["people"]), plot.rise(sign * cell["quality"])) for cell in own]
        parts.append(f'<path class="thin {color}" d="M{"L".join(f"{x} {y}" for x, y in points)}"/>')
        parts += [
            f'<circle class="{color}" cx="{x}" cy="{y}" r="4"><title>{name}, level {cell["level"]}, V {cell["v"]:.2f}: '
            f"people {cell['people']:.2f}, score {sign * cell['quality']:.3g}</title></circle>"
            for (x, y), cell in zip(points, own, strict=True)
        ]
    return plot.wrap("quality and people's means", "".join(parts))
