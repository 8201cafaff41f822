"""Laws of the grounding task: boxes, their units, and the IoU."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distortlab.tasks import grounding
from distortlab.tasks.answer import Unread, format_completion
from distortlab.tasks.grounding import THOUSANDTHS, Box, Coordinates, Size, iou, rescale

sides = st.integers(1, 9000)
units = st.sampled_from(["thousandths", "pixels"])


def say(answer: str) -> str:
    return format_completion(answer, thinking="Let me see.")


def span(side: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.integers(0, side - 1).flatmap(lambda low: st.tuples(st.just(low), st.integers(low + 1, side)))


def box_in(size: Size) -> st.SearchStrategy[Box]:
    return st.tuples(span(size[0]), span(size[1])).map(lambda xy: (xy[0][0], xy[1][0], xy[0][1], xy[1][1]))


sizes = st.tuples(sides, sides)
boxes = sizes.flatmap(lambda size: st.tuples(st.just(size), box_in(size)))
pairs = sizes.flatmap(lambda size: st.tuples(st.just(size), box_in(size), box_in(size)))
floats = st.floats(-1e308, 1e308)
corners = st.tuples(floats, floats, floats, floats)


@given(drawn=boxes, coordinates=units)
def test_the_truth_scores_one(drawn: tuple[Size, Box], coordinates: Coordinates) -> None:
    size, box = drawn
    solution = grounding.truth(box, size, coordinates)
    assert grounding.score(say(solution), solution).value == 1.0


@given(drawn=pairs, coordinates=units)
def test_another_box_scores_less(drawn: tuple[Size, Box, Box], coordinates: Coordinates) -> None:
    size, box, other = drawn
    solution, answer = grounding.truth(box, size, coordinates), grounding.truth(other, size, coordinates)
    value = grounding.score(say(answer), solution).value
    assert value is not None
    assert (value == 1.0) == (answer == solution)


@given(a=corners, b=corners)
def test_iou_is_symmetric_and_a_share(a: tuple[float, ...], b: tuple[float, ...]) -> None:
    value = iou(a, b)  # type: ignore[arg-type]
    assert value == iou(b, a)  # type: ignore[arg-type]
    assert 0.0 <= value <= 1.0


@given(drawn=pairs)
def test_iou_counts_pixels(drawn: tuple[Size, Box, Box]) -> None:
    _, a, b = drawn
    columns = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    rows = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    assert iou(a, b) == pytest.approx(columns * rows / (areas - columns * rows), abs=1e-15, rel=1e-12)


@given(drawn=pairs)
def test_iou_is_the_same_in_pixels_and_in_fractions_of_the_image(drawn: tuple[Size, Box, Box]) -> None:
    (width, height), *both = drawn
    fractions = [(x1 / width, y1 / height, x2 / width, y2 / height) for x1, y1, x2, y2 in both]
    assert iou(*fractions) == pytest.approx(iou(*both), abs=1e-9)


def test_iou_by_hand() -> None:
    assert iou((0, 0, 10, 10), (5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert iou((0, 0, 10, 10), (10, 0, 20, 10)) == 0.0
    assert iou((0, 0, 0, 10), (0, 0, 0, 10)) == 0.0
    assert iou((0, 0, 2, 2), (0, 0, 2, 1)) == 0.5


@given(drawn=boxes, frame=sizes)
def test_a_box_in_another_frame_is_the_nearest_box_there(drawn: tuple[Size, Box], frame: Size) -> None:
    size, box = drawn
    there = rescale(box, size, frame)
    for axis in (0, 1):
        old, new = size[axis], frame[axis]
        low, high = there[axis], there[axis + 2]
        assert 0 <= low < high <= new
        ends = (box[axis] * new / old, box[axis + 2] * new / old)
        if high - low > 1:
            assert max(abs(low - ends[0]), abs(high - ends[1])) <= 0.5 + 1e-6
        else:
            assert low - 0.5 - 1e-6 <= (ends[0] + ends[1]) / 2 <= high + 0.5 + 1e-6


def test_the_solution_as_it_is_written() -> None:
    assert grounding.truth((886, 88, 1023, 648), (1024, 768), "pixels") == "[886, 88, 1023, 648]"
    assert grounding.truth((886, 88, 1023, 648), (1024, 768), "thousandths") == "[865, 115, 999, 844]"


@given(drawn=boxes)
def test_a_box_in_its_own_frame_stays(drawn: tuple[Size, Box]) -> None:
    size, box = drawn
    assert rescale(box, size, size) == box
    assert grounding.truth(box, size, "pixels") == str(list(box))


@given(drawn=boxes, factor=st.integers(1, 8))
def test_a_larger_frame_and_back(drawn: tuple[Size, Box], factor: int) -> None:
    size, box = drawn
    larger = (size[0] * factor, size[1] * factor)
    assert rescale(rescale(box, size, larger), larger, size) == box


@pytest.mark.parametrize(
    ("box", "size", "frame", "there"),
    [
        ((1, 2, 3, 4), (640, 480), THOUSANDTHS, (2, 4, 5, 8)),
        ((0, 0, 2, 1999), (2000, 2000), THOUSANDTHS, (0, 0, 1, 1000)),
        ((1, 3, 5, 7), (2000, 2000), THOUSANDTHS, (1, 2, 3, 4)),
        ((4999, 0, 5000, 1), (5000, 5000), THOUSANDTHS, (999, 0, 1000, 1)),
        ((2504, 2505, 2506, 2506), (5000, 5000), THOUSANDTHS, (501, 501, 502, 502)),
        ((2500, 2497, 2501, 2499), (5000, 5000), THOUSANDTHS, (500, 499, 501, 500)),
        ((10, 20, 500, 380), (512, 384), (504, 392), (10, 20, 492, 388)),
    ],
)
def test_rounded_not_truncated_and_never_collapsed(box: Box, size: Size, frame: Size, there: Box) -> None:
    assert rescale(box, size, frame) == there


@pytest.mark.parametrize("box", [(3, 0, 3, 5), (3, 0, 2, 5), (-1, 0, 2, 5), (0, 0, 11, 5), (0, 4, 5, 11)])
def test_a_box_outside_its_image_is_an_error(box: Box) -> None:
    with pytest.raises(ValueError, match="no box of an image"):
        grounding.truth(box, (10, 10), "thousandths")


def test_a_box_of_floats_is_an_error() -> None:
    with pytest.raises(TypeError):
        rescale((0.5, 0, 2, 5), (10, 10), THOUSANDTHS)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "answer",
    [
        "[886, 88, 1023, 648]",
        "[886,88,1023,648]",
        "(886, 88, 1023, 648)",
        "886 88 1023 648",
        "[886.0, 88.00, 1023., 648]",
        "(886, 88), (1023, 648)",
        "[[886, 88, 1023, 648]]",
        '{"bbox_2d": [886, 88, 1023, 648]}',
        '[{"bbox_2d": [886, 88, 1023, 648], "label": "dog 2"}]',
        '```json\n[\n\t{"bbox_2d": [886, 88, 1023, 648]}\n]\n```',
        "bbox = [886, 88, 1023, 648]",
    ],
)
def test_a_box_is_read_in_any_dress(answer: str) -> None:
    assert grounding.read(say(answer)) == (886.0, 88.0, 1023.0, 648.0)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("[1, 2, 3, 4], [5, 6, 7, 8]", Unread.AMBIGUOUS),
        ('[{"bbox_2d": [1, 2, 3, 4]}, {"bbox_2d": [1, 2, 3, 4]}]', Unread.AMBIGUOUS),
        ("[3, 2, 1, 4]", Unread.IMPOSSIBLE),
        ("[1, 4, 3, 2]", Unread.IMPOSSIBLE),
        ("[-1, 2, 3, 4]", Unread.IMPOSSIBLE),
        ("[1, 2, 1, 4]", Unread.IMPOSSIBLE),
        ("[1, 2, 3]", Unread.MALFORMED),
        ("[1, 2, 3, 4, 5]", Unread.MALFORMED),
        ("[886, 88, 1,023, 648]", Unread.MALFORMED),
        ("[]", Unread.MALFORMED),
        ("[x1, y1, x2, y2]", Unread.MALFORMED),
        ("[NaN, 2, 3, 4]", Unread.MALFORMED),
        ("[1, 2, Infinity, 4]", Unread.MALFORMED),
        ("[1, 2, 1e999, 4]", Unread.MALFORMED),
        (f"[1, 2, {'9' * 500}, 4]", Unread.MALFORMED),
        ("[1, 2, 3-4, 4]", Unread.MALFORMED),
        ("[1, 2, 0x9, 4]", Unread.MALFORMED),
        ("[1, 2, 1_0, 4]", Unread.MALFORMED),
        ("[١, ٢, ٣, ٤]", Unread.MALFORMED),
        ("[1%, 2%, 3%, 4%]", Unread.MALFORMED),
        ("x2=3, y2=4, x1=1, y1=2", Unread.MALFORMED),
        ("between 1, 2 and 3, 4", Unread.MALFORMED),
        ('{"bbox_2d": "1, 2, 3, 4"}', Unread.MALFORMED),
    ],
)
def test_what_is_not_one_box_is_not_read(answer: str, reason: Unread) -> None:
    verdict = grounding.score(say(answer), "[1, 2, 3, 4]")
    assert grounding.read(say(answer)) is reason
    assert (verdict.value, verdict.status) == (None, reason.value)


def test_a_box_elsewhere_is_wrong_and_not_unread() -> None:
    for answer in ("[900, 900, 1000, 1000]", "[0.1, 0.2, 0.3, 0.4]", "[0, 0, 999999999, 999999999]"):
        verdict = grounding.score(say(answer), "[10, 20, 30, 40]")
        assert verdict.status == "scored"
        assert verdict.value == pytest.approx(0.0, abs=1e-9)


@given(answer=st.text(alphabet='[]{}(),:;="-.`0123456789 \nebox_2dlabjsn', max_size=80))
def test_any_text_is_read_or_not_without_an_error(answer: str) -> None:
    verdict = grounding.score(f"<answer>{answer}</answer>", "[1, 2, 3, 4]")
    assert (verdict.value is None) == (verdict.status != "scored")


@pytest.mark.parametrize("piece", ["1", "1,", "[", '"label":"', '"label" :', "box", " ", "-", "```"])
def test_long_answers_are_not_worked_on(piece: str) -> None:
    answer = piece * (1_000_000 // len(piece))
    assert grounding.score(f"<answer>{answer}</answer>", "[1, 2, 3, 4]").value is None


@pytest.mark.parametrize("solution", ["", "[1, 2, 3]", "[3, 2, 1, 4]", "dog"])
def test_a_broken_solution_is_an_error(solution: str) -> None:
    with pytest.raises(ValueError, match="not a solution"):
        grounding.score(say("[1, 2, 3, 4]"), solution)


@pytest.mark.parametrize("wording", range(grounding.WORDINGS))
def test_a_prompt_says_the_units_and_the_form(wording: int) -> None:
    pixels = grounding.question("pixels", (643, 487), wording)
    thousandths = grounding.question("thousandths", (643, 487), wording)
    assert thousandths == grounding.question("thousandths", wording=wording)
    for prompt in (pixels, thousandths):
        assert prompt.count("[x1, y1, x2, y2]") == 2
        assert "{" not in prompt
    assert "pixels" in pixels
    assert all(number in pixels for number in ("643", "487"))
    assert "1000" in thousandths
    assert "pixel" not in thousandths


def test_questions_that_cannot_be_asked() -> None:
    with pytest.raises(ValueError, match="needs the size"):
        grounding.question("pixels")
    with pytest.raises(ValueError, match="no coordinates"):
        grounding.question("percent")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no coordinates"):
        grounding.truth((0, 0, 1, 1), (9, 9), "percent")  # type: ignore[arg-type]


def test_the_wordings_differ() -> None:
    assert len(set(grounding.ASKED)) == grounding.WORDINGS >= 5
