"""docs/stages.md: the tables of a run of the stages, between marks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import stage_scores as scoring
from page import describe_split, fill_page, make_table
from stage_routes import STAGE_1, STAGE_2, TITLES

PAIRS = (
    ("b", "a"),
    ("b", "c"),
    ("b", "d"),
    ("a", "a without difference"),
    ("b", "b without difference"),
    ("a", "a plain"),
    ("b", "b plain"),
)
"""What is compared: the claim first, then what the probability difference and the published advantages bring."""
TYPE, LAST = "recognition/type", 8
"""A curve of stage 1, and over how many steps it is averaged."""
Results = Mapping[str, Any]
Pairs = Sequence[tuple[str, str]]


def write_page(results: Results, page: Path) -> None:
    """Put the tables between the marks of a page."""
    fill_page(page, results, TABLES, "stages")


def format_summary(results: Results) -> str:
    """All tables, for the console."""
    return "\n\n".join(table(results) for table in TABLES.values())


def format_correlations(results: Results) -> str:
    """Spearman's correlation of every route and seed, in both manners, and the mean of the seeds."""
    rows = []
    for manner in scoring.MANNERS:
        for name in _list_routes(results):
            of = [scoring.correlate(scores, results["truth"]) for scores in _get_scores(results, name, manner).values()]
            rows.append(
                (
                    f"{TITLES[name]}, {scoring.MANNER_TITLES[manner]}",
                    *(f"{value:.3f}" for value in of),
                    f"**{fmean(of):.3f}**",
                )
            )
    return make_table(("SRCC, held out", *(f"seed {seed}" for seed in results["seeds"]), "mean"), rows)


def format_differences(results: Results) -> str:
    """Differences between routes, with intervals of a paired bootstrap over windows and seeds."""
    names = _list_routes(results)
    pairs = [pair for pair in PAIRS if set(pair) <= set(names)]
    rows: list[Sequence[str]] = []
    for manner in scoring.MANNERS:
        scores = {name: _get_scores(results, name, manner) for name in names}
        for (one, other), (mean, low, high) in _compare(scores, results, pairs).items():
            title = f"{_shorten(one)} over {_shorten(other)}, {scoring.MANNER_TITLES[manner]}"
            rows.append((title, f"{mean:+.3f}", f"{low:+.3f} to {high:+.3f}"))
    return make_table(("difference of SRCC", "mean", "95 %"), rows)


def format_verdict(results: Results) -> str:
    """Whether (b) beats (c) and (d), by manner."""
    if not {"b", "c", "d"} <= set(_list_routes(results)):
        return "The routes that decide, b, c and d, were not all run."
    lines = []
    for manner in scoring.MANNERS:
        scores = {name: _get_scores(results, name, manner) for name in "bcd"}
        found = _compare(scores, results, (("b", "c"), ("b", "d")))
        is_better = all(low > 0 for _, low, _ in found.values())
        lines.append(f"{scoring.MANNER_TITLES[manner]} {'supported' if is_better else 'not supported'}")
    return f"That stage 1 helps stage 2 is, by the intervals of (b) over (c) and over (d), {', '.join(lines)}."


def format_facts(results: Results) -> str:
    """How it was run."""
    seeds = results["seeds"].values()
    steps = [found["routes"]["c"]["steps"] for found in seeds if "c" in found["routes"]]
    longer = f"; (c) took {min(steps)} to {max(steps)}" if steps else ""
    trained = [of["seconds"] for found in seeds for part in ("first", "routes") for of in found[part].values()]
    return (
        f"{len(seeds)} seeds; {STAGE_1['max_steps']} steps of stage 1, {STAGE_2['max_steps']} of stage 2{longer}; "
        f"{len(results['truth'])} held-out windows of {describe_split(results)}; {sum(trained) / 60:.0f} minutes of "
        f"training, one thread each. A linear reader of the eye, fitted with the scores: {results['probe']:.3f}."
    )


def format_first(results: Results) -> str:
    """What stage 1 came to: how many of the windows for training it called by their type in its last steps."""
    rows = []
    for kind, title in (("stage1", "stage 1"), ("shuffled", "stage 1 with shuffled rewards")):
        found = [of["first"].get(kind, {}).get("curves", {}).get(TYPE, []) for of in results["seeds"].values()]
        if all(found):
            rows.append((title, *(f"{fmean(curve[:LAST]):.2f} to {fmean(curve[-LAST:]):.2f}" for curve in found)))
    return make_table((f"type is right, first to last {LAST} steps", *(f"seed {s}" for s in results["seeds"])), rows)


TABLES = {
    "facts": format_facts,
    "verdict": format_verdict,
    "first": format_first,
    "correlations": format_correlations,
    "differences": format_differences,
}


def _shorten(name: str) -> str:
    """(b), or (b) without the probability difference."""
    letter, _, rest = name.partition(" ")
    return f"({letter})" if not rest else TITLES[name]


def _compare(
    scores: scoring.Scores, results: Results, pairs: Pairs
) -> dict[tuple[str, str], tuple[float, float, float]]:
    return scoring.compare_arms(scores, results["truth"], pairs, scoring.DRAWS)


def _list_routes(results: Results) -> list[str]:
    return [name for name in TITLES if all(name in found["routes"] for found in results["seeds"].values())]


def _get_scores(results: Results, name: str, manner: str) -> dict[str, list[float | None]]:
    return {seed: found["routes"][name]["scores"][manner] for seed, found in results["seeds"].items()}
