"""How a score moves along dense ladders: is it monotone, where does it begin to notice, does it agree with people?

A score notices a setting where it lies farther from that of the photograph than that of any unharmed copy does, and so
it does at the next two settings. The copies are those of `datasets.ladders.COPIES`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal, TypedDict, cast

import numpy as np

from distortlab.distortions.catalog import CATALOG
from refine_bench.prompts.answers import MISSING
from refine_bench.runs.ladders import LadderTruth, read_visibilities
from refine_bench.runs.store import Run
from refine_bench.scoring.kadid_means import PeopleFacts, compare_with_people
from refine_bench.scoring.saved import SavedSet, open_saved
from refine_bench.statistics.correlation import mean, srcc

__all__ = ["Curve", "SensitivityScore", "Threshold", "VariantFacts", "score_sensitivity"]

_SUSTAINED = 3
"""Settings in a row that must be noticed."""
_CLEAR = 0.5
"""SRCC from which on a direction is clear."""
_FLAT = 0.5
"""The share of steps above which a score that does not change is flat."""


class Threshold(TypedDict):
    """Where a score begins to notice. `side`: whether the photograph counts as "worse" or "better" from there on."""

    step: int
    amount: float
    v: float
    side: Literal["worse", "better"]


class Curve(TypedDict):
    """A ladder on one photograph. `scores`: as the model gives them, None where one was not read.

    `srcc`: of the steps with falling quality, 1 where it falls all the way. `in_order`: the share of neighboring
    settings of which the stronger one has the lower quality, ties counting half. `notices`: None where nothing is
    noticed.
    """

    photograph: str
    amounts: list[float]
    v: list[float]
    scores: list[float | None]
    srcc: float | None
    in_order: float | None
    notices: Threshold | None


class VariantFacts(TypedDict):
    """A variant over photographs. `srcc`, `in_order`: means; `noticed`: on how many photographs anything is.

    `notices_v`: the median V from which on it is, None where it is not noticed on half of the photographs; `v_range`:
    least and most where it is. `better`: on how many photographs it begins as an improvement. `direction`: of the
    score's quality along the ladder.
    """

    variant: str
    family: str
    direction: Literal["falls", "rises", "flat", "mixed"]
    srcc: float | None
    in_order: float | None
    noticed: int
    better: int
    notices_v: float | None
    v_range: list[float] | None
    curves: list[Curve]


class CopyFacts(TypedDict):
    """A photograph: its own score, those of its unharmed copies, and the largest of their distances from its own."""

    reference: float | None
    noise: float | None
    copies: dict[str, float | None]
    v: dict[str, float]


class SensitivityScore(TypedDict):
    """All of it, ready for JSON. `sign`: -1 where the score falls with quality. `srcc`, `in_order`: means over
    variants; `notices_v`: the median over variants, those that are not noticed last.
    """

    model: str
    set: str
    title: str
    protocol: str
    sign: float
    n: int
    n_read: int
    failures: dict[str, int]
    srcc: float | None
    in_order: float | None
    notices_v: float | None
    unnoticed: list[str]
    photographs: dict[str, CopyFacts]
    variants: list[VariantFacts]
    people: PeopleFacts


def score_sensitivity(run: Run, entry: str, reader: str | None = None) -> SensitivityScore:
    """Score a run on ladders from what it saved.

    Parameters
    ----------
    run
        The run.
    entry
        The name of the set's files.
    reader
        How to read the answers; None for the way that the run was made for.
    """
    saved = open_saved(run, entry, reader)
    visible = read_visibilities(run.folder, entry)
    scores, failures = _read_scores(saved)
    groups: dict[str, list[LadderTruth]] = defaultdict(list)
    for item in saved.items:
        truth = cast(LadderTruth, item["truth"])
        groups[truth["variant"] or ""].append(truth)
    photographs = _describe_copies(groups.pop("", []), scores, visible)
    variants = [
        _describe_variant(row.name, groups[row.name], scores, visible, photographs, saved.sign)
        for row in CATALOG
        if row.name in groups
    ]
    thresholds = [np.inf if each["notices_v"] is None else each["notices_v"] for each in variants]
    return {
        "model": run.model,
        "set": saved.facts["set"],
        "title": str((saved.facts.get("facts") or {}).get("title", "")),
        "protocol": saved.protocol.name,
        "sign": saved.sign,
        "n": len(saved.items),
        "n_read": len(saved.items) - sum(failures.values()),
        "failures": failures,
        "srcc": mean([each["srcc"] for each in variants]),
        "in_order": mean([each["in_order"] for each in variants]),
        "notices_v": _median(thresholds),
        "unnoticed": [each["variant"] for each in variants if each["notices_v"] is None],
        "photographs": photographs,
        "variants": variants,
        "people": compare_with_people(_list_qualities(variants, photographs, saved.sign)),
    }


def _read_scores(saved: SavedSet) -> tuple[dict[str, float | None], dict[str, int]]:
    """The score of every item, the mean of its samples, None where none was read; and why not, with how often."""
    scores: dict[str, float | None] = {}
    failures: dict[str, int] = defaultdict(int)
    for item in saved.items:
        readings = [saved.read_score(item, sample) for sample in saved.samples]
        values = [reading.value for reading in readings if reading.value is not None]
        scores[item["id"]] = mean(values) if values else None
        if not values:
            failures[readings[0].status if readings else MISSING] += 1
    return scores, dict(failures)


def _name_item(truth: LadderTruth) -> str:
    return f"{truth['photograph']}/{truth['copy'] or '{variant}/{step:03d}'.format(**truth)}"


def _describe_copies(
    truths: Sequence[LadderTruth], scores: Mapping[str, float | None], visible: Mapping[str, float]
) -> dict[str, CopyFacts]:
    own: dict[str, dict[str, float | None]] = defaultdict(dict)
    seen: dict[str, dict[str, float]] = defaultdict(dict)
    for truth in truths:
        name = _name_item(truth)
        own[truth["photograph"]][str(truth["copy"])] = scores[name]
        seen[truth["photograph"]][str(truth["copy"])] = visible.get(name, 0.0)
    return {key: _describe_photograph(values, seen[key]) for key, values in own.items()}


def _describe_photograph(values: dict[str, float | None], seen: dict[str, float]) -> CopyFacts:
    reference = values.pop("reference", None)
    seen.pop("reference", None)
    read = [value for value in values.values() if value is not None]
    noise = max(abs(value - reference) for value in read) if read and reference is not None else None
    return {"reference": reference, "noise": noise, "copies": values, "v": seen}


def _describe_variant(
    name: str,
    truths: Sequence[LadderTruth],
    scores: Mapping[str, float | None],
    visible: Mapping[str, float],
    photographs: Mapping[str, CopyFacts],
    sign: float,
) -> VariantFacts:
    own: dict[str, list[LadderTruth]] = defaultdict(list)
    for truth in truths:
        own[truth["photograph"]].append(truth)
    curves = [_draw_curve(key, each, scores, visible, photographs[key], sign) for key, each in own.items()]
    found = [curve["notices"] for curve in curves if curve["notices"] is not None]
    values = [threshold["v"] for threshold in found]
    return {
        "variant": name,
        "family": name.partition(".")[0],
        "direction": _find_direction(curves),
        "srcc": mean([curve["srcc"] for curve in curves]),
        "in_order": mean([curve["in_order"] for curve in curves]),
        "noticed": len(found),
        "better": sum(threshold["side"] == "better" for threshold in found),
        "notices_v": _median([*values, *[np.inf] * (len(curves) - len(found))]),
        "v_range": [min(values), max(values)] if values else None,
        "curves": curves,
    }


def _draw_curve(
    photograph: str,
    truths: Sequence[LadderTruth],
    scores: Mapping[str, float | None],
    visible: Mapping[str, float],
    copies: CopyFacts,
    sign: float,
) -> Curve:
    ordered = sorted(truths, key=lambda truth: truth["step"])
    names = [_name_item(truth) for truth in ordered]
    amounts, v = [float(truth["amount"] or 0.0) for truth in ordered], [visible.get(name, 0.0) for name in names]
    read = [(step, sign * value) for step, name in enumerate(names) if (value := scores[name]) is not None]
    steps, quality = [step for step, _ in read], [value for _, value in read]
    falling = srcc(steps, [-value for value in quality]) if len(read) > 2 else None
    return {
        "photograph": photograph,
        "amounts": amounts,
        "v": v,
        "scores": [scores[name] for name in names],
        "srcc": falling,
        "in_order": mean([float(a > b) + 0.5 * (a == b) for a, b in pairwise(quality)]),
        "notices": _find_threshold(read, amounts, v, copies, sign),
    }


def _find_threshold(
    read: Sequence[tuple[int, float]], amounts: Sequence[float], v: Sequence[float], copies: CopyFacts, sign: float
) -> Threshold | None:
    if copies["reference"] is None or copies["noise"] is None:
        return None
    off = np.array([quality - sign * copies["reference"] for _, quality in read])
    is_seen = np.abs(off) > copies["noise"]
    for place in range(len(read)):
        if is_seen[place : place + _SUSTAINED].all():
            step = read[place][0]
            side: Literal["worse", "better"] = "worse" if off[place] < 0 else "better"
            return {"step": step, "amount": amounts[step], "v": v[step], "side": side}
    return None


def _find_direction(curves: Sequence[Curve]) -> Literal["falls", "rises", "flat", "mixed"]:
    """Where all photographs agree clearly; flat where the score mostly does not change."""
    known = [curve["srcc"] for curve in curves if curve["srcc"] is not None and not _is_flat(curve)]
    if not known:
        return "flat"
    if all(value > _CLEAR for value in known):
        return "falls"
    return "rises" if all(value < -_CLEAR for value in known) else "mixed"


def _is_flat(curve: Curve) -> bool:
    scores = [score for score in curve["scores"] if score is not None]
    steps = list(pairwise(scores))
    return sum(a == b for a, b in steps) > _FLAT * len(steps)


def _median(values: Sequence[float]) -> float | None:
    """None where the middle one is infinite: half or more have no value."""
    if not values:
        return None
    middle = float(np.sort(values)[len(values) // 2])
    return middle if np.isfinite(middle) else None


def _list_qualities(
    variants: Sequence[VariantFacts], photographs: Mapping[str, CopyFacts], sign: float
) -> dict[str, list[tuple[list[float], list[float]]]]:
    """(V, quality) of every curve of each variant, from the photograph on, whose V is 0."""
    found: dict[str, list[tuple[list[float], list[float]]]] = {}
    for each in variants:
        for curve in each["curves"]:
            reference = photographs[curve["photograph"]]["reference"]
            pairs = [(v, sign * s) for v, s in zip(curve["v"], curve["scores"], strict=True) if s is not None]
            start = [] if reference is None else [(0.0, sign * reference)]
            if pairs:
                v, quality = map(list, zip(*start, *pairs, strict=True))
                found.setdefault(each["variant"], []).append((v, quality))
    return found
