"""The tables of docs/performance.md, from what `bench.py --json` printed; nothing is measured or imported for it."""

import statistics
from collections.abc import Mapping
from typing import Any

__all__ = ["AIMS", "FLOOR", "SCRIPT", "format_about", "format_aims", "format_stages", "format_times"]

FLOOR, SCRIPT = "floor: read, decode, encode losslessly", "script, Pillow PNG level 1"
AIMS = {
    "ratio_1": ("x floor, 1 per reference", 2.5),
    "ratio_2_5": ("x floor, 2.5 per reference", 1.9),
    "ratio_8": ("x floor, 8 per reference", 1.6),
    "script_over_1": ("script / this, 1 per reference", 2.6),
}
"""What was aimed at, by key: at most so many times the floor, at least so many times as fast as the script."""


def format_about(measured: Mapping[str, Any]) -> str:
    """A line of Markdown: the command, and what it ran on."""
    about, sources = measured["about"], [name for name in measured if name != "about"]
    images = " and ".join(f"{measured[name]['images']} {name}" for name in sources)
    return f"`{about['command']}` at {about['commit']}: {images}; {about['machine']}; Python {about['python']}."


def format_times(times: Mapping[str, list[float]], title: str = "") -> str:
    """A row for each contestant."""
    bottom, top = statistics.median(times[FLOOR]), statistics.median(times[SCRIPT])
    lines = [f"| {title} | CPU ms/image | range | x floor | script / this |", "|---|---|---|---|---|"]
    for name, values in times.items():
        middle = statistics.median(values)
        spread = f"{min(values):.1f}-{max(values):.1f}"
        lines.append(f"| {name} | {middle:.2f} | {spread} | {middle / bottom:.2f} | {top / middle:.1f} |")
    return "\n".join(lines)


def format_aims(sources: Mapping[str, Mapping[str, Any]]) -> str:
    """A row for each aim, and whether it was met."""
    lines = [f"| | aim | {' | '.join(sources)} |", "|---" * (len(sources) + 2) + "|"]
    for key, (what, aim) in AIMS.items():
        least = key.startswith("script")
        cells = [
            f"{about[key]:.2f}{'' if (about[key] >= aim if least else about[key] <= aim) else ', missed'}"
            for about in sources.values()
        ]
        lines.append(f"| {what} | {'at least' if least else 'at most'} {aim} | {' | '.join(cells)} |")
    return "\n".join(lines)


def format_stages(sources: Mapping[str, Mapping[str, Any]]) -> str:
    """A row for each stage, a column for each source and number of images per reference."""
    columns = [
        (f"{name} {density}", stages) for name, about in sources.items() for density, stages in about["stages"].items()
    ]
    head = ["| stage | " + " | ".join(title for title, _ in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    names = list(columns[0][1])
    rows = [[f"{stages[name]:.2f}" if stages[name] else "-" for _, stages in columns] for name in names]
    sums = [f"{sum(stages.values()):.2f}" for _, stages in columns]
    lines = [f"| {name} | {' | '.join(row)} |" for name, row in zip([*names, "sum"], [*rows, sums], strict=True)]
    return "\n".join([*head, *lines])
