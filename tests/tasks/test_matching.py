"""Laws of the assignment: the largest sum, one to one, and the same whatever the order."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from distortlab.tasks.grounding import iou
from distortlab.tasks.matching import HIT, assign, match_regions
from distortlab.tasks.region_lists import DistortedRegion

EDGES = st.tuples(st.integers(0, 3), st.integers(1, 3)).map(lambda pair: (pair[0], pair[0] + pair[1]))
"""On a grid as coarse as this, many boxes are equal and many IoUs as well."""
regions = st.builds(
    lambda x, y, family, severity: DistortedRegion((x[0], y[0], x[1], y[1]), family, severity),
    EDGES,
    EDGES,
    st.sampled_from(["blur", "noise"]),
    st.integers(1, 5),
)
sets = st.lists(regions, max_size=5)


def draw_set(source: random.Random) -> list[DistortedRegion]:
    found = []
    for _ in range(source.randrange(6)):
        x, y = source.randrange(2), source.randrange(2)
        box = (x, y, x + 1 + source.randrange(2), y + 1 + source.randrange(3))
        found.append(DistortedRegion(box, source.choice(["blur", "noise"]), source.randrange(1, 6)))
    return found


def test_as_large_a_sum_as_scipy_on_10000_matrices_with_ties() -> None:
    source = random.Random(14)
    for _ in range(10_000):
        rows, columns, most = source.randrange(1, 7), source.randrange(1, 7), source.choice([1, 3, 1000])
        values = [[source.randrange(-most, most + 1) for _ in range(columns)] for _ in range(rows)]
        pairs = assign(values)
        assert len(pairs) == min(rows, columns)
        assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
        best = np.array(values)[linear_sum_assignment(np.array(values), maximize=True)].sum()
        assert sum(values[row][column] for row, column in pairs) == best


def test_as_large_a_sum_of_ious_as_scipy_on_10000_sets_with_ties() -> None:
    source, ties = random.Random(14), 0
    for _ in range(10_000):
        given, right = draw_set(source), draw_set(source)
        ties += len({region.box for region in given}) < len(given)
        overlaps = np.array([[iou(one.box, other.box) for other in given] for one in right])
        overlaps = overlaps.reshape(len(right), len(given))
        best = overlaps[linear_sum_assignment(overlaps, maximize=True)].sum()
        assert sum(match.iou for match in match_regions(given, right)) == pytest.approx(best, abs=1e-9)
    assert ties > 500


@pytest.mark.parametrize("values", [[], [[]], [[], []]])
def test_of_nothing_there_are_no_pairs(values: list[list[int]]) -> None:
    assert assign(values) == []


def test_sums_of_large_integers_are_exact() -> None:
    big = 10**30
    assert assign([[big, big + 1], [big, big]]) == [(0, 1), (1, 0)]
    assert assign([[big + 1, big], [big, big]]) == [(0, 0), (1, 1)]


@given(given=sets, right=sets, lot=st.randoms(use_true_random=False))
def test_the_order_of_the_lists_does_not_matter(
    given: list[DistortedRegion], right: list[DistortedRegion], lot: random.Random
) -> None:
    matches = match_regions(given, right)
    assert match_regions(lot.sample(given, len(given)), lot.sample(right, len(right))) == matches


@given(given=sets, right=sets)
def test_every_true_region_has_one_match_and_a_given_one_at_most_one(
    given: list[DistortedRegion], right: list[DistortedRegion]
) -> None:
    matches = match_regions(given, right)
    assert sorted(map(repr, right)) == sorted(repr(match.right) for match in matches)
    left = list(given)
    for match in matches:
        assert (match.given is None) == (match.iou == 0.0)
        assert match.is_hit == (round(match.iou, 6) >= HIT)
        if match.given is not None:
            assert match.iou == iou(match.given.box, match.right.box)
            left.remove(match.given)


@given(regions=sets)
def test_a_set_is_matched_with_itself(regions: list[DistortedRegion]) -> None:
    """Also where boxes are equal and only types or severities tell them apart."""
    assert all(match.given == match.right and match.iou == 1.0 for match in match_regions(regions, regions))


def test_by_hand() -> None:
    right = [DistortedRegion((0, 0, 100, 100), "blur", 1), DistortedRegion((50, 0, 150, 100), "noise", 2)]
    given = [DistortedRegion((40, 0, 140, 100), "noise", 5), DistortedRegion((0, 0, 100, 90), "noise", 1)]
    first, second = match_regions(given, right)
    assert first.iou == pytest.approx(0.9)
    assert (first.is_hit, first.is_type_right, first.severity_distance) == (True, False, None)
    assert (second.is_hit, second.is_type_right, second.severity_distance) == (True, True, 3)
    # One box cannot count twice.
    between = match_regions([DistortedRegion((25, 0, 125, 100), "blur", None)], right)
    assert [match.given is None for match in between] == [False, True]
    assert between[0].severity_distance is None


@pytest.mark.parametrize("width", range(3, 300, 3))
def test_a_pair_counts_from_half_on_whatever_is_lost_in_floats(width: int) -> None:
    right = [DistortedRegion((width // 3, 0, width // 3 + width, 7), "blur", 1)]
    assert match_regions([DistortedRegion((0, 0, width, 7), "blur", 1)], right)[0].is_hit
    assert not match_regions([DistortedRegion((0, 0, width - 1, 7), "blur", 1)], right)[0].is_hit


@pytest.mark.parametrize("families", [("blur", "noise"), ("darken", "darken")])
def test_of_equal_sums_the_one_with_more_hits(families: tuple[str, str]) -> None:
    """Two ways to a sum of 1: one pair that fits and one that does not touch, or two pairs of 0.5."""
    right = [DistortedRegion((0, 0, 2, 1), "blur", 1), DistortedRegion((1, 0, 2, 1), "noise", 1)]
    boxes = ((0, 0, 1, 1), (0, 0, 2, 1))
    given = [DistortedRegion(box, family, 1) for box, family in zip(boxes, families, strict=True)]
    assert [match.is_hit for match in match_regions(given, right)] == [True, True]


def test_of_equal_boxes_the_right_types_then_the_nearest_severities() -> None:
    right = [DistortedRegion((0, 0, 2, 1), family, 1) for family in ("blur", "noise")]
    for order in (("blur", "noise"), ("noise", "blur")):
        found = match_regions([DistortedRegion((0, 0, 2, 1), family, 4) for family in order], right)
        assert [match.severity_distance for match in found] == [3, 3]
    right = [DistortedRegion((0, 0, 2, 1), "blur", severity) for severity in (1, 5)]
    for severity, distances in ((1, [0, None]), (2, [1, None]), (4, [None, 1]), (5, [None, 0])):
        found = match_regions([DistortedRegion((0, 0, 2, 1), "blur", severity)], right)
        assert [match.severity_distance for match in found] == distances
