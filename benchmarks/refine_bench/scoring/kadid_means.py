"""A score beside what people said: KADID-10k's distortions, at the V that they had there.

People's means and their V are `distortlab.severity.human_scores.KADID_MEANS`; the score at that V is read between the
settings of a ladder, on each photograph, and averaged.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np

from distortlab.distortions.base import TARGETS
from distortlab.severity.human_scores import KADID_MEANS
from refine_bench.statistics.correlation import mean, srcc

__all__ = ["EQUAL_V", "FamilyFacts", "PeopleCell", "PeopleFacts", "compare_with_people"]

EQUAL_V = TARGETS[1]
"""The V at which families are ranked: of severity 2, which KADID's people judged of all but one of them."""

Curves = Sequence[tuple[Sequence[float], Sequence[float]]]


class PeopleCell(TypedDict):
    """A distortion at a level of KADID-10k: its V there, people's mean on 1-5, the score's quality at that V."""

    variant: str
    level: int
    v: float
    people: float
    quality: float


class FamilyFacts(TypedDict):
    """A family at one V. Ranks begin with 1, the best quality."""

    family: str
    variants: int
    people: float
    quality: float
    people_rank: int
    quality_rank: int


class PeopleFacts(TypedDict):
    """`srcc`: over all cells. `families`: at the V `equal_v`, in the order of people; `srcc_families`: over those."""

    cells: list[PeopleCell]
    srcc: float | None
    equal_v: float
    families: list[FamilyFacts]
    srcc_families: float | None


def compare_with_people(curves: Mapping[str, Curves]) -> PeopleFacts:
    """Compare a score with people's means.

    Parameters
    ----------
    curves
        Of each variant, for every photograph (V, quality) of its ladder from V 0 on; quality rises with quality.
    """
    known = {name: each for name, each in curves.items() if name in KADID_MEANS}
    cells: list[PeopleCell] = [
        {"variant": name, "level": level, "v": v, "people": people, "quality": quality}
        for name, each in known.items()
        for level, (v, people) in enumerate(KADID_MEANS[name], 1)
        if (quality := _read_quality(each, v)) is not None
    ]
    families = _rank_families(known)
    return {
        "cells": cells,
        "srcc": srcc([cell["quality"] for cell in cells], [cell["people"] for cell in cells]),
        "equal_v": EQUAL_V,
        "families": families,
        "srcc_families": srcc([each["quality"] for each in families], [each["people"] for each in families]),
    }


def _read_quality(curves: Curves, v: float) -> float | None:
    """The mean quality at a V over the photographs whose ladders reach it; None where none does."""
    values = []
    for visible, quality in curves:
        rising = np.maximum.accumulate(visible)
        if rising[0] <= v <= rising[-1]:
            values.append(float(np.interp(v, rising, quality)))
    return mean(values)


def _rank_families(curves: Mapping[str, Curves]) -> list[FamilyFacts]:
    people: dict[str, list[float]] = defaultdict(list)
    own: dict[str, list[float]] = defaultdict(list)
    for name, each in curves.items():
        visible, scores = zip(*KADID_MEANS[name], strict=True)
        quality = _read_quality(each, EQUAL_V)
        if visible[0] <= EQUAL_V <= visible[-1] and quality is not None:
            people[name.partition(".")[0]].append(float(np.interp(EQUAL_V, visible, scores)))
            own[name.partition(".")[0]].append(quality)
    means = {family: (float(np.mean(people[family])), float(np.mean(own[family]))) for family in people}
    order = sorted(means, key=lambda family: -means[family][0])
    by_quality = sorted(means, key=lambda family: -means[family][1])
    return [
        {
            "family": family,
            "variants": len(own[family]),
            "people": means[family][0],
            "quality": means[family][1],
            "people_rank": order.index(family) + 1,
            "quality_rank": by_quality.index(family) + 1,
        }
        for family in order
    ]
