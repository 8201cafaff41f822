"""The benchmark of the stages: windows with scores, correlations, differences between arms."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from script_modules import BENCHMARKS, isolate_scripts

from distortlab.severity.human_scores import BEST
from refine_bench.datasets import load
from refine_bench.statistics.correlation import srcc

pytest.importorskip("scipy")


@pytest.fixture(autouse=True, scope="module")
def scripts() -> Iterator[None]:
    with isolate_scripts(BENCHMARKS / "learning"):
        yield


def make_windows(count: int) -> Any:
    from windows import SIDE, Windows

    images = np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)
    return Windows(images, ("blur",) * count, tuple(place % 6 for place in range(count)))


def test_scores_fall_with_the_severity_and_scatter_as_means_of_raters_do() -> None:
    from rated_windows import NOISE, rate_windows
    from windows import Windows

    windows = Windows(np.zeros((6000, 1, 1, 3), np.uint8), ("blur",) * 6000, tuple(n % 6 for n in range(6000)))
    rated = np.reshape(rate_windows(windows, 0).scores, (-1, 6))
    means = rated.mean(0)
    assert (np.diff(means) < -0.2).all()
    assert rated[:, 2].std() == pytest.approx(NOISE, rel=0.1)
    assert rated[:, 0].max() <= 5
    assert means[0] == pytest.approx(BEST, abs=0.1)


def test_ratings_are_read_as_a_rated_set(tmp_path: Path) -> None:
    from rated_windows import RatedWindows, rate_windows, write_ratings

    rated = rate_windows(make_windows(5), 0)
    keys = write_ratings(tmp_path / "rated", rated)
    rows = load(keys["data.rated"], keys["data.rated_root"]).rows
    assert [row.mos for row in rows] == list(rated.scores)
    assert write_ratings(tmp_path / "rated", RatedWindows(rated.windows, (1.0,) * 5)) == keys
    assert json.loads((tmp_path / "rated" / "ratings.json").read_text())[0]["gt_score_norm"] == rated.scores[0]


def test_unread_scores_take_the_middle() -> None:
    from stage_scores import fill_unread

    assert fill_unread([None, 1.0, 4.0]).tolist() == [2.5, 1.0, 4.0]
    assert fill_unread([None, None]).tolist() == [3.0, 3.0]


def test_answers_that_cannot_be_read_are_left_out() -> None:
    from stage_scores import average_answers

    right = "<think>.</think><answer>Score:{}</answer>"
    assert average_answers([right.format("2.00"), "nothing", right.format("4.00")]) == 3.0
    assert average_answers(["nothing"]) is None


@settings(max_examples=30)
@given(st.lists(st.integers(1, 500), min_size=5, max_size=40).filter(lambda x: len(set(x)) > 1), st.integers(0, 99))
def test_the_correlation_is_that_of_the_harness(scores: list[int], seed: int) -> None:
    from stage_scores import correlate

    truth = np.random.default_rng(seed).normal(size=len(scores))
    assert correlate([score / 100 for score in scores], truth) == pytest.approx(srcc(scores, truth))


def test_equal_scores_have_no_correlation() -> None:
    from stage_scores import correlate

    assert correlate([2.0] * 9, range(9)) == 0


def make_scores(truth: np.ndarray, noise: float, seeds: int = 5) -> dict[str, list[float]]:
    rng = np.random.default_rng(1)
    return {str(seed): (truth + rng.normal(0, noise, len(truth))).tolist() for seed in range(seeds)}


def test_a_better_arm_is_found_better_and_an_equal_one_is_not() -> None:
    from stage_scores import compare_arms

    truth = np.random.default_rng(0).normal(size=200)
    good, bad = make_scores(truth, 0.5), make_scores(truth, 2.0)
    scores = {"good": good, "same": good, "bad": bad}
    found = compare_arms(scores, truth, [("good", "bad"), ("bad", "good"), ("good", "same")], draws=200)
    mean, low, high = found["good", "bad"]
    assert 0 < low < mean < high
    assert found["bad", "good"] == pytest.approx((-mean, -high, -low))
    assert found["good", "same"] == (0, 0, 0)


def test_tables_say_what_decides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from stage_plots import draw_routes
    from stages_page import PAIRS, format_summary

    monkeypatch.setattr("stage_scores.DRAWS", 100)
    truth = np.random.default_rng(0).normal(size=100)
    both = {noise: make_scores(truth, noise) for noise in (0.1, 2.0)}
    routes = {"a": 2.0, "b": 0.1, "c": 2.0, "d": 2.0}
    seeds = {
        seed: {
            "first": {"stage1": {"seconds": 60.0}},
            "routes": {
                name: {"steps": 70, "seconds": 30.0, "scores": dict.fromkeys(("direct", "thinking"), both[noise][seed])}
                for name, noise in routes.items()
            },
        }
        for seed in both[0.1]
    }
    results = {"truth": truth, "seeds": seeds, "split": "choose", "probe": 0.7}
    text = format_summary(results)
    assert "15 minutes of training" in text
    assert "fitted with the scores: 0.700." in text
    draw_routes(results, tmp_path / "stages.png")
    assert (tmp_path / "stages.png").stat().st_size > 9999
    assert "after thinking supported, at once supported" in text
    assert {one for pair in PAIRS for one in pair} > set(routes)
    for found in seeds.values():
        found["routes"]["b"] = found["routes"]["c"]
    text = format_summary(results)
    assert "after thinking not supported, at once not supported" in text


def test_a_question_about_quality_is_one_token(tmp_path: Path) -> None:
    from stage_routes import save_short_model

    from distortlab.tasks import quality
    from refine_iqa_train.models.processors import load_processor

    save_short_model(tmp_path / "model", 0)
    processor, _ = load_processor(str(tmp_path / "model"))
    for think in (True, False):
        ids = processor.tokenizer(quality.question(think=think))["input_ids"]
        assert len(ids) == 1
        assert processor.tokenizer.decode(ids) == quality.question(think=think)


def test_a_linear_reader_finds_what_is_linear() -> None:
    from rated_windows import RatedWindows
    from stage_scores import probe_scores
    from windows import Windows

    from refine_iqa_train.training.tiny_model import build_tiny_model
    from refine_iqa_train.training.tiny_processor import build_tiny_processor

    levels = np.random.default_rng(0).integers(20, 230, 300)
    images = np.broadcast_to(levels[:, None, None, None], (300, 64, 64, 3)).astype(np.uint8)
    rated = RatedWindows(Windows(images, ("blur",) * 300, (1,) * 300), tuple((1 + levels / 64).tolist()))
    eye = build_tiny_model("qwen3_vl", build_tiny_processor("qwen3_vl").tokenizer, 0).model.visual
    half = [
        RatedWindows(Windows(images[at], ("blur",) * 150, (1,) * 150), tuple(np.asarray(rated.scores)[at].tolist()))
        for at in (slice(150), slice(150, 300))
    ]
    assert probe_scores(eye, *half) > 0.95


def test_the_docs_show_the_results_that_are_kept() -> None:
    from stages_page import format_correlations, format_facts

    results = json.loads((BENCHMARKS / "learning" / "stages.json").read_text(encoding="utf-8"))
    text = (BENCHMARKS.parent / "docs" / "stages.md").read_text(encoding="utf-8")
    assert format_facts(results) in text
    assert format_correlations(results) in text
