"""Which families are drawn next, by how well a model does on them: reward-conditioned sampling, as in GS-IQA (2026).

Family c is drawn with probability (1 - floor) * softmax(-R / tau)_c + floor / n, where R_c is an exponential mean of
its rewards. `update_means` and `compute_probabilities` are pure. `RewardSampler` keeps the means of the last
generations of answers: the items of generation g are drawn by the means after generation g - `lag`. The loader fetches
an item before the rewards of the generation ahead of it are known; with the newest means, what is drawn would depend on
how far it read ahead. So it depends on rewards alone, and is the same on every process and in a run that goes on.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any, NamedTuple

from refine_iqa_train.config.schema import RewardSamplerRules
from refine_iqa_train.rewards.grades import Grade

__all__ = ["RewardMean", "RewardSampler", "compute_probabilities", "count_lag", "update_means"]

STATE_FORMAT = 1
Means = Mapping[str, "RewardMean"]


class RewardMean(NamedTuple):
    """The exponential mean of a family's rewards, 0 to 1, and the number of generations that it was rewarded in."""

    value: float
    generations: int


def update_means(means: Means, rewards: Iterable[tuple[str, float]], alpha: float) -> dict[str, RewardMean]:
    """Take the rewards of one generation into the means.

    Parameters
    ----------
    means
        Before, by name. It is not changed.
    rewards
        (name, reward) of every answer. Their order does not matter.
    alpha
        The weight of the newest generation, above 0 and up to 1. The first few weigh more, each what it is among those
        so far: else the very first would decide for long.

    Returns
    -------
    dict
        After; names without a reward are as they were.

    Examples
    --------
    >>> from refine_iqa_train.training.reward_sampler import update_means
    >>> update_means({}, [("blur", 1.0), ("blur", 0.0), ("noise", 1.0)], alpha=0.5)
    {'blur': RewardMean(value=0.5, generations=1), 'noise': RewardMean(value=1.0, generations=1)}
    """
    by_name: dict[str, list[float]] = {}
    for name, reward in rewards:
        by_name.setdefault(name, []).append(reward)
    after = dict(means)
    for name in sorted(by_name):
        old = after.get(name, RewardMean(0.0, 0))
        weight = alpha / (1 - (1 - alpha) ** (old.generations + 1))
        value = old.value + weight * (fmean(by_name[name]) - old.value)
        after[name] = RewardMean(min(1.0, max(0.0, value)), old.generations + 1)
    return after


def compute_probabilities(means: Means, names: Sequence[str], tau: float, floor: float) -> dict[str, float]:
    """Compute how likely each name is drawn: the less it was rewarded, the more.

    Parameters
    ----------
    means
        By name; a name without one counts as the mean of the others.
    names
        All that can be drawn.
    tau
        The temperature, above 0: large ones draw alike, small ones the worst alone.
    floor
        The share that is spread evenly, 0 to 1.

    Returns
    -------
    dict
        Probabilities by name, in the order of `names`; each at least floor / len(names).

    Examples
    --------
    >>> from refine_iqa_train.training.reward_sampler import RewardMean, compute_probabilities
    >>> means = {"blur": RewardMean(0.2, 9), "noise": RewardMean(0.9, 9)}
    >>> found = compute_probabilities(means, ["blur", "noise", "haze"], tau=1.0, floor=0.05)
    >>> {name: round(value, 3) for name, value in found.items()}
    {'blur': 0.448, 'noise': 0.231, 'haze': 0.321}
    """
    known = [means[name].value for name in names if name in means]
    unseen = fmean(known) if known else 0.0
    values = [means[name].value if name in means else unseen for name in names]
    weights = [math.exp((min(values) - value) / tau) for value in values]
    total = math.fsum(weights)
    return {
        name: (1 - floor) * weight / total + floor / len(names) for name, weight in zip(names, weights, strict=True)
    }


def count_lag(accumulation: int, uses: int) -> int:
    """Count how many generations of answers behind the means are that an item is drawn by.

    The trainer fetches the batches of a step at its beginning, and one more: those of later generations are drawn
    before the answers of this one are rewarded.

    Parameters
    ----------
    accumulation
        Batches of a step (`gradient_accumulation_steps`).
    uses
        Batches that one generation of answers is used in (`steps_per_generation` times `num_iterations`).

    Returns
    -------
    int
        At least 2; more only where answers are generated several times in a step.
    """
    return max(2, -(-(accumulation + 1) // uses))


class _Table(NamedTuple):
    """The means after a generation."""

    generation: int
    families: Means
    severities: Means


class RewardSampler:
    """The means after the last generations, and the probabilities that follow.

    Parameters
    ----------
    families, severities
        What can be drawn; no severities where only families are chosen by their rewards.
    rules
        `tau`, `alpha` and `floor`.
    lag
        The items of generation g are drawn by the means after generation g - lag.
    """

    def __init__(
        self, families: Sequence[str], severities: Sequence[str], rules: RewardSamplerRules, lag: int = 2
    ) -> None:
        self.families, self.severities = tuple(families), tuple(severities)
        self._rules, self._lag = rules, lag
        self._tables: list[_Table] = []

    def update(self, generation: int, grades: Iterable[Grade]) -> None:
        """Take the grades of a generation, from all processes, into the means.

        A generation that was taken before is left out: a run that goes on in the middle of one answers it again.
        """
        if self._tables and generation <= self._tables[-1].generation:
            return
        before = self._tables[-1] if self._tables else _Table(-1, {}, {})
        grades = [grade for grade in grades if grade.family in self.families]
        families = ((grade.family, grade.reward) for grade in grades)
        severities = ((str(grade.severity), grade.reward) for grade in grades if str(grade.severity) in self.severities)
        alpha = self._rules.alpha
        table = _Table(
            generation,
            update_means(before.families, families, alpha),
            update_means(before.severities, severities, alpha),
        )
        self._tables.append(table)
        while len(self._tables) > 1 and self._tables[1].generation <= generation - self._lag:
            del self._tables[0]

    def weigh_families(self, generation: int) -> dict[str, float]:
        """The probabilities of families for the items of a generation."""
        return self._weigh(self._find_table(generation).families, self.families)

    def weigh_severities(self, generation: int) -> dict[str, float] | None:
        """The probabilities of severities, "1" to "5"; None where they are as in the recipe."""
        return self._weigh(self._find_table(generation).severities, self.severities) if self.severities else None

    def list_shares(self, generation: int) -> dict[str, float]:
        """The probabilities for the items of a generation as they are logged: "blur", "severity_3"."""
        severities = self.weigh_severities(generation) or {}
        return {**self.weigh_families(generation), **{f"severity_{name}": p for name, p in severities.items()}}

    def _weigh(self, means: Means, names: Sequence[str]) -> dict[str, float]:
        return compute_probabilities(means, names, self._rules.tau, self._rules.floor)

    def _find_table(self, generation: int) -> _Table:
        """The last one after generation - lag or before; at the beginning one without any means."""
        old = [table for table in self._tables if table.generation <= generation - self._lag]
        return old[-1] if old else _Table(-1, {}, {})

    def state_dict(self) -> dict[str, Any]:
        """Everything that what is drawn depends on, as plain values for JSON."""
        return {
            "format": STATE_FORMAT,
            "families": list(self.families),
            "severities": list(self.severities),
            "tables": [[table.generation, table.families, table.severities] for table in self._tables],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state.

        Raises
        ------
        ValueError
            Where it is of other families or severities (the message has both lists), or is no state at all.
        """
        self._tables = self._read_tables(state)

    def check_state_dict(self, state: Mapping[str, Any]) -> None:
        """Raises `ValueError` where `load_state_dict` would, and changes nothing."""
        self._read_tables(state)

    def _read_tables(self, state: Mapping[str, Any]) -> list[_Table]:
        for name, own in (("families", self.families), ("severities", self.severities)):
            others = state.get(name)
            if not isinstance(others, list) or sorted(map(str, others)) != sorted(own):
                raise ValueError(f"{name} were {_list_names(others)} and are {_list_names(own)}")
        try:
            tables = [_Table(int(g), _read_means(one), _read_means(two)) for g, one, two in state["tables"]]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError("it holds no means of rewards") from error
        if state.get("format") != STATE_FORMAT or tables != sorted(tables, key=lambda table: table.generation):
            raise ValueError("it was made by another version")
        return tables


def _list_names(names: object) -> str:
    return ", ".join(map(str, names)) if isinstance(names, Sequence) and names else "none"


def _read_means(stored: Mapping[str, Sequence[float]]) -> dict[str, RewardMean]:
    means = {str(name): RewardMean(float(value), int(count)) for name, (value, count) in stored.items()}
    if not all(0 <= mean.value <= 1 and mean.generations >= 1 for mean in means.values()):  # not true of NaN either
        raise ValueError("a mean lies between 0 and 1")
    return means
