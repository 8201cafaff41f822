"""Which option an answer chooses, and why none is read."""

import pytest

from refine_bench.prompts.answers import Answer
from refine_bench.prompts.choice_reader import read_choice

OPTIONS = ["High", "Low", "Clear photo"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("B", 1),
        ("B\n", 1),
        ("**B**", 1),
        ("(B)", 1),
        ("B. Low", 1),
        ("Low", 1),
        ("low.", 1),
        ("The answer is B.", 1),
        ("Answer: (B)", 1),
        ("<think>A or B?</think><answer>B</answer>", 1),
        ("<think>High contrast, so A?</think>\nThe correct option is C", 2),
        ("It is a Clear photo.", 2),
        ("Clear photo", 2),
    ],
)
def test_a_choice_is_read(text: str, place: int) -> None:
    assert read_choice(Answer(text), OPTIONS).value == place


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("A clear photo so B", "multiple"),
        ("B. High", "multiple"),
        ("High or Low", "multiple"),
        ("The answer is A. The answer is B.", "multiple"),
        ("Clear", "no_tag"),
        ("D", "no_tag"),
        ("", "empty"),
        ("<think>hm", "truncated"),
    ],
)
def test_a_choice_is_never_guessed(text: str, status: str) -> None:
    found = read_choice(Answer(text, "length" if status == "truncated" else "stop"), OPTIONS)
    assert found.value is None
    assert found.status == status
