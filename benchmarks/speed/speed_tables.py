"""Tables of the docs from kept results of the benchmarks beside this file; nothing is measured or imported for it."""

import statistics
from collections.abc import Mapping
from typing import Any

__all__ = [
    "AIMS",
    "FLOOR",
    "SCRIPT",
    "describe_source",
    "format_about",
    "format_aims",
    "format_harness",
    "format_sets",
    "format_stages",
    "format_stream",
    "format_times",
]

FLOOR, SCRIPT = "floor: read, decode, encode losslessly", "script, Pillow PNG level 1"
AIMS = {
    "ratio_1": ("x floor, 1 per reference", 2.5),
    "ratio_2_5": ("x floor, 2.5 per reference", 1.9),
    "ratio_8": ("x floor, 8 per reference", 1.6),
    "script_over_1": ("script / this, 1 per reference", 2.6),
}
"""What was aimed at, by key: at most so many times the floor, at least so many times as fast as the script."""

SOURCES = {"scenes": "scenes", "coco": "photographs of COCO"}
"""What references are called in a table, by the kind of source."""


def format_about(measured: Mapping[str, Any]) -> str:
    """A line of Markdown: the command, and what it ran on."""
    sources = [name for name in measured if name != "about"]
    return describe_source(
        measured["about"], " and ".join(f"{measured[name]['references']} {name}" for name in sources)
    )


def describe_source(about: Mapping[str, Any], what: str = "") -> str:
    """The command, commit, machine and Python of a result, and what it was measured on."""
    subject = f" {what};" if what else ""
    note = f" {about['note']}" if "note" in about else ""
    return f"`{about['command']}` at {about['commit']}:{subject} {about['machine']}; Python {about['python']}.{note}"


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


def format_stream(measured: Mapping[str, Any]) -> str:
    """A row for each kind of image and each thing that was done: CPU ms."""
    lines = [
        describe_source(measured["about"]),
        "",
        "| image | what | samples | median | mean | 90 % below |",
        "|---|---|---|---|---|---|",
    ]
    for kind, named in sorted(measured["times"].items()):
        for name, of in named.items():
            cells = " | ".join(f"{of[key]:.2f}" for key in ("median", "mean", "ninth"))
            lines.append(f"| {kind} | {name} | {of['samples']} | {cells} |")
    return "\n".join(lines)


def format_harness(measured: Mapping[str, Any]) -> str:
    """What scoring and asking an endpoint cost."""
    scoring, endpoint = measured["scoring"], measured["endpoint"]
    ideal = endpoint["requests"] * endpoint["delay"] / endpoint["concurrency"]
    asked = (
        f"{endpoint['requests']:,} requests of {endpoint['bytes'] / 1e3:.0f} kB, {endpoint['concurrency']} at once, to "
        f"a local server that takes {endpoint['delay']:g} s for each"
    )
    took = (
        f"{endpoint['seconds']:.1f} s; never idle would be {ideal:.1f} s ({ideal / endpoint['seconds']:.0%}); "
        f"{1e3 * endpoint['cpu'] / endpoint['requests']:.1f} ms of CPU for each"
    )
    rows = {
        f"{scoring['predictions']:,} predictions, with intervals and both curves": f"{scoring['cpu']:.1f} s of CPU",
        asked: took,
    }
    lines = [describe_source(measured["about"]), "", "| | |", "|---|---|"]
    return "\n".join([*lines, *(f"| {what} | {cost} |" for what, cost in rows.items())])


def format_sets(measured: Mapping[str, Mapping[str, Any]]) -> str:
    """A row for each data set that was made and verified."""
    lines = [
        "| recipe | references | images | questions | size | time | draws rejected | verify | commit |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for of in measured.values():
        images = f"{of['images']:,}" + (f" of {of['wanted']:,}" if of["images"] < of["wanted"] else "")
        verify = of["verify"]
        found = "clean" if verify["code"] == 0 else f"code {verify['code']}"
        note = f"; {of['about']['note']}" if "note" in of["about"] else ""
        lines.append(
            f"| {of['recipe']} | {of['references']:,} {SOURCES[of['source']]} | {images} | {of['questions']:,} | "
            f"{of['bytes'] / 1e9:.1f} GB | {of['seconds']:,} s | {of['rejected']:,} | {verify['seconds']:,} s, "
            f"{verify['images']:,} images rendered again, {found} | {of['about']['commit']}{note} |"
        )
    return "\n".join(lines)
