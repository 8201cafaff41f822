"""The tables of docs/sensitivity.md: what is kept of a run, and what they say of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from script_modules import BENCHMARKS, isolate_scripts


@pytest.fixture(autouse=True)
def scripts() -> Iterator[None]:
    with isolate_scripts(BENCHMARKS / "sensitivity", BENCHMARKS / "speed"):
        yield


def make_variant(variant: str, notices: float | None, *rates: float) -> dict[str, Any]:
    curves = [{"srcc": rate, "amounts": [1.0, 2.0], "scores": [1.0, 2.0]} for rate in rates]
    facts = {"srcc": sum(rates) / len(rates), "in_order": 0.5, "noticed": 2, "better": 1, "notices_v": notices}
    return {"variant": variant, "family": variant.partition(".")[0], "curves": curves, **facts}


def make_score(*variants: dict[str, Any]) -> dict[str, Any]:
    family = {"family": "blur", "people_rank": 1, "quality_rank": 2}
    people = {"equal_v": 2.6, "srcc": 0.5, "srcc_families": None, "families": [family], "cells": [{}, {}, {}]}
    return {
        **{"n": 1234, "n_read": 1234, "srcc": -0.1, "in_order": 0.5, "notices_v": None, "unnoticed": ["noise.b"]},
        "photographs": {"a": {"noise": 0.125}, "b": {"noise": None}},
        "variants": list(variants),
        "people": people,
    }


def test_what_is_kept_says_the_same_in_tables() -> None:
    from run import trim_score
    from sensitivity_tables import format_families, format_overview

    score = make_score(
        make_variant("blur.a", 0.31, 0.9, 0.4),
        make_variant("blur.b", 12.2, 0.6, 0.5),
        make_variant("noise.b", None, 1.0),
    )
    kept = {"scorers": {"SSIM": trim_score(score)}}
    assert "scores" not in str(kept)
    overview = format_overview(kept)
    assert "| images | 1,234: 2 photographs, up to 2 settings of 3 variants |" in overview
    assert "on every photograph | 2 |" in overview
    assert "mean over variants | -.100 |" in overview
    assert "| ... and first as an improvement | 3 of 6 |" in overview
    assert "| SRCC with people's means | .500 (3 cells) |" in overview
    assert "over 1 families at V 2.6 | - |" in overview
    assert "| noise (largest over photographs) | 0.12 |" in overview
    assert format_families(kept).splitlines()[2:] == [
        "| blur | .60 | .3 12 | 1, 2 |",
        "| noise | 1.00 | - |  |",
    ]
