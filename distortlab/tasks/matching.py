"""Which given region stands for which true one: an optimal assignment by IoU."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from distortlab.tasks.grounding import iou
from distortlab.tasks.region_lists import DistortedRegion
from distortlab.tasks.terms import LEVELS

__all__ = ["HIT", "Match", "assign", "match_regions"]

HIT = 0.5
"""The IoU from which a pair counts."""
_ROUNDING = 1e-9
"""An IoU of a half can come out as 0.49999999999999994."""


@dataclass(frozen=True, slots=True)
class Match:
    """A true region, the given one that it was matched with (None where there is none), and their IoU."""

    right: DistortedRegion
    given: DistortedRegion | None
    iou: float

    @property
    def is_hit(self) -> bool:
        """Whether the given box is near enough to count."""
        return self.given is not None and self.iou >= HIT - _ROUNDING

    @property
    def is_type_right(self) -> bool:
        """Whether box and type are right."""
        return self.given is not None and self.is_hit and self.given.family == self.right.family

    @property
    def severity_distance(self) -> int | None:
        """Levels between the two severities; None where box or type are wrong, or the level none of the five."""
        given, right = self.given, self.right
        if given is None or not self.is_type_right or given.severity is None or right.severity is None:
            return None
        return abs(given.severity - right.severity)


def match_regions(given: Sequence[DistortedRegion], right: Sequence[DistortedRegion]) -> tuple[Match, ...]:
    """Match true regions with given ones, one to one, so that the sum of IoUs is largest.

    Of several such assignments it is one with the most pairs from an IoU of 0.5, then with the most right types, then
    with the nearest severities: what equal boxes are worth does not depend on the order in which they are listed.

    Returns
    -------
    tuple of Match
        One for each true region, in the order of `DistortedRegion.sort_key`.
    """
    rows = sorted(right, key=lambda region: region.sort_key)
    columns = sorted(given, key=lambda region: region.sort_key)
    pairs = [[Match(row, column, iou(row.box, column.box)) for column in columns] for row in rows]
    chosen = dict(assign([[_rank(pair) for pair in line] for line in pairs]))
    partners = [pairs[row][chosen[row]] if row in chosen else None for row in range(len(rows))]
    return tuple(
        match if match is not None and match.iou > 0.0 else Match(row, None, 0.0)
        for row, match in zip(rows, partners, strict=True)
    )


def _rank(match: Match) -> int:
    """IoU, hit, type and severity as the digits of one integer, so that sums are compared digit by digit, exactly.

    A digit holds the sum over `MOST` pairs; the IoU is rounded to 2**-40.
    """
    distance = match.severity_distance
    digits = match.is_hit, match.is_type_right, 0 if distance is None else len(LEVELS) - distance
    rank = round(match.iou * 2**40)
    for digit in digits:
        rank = rank * 1024 + digit
    return rank


def assign(values: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """Pair the rows of a matrix with its columns, one to one, for the largest sum.

    The Hungarian method: one shortest augmenting path for each row (Kuhn 1955; Jonker and Volgenant 1987). It takes
    O(r * r * c) steps, r the shorter side and c the longer one. Integers are never converted, so that a sum of large
    ones is exact.

    Parameters
    ----------
    values
        Finite numbers, every row as long as the others; there may be none.

    Returns
    -------
    list of (int, int)
        (row, column) of every pair in the order of the rows, as many as the shorter side has. Of several best
        assignments it is always the same one.

    Examples
    --------
    >>> from distortlab.tasks.matching import assign
    >>> assign([[9, 8], [8, 0], [7, 1]])
    [(0, 1), (1, 0)]
    """
    if not values or not values[0]:
        return []
    if len(values) > len(values[0]):
        return sorted((row, column) for column, row in assign(list(zip(*values, strict=True))))
    start = len(values[0])  # a column beyond the last one, from which every search begins
    owners: list[int | None] = [None] * (start + 1)
    row_prices: list[float] = [0] * len(values)
    column_prices: list[float] = [0] * (start + 1)
    for row in range(len(values)):
        owners[start] = row
        _augment(values, owners, row_prices, column_prices)
    return sorted((row, column) for column, row in enumerate(owners) if row is not None)


def _augment(
    values: Sequence[Sequence[float]],
    owners: list[int | None],
    row_prices: list[float],
    column_prices: list[float],
) -> None:
    """Find a column for the row that owns the last one; rows on the cheapest path there move on by one column."""
    start = len(owners) - 1
    slack, previous = [math.inf] * start, [start] * start
    reached, column = [start], start
    while (row := owners[column]) is not None:
        for other in set(range(start)).difference(reached):
            cost = -values[row][other] - row_prices[row] - column_prices[other]
            if cost < slack[other]:
                slack[other], previous[other] = cost, column
        left = [other for other in range(start) if other not in reached]
        column = min(left, key=slack.__getitem__)
        step = slack[column]
        for other in reached:
            column_prices[other] -= step
            if (owned := owners[other]) is not None:
                row_prices[owned] += step
        for other in left:
            slack[other] -= step
        reached.append(column)
    while column != start:
        owners[column] = owners[previous[column]]
        column = previous[column]
    owners[start] = None
