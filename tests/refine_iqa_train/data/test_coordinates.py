"""Questions in a model's coordinates: a perfect answer scores 1 everywhere, and the words of others are left alone."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distortlab.core.errors import UserError
from distortlab.tasks import comparison, diagnosis, grounding, score
from distortlab.tasks.answer import format_completion
from distortlab.tasks.diagnosis import DistortedRegion
from distortlab.tasks.grounding import Box, Coordinates, Size
from distortlab.tasks.region_lists import parse_regions
from distortlab.tasks.terms import FAMILIES as DISTORTIONS
from refine_iqa_train.data.coordinates import BoxQuestion, convert_question, match_boxes
from refine_iqa_train.data.image_sizes import ImagePolicy
from refine_iqa_train.models.families import FAMILIES

QWEN25 = ImagePolicy(28, 3136, 12_845_056)
QWEN3 = ImagePolicy(32, 65_536, 16_777_216)
ODD = [(512, 384), (1024, 768), (1920, 1080), (333, 517), (97, 1211), (4032, 3024)]
POLICIES = {
    "qwen2_5_vl": QWEN25,
    "qwen2_vl": QWEN25,
    "qwen3_vl": QWEN3,
    "llava": ImagePolicy(None),
}


@st.composite
def boxes(draw: st.DrawFn, size: tuple[int, int]) -> tuple[int, int, int, int]:
    width, height = size
    x1, y1 = draw(st.integers(0, width - 33)), draw(st.integers(0, height - 33))
    return x1, y1, draw(st.integers(x1 + 32, width)), draw(st.integers(y1 + 32, height))


@pytest.mark.parametrize("align", [None, 224])
@pytest.mark.parametrize("stored", ["thousandths", "pixels"])
@pytest.mark.parametrize("family", POLICIES)
@pytest.mark.parametrize("size", ODD)
@settings(max_examples=8)
@given(data=st.data())
def test_a_perfect_answer_scores_one(family: str, size: Any, stored: Coordinates, align: int | None, data: Any) -> None:
    box = data.draw(boxes(size))
    rules = POLICIES[family]
    policy = ImagePolicy(rules.factor, rules.min_pixels, rules.max_pixels, align)
    asked = BoxQuestion(grounding.question(stored, size, 2), grounding.truth(box, size, stored))
    converted = convert_question("grounding", asked, [box], size, policy, FAMILIES[family].coordinates)
    prompt, solution = converted.text, converted.solution
    assert score("grounding", format_completion(solution, "..."), solution).value == 1.0
    frame = policy.frame_size(size) if FAMILIES[family].coordinates == "pixels" else (1000, 1000)
    assert converted.frame == frame
    assert (f"which is {frame[0]} wide and {frame[1]} high" in prompt) == (family == "qwen2_5_vl")
    # on fractions of what is seen, the solution is the box but for rounding
    seen = policy.padded_size(size)
    given_box = grounding.read(format_completion(solution, "..."))
    assert not hasattr(given_box, "name")
    for edge, (exact, side, whole) in zip(given_box, zip(box, seen * 2, frame * 2, strict=True), strict=True):
        assert abs(edge / whole - exact / side) <= 0.5 / whole + 1e-9


def test_iou_is_the_same_in_pixels_and_on_fractions() -> None:
    a, b = (10.0, 20.0, 110.0, 220.0), (30.0, 10.0, 130.0, 200.0)
    on_fractions = grounding.iou(*(tuple(v / s for v, s in zip(x, (504, 392) * 2, strict=True)) for x in (a, b)))  # type: ignore[arg-type]
    assert grounding.iou(a, b) == pytest.approx(on_fractions, abs=1e-15)


@pytest.mark.parametrize("task", ["grounding", "diagnosis", "comparison_regions", "comparison", "object"])
def test_the_words_of_others_are_left_alone(task: str) -> None:
    mine = BoxQuestion("Where is the dog, in percent?", "[1, 2, 3, 4]")
    assert convert_question(task, mine, [(1, 2, 3, 4), (1, 2, 3, 5)], (100, 100), QWEN25, "pixels") == mine


# --- sets -----------------------------------------------------------------------------------------------------------


def make_regions(data: st.DataObject, size: Size, most: int = 5) -> list[DistortedRegion]:
    found = data.draw(st.lists(boxes(size), max_size=most))
    families = data.draw(st.lists(st.sampled_from(DISTORTIONS), min_size=len(found), max_size=len(found)))
    return [
        DistortedRegion(box, family, 1 + place % 5)
        for place, (box, family) in enumerate(zip(found, families, strict=True))
    ]


@pytest.mark.parametrize("align", [None, 224])
@pytest.mark.parametrize("stored", ["thousandths", "pixels"])
@pytest.mark.parametrize("family", POLICIES)
@pytest.mark.parametrize("size", [(640, 480), (1920, 1080), (97, 1211)])
@settings(max_examples=5)
@given(data=st.data())
def test_the_boxes_of_a_set_are_rounded_once(
    family: str, size: Size, stored: Coordinates, align: int | None, data: Any
) -> None:
    rules, coordinates = POLICIES[family], FAMILIES[family].coordinates
    policy = ImagePolicy(rules.factor, rules.min_pixels, rules.max_pixels, align)
    regions = make_regions(data, size)
    names = data.draw(st.permutations(DISTORTIONS))
    asked = BoxQuestion(diagnosis.question(stored, size, 3, names), diagnosis.truth(regions, size, stored))
    pixels: list[Box] = data.draw(st.permutations([region.box for region in regions]))
    found = convert_question("diagnosis", asked, pixels, size, policy, coordinates)
    frame = policy.frame_size(size) if coordinates == "pixels" else (1000, 1000)
    assert found.frame == frame
    assert found.text == diagnosis.question(coordinates, frame, 3, names)
    assert score("diagnosis", format_completion(found.solution, ".", 10_000), found.solution).value == 1.0
    seen = policy.padded_size(size)
    expected = [
        DistortedRegion(
            grounding.rescale((0, 0, *seen) if region.box == (0, 0, *size) else region.box, seen, frame),  # type: ignore[arg-type]
            region.family,
            region.severity,
        )
        for region in regions
    ]
    as_stored = {region.box for region in parse_regions(asked.solution).regions}  # type: ignore[union-attr]
    if len(as_stored) == len(regions):  # else it is not known which is which
        assert found.solution == diagnosis.truth(expected, frame, "pixels")


@pytest.mark.parametrize("coordinates", ["thousandths", "pixels"])
def test_a_distortion_of_the_whole_image_covers_the_padding_too(coordinates: Coordinates) -> None:
    """What the question says: "if the whole image is distorted, its box is the whole image"."""
    size, policy = (640, 480), ImagePolicy(28, 3136, 12_845_056, 224)
    assert policy.padded_size(size) == (672, 672)
    regions = [DistortedRegion((0, 0, 640, 480), "noise", 4), DistortedRegion((0, 0, 640, 240), "blur", 1)]
    asked = BoxQuestion(diagnosis.question("thousandths", size), diagnosis.truth(regions, size, "thousandths"))
    found = convert_question("diagnosis", asked, [(0, 0, 640, 480), (0, 0, 640, 240)], size, policy, coordinates)
    frame = found.frame
    assert frame is not None
    listed = {region.family: region.box for region in parse_regions(found.solution).regions}  # type: ignore[union-attr]
    assert listed["noise"] == (0, 0, *frame)
    assert listed["blur"] == grounding.rescale((0, 0, 640, 240), (672, 672), frame)


def test_a_pristine_image_stays_one() -> None:
    asked = BoxQuestion(diagnosis.question("thousandths"), "[]")
    assert convert_question("diagnosis", asked, [], (640, 480), QWEN25, "pixels").solution == "[]"


def test_equal_boxes_keep_their_families() -> None:
    box, size = (10, 20, 400, 300), (640, 480)
    regions = [DistortedRegion(box, "noise", 4), DistortedRegion(box, "blur", 2), DistortedRegion(box, "blur", 2)]
    asked = BoxQuestion(diagnosis.question("thousandths"), diagnosis.truth(regions, size, "thousandths"))
    found = convert_question("diagnosis", asked, [box] * 3, size, QWEN25, "pixels")
    listed = parse_regions(found.solution).regions  # type: ignore[union-attr]
    assert [(region.family, region.severity) for region in listed] == [("blur", 2), ("blur", 2), ("noise", 4)]
    assert len({region.box for region in listed}) == 1


def test_boxes_that_tie_in_thousandths_are_found_whatever_their_order() -> None:
    """Pixels of a wide image are finer than thousandths: sorted by them, regions can stand in another order."""
    size = (4000, 3000)
    regions = [DistortedRegion((900, 300, 1900, 1000), "noise", 4), DistortedRegion((100, 301, 800, 900), "blur", 2)]
    solution = diagnosis.truth(regions, size, "thousandths")
    in_pixels = [region.box for region in sorted(regions, key=lambda region: region.sort_key)]
    pairs = match_boxes(solution, in_pixels, size, "thousandths")  # type: ignore[arg-type]
    assert {region.family: box for region, box in pairs} == {region.family: region.box for region in regions}
    assert [region.family for region, _ in pairs] == ["blur", "noise"]


@pytest.mark.parametrize(
    ("boxes", "sentence"),
    [
        ([], r"the solution has a box \[16, 42, 625, 625\], and boxes have \[\]"),
        ([(10, 20, 400, 301)], "the solution has a box"),
        ([(10, 20, 400, 300)] * 2, r"boxes have \[\[10, 20, 400, 300\]\], and the solution has none there"),
    ],
)
def test_boxes_of_another_image_are_refused(boxes: Sequence[Box], sentence: str) -> None:
    size = (640, 480)
    regions = [DistortedRegion((10, 20, 400, 300), "noise", 4)]
    asked = BoxQuestion(diagnosis.question("thousandths"), diagnosis.truth(regions, size, "thousandths"))
    with pytest.raises(UserError, match=sentence):
        convert_question("diagnosis", asked, boxes, size, QWEN25, "pixels")


# --- boxes in the prompt --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("align", [None, 224])
@pytest.mark.parametrize("stored", ["thousandths", "pixels"])
@pytest.mark.parametrize("family", POLICIES)
@settings(max_examples=8)
@given(data=st.data())
def test_the_regions_of_a_comparison_are_rounded_once(
    family: str, stored: Coordinates, align: int | None, data: Any
) -> None:
    size, rules, coordinates = (1920, 1080), POLICIES[family], FAMILIES[family].coordinates
    policy = ImagePolicy(rules.factor, rules.min_pixels, rules.max_pixels, align)
    pair = [data.draw(boxes(size)), data.draw(boxes(size))]
    asked = BoxQuestion(comparison.question_about_regions(*pair, size, stored, 4), "Second")
    found = convert_question("comparison_regions", asked, pair, size, policy, coordinates)
    assert (found.solution, found.frame) == ("Second", None)
    frame = policy.frame_size(size) if coordinates == "pixels" else (1000, 1000)
    form = comparison.find_form(found.text, frame)
    assert form is not None
    assert form[:2] == (coordinates, 4)
    seen = policy.padded_size(size)
    assert [form.first, form.second] == [grounding.rescale(box, seen, frame) for box in pair]


def test_regions_that_are_not_those_of_the_prompt_are_refused() -> None:
    size, pair = (640, 480), [(0, 0, 64, 48), (64, 48, 640, 480)]
    asked = BoxQuestion(comparison.question_about_regions(*pair, size, "thousandths"), "First")  # type: ignore[misc]
    assert convert_question("comparison_regions", asked, pair, size, QWEN25, "pixels").text != asked.text  # type: ignore[arg-type]
    with pytest.raises(UserError, match="are not those of its boxes"):
        convert_question("comparison_regions", asked, pair[::-1], size, QWEN25, "pixels")  # type: ignore[arg-type]
