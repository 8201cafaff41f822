"""Curves of a run: every metric that was logged, inside its frame, on a page that is whole or not there."""

import json
import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import HOSTILE, Tags, find_drawings

from distortlab.tasks import TASKS
from distortlab.tasks.terms import FAMILIES
from refine_iqa_train.config.loading import load_config
from refine_iqa_train.monitoring.curves import (
    COLORS,
    MAX_POINTS,
    PANELS,
    _choose_ticks,
    read_series,
    render_curves,
    write_curves,
)
from refine_iqa_train.training.train import train


def history(steps: int) -> list[dict[str, Any]]:
    """What GRPO logs, with gaps."""
    logged: list[dict[str, Any]] = []
    for step in range(1, steps + 1):
        odd = step % 2
        logged.append({"step": step, "reward": step / 10, "entropy": 1 / step, "loss": 1e-9, "kl": math.nan})
        logged[-1] |= {"rewards/object/mean": 0.5 if odd else None, "frac_reward_zero_std": 0.0}
        if step % 5 == 0:
            logged.append({"step": step, "eval_held_out/n": 5, "eval_quality/srcc": 0.5, "eval_quality/plcc": None})
    return logged


@pytest.mark.parametrize("steps", [0, 1, 2, 40, 900])
def test_every_metric_that_was_logged_has_a_curve_inside_its_frame(steps: int) -> None:
    html = render_curves(HOSTILE, history(steps))
    drawn = find_drawings(html)
    reached = {"Held out: correlation"} if steps >= 5 else set()
    assert set(drawn) == (
        {"Reward", "Rewards by task", "Entropy", "Groups with equal rewards"} | reached if steps else set()
    )
    assert not Tags(html).of("script")
    assert HOSTILE in Tags(html).text
    assert "http" not in html
    for tree in drawn.values():
        _, _, width, height = map(float, str(tree.get("viewBox")).split())
        places = [
            tuple(map(float, spot.split(",")))
            for line in tree.iter("polyline")
            for spot in str(line.get("points")).split()
        ]
        places += [(float(str(dot.get("cx"))), float(str(dot.get("cy")))) for dot in tree.iter("circle")]
        assert places
        assert all(0 <= x <= width and 0 <= y <= height for x, y in places)


def test_every_curve_of_a_panel_has_a_color_of_its_own() -> None:
    assert len(set(COLORS)) == len(COLORS) >= max(len(panel.metrics) for panel in PANELS)
    metrics = {f"rewards/{task}/mean": 0.5 for task in TASKS}
    drawn = render_curves("run", [{"step": 1, **metrics}, {"step": 2, **metrics}])
    assert drawn.count("<i style") == len(TASKS)
    shares = {f"sampler/{name}": 0.1 for name in (*FAMILIES, *(f"severity_{level}" for level in range(1, 6)))}
    drawn = render_curves("run", [{"step": 1, **shares}, {"step": 2, **shares}])
    assert "Families drawn" in drawn
    assert "Severities drawn" in drawn
    assert drawn.count("<i style") == len(FAMILIES) + 5


def test_a_curve_has_the_values_that_were_logged() -> None:
    found = read_series(history(40), "rewards/object/mean")
    assert [value for _, value in found] == [0.5, None] * 20
    assert read_series(history(40), "reward") == [(float(step), step / 10) for step in range(1, 41)]
    assert read_series(history(40), "kl") == [(float(step), None) for step in range(1, 41)]
    many = read_series(history(3000), "reward")
    assert len(many) <= MAX_POINTS
    assert np.mean([value for _, value in many]) == pytest.approx(np.mean([n / 10 for n in range(1, 3001)]))


def test_the_loss_is_drawn_for_the_cold_start_alone() -> None:
    cold = [{"step": 1, "loss": 4.0, "mean_token_accuracy": 0.1}, {"step": 2, "loss": 3.0, "mean_token_accuracy": 0.2}]
    assert set(find_drawings(render_curves("sft", cold))) == {"Loss of the cold start", "Token accuracy"}
    assert len({panel.title for panel in PANELS}) == len(PANELS)


@given(low=st.floats(-1e6, 1e6), span=st.floats(0, 1e6), whole=st.booleans())
def test_ticks_enclose_a_range_in_even_steps(low: float, span: float, whole: bool) -> None:
    least = 1.0 if whole else 0.0
    ticks = _choose_ticks(low, low + span, least)
    slack = 1e-6 * max(1.0, abs(low) + span)
    assert ticks[0] <= low + slack
    assert ticks[-1] >= low + span - slack
    steps = [b - a for a, b in pairwise(ticks)]
    assert 1 <= len(steps) <= 6
    assert steps == pytest.approx([steps[0]] * len(steps), rel=1e-6, abs=slack)
    assert min(steps) >= least - slack


def test_a_page_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_curves(tmp_path, history(5))
    before = (tmp_path / "curves.html").read_text()

    def full(*_: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_curves(tmp_path, history(50))
    assert (tmp_path / "curves.html").read_text() == before


@pytest.mark.slow
def test_curves_of_a_run_that_goes_on_begin_at_its_first_step(run_file: Callable[..., Path], tmp_path: Path) -> None:
    keys = {"per_device_train_batch_size": 4, "save_steps": 2, "disable_tqdm": True}
    path = run_file(keys, validation={"every": 0})
    train(load_config(path, {"trainer.max_steps": 2}), "stage1")
    train(load_config(path, {"trainer.max_steps": 3}), "stage1")
    out = tmp_path / "run"
    html = (out / "curves.html").read_text()
    logged = json.loads((out / "trainer_state.json").read_text())["log_history"]
    assert html == render_curves("run", logged)
    assert len(list(find_drawings(html)["Entropy"].iter("circle"))) == 3
    boxes = Tags((out / "samples" / "step-000000.html").read_text()).of("rect")
    assert any(tag["class"] == "truth" for tag in boxes)
