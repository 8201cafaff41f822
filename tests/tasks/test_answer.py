"""Laws of the one place that asks for an answer, finds it and judges its form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distortlab.tasks.answer import (
    LIMIT,
    Unread,
    Verdict,
    format_completion,
    format_instruction,
    format_prompt,
    format_score,
    is_answerable,
    read_answer,
)

MEGABYTE = 1_000_000
PIECES = [
    "<think>",
    "</think>",
    "<answer>",
    "</answer>",
    "<ANSWER>",
    "</Answer>",
    "Noise, Severe",
    " ",
    "\n",
    "<",
    "x",
]
soups = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
texts = st.text(max_size=60).filter(is_answerable)


@given(answer=texts, thinking=texts)
def test_what_is_wrapped_is_read_and_has_the_form(answer: str, thinking: str) -> None:
    completion = format_completion(answer, thinking)
    assert read_answer(completion) == answer.strip()
    assert format_score(completion) == 1.0


def test_the_form_in_the_instruction_is_the_form_that_is_scored() -> None:
    example = format_instruction("some answer").splitlines()[-1]
    assert format_score(example) == 1.0
    assert read_answer(example) == "some answer"


@pytest.mark.parametrize(
    ("completion", "reason"),
    [
        ("", Unread.MISSING),
        ("Noise, Severe", Unread.MISSING),
        ("<think>a</think> Noise, Severe", Unread.MISSING),
        ("<think>cut off", Unread.MISSING),
        ("<think>a</think><answer>Noi", Unread.UNCLOSED),
        ("<answer>a</answer><answer>a</answer>", Unread.REPEATED),
        ("<answer><answer>a</answer></answer>", Unread.REPEATED),
        ("<think>in <answer></answer></think><answer>a</answer>", Unread.REPEATED),
        ("<answer>a</answer><ANSWER>b</ANSWER>", Unread.REPEATED),
        ("<answer>a<answer>b", Unread.REPEATED),
        ("<think>maybe <answer>a</answer> but no", Unread.MISPLACED),
        ("<think>maybe <answer>a</answer></think>", Unread.MISPLACED),
        ("maybe <answer>a</answer> but no </think>", Unread.MISPLACED),
        ("<answer><think>a</think>b</answer>", Unread.MISPLACED),
        ("<answer></answer>", Unread.EMPTY),
        ("<answer> \n </answer>", Unread.EMPTY),
        (f"<answer>{'a' * (LIMIT + 1)}</answer>", Unread.LONG),
        ("a</answer>", Unread.MALFORMED),
        ("</answer>a<answer>", Unread.MALFORMED),
        ("<answer>a</answer></answer>", Unread.MALFORMED),
        ("</answer><answer>a</answer>", Unread.MALFORMED),
    ],
)
def test_why_an_answer_is_not_read(completion: str, reason: Unread) -> None:
    assert read_answer(completion) is reason
    assert format_score(completion) == 0.0


@pytest.mark.parametrize(
    "completion",
    [
        "<answer>a</answer>",
        "<ANSWER>a</Answer>",
        "so</think><answer>a</answer>",
        "<think>x</think>\n\n<answer>\n a \n</answer> That is my answer.",
        "<think>1</think><think>2</think><answer>a</answer>",
        f"<answer>{' ' * MEGABYTE}a</answer>",
    ],
)
def test_an_answer_is_read_whatever_the_form_around_it(completion: str) -> None:
    assert read_answer(completion) == "a"


@pytest.mark.parametrize(
    ("completion", "value"),
    [
        ("<think>x</think><answer>y</answer>", 1.0),
        (" \n<think>x\ny</think>\n\n<answer>y</answer>\n", 1.0),
        ("<think> </think><answer>y</answer>", 0.0),
        ("<think>x</think><answer> </answer>", 0.0),
        ("well <think>x</think><answer>y</answer>", 0.0),
        ("<think>x</think> so <answer>y</answer>", 0.0),
        ("<think>x</think><answer>y</answer> ok", 0.0),
        ("<think>x</think><Answer>y</answer>", 0.0),
        ("<think>x<think>x</think></think><answer>y</answer>", 0.0),
        ("<think>x</think><answer><THINK>y</answer>", 0.0),
        ("<answer>y</answer><think>x</think>", 0.0),
        ("<answer>y</answer>", 0.0),
        ("", 0.0),
    ],
)
def test_the_form_is_the_whole_completion(completion: str, value: float) -> None:
    assert format_score(completion) == value


@given(completion=soups)
def test_no_answer_is_read_out_of_two(completion: str) -> None:
    answer = read_answer(completion)
    if not isinstance(answer, Unread):
        assert completion.lower().count("<answer>") == completion.lower().count("</answer>") == 1
        assert answer
        assert answer in completion
    if format_score(completion):
        assert not isinstance(answer, Unread)


@pytest.mark.parametrize(
    "piece",
    [
        "<answer>",
        "</answer>",
        "<think>",
        "<",
        "<answer",
        "<think></think>",
        "<answer></answer>",
        "\n",
        " ",
        "٣",
        "9",
    ],
)
def test_a_megabyte_of_anything_is_read(piece: str) -> None:
    many = piece * (MEGABYTE // len(piece))
    for completion in (
        many,
        format_completion("a", thinking="b") + many,
        many + "<answer>a</answer>",
        f"<answer>{many}",
    ):
        read_answer(completion)
        format_score(completion)


def test_text_that_cannot_be_wrapped() -> None:
    for answer, thinking in [
        ("", "a"),
        ("a", " "),
        ("<answer>", "a"),
        ("a", "</THINK>"),
        ("a" * (LIMIT + 1), "a"),
    ]:
        with pytest.raises(ValueError, match="blank, too long"):
            format_completion(answer, thinking)


def test_a_verdict_has_a_value_or_a_reason() -> None:
    assert Verdict(0.0).status == "scored"
    assert Verdict(0.0) != Verdict.unread(Unread.EMPTY)
    assert (Verdict(0.5).reward, Verdict.unread(Unread.EMPTY).reward) == (0.5, 0.0)
    for value, status in [(None, "scored"), (0.5, "missing"), (1.5, "scored"), (float("nan"), "scored")]:
        with pytest.raises(ValueError, match="verdict"):
            Verdict(value, status)


@pytest.mark.parametrize("wording", [-1, 2])
def test_a_wording_that_does_not_exist(wording: int) -> None:
    with pytest.raises(ValueError, match="there are 2"):
        format_prompt(("a", "b"), wording, "shape")


def test_a_task_may_read_longer_answers_than_others() -> None:
    answer = "a" * (LIMIT + 1)
    completion = format_completion(answer, "b", limit=2 * LIMIT)
    assert read_answer(completion) is Unread.LONG
    assert read_answer(completion, 2 * LIMIT) == answer
    assert read_answer(format_completion("aa", "b"), 1) is Unread.LONG
