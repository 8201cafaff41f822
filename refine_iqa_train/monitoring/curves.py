"""What a run logged, as curves on a static page: `curves.html` in its folder, nothing loaded from elsewhere."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby
from math import floor, isfinite, log10
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from distortlab.storage.atomic import write_text
from distortlab.tasks import TASKS
from distortlab.tasks.terms import FAMILIES
from refine_iqa_train.monitoring.held_out import Logs
from refine_iqa_train.monitoring.samples_page import CURVES, render_document

__all__ = ["PANELS", "read_series", "render_curves", "write_curves"]

WIDTH, HEIGHT = 340, 150
LEFT, RIGHT, TOP, BOTTOM = 48, 24, 8, 22
"""Of a panel, in pixels: the drawing, and the margins for its numbers."""
MAX_POINTS = 400
"""Points of a curve; longer ones are means of neighbors."""
COLORS = (
    *("#3b82f6", "#f59e0b", "#10b981", "#ef4444", "#8b5cf6", "#94a3b8"),
    *("#06b6d4", "#ec4899", "#84cc16", "#78350f", "#1e3a8a", "#f97316"),
)
"""One for each curve of a panel: as many as there are families."""


class Panel(NamedTuple):
    """A drawing: a title, and metrics with their short names; shares run from 0 to 1, whatever was logged."""

    title: str
    metrics: Mapping[str, str]
    share: bool = True


def _name_by_task(pattern: str) -> dict[str, str]:
    return {pattern.format(task): task for task in TASKS}


PANELS = (
    Panel("Loss of the cold start", {"loss": "loss"}, share=False),
    Panel("Token accuracy", {"mean_token_accuracy": "token accuracy"}),
    Panel("Reward", {"reward": "mean", "reward_std": "spread"}, share=False),
    Panel("Form", {"rewards/format/mean": "format"}),
    Panel("Rewards by task", _name_by_task("rewards/{}/mean")),
    Panel("Families drawn", {f"sampler/{family}": family for family in FAMILIES}, share=False),
    Panel("Severities drawn", {f"sampler/severity_{level}": str(level) for level in range(1, 6)}, share=False),
    Panel("Probability difference", {"pd/mean": "difference", "pd/think": "thinking", "pd/no_think": "direct"}),
    Panel("Entropy", {"entropy": "entropy", "entropy_target": "target"}, share=False),
    Panel("Weight of the entropy", {"entropy_coef": "weight"}, share=False),
    Panel("Groups with equal rewards", {"frac_reward_zero_std": "share"}),
    Panel("KL to the reference", {"kl": "kl"}, share=False),
    Panel("Answers cut off", {"completions/clipped_ratio": "share"}),
    Panel("Length of answers", {"completions/mean_length": "tokens"}, share=False),
    Panel("Norm of the gradient", {"grad_norm": "norm"}, share=False),
    Panel(
        "Held out: right answers",
        {
            "eval_recognition/type": "recognition: type",
            "eval_recognition/severity": "recognition: severity",
            "eval_recognition_reference/type": "with reference: type",
            "eval_recognition_reference/severity": "with reference: severity",
            "eval_object/accuracy": "object",
            "eval_grounding/iou": "grounding: IoU",
            "eval_comparison/accuracy": "comparison",
            "eval_comparison_regions/accuracy": "comparison of regions",
        },
    ),
    Panel("Parts of diagnosis", {f"diagnosis/{part}": part for part in ("form", "iou", "f1", "type", "severity")}),
    Panel(
        "Held out: diagnosis",
        {
            f"eval_diagnosis/{measure}": name
            for measure, name in (
                ("score", "score"),
                ("iou", "IoU"),
                ("f1", "F1"),
                ("type", "type"),
                ("severity", "severity"),
            )
        },
    ),
    Panel(
        "Held out: correlation",
        {
            "eval_quality/srcc": "SRCC",
            "eval_quality/plcc": "PLCC",
            "eval_quality/srcc_direct": "SRCC, direct",
            "eval_quality/plcc_direct": "PLCC, direct",
        },
        share=False,
    ),
    Panel("Held out: mean error", {"eval_quality/mae": "thinking", "eval_quality/mae_direct": "direct"}, share=False),
    Panel("Held out: unread", _name_by_task("eval_{}/unread")),
)

STYLE = """
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(22rem, 1fr)); gap: 1.5rem 1rem; }
section { display: flex; flex-direction: column; }
section h2 { font-size: 1rem; margin: 0; }
.legend { font-size: 13px; font-variant-numeric: tabular-nums; margin: 0; }
.legend span { margin-right: .9em; white-space: nowrap; }
.legend i { display: inline-block; width: .8em; height: .8em; border-radius: 50%; margin-right: .3em; }
svg.panel { width: 100%; height: auto; margin-top: auto; }
svg.panel text { font: 11px system-ui, sans-serif; fill: currentColor; stroke: none; opacity: .75; }
svg.panel polyline { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
svg.panel path { stroke: currentColor; stroke-opacity: .18; fill: none; }
"""

Point = tuple[float, float | None]


def write_curves(out: Path, history: Sequence[Logs]) -> None:
    """Write `curves.html` in the folder of a run, whole or not at all."""
    write_text(out / CURVES, render_curves(out.name, history))


def render_curves(name: str, history: Sequence[Logs]) -> str:
    """Render the page as HTML from what a run logged so far.

    Parameters
    ----------
    name
        Of the run.
    history
        Logged entries, each with `step`.
    """
    panels = [_render_panel(panel, series) for panel in PANELS if (series := _collect_series(panel, history))]
    steps = max((entry.get("step") or 0 for entry in history), default=0)
    summary = f"{steps:,} steps." if panels else "Nothing was logged yet."
    body = (
        f'<nav><a href="samples/index.html">sample completions</a></nav><p>{summary}</p><main>{"".join(panels)}</main>'
    )
    return render_document(f"Curves of {name}", body, STYLE)


def _collect_series(panel: Panel, history: Sequence[Logs]) -> dict[str, list[Point]]:
    """The curves of a panel that have values, by short name."""
    if "loss" in panel.metrics and not any("mean_token_accuracy" in entry for entry in history):
        return {}  # that of GRPO is about 0 whatever happens
    series = {short: read_series(history, metric) for metric, short in panel.metrics.items()}
    return {short: points for short, points in series.items() if any(value is not None for _, value in points)}


def read_series(history: Sequence[Logs], metric: str) -> list[Point]:
    """Collect (step, value) of a metric; None where it was logged without one. Long series are means of neighbors."""
    points = [(float(entry["step"] or 0), _parse_finite(entry[metric])) for entry in history if metric in entry]
    size = -(-len(points) // MAX_POINTS)
    if size <= 1:
        return points
    return [_average_points(points[start : start + size]) for start in range(0, len(points), size)]


def _parse_finite(value: float | None) -> float | None:
    return float(value) if isinstance(value, int | float) and isfinite(value) else None


def _average_points(points: Sequence[Point]) -> Point:
    values = [value for _, value in points if value is not None]
    return fmean(step for step, _ in points), fmean(values) if values else None


# --- drawing --------------------------------------------------------------------------------------------------------


def _render_panel(panel: Panel, series: Mapping[str, Sequence[Point]]) -> str:
    colors = dict(zip(series, COLORS, strict=False))
    legend = "".join(
        f'<span><i style="background:{colors[name]}"></i>{escape(name)} {_format_latest(points)}</span>'
        for name, points in series.items()
    )
    return (
        f'<section><h2>{escape(panel.title)}</h2><p class="legend">{legend}</p>'
        f"{_render_drawing(panel, series, colors)}</section>"
    )


def _format_latest(points: Sequence[Point]) -> str:
    return next(_format_number(value) for _, value in reversed(points) if value is not None)


def _render_drawing(panel: Panel, series: Mapping[str, Sequence[Point]], colors: Mapping[str, str]) -> str:
    steps = [step for points in series.values() for step, _ in points]
    values = [value for points in series.values() for _, value in points if value is not None]
    values += (0.0, 1.0) if panel.share else ()
    across, up = _choose_ticks(0.0, max(steps), 1.0), _choose_ticks(min(values), max(values))
    x = _make_scale(0.0, across[-1], LEFT, LEFT + WIDTH)
    y = _make_scale(up[0], up[-1], TOP + HEIGHT, TOP)
    lines = "".join(_render_curve(points, x, y, colors[name]) for name, points in series.items())
    return (
        f'<svg class="panel" viewBox="0 0 {LEFT + WIDTH + RIGHT} {TOP + HEIGHT + BOTTOM}" role="img" '
        f'aria-label="{escape(panel.title)}">{_render_axes(across, up, x, y)}{lines}</svg>'
    )


class _LinearScale(NamedTuple):
    """A linear scale from values to pixels."""

    low: float
    slope: float
    start: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) * self.slope


def _make_scale(low: float, high: float, start: float, end: float) -> _LinearScale:
    return _LinearScale(low, (end - start) / (high - low or 1.0), start)


def _choose_ticks(low: float, high: float, least: float = 0.0) -> list[float]:
    """Up to six round numbers that enclose a range, at least so far apart."""
    if high - low <= 1e-9 * max(1.0, abs(low)):
        low, high = (low - 0.5, high + 0.5) if low < 0 or low > 0.5 else (0.0, 1.0)
    rough = (high - low) / 4
    power = 10.0 ** floor(log10(rough))
    rounds = (1, 2, 5, 10) if least else (1, 2, 2.5, 5, 10)
    step = max(least, next(power * times for times in rounds if power * times >= rough * (1 - 1e-9)))
    first, last = floor(low / step + 1e-9), -floor(-high / step + 1e-9)
    return [step * place for place in range(first, last + 1)]


def _format_number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _render_axes(across: Sequence[float], up: Sequence[float], x: _LinearScale, y: _LinearScale) -> str:
    rows = "".join(
        f'<path d="M{LEFT} {y(tick):.1f}H{LEFT + WIDTH}"/>'
        f'<text x="{LEFT - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{_format_number(tick)}</text>'
        for tick in up
    )
    columns = "".join(
        f'<text x="{x(tick):.1f}" y="{TOP + HEIGHT + 16}" text-anchor="middle">{_format_number(tick)}</text>'
        for tick in across
    )
    return rows + columns


def _render_curve(points: Sequence[Point], x: _LinearScale, y: _LinearScale, color: str) -> str:
    """Lines between neighbors that both have values; a dot on each of a few points."""
    out = []
    for has_value, part in groupby(points, key=lambda point: point[1] is not None):
        places = [(x(step), y(value)) for step, value in part if value is not None]
        if has_value and len(places) > 1:
            out.append(f'<polyline stroke="{color}" points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in places)}"/>')
        if has_value and (len(points) <= 40 or len(places) == 1):
            out += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.2" fill="{color}"/>' for a, b in places]
    return "".join(out)
