"""KonIQ-10k: its splits, its two kinds of MOS, and its official files where they are."""

import os
from pathlib import Path

import pytest
from bench_samples import write_koniq

from refine_bench.datasets import load

DATA = os.environ.get("REFINE_BENCH_DATA")


needs_data = pytest.mark.skipif(not DATA, reason="REFINE_BENCH_DATA is not set")


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ("koniq", ["1.jpg", "3.jpg"]),
        ("koniq:training", ["0.jpg", "2.jpg", "4.jpg"]),
        ("koniq:validation", ["5.jpg"]),
        ("koniq:all", [f"{k}.jpg" for k in range(6)]),
    ],
)
def test_koniq_splits(tmp_path: Path, spec: str, names: list[str]) -> None:
    assert [row.name for row in load(spec, write_koniq(tmp_path / "koniq")).rows] == names


def test_koniq_has_two_kinds_of_mos(tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq")
    acr, zscore = (load(f"koniq:{label}+all", tmp_path) for label in ("acr", "zscore"))
    assert acr.rows[0].mos == pytest.approx(1.7)
    assert zscore.rows[0].mos == 40
    assert (acr.rows[0].sd, zscore.rows[0].sd) == (0.5, None)
    assert acr.rows[0].n_ratings == 100
    assert acr.five(acr.rows[0].mos) == pytest.approx(1.7)
    assert (zscore.observed.low, zscore.observed.high) == (40, 55)


def test_the_observed_range_is_that_of_the_whole_set(tmp_path: Path) -> None:
    write_koniq(tmp_path / "koniq")
    assert load("koniq:zscore+validation", tmp_path).observed == load("koniq:zscore+all", tmp_path).observed


@needs_data
def test_the_official_koniq_file() -> None:
    root = Path(str(DATA)) / "iqa_annotations"
    for spec, n in (("koniq", 2015), ("koniq:qalign-2010", 2010), ("koniq:training", 7058), ("koniq:all", 10073)):
        found = load(spec, root, images=False)
        assert len(found.rows) == n == found.expected
        assert not found.problems
    first = load("koniq:all", root, images=False).rows[0]
    assert first.mos == pytest.approx(3.828571429, abs=1e-8)
    observed = load("koniq:all", root, images=False)
    assert observed.five(first.mos, observed=True) == pytest.approx(4.400806947958697, abs=1e-8)
