"""The tables of docs/sensitivity.md from benchmarks/results/sensitivity.json; nothing is measured for them."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

__all__ = ["CLEAR", "format_families", "format_overview"]

CLEAR = 0.5
"""SRCC from which on a score clearly falls along a ladder."""


def format_overview(measured: Mapping[str, Any]) -> str:
    """A column for each scorer: monotone, noticing, people."""
    columns = [_describe_scorer(found) for found in measured["scorers"].values()]
    lines = [f"| | {' | '.join(measured['scorers'])} |", "|---" * (len(columns) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(column[name] for column in columns)} |" for name in columns[0]]
    return "\n".join(lines)


def _describe_scorer(found: Mapping[str, Any]) -> dict[str, str]:
    variants, people = found["variants"], found["people"]
    photographs = max(of["photographs"] for of in variants)
    settings = max(of["settings"] for of in variants)
    falling = sum(of["least_srcc"] >= CLEAR for of in variants)
    noticed, better = (sum(of[key] for of in variants) for key in ("noticed", "better"))
    return {
        "images": f"{found['n']:,}: {photographs} photographs, up to {settings} settings of {len(variants)} variants",
        "SRCC of settings with falling quality, mean over variants": _format_number(found["srcc"]),
        "neighboring settings in order": _format_number(found["in_order"]),
        f"variants on which it clearly falls (SRCC {CLEAR:g} or more) on every photograph": str(falling),
        "notices from V (median over variants)": _format_v(found["notices_v"]),
        "... and first as an improvement": f"{better} of {noticed}",
        "not noticed on half of the photographs": ", ".join(f"`{name}`" for name in found["unnoticed"]) or "none",
        "SRCC with people's means": f"{_format_number(people['srcc'])} ({people['cells']} cells)",
        f"SRCC with people over {len(people['families'])} families at V {people['equal_v']:g}": _format_number(
            people["srcc_families"]
        ),
        "noise (largest over photographs)": f"{found['noise']:.2g}",
    }


def format_families(measured: Mapping[str, Any]) -> str:
    """A row for each family: SRCC and where each variant is noticed, by scorer, and the ranks at one V."""
    scorers = measured["scorers"]
    heads = [part for name in scorers for part in (f"{name}: SRCC", "notices from V, by variant")]
    equal_v = next(iter(scorers.values()))["people"]["equal_v"]
    ranks = f"rank at V {equal_v:g}: people, {', '.join(scorers)}"
    lines = [f"| {' | '.join(['family', *heads, ranks])} |", "|---" * (len(heads) + 2) + "|"]
    for family in dict.fromkeys(of["family"] for found in scorers.values() for of in found["variants"]):
        cells = [cell for found in scorers.values() for cell in _describe_family(found["variants"], family)]
        lines.append(f"| {' | '.join([family, *cells, _list_ranks(scorers, family)])} |")
    return "\n".join(lines)


def _describe_family(variants: Sequence[Mapping[str, Any]], family: str) -> tuple[str, str]:
    own = [of for of in variants if of["family"] == family]
    rates = [of["srcc"] for of in own if of["srcc"] is not None]
    places = sorted((of["notices_v"] for of in own), key=lambda v: float("inf") if v is None else v)
    return _format_number(fmean(rates) if rates else None, 2), " ".join(map(_format_v, places))


def _list_ranks(scorers: Mapping[str, Any], family: str) -> str:
    rows = [
        next((of for of in found["people"]["families"] if of["family"] == family), None) for found in scorers.values()
    ]
    if rows[0] is None:
        return ""
    return ", ".join(
        [f"{rows[0]['people_rank']:g}", *("-" if of is None else f"{of['quality_rank']:g}" for of in rows)]
    )


def _format_number(value: float | None, digits: int = 3) -> str:
    """A correlation or a share without the zero before its point."""
    return "-" if value is None else f"{value:.{digits}f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.2f}"


def _format_v(value: float | None) -> str:
    """V with one digit below ten, none above."""
    return "-" if value is None else f"{value:.0f}" if value >= 10 else f"{value:.1f}".replace("0.", ".", 1)
