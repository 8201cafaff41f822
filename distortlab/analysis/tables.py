"""Statistics as tables for the terminal, and as plain values for scripts."""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from distortlab.analysis.balance import BalanceCheck
from distortlab.analysis.blind_sets import CONSTANTS
from distortlab.analysis.sharing_rights import count_no_derivatives
from distortlab.analysis.statistics import GRID, Statistics, get_local_areas, get_visibility_values, name_things
from distortlab.dataset.composition import describe_kind, share_kinds
from distortlab.tasks.terms import DIFFICULTIES, FAMILIES

__all__ = ["print_statistics", "statistics_to_dict"]

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def print_statistics(statistics: Statistics, checks: Sequence[BalanceCheck], sentences: Sequence[str]) -> None:
    """Print all tables, and last what is out of balance.

    Parameters
    ----------
    statistics
        Of the data set.
    checks
        Those of `check_balance`; their number is printed.
    sentences
        Those of `list_findings`.
    """
    # Into a pipe there is no width to fit; a narrow one would cut the columns.
    console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)
    splits = ", ".join(f"{split} {count:,}" for split, count in statistics.splits.items())
    console.print(
        f"{statistics.images:,} images ({splits}), {statistics.questions:,} questions, "
        f"{len(statistics.references):,} references"
    )
    for table in (
        _composition_table(statistics),
        _count_table(statistics),
        _pair_table(statistics),
        _difficulty_table(statistics),
        _visibility_table(statistics),
        _place_table(statistics),
        _shortcut_table(statistics),
        _constant_table(statistics),
        _object_table(statistics),
        _license_table(statistics),
    ):
        if table.row_count:
            console.print(table)
    console.print(_region_summary(statistics))
    console.print(_rejection_summary(statistics))
    console.print(
        f"out of balance ({len(checks)} checks):" if sentences else f"nothing is out of balance ({len(checks)} checks)"
    )
    for sentence in sentences:
        console.print(f"  - {sentence}", markup=False)


def _table(title: str, heads: Iterable[str], left: int = 1) -> Table:
    table = Table(title=title, title_justify="left")
    for index, head in enumerate(heads):
        table.add_column(head, justify="left" if index < left else "right", no_wrap=True)
    return table


def _composition_table(statistics: Statistics) -> Table:
    """Empty where every image has one distorted region, and the recipe asks for nothing else."""
    table = _table("what images consist of", ["images that are", "images", "%", "% asked for"])
    asked = share_kinds(statistics.recipe.composition) if statistics.recipe else {}
    kinds = sorted({*statistics.kinds, *asked}, key=lambda kind: (kind.isdecimal(), len(kind), kind))
    for kind in kinds if kinds != ["1"] else ():
        count = statistics.kinds[kind]
        wanted = f"{100 * asked.get(kind, 0.0):.1f}" if asked else ""
        table.add_row(describe_kind(kind), f"{count:,}", f"{100 * count / statistics.images:.1f}", wanted)
        for control, own in sorted(statistics.controls.items()) if kind == "pristine" else ():
            table.add_row(f"  control: {control}", f"{own:,}", f"{100 * own / statistics.images:.1f}", "")
    return table


def _pair_table(statistics: Statistics) -> Table:
    """Empty where no image has two families. Families are numbered to keep it narrow."""
    shown = [family for family in FAMILIES if any(family in pair for pair in statistics.pairs)]
    numbers = [str(at) for at in range(1, len(shown) + 1)]
    table = _table("images by two families that are both in them", ["", "family", *numbers], left=2)
    for number, family in zip(numbers, shown, strict=True):
        counts = [statistics.pairs[family, other] + statistics.pairs[other, family] for other in shown]
        cells = ("" if other == family else f"{n:,}" for other, n in zip(shown, counts, strict=True))
        table.add_row(number, family, *cells)
    return table


def _count_table(statistics: Statistics) -> Table:
    tasks = sorted({task for _, _, task in statistics.asked})
    noun = name_things(statistics)
    title = f"{noun} by family and severity" + (", and questions about them" if tasks else "")
    table = _table(title, ["family", *"12345", noun, *tasks])
    sums: Counter[int] = Counter()
    for family in FAMILIES:
        row = [statistics.cells[family, severity] for severity in range(1, 6)]
        asked = [sum(statistics.asked[family, severity, task] for severity in range(1, 6)) for task in tasks]
        numbers = [*row, sum(row), *asked]
        if any(numbers):
            table.add_row(family, *(f"{number:,}" for number in numbers))
            sums.update(dict(enumerate(numbers)))
    table.add_section()
    table.add_row("all", *(f"{sums[i]:,}" for i in range(6 + len(tasks))))
    return table


def _difficulty_table(statistics: Statistics) -> Table:
    """Empty where the data set does not say how hard its distortions are to tell."""
    counts: Counter[str] = Counter()
    for (difficulty, _), count in statistics.difficulties.items():
        counts[difficulty] += count
    tasks = sorted({task for _, task in statistics.asked_difficulties})
    table = _table("difficulty of telling the family", ["difficulty", name_things(statistics), "%", *tasks])
    for difficulty in (*DIFFICULTIES, "") if any(counts[name] for name in DIFFICULTIES) else ():
        asked = [statistics.asked_difficulties[difficulty, task] for task in tasks]
        if counts[difficulty]:
            share = f"{100 * counts[difficulty] / counts.total():.1f}"
            shown = (f"{number:,}" for number in asked)
            table.add_row(difficulty or "not measured", f"{counts[difficulty]:,}", share, *shown)
    return table


def _visibility_table(statistics: Statistics) -> Table:
    table = _table("V: median (5 % to 95 %) by severity", ["family", *"12345"])
    for family in FAMILIES:
        cells = []
        for severity in range(1, 6):
            v = get_visibility_values(statistics, family, severity)
            low, middle, high = np.percentile(v, [5, 50, 95]) if len(v) else (0, 0, 0)
            cells.append(f"{middle:.1f} ({low:.1f} to {high:.1f})" if len(v) else "")
        if any(cells):
            table.add_row(family, *cells)
    return table


def _place_table(statistics: Statistics) -> Table:
    groups = sorted({(task, number) for task, number, _ in statistics.places})
    most = max((number for _, number in groups), default=0)
    heads = ["task", "candidates", "questions", *(str(place + 1) for place in range(most))]
    table = _table("where the right answer stands, % of the questions", heads)
    for task, number in groups:
        counts = [statistics.places[task, number, place] for place in range(number)]
        shares = [f"{100 * count / sum(counts):.1f}" for count in counts]
        table.add_row(task, str(number), f"{sum(counts):,}", *shares, *[""] * (most - number))
    return table


def _shortcut_table(statistics: Statistics) -> Table:
    table = _table("what is won without looking", ["task", "sees only", "questions", "score", "chance"], left=2)
    task = None
    for row in statistics.blind.rows if statistics.blind else ():
        if task not in (None, row.task):
            table.add_section()
        task = row.task
        mark = " !" if row.leak else ""
        table.add_row(
            row.task, row.sees, f"{row.questions:,}", f"{row.score:.3f}{mark}", f"{row.chance:.3f} ± {row.margin:.3f}"
        )
    return table


def _constant_table(statistics: Statistics) -> Table:
    """Empty without diagnosis questions."""
    table = _table("what an answer to diagnosis is worth that is always the same", ["images that are", "n", *CONSTANTS])
    for row in statistics.blind.constants if statistics.blind else ():
        table.add_row(describe_kind(row.kind), f"{row.questions:,}", *(f"{score:.3f}" for score in row.scores))
    return table


def _object_table(statistics: Statistics) -> Table:
    table = _table("distorted objects", ["name", "regions", "%"])
    names = _names(statistics)
    for name, count in names.most_common(10):
        table.add_row(name, f"{count:,}", f"{100 * count / names.total():.1f}")
    if len(names) > 10:
        rest = sum(count for _, count in names.most_common()[10:])
        table.add_section()
        table.add_row(f"{len(names) - 10:,} more names", f"{rest:,}", f"{100 * rest / names.total():.1f}")
    return table


def _license_table(statistics: Statistics) -> Table:
    table = _table("licenses of the references", ["license", "images", "%"])
    for text, count in statistics.licenses.most_common(20):
        short = text if len(text) <= 90 else f"{text[:87]}..."
        table.add_row(escape(short), f"{count:,}", f"{100 * count / statistics.images:.1f}")
    return table


def _names(statistics: Statistics) -> Counter[str]:
    return Counter({name: count for name, count in statistics.objects.items() if name})


def _region_summary(statistics: Statistics) -> str:
    middle, corner = _middle_and_corner(statistics)
    shown = ", ".join(f"{100 * area:.1f}" for area in _area_quantiles(statistics))
    if not shown:
        return "no region but whole images is distorted"
    return (
        f"regions: area {shown} % of the image (quantiles 5, 25, 50, 75, 95 %); "
        f"the middle of the image lies in {100 * middle:.0f} % of the boxes, a corner in {100 * corner:.1f} %"
    )


def _area_quantiles(statistics: Statistics) -> Sequence[float]:
    """Of the regions that are not the whole frame; empty where there are none."""
    areas = get_local_areas(statistics)
    return [float(area) for area in np.quantile(areas, _QUANTILES)] if len(areas) else []


def _middle_and_corner(statistics: Statistics) -> tuple[float, float]:
    share = statistics.cover / max(statistics.covering, 1)
    half = slice(GRID // 2 - 2, GRID // 2 + 2)
    return float(share[half, half].mean()), float(share[[0, 0, -1, -1], [0, -1, 0, -1]].mean())


def _rejection_summary(statistics: Statistics) -> str:
    if not statistics.rejected:
        return (
            "no rejected draws were counted"
            if statistics.split is None
            else "rejected draws are counted for all splits only"
        )
    reasons: Counter[str] = Counter()
    for text, count in statistics.rejected.items():
        reasons[text.rpartition(": ")[2]] += count
    shown = ", ".join(f"{reason} {count:,}" for reason, count in reasons.most_common(6))
    return f"{sum(statistics.rejected.values()):,} draws were rejected: {shown}"


def statistics_to_dict(
    statistics: Statistics, checks: Sequence[BalanceCheck], sentences: Sequence[str]
) -> dict[str, Any]:
    """Statistics, checks and findings as plain values, ready for JSON."""
    areas = _area_quantiles(statistics)
    middle, corner = _middle_and_corner(statistics)
    return {
        "images": statistics.images,
        "questions": statistics.questions,
        "references": len(statistics.references),
        "splits": dict(statistics.splits),
        "kinds": dict(sorted(statistics.kinds.items())),
        "controls": dict(sorted(statistics.controls.items())),
        "pairs": [{"families": [*pair], "images": n} for pair, n in sorted(statistics.pairs.items())],
        "cells": [{"family": f, "severity": s, "images": n} for (f, s), n in sorted(statistics.cells.items())],
        "asked": [
            {"family": f, "severity": s, "task": t, "questions": n} for (f, s, t), n in sorted(statistics.asked.items())
        ],
        "difficulties": [
            {"difficulty": d or None, "family": f, "images": n} for (d, f), n in sorted(statistics.difficulties.items())
        ],
        "asked_difficulties": [
            {"difficulty": d or None, "task": t, "questions": n}
            for (d, t), n in sorted(statistics.asked_difficulties.items())
        ],
        "variants": dict(sorted(statistics.variants.items())),
        "visibility": [
            {"family": family, "severity": severity, **_quantiles(get_visibility_values(statistics, family, severity))}
            for family, severity in sorted(statistics.cells)
        ],
        "area": {f"q{round(100 * q):02d}": round(float(area), 5) for q, area in zip(_QUANTILES, areas, strict=False)},
        "boxes": {"middle": round(middle, 4), "corner": round(corner, 4)},
        "places": [
            {"task": task, "candidates": number, "place": place + 1, "questions": count}
            for (task, number, place), count in sorted(statistics.places.items())
        ],
        "objects": dict(_names(statistics).most_common()),
        "licenses": dict(statistics.licenses.most_common()),
        "no_derivatives": count_no_derivatives(statistics.licenses),
        "rejected": statistics.rejected,
        "constant_answers": [
            {"kind": row.kind, "questions": row.questions, **dict(zip(CONSTANTS, row.scores, strict=True))}
            for row in (statistics.blind.constants if statistics.blind else ())
        ],
        "shortcuts": [asdict(row) | {"leak": row.leak} for row in (statistics.blind.rows if statistics.blind else ())],
        "checks": [asdict(check) for check in checks],
        "out_of_balance": list(sentences),
    }


def _quantiles(values: Any) -> dict[str, float]:
    quantiles = np.quantile(values, _QUANTILES)
    return {f"q{round(100 * q):02d}": round(float(value), 3) for q, value in zip(_QUANTILES, quantiles, strict=True)}
