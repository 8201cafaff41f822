"""How often 95 % intervals hold the truth, by number of references: `make coverage`.

Made-up sets like KADID-10k: every reference is distorted in the same ways; references differ in their own quality, in
how much distortions show on them, and in what a model makes of their content. The truth is the value over 20,000
references. For comparison: percentiles of a bootstrap of references, which the harness used before.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refine_bench.statistics.correlation import krcc
from refine_bench.statistics.intervals import (
    Interval,
    compare_metrics,
    estimate_intervals,
    estimate_mean_difference,
    estimate_mean_interval,
)
from refine_bench.statistics.jackknife import Groups, Ranks, leave_out, weighted_pearson

Floats = NDArray[np.float64]
REFERENCES = (10, 16, 20, 30, 50)
MANY = 20_000
PER_REFERENCE = 25
PERCENTILE_DRAWS = 500
METRICS = ("srcc", "plcc", "mean", "krcc", "rmse")


@dataclass(frozen=True, slots=True)
class Model:
    """A simulated model. `noise`: of one answer; `offset`: of all answers on one reference, in units of quality."""

    name: str
    noise: float
    offset: float


MODELS = (Model("strong", 0.15, 0.2), Model("middling", 0.8, 0.5), Model("weak", 2.0, 1.0))
OPINION = 0.4
"""Spread of references in quality."""
SHARES = ((0.5, 0.1), (0.8, 0.1), (0.95, 0.1), (0.95, 0.3))
"""(share of right answers, correlation of answers on one reference)."""


def make_qualities(rng: np.random.Generator, references: int) -> tuple[Floats, Floats, list[int]]:
    """(quality, opinion on 1-5, reference) of images, (references x `PER_REFERENCE`,) each."""
    severity = np.linspace(-1.5, 1.5, PER_REFERENCE)
    visible = np.exp(0.25 * rng.normal(size=(references, 1)))
    quality = visible * severity + OPINION * rng.normal(size=(references, 1))
    quality = quality + 0.25 * rng.normal(size=quality.shape)
    opinion = 3 + 1.6 * np.tanh(quality / 1.5) + 0.1 * rng.normal(size=quality.shape)
    return quality.ravel(), opinion.ravel(), np.repeat(np.arange(references), PER_REFERENCE).tolist()


def make_scores(rng: np.random.Generator, quality: Floats, model: Model) -> Floats:
    """What a model answers, between 0 and 1, saturating."""
    table = quality.reshape(-1, PER_REFERENCE)
    offset = model.offset * rng.normal(size=(len(table), 1))
    return np.asarray(1 / (1 + np.exp(-1.5 * (table + offset + model.noise * rng.normal(size=table.shape))))).ravel()


def make_answers(rng: np.random.Generator, references: int, share: float, within: float) -> tuple[Floats, list[int]]:
    """(right or wrong, reference) of 4 to 12 questions for each reference."""
    total = 1 / within - 1
    of = np.repeat(np.arange(references), rng.integers(4, 13, references))
    chances = rng.beta(share * total, (1 - share) * total, references)
    return (rng.random(len(of)) < chances[of]).astype(np.float64), of.tolist()


def compute_percentiles(
    x: Floats, y: Floats, references: Sequence[int], rng: np.random.Generator
) -> dict[str, Interval]:
    """What 2.5 and 97.5 % of bootstrap draws of references give."""
    count = max(references) + 1
    weights = rng.multinomial(count, np.full(count, 1 / count), PERCENTILE_DRAWS)[:, references].astype(np.float64)
    rx, ry = Ranks(x)(weights), Ranks(y)(weights)
    found = {"srcc": weighted_pearson(rx, ry, weights), "plcc": weighted_pearson(x, y, weights)}
    return {
        f"{name}, percentiles": Interval(*map(float, np.quantile(values, [0.025, 0.975])), count)
        for name, values in found.items()
    }


class CoverageCounts:
    """Shares of intervals that hold the truth, and their median width."""

    def __init__(self) -> None:
        self.rows: dict[str, list[tuple[bool, float]]] = {}

    def add(self, name: str, interval: Interval | None, truth: float) -> None:
        """Count an interval; one that is undefined has missed."""
        held = interval is not None and interval.low <= truth <= interval.high
        self.rows.setdefault(name, []).append((held, 0.0 if interval is None else interval.high - interval.low))

    def lines(self) -> Iterator[tuple[str, float, float, float]]:
        """(name, coverage, its Monte-Carlo standard error, median width)."""
        for name, rows in self.rows.items():
            held = float(np.mean([held for held, _ in rows]))
            yield (
                name,
                held,
                float(np.sqrt(held * (1 - held) / len(rows))),
                float(np.median([width for _, width in rows])),
            )


def compute_true_values(seed: int) -> dict[str, dict[str, float]]:
    """Metrics of every model over many references."""
    rng = np.random.default_rng(seed)
    quality, opinion, _ = make_qualities(rng, MANY)
    # Not so many groups that are left out: none.
    whole = Groups(np.zeros(len(quality), dtype=np.int64), 0, MANY)
    found = {}
    for model in MODELS:
        scores = make_scores(rng, quality, model)
        own = {metric: float(values[0]) for metric, values in leave_out(scores, opinion, whole).items()}
        found[model.name] = {**own, "krcc": krcc(scores, opinion) or 0.0}
    return found


def simulate(references: int, draws: int, seed: int, truth: dict[str, dict[str, float]]) -> CoverageCounts:
    """Intervals of all kinds on `draws` sets."""
    counts = CoverageCounts()
    rng = np.random.default_rng((seed, references))
    for draw in range(draws):
        quality, opinion, of = make_qualities(rng, references)
        scores = {model.name: make_scores(rng, quality, model) for model in MODELS}
        for name, x in scores.items():
            found = estimate_intervals(x, opinion, of)
            for metric in METRICS:
                counts.add(f"{metric}, {name}", found[metric], truth[name][metric])
            if draw < draws // 4:  # slow, and only for comparison
                for metric, interval in compute_percentiles(x, opinion, of, rng).items():
                    counts.add(f"{metric}, {name}", interval, truth[name][metric.partition(",")[0]])
        for metric, (interval, _) in compare_metrics(scores["strong"], scores["middling"], opinion, of).items():
            counts.add(f"difference of {metric}", interval, truth["strong"][metric] - truth["middling"][metric])
        for share, within in SHARES:
            right, asked = make_answers(rng, references, share, within)
            counts.add(f"accuracy {share:g}, within references {within:g}", estimate_mean_interval(right, asked), share)
        first, asked = make_answers(rng, references, 0.8, 0.1)
        second = (rng.random(len(first)) < 0.7).astype(np.float64)
        counts.add("difference of accuracies", estimate_mean_difference(first - second, asked)[0], 0.1)
    return counts


def main(arguments: Sequence[str] | None = None, write: Callable[[str], object] = sys.stdout.write) -> None:
    """Print one row for each kind of interval, coverage by number of references."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=1000, help="made-up sets for each number of references")
    parser.add_argument("--references", default=",".join(map(str, REFERENCES)))
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    counts = [int(word) for word in chosen.references.split(",")]
    start, truth = time.process_time(), compute_true_values(chosen.seed)
    found = {
        count: {row[0]: row for row in simulate(count, chosen.draws, chosen.seed, truth).lines()} for count in counts
    }
    names = list(found[counts[0]])
    write(f"| interval | {' | '.join(f'{count}' for count in counts)} | width at {counts[-1]} |\n")
    write(f"|---|{'---:|' * (len(counts) + 1)}\n")
    for name in sorted(names, key=lambda name: ("percentiles" in name, name.startswith("diff"), name)):
        cells = [f"{found[count][name][1]:.3f}" for count in counts]
        write(f"| {name} | {' | '.join(cells)} | {found[counts[-1]][name][3]:.3f} |\n")
    errors = [row[2] for rows in found.values() for name, row in rows.items() if "percentiles" not in name]
    slow = [row[2] for rows in found.values() for name, row in rows.items() if "percentiles" in name]
    true = "; ".join(f"{name} SRCC {own['srcc']:.3f}, PLCC {own['plcc']:.3f}" for name, own in truth.items())
    error = f"Monte-Carlo standard error up to {max(errors):.3f}, of percentiles {max(slow):.3f}"
    write(f"\n{chosen.draws} sets each; {error}. ")
    write(f"True values: {true}. {time.process_time() - start:.0f} s of CPU.\n")


if __name__ == "__main__":
    main()
