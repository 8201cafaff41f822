"""Laws of the quality task: the published question and form, scores in hundredths, other scales mapped to 1 to 5."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distortlab.tasks import Unread, Verdict
from distortlab.tasks import quality as task
from distortlab.tasks.answer import format_completion

scores = st.integers(100, 500).map(lambda hundredths: hundredths / 100)


def say(answer: str) -> str:
    return format_completion(answer, thinking="Let me see.")


@given(mos=st.floats(1, 5), other=scores)
def test_the_truth_scores_one_and_the_hit_is_the_threshold(mos: float, other: float) -> None:
    solution = task.truth(mos)
    assert task.score(say(f"Score:{solution}"), solution).value == 1.0
    away = abs(round(float(solution) * 100) - round(other * 100))
    assert task.score(say(f"Score:{other:.2f}"), solution).value == float(away <= 50)


@given(given=scores, right=scores)
def test_graded_falls_with_the_distance(given: float, right: float) -> None:
    grading = task.Grading("graded")
    value = task.score(say(f"Score: {given:.2f}"), task.truth(right), grading).value
    assert value == pytest.approx(1 - abs(given - right) / 4)


@pytest.mark.parametrize(
    ("given", "value"), [("3.00", 1.0), ("3.01", 1.0), ("2.99", 0.0), ("4.00", 1.0), ("4.01", 0.0)]
)
def test_the_threshold_is_met_exactly(given: str, value: float) -> None:
    assert task.score(say(given), "3.50").value == value


@pytest.mark.parametrize(
    "answer", ["Score:3.44", "Score: 3.44", "score = 3.44", "3.44", "Score 3.44.", " Score:\n3.44 "]
)
def test_what_is_read(answer: str) -> None:
    assert task.read(say(answer)) == 3.44


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("Score:Your score", Unread.MALFORMED),
        ("good", Unread.MALFORMED),
        ("3 or 4", Unread.MALFORMED),
        ("3.44/5", Unread.MALFORMED),
        ("-3", Unread.MALFORMED),
        ("nan", Unread.MALFORMED),
        ("٣", Unread.MALFORMED),
        ("Score:0.99", Unread.IMPOSSIBLE),
        ("Score:5.01", Unread.IMPOSSIBLE),
        ("Score:73", Unread.IMPOSSIBLE),
    ],
)
def test_what_is_not_read(answer: str, reason: Unread) -> None:
    assert task.score(say(answer), "3.00") == Verdict(None, reason.value)


@pytest.mark.parametrize(
    ("completion", "value"),
    [
        ("<think>a</think><answer>Score:3.44</answer>", 1.0),
        (" <think>a\nb</think>\n<answer> Score: 3.44 </answer>\n", 1.0),
        ("<think>a</think><answer>Score:3.4</answer>", 0.0),
        ("<think>a</think><answer>3.44</answer>", 0.0),
        ("<think></think><answer>Score:3.44</answer>", 0.0),
        ("<answer>Score:3.44</answer>", 0.0),
        ("<think>a</think><answer>Score:3.44</answer> and more", 0.0),
        ("<think>a</think><answer>Score:3.44</answer><answer>Score:3.44</answer>", 0.0),
    ],
)
def test_the_format(completion: str, value: float) -> None:
    assert task.score_format(completion) == value


def test_the_first_digit_of_the_score_is_found_behind_the_thinking() -> None:
    text = "<think>iso 400, 4.5 of 5, Score: 2</think><answer>Score: 3.44</answer>"
    at = task.find_digit(text)
    assert at is not None
    assert text[at : at + 4] == "3.44"
    assert task.find_digit("<think>Score:3.44</think>") is None


@given(st.integers(-1000, 1000), st.integers(1, 1000), st.floats(0, 1))
def test_other_scales_are_mapped_linearly_and_turned_round(low: int, width: int, share: float) -> None:
    mos, high = low + share * width, low + width
    mos = min(max(mos, low), high)
    there, back = task.rescale_mos(mos, low, high), task.rescale_mos(mos, high, low)
    assert there + back == pytest.approx(6)
    assert 1 - 1e-9 <= there <= 5 + 1e-9
    assert (task.rescale_mos(low, low, high), task.rescale_mos(high, low, high)) == (1.0, 5.0)


def test_what_is_off_the_scale_is_refused() -> None:
    for mos, low, high in [(101, 0, 100), (-0.1, 0, 100), (3, 3, 3), (float("nan"), 0, 1)]:
        with pytest.raises(ValueError, match="outside its scale"):
            task.rescale_mos(mos, low, high)
    for mos in (0.99, 5.01, float("nan")):
        with pytest.raises(ValueError, match="from 1 to 5"):
            task.truth(mos)
    for solution in ("3.4", "5.01", "good", "0.99"):
        with pytest.raises(ValueError, match="not a solution"):
            task.score(say("3.00"), solution)


def test_gradings_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="no grading called 'soft'"):
        task.Grading("soft")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="distance"):
        task.Grading("hit", -0.1)


def test_questions_with_and_without_thinking_differ_only_in_the_instruction() -> None:
    think, direct = task.question(), task.question(think=False)
    assert think.split("\n\n")[0] == direct.split("\n\n")[0]
    assert "<think>" not in direct
    with pytest.raises(ValueError, match="no wording 1"):
        task.question(1)
