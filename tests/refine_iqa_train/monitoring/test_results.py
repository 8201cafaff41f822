"""Held-out metrics, pages of samples, cards, tables of scores: what people look at."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr

from distortlab.core.errors import UserError
from distortlab.tasks.answer import wrap
from refine_iqa_train.config.schema import ValidationRules
from refine_iqa_train.data.cold_start import make_cold_start_row
from refine_iqa_train.models.memory import ModelShape, Workload, estimate_memory
from refine_iqa_train.monitoring.held_out import HeldOutScores, score_answer
from refine_iqa_train.monitoring.results import format_table, read_scores
from refine_iqa_train.training.model_card import _render_scores
from refine_iqa_train.training.train import _find_last_metrics
from refine_iqa_train.training.trainer import is_page_due

MOS = [1.0, 2.0, 3.0, 4.0, 5.0]
GIVEN = ["1.50", "1.40", "3.00", "4.00", "4.10"]


def test_correlations_are_scipys_over_images() -> None:
    held = HeldOutScores()
    held.add(
        [
            score_answer(str(i), "quality", wrap(f"Score:{g}", "."), f"{m:.2f}")
            for i, (g, m) in enumerate(zip(GIVEN, MOS, strict=True))
        ]
    )
    held.add(
        [
            score_answer("5", "quality", "no score", "2.00"),
            score_answer("0", "quality", wrap("Score:5.00", "."), "1.00"),
        ]
    )
    found = held.compute_metrics()
    numbers = [float(value) for value in GIVEN]
    assert found["held_out/n"] == 6
    assert found["quality/srcc"] == pytest.approx(spearmanr(numbers, MOS).statistic)
    assert found["quality/plcc"] == pytest.approx(pearsonr(numbers, MOS).statistic)
    assert found["quality/unread"] == pytest.approx(1 / 6)
    assert found["quality/mae"] == pytest.approx((0.5 + 0.6 + 0 + 0 + 0.9) / 5)


def test_several_answers_to_one_image_count_as_their_mean() -> None:
    held = HeldOutScores(generations=2)
    for i, mos in enumerate(MOS):
        held.add([score_answer(str(i), "quality", wrap(f"Score:{mos:.2f}", "."), f"{mos:.2f}")])
        held.add([score_answer(str(i), "quality", "nothing", f"{mos:.2f}")])
    assert held.compute_metrics()["quality/srcc"] == pytest.approx(1.0)
    assert held.compute_metrics()["quality/unread"] == 0.5


def test_one_score_for_all_has_no_correlation() -> None:
    held = HeldOutScores()
    held.add([score_answer(str(i), "quality", wrap("Score:3.00", "."), f"{mos:.2f}") for i, mos in enumerate(MOS)])
    assert math.isnan(held.compute_metrics()["quality/srcc"])


def test_accuracy_by_task() -> None:
    held = HeldOutScores()
    rows = [
        ("recognition", "Noise, Slight", "Noise, Severe"),
        ("recognition", "nonsense", "Noise, Severe"),
        ("object", "dog", "dog"),
        ("grounding", "[0, 0, 10, 6]", "[0, 0, 10, 10]"),
    ]
    held.add([score_answer(str(i), task, wrap(answer, "."), truth) for i, (task, answer, truth) in enumerate(rows)])
    found = held.compute_metrics()
    assert found["recognition/type"] == 0.5
    assert found["recognition/severity"] == 0.0
    assert found["recognition/unread"] == 0.5
    assert found["object/accuracy"] == 1.0
    assert found["grounding/iou"] == pytest.approx(0.6)
    assert found["grounding/iou50"] == 1.0


# --- tables ---------------------------------------------------------------------------------------------------------


def test_scores_before_and_after(tmp_path: Path) -> None:
    entries = [
        {"eval_held_out/n": 8, "eval_object/accuracy": 0.25, "eval_loss": 0, "step": 0},
        {"loss": 1.0, "step": 1},
        {"eval_held_out/n": 8, "eval_object/accuracy": 0.5, "eval_quality/srcc": None, "step": 2},
    ]
    import json

    (tmp_path / "trainer_state.json").write_text(json.dumps({"log_history": entries}))
    found = read_scores(tmp_path)
    assert found["before"] == {"held_out/n": 8, "object/accuracy": 0.25}
    assert found["after"]["object/accuracy"] == 0.5
    lines = format_table({str(tmp_path): found}).splitlines()
    assert lines[1].split() == ["held_out/n", "8", "8"]
    assert lines[2].split() == ["object/accuracy", "0.250", "0.500"]


def test_scores_have_their_number_or_a_reason(tmp_path: Path) -> None:
    counts = {"quality/n": 5, "quality/read": 2, "object/n": 40, "held_out/n": 45}
    scores = {"before": {"object/accuracy": 0.25, **counts}, "after": {"object/accuracy": 0.5, **counts}}
    scores["after"] |= {"quality/srcc": 0.5, "quality/mae": 1.0, "quality/read": 4}
    rows = {
        row.split()[0]: " ".join(row.split()[1:]) for row in format_table({"a": scores, "b": scores}).splitlines()[1:]
    }
    assert rows["object/accuracy"] == "0.250 (n 40) 0.500 (n 40) 0.250 (n 40) 0.500 (n 40)"
    assert rows["quality/srcc"].startswith("- (2 read of 5) 0.500 (n 4)")
    assert "quality/n" not in rows


def test_the_card_says_how_answers_were_drawn() -> None:
    scores = {"eval_quality/n": 5.0, "eval_quality/read": 5.0, "eval_quality/answers": 1.0, "eval_quality/mae": 0.5}
    text = _render_scores(scores, ValidationRules())
    assert "answered greedily" in text
    assert "sampled" not in text
    assert "| quality/srcc | - (all answers equal) | 5 |" in text
    assert "| quality/mae | 0.5 | 5 |" in text
    sampled = _render_scores(scores, ValidationRules(temperature=0.9, generations=4))
    assert "sampled at temperature 0.9, 4 to each question" in sampled


def test_the_card_has_the_last_validation_alone() -> None:
    first = {"eval_held_out/n": 5, "eval_quality/srcc": 0.5, "step": 0}
    last = {"eval_held_out/n": 5, "eval_quality/srcc": None, "step": 5}
    assert "eval_quality/srcc" not in _find_last_metrics([first, {"reward": 1.0}, last])


# --- when a page is due ---------------------------------------------------------------------------------------------


@given(every=st.integers(1, 40), apart=st.integers(1, 40), begin=st.integers(0, 100))
def test_a_page_falls_due_once_in_every_interval(every: int, apart: int, begin: int) -> None:
    """Answers are generated every so many steps, from a step on: the first is shown, and one for each time due."""
    shown: list[int] = []
    generations = range(begin, begin + 400, apart)
    for step in generations:
        if is_page_due(step, shown[-1] if shown else None, every):
            shown.append(step)
        assert not is_page_due(step, None, 0)
    firsts = {step // every: step for step in reversed(generations)}
    assert shown == sorted(firsts.values())


def test_scores_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no finished run"):
        read_scores(tmp_path)
    (tmp_path / "trainer_state.json").write_text('{"log_history": []}')
    with pytest.raises(UserError, match="nothing was validated"):
        read_scores(tmp_path)


# --- memory ---------------------------------------------------------------------------------------------------------

SHAPE = ModelShape(
    weights=4_000_000_000,
    linear=3_600_000_000,
    vision=400_000_000,
    vision_hidden=1024,
    vision_layers=24,
    hidden=2560,
    inner=9728,
    layers=36,
    kv=1024,
)


def test_full_training_takes_sixteen_bytes_a_weight() -> None:
    memory = estimate_memory(SHAPE, Workload(rows=1, rollouts=1, prompt=1, completion=1))
    assert memory.weights + memory.gradients + memory.optimizer == pytest.approx(16 * 4e9 / 2**30)


def test_less_is_less() -> None:
    whole = Workload(rows=8, rollouts=8, prompt=1200, completion=1024)
    full, shared = estimate_memory(SHAPE, whole), estimate_memory(SHAPE, Workload(8, 8, 1200, 1024, shards=8))
    adapters, four = (
        estimate_memory(SHAPE, Workload(8, 8, 1200, 1024, lora=64)),
        estimate_memory(SHAPE, Workload(8, 8, 1200, 1024, 64, True)),
    )
    assert four.total < adapters.total < full.total
    assert shared.total < full.total
    assert estimate_memory(SHAPE, Workload(8, 8, 1200, 1024, reference=True)).total > full.total
    assert estimate_memory(SHAPE, Workload(8, 8, 1200, 1024, checkpointing=False)).total > full.total
    assert estimate_memory(SHAPE, Workload(8, 8, 1200, 1024, frozen_vision=True)).total < full.total


# --- cold start -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "solution", "said"),
    [
        ("recognition", "Over-sharpening, Extreme", "over-sharpening, 5 of 5."),
        ("recognition_reference", "Noise, Slight", "noise, 1 of 5."),
        ("object", "hot dog", "It is the hot dog."),
        ("grounding", "[1, 2, 3, 4]", "It lies at [1, 2, 3, 4]."),
        ("quality", "5.00", "excellent"),
        ("quality", "1.00", "very poor"),
    ],
)
def test_answers_of_the_cold_start_are_right(task: str, solution: str, said: str) -> None:
    from refine_iqa_train.monitoring.held_out import score_answer

    family = {"recognition": "oversharpen", "quality": None}.get(task, "noise")
    question = {"task": task, "solution": solution, "prompt": [], "images": [], "family": family}
    text = make_cold_start_row(question)["completion"][0]["content"]
    assert said in text
    marks = score_answer("x", task, text, solution).marks
    assert marks["unread"] == 0.0
    assert all(value == 1.0 for name, value in marks.items() if name != "unread")
