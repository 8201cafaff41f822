"""Is it in balance? Counts against what they should be: a G-test for doubt, Cohen's w for size.

A check speaks up only where both say so: what is off by little does not matter, and what is off in a small data set may
be chance. Doubt is shared among all checks of a data set (Bonferroni), or one in a hundred would cry wolf.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Check", "checked", "chi_square_tail", "judged"]

_EFFECT = 0.1
"""Cohen (1988) calls w = 0.1 small: 31 % in one of four places is 0.14, 28 % is 0.07."""
_DOUBT = 0.01
"""The chance that a data set in balance is found wanting in anything."""


@dataclass(frozen=True, slots=True)
class Check:
    """Counts that were compared with shares.

    `sentence` names the category that is furthest off. `g` the statistic with its degrees of `freedom`, `p` the chance
    of one as large, `effect` Cohen's w; `off` is set by `judged`.
    """

    name: str
    n: int
    g: float
    freedom: int
    p: float
    effect: float
    sentence: str
    off: bool = False


def checked(
    name: str, counts: Mapping[str, int], shares: Mapping[str, float], sentence: str = "{category}: {share} of {n}"
) -> Check | None:
    """Compare counts with shares (relative; those of 0 are left out). None where there is nothing to compare.

    `sentence` may use {category}, {share} (of it, in percent), {expected} and {n}.
    """
    whole = sum(share for share in shares.values() if share > 0)
    even = {key: share / whole for key, share in shares.items() if share > 0}
    n = sum(counts.get(key, 0) for key in even)
    if len(even) < 2 or n == 0:
        return None
    seen = {key: counts.get(key, 0) / n for key in even}
    g = 2 * n * sum(p * math.log(p / even[key]) for key, p in seen.items() if p > 0)
    effect = math.sqrt(sum((seen[key] - q) ** 2 / q for key, q in even.items()))
    worst = max(even, key=lambda key: abs(seen[key] - even[key]) / math.sqrt(even[key]))
    said = sentence.format(category=worst, share=_percent(seen[worst]), expected=_percent(even[worst]), n=f"{n:,}")
    freedom = len(even) - 1
    return Check(name, n, g, freedom, chi_square_tail(g, freedom), effect, f"{said}; expected {_percent(even[worst])}")


def judged(checks: Sequence[Check | None]) -> tuple[Check, ...]:
    """The checks, each with its verdict among so many."""
    from dataclasses import replace

    made = [check for check in checks if check]
    return tuple(replace(c, off=c.p < _DOUBT / len(made) and c.effect > _EFFECT) for c in made)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.095 or share == 0 else f"{100 * share:.1f} %"


def chi_square_tail(value: float, freedom: int) -> float:
    """The chance of a chi-square above `value` (Wilson and Hilferty 1931): right to a few percent of itself."""
    if value <= 0:
        return 1.0
    spread = 2 / (9 * freedom)
    z = ((value / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)
    return min(1.0, 0.5 * math.erfc(z / math.sqrt(2)))
