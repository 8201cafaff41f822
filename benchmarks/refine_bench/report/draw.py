"""Drawings for the page, as SVG text. Numbers go in, no text of others does; colours come from the page's style."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

__all__ = ["draw_calibration", "draw_interval", "draw_scatter", "find_bar_start"]

SIDE, PAD = 340, 38
MOST = 1500


class _Frame:
    """Data to pixels, with axes."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        self.x, self.y = (self._wide(*x), self._wide(*y))

    @staticmethod
    def _wide(low: float, high: float) -> tuple[float, float]:
        gap = (high - low) * 0.04 or 0.5
        return low - gap, high + gap

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixels of a point."""
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        inner = SIDE - PAD - 8
        return round(PAD + across * inner, 1), round(8 + (1 - up) * inner, 1)

    def path(self, points: Iterable[tuple[float, float]]) -> str:
        """A line through points."""
        return "M" + "L".join(f"{a} {b}" for a, b in (self.at(x, y) for x, y in points))

    def axes(self, across: str, up: str) -> str:
        """Grid, ticks and labels."""
        parts = []
        for value in choose_ticks(*self.x):
            a, _ = self.at(value, self.y[0])
            parts.append(f'<line class="grid" x1="{a}" x2="{a}" y1="8" y2="{SIDE - PAD}"/>')
            parts.append(f'<text x="{a}" y="{SIDE - PAD + 14}" text-anchor="middle">{value:g}</text>')
        for value in choose_ticks(*self.y):
            _, b = self.at(self.x[0], value)
            parts.append(f'<line class="grid" x1="{PAD}" x2="{SIDE - 8}" y1="{b}" y2="{b}"/>')
            parts.append(f'<text x="{PAD - 6}" y="{b + 3.5}" text-anchor="end">{value:g}</text>')
        middle = (PAD + SIDE - 8) / 2
        parts.append(f'<text class="label" x="{middle}" y="{SIDE - 6}" text-anchor="middle">{across}</text>')
        turn = f"translate(10 {(SIDE - PAD + 8) / 2}) rotate(-90)"
        parts.append(f'<text class="label" transform="{turn}" text-anchor="middle">{up}</text>')
        return "".join(parts)


def choose_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers in a range."""
    rough = (high - low) / about
    base = 10 ** np.floor(np.log10(rough))
    step = min((m * base for m in (1, 2, 2.5, 5, 10)), key=lambda s: abs(s - rough))
    first = np.ceil(low / step)
    return [float(round(k * step, 10)) for k in np.arange(first, np.floor(high / step) + 1)]


def _wrap_svg(name: str, inside: str) -> str:
    return f'<svg viewBox="0 0 {SIDE} {SIDE}" role="img" aria-label="{name}">{inside}</svg>'


def draw_scatter(points: Sequence[tuple[float, float]], curve: Sequence[Sequence[float]] | None) -> str:
    """Predictions across, opinions up; a fitted curve with 1.96 standard deviations of what is left on both sides."""
    x, y = (np.array([p[k] for p in points]) for k in (0, 1))
    frame = _Frame((float(x.min()), float(x.max())), (float(min(y.min(), 1)), float(max(y.max(), 5))))
    # Every k-th by name order would follow the file; a fixed shuffle shows the same points every time.
    order = np.random.Generator(np.random.PCG64(0)).permutation(len(points))[:MOST]
    dots = "".join(f'<circle cx="{a}" cy="{b}" r="2.1"/>' for a, b in (frame.at(x[k], y[k]) for k in sorted(order)))
    drawn = ""
    if curve is not None:
        cx, cy = (np.array(axis) for axis in curve)
        order_up = np.argsort(cx)
        cx, cy = cx[order_up], cy[order_up]
        left = 1.96 * float(np.std(y - np.interp(x, cx, cy)))
        lowest, highest = frame.y
        upper = [(a, min(b + left, highest)) for a, b in zip(cx, cy, strict=True)]
        lower = [(a, max(b - left, lowest)) for a, b in zip(cx, cy, strict=True)]
        band = frame.path([*upper, *reversed(lower)])
        line = frame.path(list(zip(cx, cy, strict=True)))
        drawn = f'<path class="band" d="{band}Z"/><path class="curve" d="{line}"/>'
    return _wrap_svg("scatter", frame.axes("prediction", "opinion (1 to 5)") + f'<g class="dots">{dots}</g>' + drawn)


def draw_calibration(points: Sequence[tuple[float, float]], bins: int = 10) -> str:
    """Mean opinion in tenths of the predictions, beside the diagonal; the area of a dot is its number of images."""
    x, y = (np.array([p[k] for p in points]) for k in (0, 1))
    edges = np.quantile(x, np.linspace(0, 1, bins + 1))
    place = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, bins - 1)
    frame = _Frame((1.0, 5.0), (1.0, 5.0))
    start, end = frame.at(1, 1), frame.at(5, 5)
    drawn = f'<line class="diagonal" x1="{start[0]}" y1="{start[1]}" x2="{end[0]}" y2="{end[1]}"/>'
    middles = []
    for k in range(bins):
        inside = place == k
        if inside.any():
            mx, my, spread = float(x[inside].mean()), float(y[inside].mean()), float(y[inside].std())
            middles.append((mx, my))
            a, low = frame.at(mx, max(1.0, my - spread))
            _, high = frame.at(mx, min(5.0, my + spread))
            drawn += f'<line class="spread" x1="{a}" x2="{a}" y1="{low}" y2="{high}"/>'
    drawn += f'<path class="curve" d="{frame.path(middles)}"/>' if len(middles) > 1 else ""
    drawn += "".join(f'<circle class="mid" cx="{a}" cy="{b}" r="4"/>' for a, b in (frame.at(*m) for m in middles))
    return _wrap_svg("calibration", frame.axes("mean prediction of a tenth", "mean opinion, one SD") + drawn)


def find_bar_start(values: Iterable[float | None]) -> float:
    """Where the bars of a column begin: at 0, or at the quarter below its least number."""
    least = min((value for value in values if value is not None), default=0.0)
    return float(min(0.0, np.floor(4 * max(least, -1.0)) / 4))


def draw_interval(value: float, interval: Sequence[float] | None, floor: float | None, start: float = 0.0) -> str:
    """A value up to 1 with its interval, and the floor as a tick; `start` is the left end, a tick at 0 where below."""
    width, height = 120, 14

    def at(v: float) -> float:
        return round(4 + (width - 8) * (min(max(v, start), 1.0) - start) / (1.0 - start), 1)

    parts = [f'<line class="rail" x1="4" x2="{width - 4}" y1="7" y2="7"/>']
    if start < 0:
        parts.append(f'<line class="zero" x1="{at(0.0)}" x2="{at(0.0)}" y1="2" y2="12"/>')
    if interval:
        parts.append(f'<line class="range" x1="{at(interval[0])}" x2="{at(interval[1])}" y1="7" y2="7"/>')
    if floor is not None:
        parts.append(f'<line class="floor" x1="{at(floor)}" x2="{at(floor)}" y1="1" y2="13"/>')
    parts.append(f'<circle cx="{at(value)}" cy="7" r="3.4"/>')
    return f'<svg class="bar" viewBox="0 0 {width} {height}" aria-hidden="true">{"".join(parts)}</svg>'


def shade_cell(value: float | None) -> Mapping[str, bool | int]:
    """How a cell of a heat map is filled, 0 to 1."""
    return {"empty": value is None, "percent": 0 if value is None else round(100 * min(max(value, 0.0), 1.0))}
