"""Measures of held-out answers: accuracy by task, and agreement with scores that people gave."""

import math

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from distortlab.tasks.answer import format_completion
from refine_iqa_train.monitoring.held_out import HeldOutScores, list_measures, score_answer

MOS = [1.0, 2.0, 3.0, 4.0, 5.0]
GIVEN = ["1.50", "1.40", "3.00", "4.00", "4.10"]


def test_correlations_are_scipys_over_images() -> None:
    held = HeldOutScores()
    held.add(
        [
            score_answer(str(i), "quality", format_completion(f"Score:{g}", "."), f"{m:.2f}")
            for i, (g, m) in enumerate(zip(GIVEN, MOS, strict=True))
        ]
    )
    held.add(
        [
            score_answer("5", "quality", "no score", "2.00"),
            score_answer("0", "quality", format_completion("Score:5.00", "."), "1.00"),
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
        held.add([score_answer(str(i), "quality", format_completion(f"Score:{mos:.2f}", "."), f"{mos:.2f}")])
        held.add([score_answer(str(i), "quality", "nothing", f"{mos:.2f}")])
    assert held.compute_metrics()["quality/srcc"] == pytest.approx(1.0)
    assert held.compute_metrics()["quality/unread"] == 0.5


def test_one_score_for_all_has_no_correlation() -> None:
    held = HeldOutScores()
    held.add(
        [
            score_answer(str(i), "quality", format_completion("Score:3.00", "."), f"{mos:.2f}")
            for i, mos in enumerate(MOS)
        ]
    )
    assert math.isnan(held.compute_metrics()["quality/srcc"])


def test_accuracy_by_task() -> None:
    held = HeldOutScores()
    rows = [
        ("recognition", "Noise, Slight", "Noise, Severe"),
        ("recognition", "nonsense", "Noise, Severe"),
        ("object", "dog", "dog"),
        ("grounding", "[0, 0, 10, 6]", "[0, 0, 10, 10]"),
    ]
    held.add(
        [
            score_answer(str(i), task, format_completion(answer, "."), truth)
            for i, (task, answer, truth) in enumerate(rows)
        ]
    )
    found = held.compute_metrics()
    assert found["recognition/type"] == 0.5
    assert found["recognition/severity"] == 0.0
    assert found["recognition/unread"] == 0.5
    assert found["object/accuracy"] == 1.0
    assert found["grounding/iou"] == pytest.approx(0.6)
    assert found["grounding/iou50"] == 1.0


def test_parts_of_a_diagnosis_and_accuracy_of_comparisons() -> None:
    noise = '[{"box": [0, 0, 100, 100], "type": "Noise", "severity": "Severe"}]'
    half = '[{"box": [0, 0, 100, 50], "type": "Noise", "severity": "Obvious"}]'
    held = HeldOutScores()
    for number, (answer, solution) in enumerate(((half, noise), ("[]", noise), ("[]", "[]"), ("?", noise))):
        held.add([score_answer(str(number), "diagnosis", format_completion(answer, "."), solution)])
    for task, answers in (("comparison", ("First", "Second")), ("comparison_regions", ("First", "either"))):
        held.add([score_answer(task + answer, task, format_completion(answer, "."), "First") for answer in answers])
    found = held.compute_metrics()
    assert found["diagnosis/iou"] == (0.5 + 0 + 1 + 0) / 4
    assert found["diagnosis/f1"] == found["diagnosis/type"] == (1 + 0 + 1 + 0) / 4
    assert found["diagnosis/severity"] == (0.6 + 0 + 1 + 0) / 4
    assert found["diagnosis/score"] == pytest.approx((0.1 + 0.1 + 0.5 + 0.2 * 0.6 + 0.1 + 1.0) / 4)
    assert found["diagnosis/unread"] == 0.25
    assert (found["comparison/accuracy"], found["comparison/unread"]) == (0.5, 0.0)
    assert (found["comparison_regions/accuracy"], found["comparison_regions/unread"]) == (0.5, 0.5)
    shown = [(measure.task, measure.name) for measure in list_measures(found)]
    assert [name for task, name in shown if task == "diagnosis"] == ["score", "iou", "f1", "type", "severity", "unread"]


def test_measures_of_direct_scores() -> None:
    mos, direct = [1.0, 2.0, 3.0, 4.0, 5.0], [2.1, 1.9, 3.0, None, 4.5]
    held = HeldOutScores(direct=True)
    for n, (right, score) in enumerate(zip(mos, direct, strict=True)):
        held.add([score_answer(str(n), "quality", "nothing", f"{right:.2f}", score)] * 2)
    found = held.compute_metrics()
    read = [(score, right) for score, right in zip(direct, mos, strict=True) if score is not None]
    assert found["quality/srcc_direct"] == pytest.approx(spearmanr(*zip(*read, strict=True)).statistic)
    assert found["quality/mae_direct"] == pytest.approx(np.mean([abs(a - b) for a, b in read]))
    assert found["quality/unread_direct"] == pytest.approx(0.2)
    assert math.isnan(found["quality/srcc"])
    shown = {measure.name: str(measure) for measure in list_measures(found)}
    assert shown["srcc_direct"].endswith("(n 4)")
    assert shown["srcc"] == "- (0 read of 5)"
    assert "srcc_direct" not in {measure.name for measure in list_measures(HeldOutScores().compute_metrics())}
