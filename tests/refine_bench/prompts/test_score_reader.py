"""Which score an answer gives, by its text and by the odds of its tokens, and why none is read."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refine_bench.prompts.answers import FAILURES, Answer, Token
from refine_bench.prompts.choice_reader import read_choice
from refine_bench.prompts.protocols import PROTOCOLS, find_protocol
from refine_bench.prompts.score_reader import read_score

REFINE = find_protocol("refine-iqa-think")


RATED = [p for p in PROTOCOLS.values() if p.kind == "rated"]


@pytest.mark.parametrize(
    ("protocol", "text", "value"),
    [
        ("refine-iqa-think", "<think>a 3 or a 4?</think><answer>Score: 3.62</answer>", 3.62),
        ("refine-iqa-no-think", "<answer>Score:4.10</answer>", 4.1),
        ("refine-iqa-no-think", "<answer> 2 </answer>", 2.0),
        ("refine-iqa-no-think", "<answer>Score: 2.5/5</answer>", 2.5),
        ("q-insight", '<think>fine</think><answer>```json\n{"rating": 3.25}\n```</answer>', 3.25),
        ("q-insight", '{"rating": "4.50"}', 4.5),
        ("visualquality-r1", "<think>x</think><answer>3.1</answer>", 3.1),
        ("visualquality-r1", "<answer>1.0</answer> no: <answer>about 4.2 of 5</answer>", 4.2),
    ],
)
def test_a_score_is_read_from_text(protocol: str, text: str, value: float) -> None:
    found = read_score(Answer(text), find_protocol(protocol), "text")
    assert (found.value, found.status) == (value, "ok")


@pytest.mark.parametrize(
    ("text", "finish", "status"),
    [
        ("", "stop", "empty"),
        ("", "length", "truncated"),
        ("3.5", "stop", "no_tag"),
        ("<think>it is", "length", "truncated"),
        ("<answer>Score: 3.", "length", "truncated"),
        ("<answer>Score: 3.5</answer><answer>Score: 4</answer>", "stop", "multiple"),
        ("<answer>3.5 or 4.5</answer>", "stop", "multiple"),
        ("<answer>between 3-4</answer>", "stop", "no_number"),
        ("<answer>good</answer>", "stop", "no_number"),
        ("<answer></answer>", "stop", "empty"),
        ("<answer>Score: 85</answer>", "stop", "out_of_range"),
        ("<answer>Score: -3</answer>", "stop", "out_of_range"),
        ("I'm sorry, but I cannot rate this picture.", "stop", "refusal"),
    ],
)
def test_what_is_not_read_has_a_reason(text: str, finish: str, status: str) -> None:
    found = read_score(Answer(text, finish), REFINE, "text")
    assert (found.value, found.status) == (None, status)
    assert status in FAILURES


@given(st.text(max_size=300), st.sampled_from(RATED), st.sampled_from(["text", "digits", "digits-tenths", None]))
def test_nothing_that_a_model_says_raises(text: str, protocol: object, reader: str | None) -> None:
    for body in (text, f"<answer>{text}</answer>", f'{{"rating": {text}}}', f"<think>{text}</think><answer>Score:3.50"):
        found = read_score(Answer(body, tokens=(Token(body, ((body, -0.1),)),)), protocol, reader)  # type: ignore[arg-type]
        assert (found.value is None) == (found.status != "ok")
        assert found.value is None or 0.0 <= found.value <= 5.0
        choice = read_choice(Answer(body), ["Yes", "No"])
        assert choice.value in (None, 0.0, 1.0)


def test_a_failed_request_is_a_failure_of_its_own() -> None:
    assert read_score(Answer("<answer>Score: 3.00</answer>", error="HTTP 500"), REFINE).status == "runtime_error"
    assert read_choice(Answer("A", error="HTTP 500"), ["x", "y"]).status == "runtime_error"


def _spelled(text: str, place: int, odds: dict[str, float], width: int = 1) -> Answer:
    """Characters as tokens, with alternatives at one place."""
    top = tuple((piece, math.log(p)) for piece, p in odds.items())
    tokens = [Token(text[:place]), Token(text[place : place + width], top), *map(Token, text[place + width :])]
    return Answer(text, tokens=tuple(tokens))


def test_the_expectation_over_the_integer_digit_is_that_of_the_paper() -> None:
    text = "<think>3 or 4</think><answer>Score: 4.10</answer>"
    answer = _spelled(text, text.index("4.10"), {"3": 0.379, "4": 0.621})
    found = read_score(answer, REFINE)
    assert found.value == pytest.approx(3.621, abs=1e-9)
    assert found.mass == pytest.approx(1.0)


def test_only_digits_of_the_scale_count_and_the_missing_mass_is_said() -> None:
    text = "<answer>Score:3.00</answer>"
    answer = _spelled(text, text.index("3.00"), {"3": 0.4, "2": 0.2, "9": 0.2, "x": 0.1})
    found = read_score(answer, REFINE)
    assert found.value == pytest.approx((3 * 0.4 + 2 * 0.2) / 0.6)
    assert found.mass == pytest.approx(0.6)


def test_tenths_are_added_where_they_were_asked_for() -> None:
    text = "<answer>Score:3.20</answer>"
    place = text.index("3.20")
    integer = Token("3", (("3", math.log(0.75)), ("4", math.log(0.25))))
    tenths = Token("2", (("2", math.log(0.5)), ("6", math.log(0.5))))
    answer = Answer(text, tokens=(Token(text[:place]), integer, Token("."), tenths, Token("0</answer>")))
    assert read_score(answer, REFINE, "digits").value == pytest.approx(3.25)
    assert read_score(answer, REFINE, "digits-tenths").value == pytest.approx(3.25 + 0.4)


def test_a_digit_glued_to_what_stands_before_it_is_found() -> None:
    text = "<answer>Score: 3.00</answer>"
    place = text.index(" 3")
    answer = _spelled(text, place, {" 3": 0.5, " 5": 0.5}, width=2)
    assert read_score(answer, REFINE).value == pytest.approx(4.0)


def test_without_alternatives_there_is_no_expectation() -> None:
    assert read_score(Answer("<answer>Score: 3.00</answer>"), REFINE).status == "no_level"


def test_levels_from_logits_tokens_and_words() -> None:
    align, a3 = find_protocol("q-align"), find_protocol("qbench-a3")
    logits = {"excellent": 1.0, "good": 2.0, "fair": 0.5, "poor": -1.0, "bad": -2.0}
    weights = {word: math.exp(value) for word, value in logits.items()}
    expected = sum(w * v for w, v in zip(weights.values(), (5, 4, 3, 2, 1), strict=True)) / sum(weights.values())
    assert read_score(Answer(logits=logits), align).value == pytest.approx(expected)
    top = tuple((f" {word}", math.log(p / 10)) for word, p in weights.items() if p / 10 < 1)
    assert read_score(Answer(" good", tokens=(Token(" good", top),)), align).value == pytest.approx(expected)
    good = math.exp(0.1666) / (math.exp(0.1666) + math.exp(0.1381))
    assert read_score(Answer(logits={"good": 16.66, "poor": 13.81}), a3).value == pytest.approx(good, abs=1e-12)
    assert read_score(Answer("Fair."), align).value == 3.0
    assert read_score(Answer("good or poor"), align).status == "multiple"
    assert read_score(Answer("I cannot say"), align).status == "refusal"
