"""Laws of the comparison task: the more degraded one is right, the other one wrong; near ones are not asked about."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from distortlab.distortions.base import TARGETS
from distortlab.recipe import default_recipe
from distortlab.tasks import Unread, Verdict, comparison, format_score, grounding
from distortlab.tasks.answer import format_completion, format_instruction
from distortlab.tasks.comparison import MARGIN_BETWEEN_FAMILIES, VISIBLE, has_margin
from distortlab.tasks.grounding import Box, Coordinates, Size

visibilities = st.floats(0, 1e6)
spans = st.tuples(st.integers(0, 479), st.integers(0, 479)).map(lambda pair: (min(pair), max(pair) + 1))
boxes = st.tuples(spans, spans).map(lambda xy: (xy[0][0], xy[1][0], xy[0][1], xy[1][1]))
SIZE: Size = (640, 480)
FIRST: Box = (1, 2, 30, 40)
SECOND: Box = (300, 200, 640, 480)
TOLERANCE = default_recipe(severity="equalized").tolerance
"""How far V may be from the target of its severity where settings are searched for."""


def say(answer: str) -> str:
    return format_completion(answer, thinking="Let me see.")


@given(first=visibilities, second=visibilities, margin=st.floats(1.01, 4))
def test_the_truth_scores_one_and_the_other_zero_either_way_round(first: float, second: float, margin: float) -> None:
    assume(has_margin(first, second, margin))
    solution, swapped = comparison.truth(first, second, margin), comparison.truth(second, first, margin)
    assert {solution, swapped} == {"First", "Second"}
    assert (solution == "First") == (first > second)
    assert comparison.score(say(solution), solution).value == 1.0
    assert comparison.score(say(swapped), solution).value == 0.0


@given(first=visibilities, second=visibilities)
def test_a_wider_margin_asks_less_and_the_order_does_not_matter(first: float, second: float) -> None:
    assert has_margin(first, second) == has_margin(second, first)
    assert has_margin(first, second) or not has_margin(first, second, MARGIN_BETWEEN_FAMILIES)
    assert not has_margin(first, first)


def test_the_margin_by_hand() -> None:
    assert has_margin(2.0, 3.0)
    assert not has_margin(2.0, 2.99)
    assert has_margin(0.0, VISIBLE)
    assert not has_margin(0.0, 0.99)
    assert not has_margin(-1.0, 5.0)
    assert not has_margin(float("nan"), 5.0)
    assert not has_margin(5.0, float("nan"))


def test_two_images_of_one_severity_are_never_asked_about() -> None:
    for target in TARGETS:
        assert not has_margin(target / TOLERANCE, target * TOLERANCE)
    for low, high in zip(TARGETS, TARGETS[2:], strict=False):
        assert has_margin(low, high)
    for low, high in zip(TARGETS, TARGETS[3:], strict=False):
        assert has_margin(low, high, MARGIN_BETWEEN_FAMILIES)


@pytest.mark.parametrize("margin", [1.0, 0.5, -2.0, float("nan")])
def test_a_margin_is_more_than_nothing(margin: float) -> None:
    with pytest.raises(ValueError, match="a ratio above 1"):
        has_margin(1.0, 3.0, margin)


@pytest.mark.parametrize(("first", "second"), [(2.0, 2.0), (2.0, 2.5), (0.0, 0.0), (0.1, 0.9), (float("nan"), 3.0)])
def test_what_is_too_near_has_no_truth(first: float, second: float) -> None:
    with pytest.raises(ValueError, match="too near"):
        comparison.truth(first, second)


@pytest.mark.parametrize(
    ("answer", "choice"),
    [
        ("First", "First"),
        ("first.", "First"),
        ("**Second**", "Second"),
        ("The second image.", "Second"),
        ("Image 2", "Second"),
        ("The 1st region is more degraded.", "First"),
        ("The second one", "Second"),
        ("It is the first picture", "First"),
        ("First, the first image", "First"),
        ("Ｆｉｒｓｔ", "First"),
    ],
)
def test_what_is_read(answer: str, choice: str) -> None:
    assert comparison.read(say(answer)) == choice


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("First or Second", Unread.AMBIGUOUS),
        ("First, not Second", Unread.AMBIGUOUS),
        ("1 > 2", Unread.AMBIGUOUS),
        ("not First", Unread.MALFORMED),
        ("The first is less degraded", Unread.MALFORMED),
        ("The first one is better", Unread.MALFORMED),
        ("Neither", Unread.MALFORMED),
        ("Both", Unread.MALFORMED),
        ("image", Unread.MALFORMED),
        ("12", Unread.MALFORMED),
        ("...", Unread.MALFORMED),
        ("First " * 1000, Unread.LONG),
    ],
)
def test_what_is_not_read(answer: str, reason: Unread) -> None:
    completion = f"<answer>{answer}</answer>"
    assert comparison.read(completion) is reason
    assert comparison.score(completion, "First") == Verdict(None, reason.value)


@given(answer=st.text(max_size=100))
def test_any_text_is_read_or_not_without_an_error(answer: str) -> None:
    verdict = comparison.score(f"<answer>{answer}</answer>", "First")
    assert (verdict.value is None) == (verdict.status != "scored")


@pytest.mark.parametrize("solution", ["", "first", "Both", "First or Second"])
def test_a_broken_solution_is_an_error(solution: str) -> None:
    with pytest.raises(ValueError, match="not a solution"):
        comparison.score(say("First"), solution)


@pytest.mark.parametrize("wording", range(comparison.WORDINGS))
def test_a_prompt_offers_both_and_its_example_is_no_answer(wording: int) -> None:
    prompts = [
        comparison.question(wording),
        *(comparison.question_about_regions(FIRST, SECOND, SIZE, form, wording) for form in ("pixels", "thousandths")),
    ]
    for prompt in prompts:
        assert prompt.endswith(format_instruction(comparison.SHAPE))
        assert "First" in prompt.split("\n\nFirst think")[0]
        assert "Second" in prompt.split("\n\nFirst think")[0]
        assert "{" not in prompt
        echoed = prompt.splitlines()[-1]
        assert format_score(echoed) == 1.0
        assert comparison.read(echoed) is Unread.AMBIGUOUS
    assert "image" in prompts[0] or "picture" in prompts[0]
    assert "[1, 2, 30, 40]" in prompts[1]
    assert "[469, 417, 1000, 1000]" in prompts[2]
    assert "pixel" not in prompts[2]


@given(
    first=boxes,
    second=boxes,
    coordinates=st.sampled_from(["thousandths", "pixels"]),
    wording=st.integers(0, comparison.WORDINGS - 1),
)
def test_the_form_of_a_question_is_found_again(first: Box, second: Box, coordinates: Coordinates, wording: int) -> None:
    prompt = comparison.question_about_regions(first, second, SIZE, coordinates, wording)
    form = comparison.find_form(prompt, SIZE)
    assert form is not None
    assert (form.coordinates, form.wording) == (coordinates, wording)
    assert [str(list(box)) for box in form[2:]] == [grounding.truth(box, SIZE, coordinates) for box in (first, second)]
    assert comparison.find_form(prompt + " ", SIZE) is None


def test_the_form_of_another_text_is_not_found() -> None:
    for text in ("", "[1, 2, 3, 4] [5, 6, 7, 8]", comparison.question(), grounding.question("pixels", SIZE)):
        assert comparison.find_form(text, SIZE) is None


def test_questions_that_cannot_be_asked() -> None:
    with pytest.raises(ValueError, match="there are 6"):
        comparison.question(6)
    with pytest.raises(ValueError, match="no box of an image"):
        comparison.question_about_regions(FIRST, (0, 0, 641, 5), SIZE, "pixels")
    with pytest.raises(ValueError, match="no coordinates"):
        comparison.question_about_regions(FIRST, SECOND, SIZE, "percent")  # type: ignore[arg-type]


def test_the_wordings_differ() -> None:
    assert len(set(comparison.ASKED)) == len(set(comparison.ASKED_OF_REGIONS)) == comparison.WORDINGS >= 5
