"""Is it in balance? Counts against what they should be: a G-test for doubt, Cohen's w for size.

A check speaks up only where both say so: what is off by little does not matter, and what is off in a small data set may
be chance. Doubt is shared among all checks of a data set (Bonferroni), or one in a hundred would cry wolf.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

__all__ = ["BalanceCheck", "chi_square_tail", "compare_counts", "flag_imbalances"]

_EFFECT = 0.1
"""Cohen (1988) calls w = 0.1 small: 31 % in one of four places is 0.14, 28 % is 0.07."""
_DOUBT = 0.01
"""The chance that a data set in balance is found wanting in anything."""


@dataclass(frozen=True, slots=True)
class BalanceCheck:
    """Counts that were compared with the shares they should have.

    Parameters
    ----------
    name
        What was compared.
    n
        Sum of the counts.
    g
        The statistic of the G-test.
    freedom
        Its degrees of freedom.
    p
        The chance of a statistic as large in a data set in balance, 0 to 1.
    effect
        Cohen's w.
    sentence
        Names the category that is furthest off, its share, and the expected one.
    off
        Whether this is out of balance; set by `flag_imbalances`.
    """

    name: str
    n: int
    g: float
    freedom: int
    p: float
    effect: float
    sentence: str
    off: bool = False


def compare_counts(
    name: str, counts: Mapping[str, int], shares: Mapping[str, float], sentence: str = "{category}: {share} of {n}"
) -> BalanceCheck | None:
    """Compare counts with the shares they should have, by a G-test.

    Parameters
    ----------
    name
        What is compared.
    counts
        By category; one that is missing counts as 0.
    shares
        By category, relative to each other. Categories with a share of 0 are left out.
    sentence
        Template for the category furthest off; may use {category}, {share} (of it, in percent), {expected} and {n}.

    Returns
    -------
    BalanceCheck or None
        None for fewer than two categories, and where all counts are 0.
    """
    whole = sum(share for share in shares.values() if share > 0)
    even = {key: share / whole for key, share in shares.items() if share > 0}
    n = sum(counts.get(key, 0) for key in even)
    if len(even) < 2 or n == 0:
        return None
    observed = {key: counts.get(key, 0) / n for key in even}
    g = 2 * n * sum(p * math.log(p / even[key]) for key, p in observed.items() if p > 0)
    effect = math.sqrt(sum((observed[key] - q) ** 2 / q for key, q in even.items()))
    worst = max(even, key=lambda key: abs(observed[key] - even[key]) / math.sqrt(even[key]))
    text = sentence.format(category=worst, share=_percent(observed[worst]), expected=_percent(even[worst]), n=f"{n:,}")
    freedom = len(even) - 1
    p = chi_square_tail(g, freedom)
    return BalanceCheck(name, n, g, freedom, p, effect, f"{text}; expected {_percent(even[worst])}")


def flag_imbalances(checks: Sequence[BalanceCheck | None]) -> tuple[BalanceCheck, ...]:
    """The checks with `off` set: a check counts only if it is out of balance beyond doubt, and by enough to matter.

    Parameters
    ----------
    checks
        All checks of a data set: the more there are, the less doubt each may leave. None is left out.

    Returns
    -------
    tuple of BalanceCheck
        In the same order.
    """
    present = [check for check in checks if check]
    return tuple(replace(c, off=c.p < _DOUBT / len(present) and c.effect > _EFFECT) for c in present)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.095 or share == 0 else f"{100 * share:.1f} %"


def chi_square_tail(value: float, freedom: int) -> float:
    """The chance of a chi-square above `value` (Wilson and Hilferty 1931): right to a few percent of itself."""
    if value <= 0:
        return 1.0
    spread = 2 / (9 * freedom)
    z = ((value / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)
    return min(1.0, 0.5 * math.erfc(z / math.sqrt(2)))
