"""The card of a trained model: how answers were drawn, and which scores it has."""

from refine_iqa_train.config.schema import ValidationRules
from refine_iqa_train.training.model_card import _render_scores
from refine_iqa_train.training.train import _find_last_metrics


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
