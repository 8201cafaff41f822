"""Laws of the diagnosis task: its own truth scores 1, `[]` is right for a pristine image, and every mistake costs."""

import json
import random
import time
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from distortlab.tasks import Unread, Verdict, diagnosis, format_score, recognition, terms
from distortlab.tasks.answer import format_completion, format_instruction
from distortlab.tasks.diagnosis import Comparison, DistortedRegion, Grading, Parts
from distortlab.tasks.grounding import Box, Coordinates, Size, iou
from distortlab.tasks.matching import Match
from distortlab.tasks.region_lists import LIMIT, MOST, SHAPE, format_regions
from distortlab.tasks.terms import FAMILIES, LEVELS, PHRASES

TRUTH = '[{"box": [0, 0, 100, 100], "type": "Noise", "severity": "Severe"}]'
PRISTINE = "[]"

spans = st.tuples(st.integers(0, 999), st.integers(0, 999)).map(lambda pair: (min(pair), max(pair) + 1))
boxes = st.tuples(spans, spans).map(lambda xy: (xy[0][0], xy[1][0], xy[0][1], xy[1][1]))
coarse = st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda at: (at[0], at[1], at[0] + 2, at[1] + 2))
labels = st.tuples(st.sampled_from(FAMILIES), st.integers(1, 5))
regions = st.builds(lambda box, label: DistortedRegion(box, *label), boxes | coarse, labels)
sets = st.lists(regions, max_size=6)
sizes = st.tuples(st.integers(1, 9000), st.integers(1, 9000))
units = st.sampled_from(["thousandths", "pixels"])
weights = st.lists(st.floats(0, 10), min_size=5, max_size=5).filter(lambda found: sum(found) > 0.1)


def say(found: list[DistortedRegion] | str) -> str:
    answer = found if isinstance(found, str) else format_regions(found)
    return format_completion(answer, thinking="Let me see.", limit=LIMIT)


def compare(given: list[DistortedRegion] | str, right: list[DistortedRegion] | str) -> Comparison:
    marks = diagnosis.compare(say(given), right if isinstance(right, str) else format_regions(right))
    assert isinstance(marks, Comparison)
    return marks


def grade(given: list[DistortedRegion] | str, right: list[DistortedRegion] | str) -> Parts:
    return diagnosis.GRADING.grade(compare(given, right))


def value(given: list[DistortedRegion] | str, right: list[DistortedRegion] | str) -> float:
    found = diagnosis.score(say(given), right if isinstance(right, str) else format_regions(right)).value
    assert found is not None
    return found


# --- the score ------------------------------------------------------------------------------------------------------


@given(found=sets, lot=st.randoms(use_true_random=False), parts=weights)
def test_the_truth_scores_one_in_any_order(
    found: list[DistortedRegion], lot: random.Random, parts: list[float]
) -> None:
    solution = format_regions(found)
    entries = json.loads(solution)
    shuffled = json.dumps(lot.sample(entries, len(entries)))
    for answer in (solution, shuffled):
        assert diagnosis.score(say(answer), solution) == Verdict(1.0)
        assert diagnosis.score(say(answer), solution, Grading(*parts)).value == 1.0
    assert format_score(say(solution)) == 1.0


@given(given=sets, right=sets)
def test_another_set_scores_less(given: list[DistortedRegion], right: list[DistortedRegion]) -> None:
    assert (value(given, right) == 1.0) == (format_regions(given) == format_regions(right))


@given(given=sets, right=sets, parts=weights)
def test_a_score_and_its_parts_are_shares(
    given: list[DistortedRegion], right: list[DistortedRegion], parts: list[float]
) -> None:
    marks = compare(given, right)
    found = Grading(*parts).grade(marks)
    assert all(0.0 <= part <= 1.0 for part in found)
    assert found.severity <= found.type <= found.f1
    assert min(found) - 1e-12 <= Grading(*parts).value(marks) <= max(found)


@given(given=sets, right=sets, lot=st.randoms(use_true_random=False))
def test_the_order_of_an_answer_does_not_matter(
    given: list[DistortedRegion], right: list[DistortedRegion], lot: random.Random
) -> None:
    """Also with ties: boxes on a coarse grid are often equal."""
    entries = json.loads(format_regions(given))
    assert value(json.dumps(lot.sample(entries, len(entries))), right) == value(given, right)


@given(found=st.lists(regions, min_size=1, max_size=6), label=labels, grading=st.sampled_from([Grading()]))
def test_to_name_one_more_true_region_never_costs(
    found: list[DistortedRegion], label: tuple[str, int], grading: Grading
) -> None:
    """Whatever is said of its type: who is in doubt about it must not gain by keeping silent."""
    less = grading.grade(compare(found[1:], found))
    more = grading.grade(compare([replace(found[0], family=label[0], severity=label[1]), *found[1:]], found))
    assert all(after >= before - 1e-12 for before, after in zip(less, more, strict=True))
    assert more.iou > less.iou
    assert more.f1 > less.f1


@given(given=sets, right=sets, extra=regions)
def test_a_box_that_touches_nothing_never_pays(
    given: list[DistortedRegion], right: list[DistortedRegion], extra: DistortedRegion
) -> None:
    assume(not any(iou(extra.box, region.box) for region in right))
    before, after = grade(given, right), grade([*given, extra], right)
    assert all(b >= a for b, a in zip(before, after, strict=True))
    assert after.f1 < before.f1 or before.f1 == 0.0


@given(right=st.lists(regions, min_size=1, max_size=5), family=st.sampled_from(FAMILIES), severity=st.integers(1, 5))
def test_a_wrong_type_costs_and_takes_the_severity_with_it(
    right: list[DistortedRegion], family: str, severity: int
) -> None:
    one, others = right[0], right[1:]
    assume(family != one.family)
    assume(all(region.box != one.box for region in others))
    found = grade([replace(one, family=family, severity=severity), *others], right)
    assert (found.form, found.iou, found.f1) == (1.0, 1.0, 1.0)
    assert found.type == found.severity == pytest.approx(1 - 1 / len(right))


@pytest.mark.parametrize(("distance", "worth"), list(enumerate((1.0, 0.6, 0.2, 0.0, 0.0))))
def test_a_severity_is_worth_something_by_its_distance(distance: int, worth: float) -> None:
    right = [DistortedRegion((0, 0, 100, 100), "noise", 5)]
    assert grade([replace(right[0], severity=5 - distance)], right) == Parts(1.0, 1.0, 1.0, 1.0, worth)


@pytest.mark.parametrize(
    ("given", "right", "parts"),
    [
        (PRISTINE, PRISTINE, (1, 1, 1, 1, 1)),
        (TRUTH, PRISTINE, (1, 0, 0, 0, 0)),
        (PRISTINE, TRUTH, (1, 0, 0, 0, 0)),
        ("[] Nothing.", PRISTINE, (0, 1, 1, 1, 1)),
        (f"```json\n{TRUTH}\n```", TRUTH, (0, 1, 1, 1, 1)),
        (TRUTH.replace("Noise", "Blur"), TRUTH, (1, 1, 1, 0, 0)),
        (TRUTH.replace("Noise", "Fog"), TRUTH, (0, 1, 1, 0, 0)),
        (TRUTH.replace("Severe", "Mild"), TRUTH, (0, 1, 1, 1, 0)),
        (TRUTH.replace("Severe", "Extreme"), TRUTH, (1, 1, 1, 1, 0.6)),
        (TRUTH.replace("100, 100]", "100, 50]"), TRUTH, (1, 0.5, 1, 1, 1)),
        (TRUTH.replace("100, 100]", "100, 49]"), TRUTH, (1, 0.49, 0, 0, 0)),
        (TRUTH.replace("[0, 0, 100", "[100, 0, 200"), TRUTH, (1, 0, 0, 0, 0)),
        (TRUTH[:-1] + ", " + TRUTH[1:], TRUTH, (1, 0.5, 2 / 3, 0.5, 0.5)),
        (TRUTH, TRUTH[:-1] + ", " + TRUTH[1:], (1, 0.5, 2 / 3, 0.5, 0.5)),
    ],
)
def test_the_parts_by_hand(given: str, right: str, parts: tuple[float, ...]) -> None:
    found = grade(given, right)
    assert found == pytest.approx(parts)
    assert value(given, right) == pytest.approx(
        sum(weight * part for weight, part in zip((0.1, 0.2, 0.3, 0.2, 0.2), found, strict=True))
    )


def test_equal_boxes_with_two_types_are_both_right_whatever_their_order() -> None:
    right = [DistortedRegion((0, 0, 9, 9), family, severity) for family, severity in (("blur", 1), ("noise", 5))]
    swapped = json.dumps(json.loads(format_regions(right))[::-1])
    assert grade(swapped, right) == Parts(1.0, 1.0, 1.0, 1.0, 1.0)
    assert grade([replace(right[0], severity=5), replace(right[1], severity=1)], right).severity == 0.0


def test_what_each_true_region_came_to_can_be_told_by_family() -> None:
    right = [DistortedRegion((0, 0, 9, 9), "blur", 1), DistortedRegion((50, 50, 99, 99), "noise", 5)]
    marks = compare([replace(right[0], severity=2)], right)
    worth = {match.right.family: diagnosis.GRADING.grade_severity(match) for match in marks.matches}
    assert worth == {"blur": 0.6, "noise": 0.0}
    assert marks.matches[1] == Match(DistortedRegion((50.0, 50.0, 99.0, 99.0), "noise", 5), None, 0.0)


@pytest.mark.parametrize(
    ("completion", "status"),
    [
        ("[]", "missing"),
        ("<answer></answer>", "empty"),
        (f"<answer>{PRISTINE}</answer><answer>{PRISTINE}</answer>", "repeated"),
        (f"<answer>{TRUTH}", "unclosed"),
        ("<answer>none</answer>", "malformed"),
        ("<answer>[[3, 0, 1, 9]]</answer>", "impossible"),
        (f"<answer>{json.dumps(json.loads(TRUTH) * 10_000)}</answer>", "long"),
    ],
)
def test_no_answer_is_not_a_wrong_answer(completion: str, status: str) -> None:
    for solution in (TRUTH, PRISTINE):
        assert diagnosis.score(completion, solution) == Verdict(None, status)


def test_an_answer_longer_than_those_of_other_tasks_is_read() -> None:
    many = [DistortedRegion((at, at, at + 9, at + 9), "contrast_weaken", 2) for at in range(0, 40 * 9, 9)]
    assert len(format_regions(many)) > 3000
    assert value(many, many) == 1.0


def test_as_many_boxes_as_are_read_take_no_time() -> None:
    right = [DistortedRegion((0, 0, 50 + at, 50), family, 3) for at, family in enumerate(FAMILIES * 5)]
    equal = json.dumps([{"box": [0, 0, 55, 50], "type": "Blur", "severity": "Severe"}] * MOST)
    began = time.process_time()
    value(equal, right)
    value(right, right)
    assert time.process_time() - began < 2.0


@given(answer=st.text(alphabet='[]{}(),:;="-.`0123456789 \nebox_2dtypsvriaNnul', max_size=80))
def test_any_text_is_read_or_not_without_an_error(answer: str) -> None:
    verdict = diagnosis.score(f"<answer>{answer}</answer>", TRUTH)
    assert (verdict.value is None) == (verdict.status != "scored")


@pytest.mark.parametrize(
    "solution",
    ["", "dog", "[1, 2, 3, 4]", TRUTH + ".", TRUTH.replace("Noise", "Fog"), TRUTH.replace("100, 100", "0, 0")],
)
def test_a_broken_solution_is_an_error(solution: str) -> None:
    with pytest.raises(ValueError, match="not a solution"):
        diagnosis.score(say(PRISTINE), solution)


def test_weights_are_ratios_and_not_all_of_them_nothing() -> None:
    marks = compare(TRUTH.replace("Noise", "Blur"), TRUTH)
    assert Grading(0, 0, 0, 3, 3).value(marks) == 0.0
    assert Grading(0, 0, 2, 2, 0).value(marks) == 0.5
    assert Grading().value(marks) == pytest.approx(Grading(1, 2, 3, 2, 2).value(marks))
    for wrong in ({"form": -0.1}, {"iou": float("nan")}, {"f1": float("inf")}, {"severity_grades": (1.0, 0.5)}):
        with pytest.raises(ValueError, match="not"):
            Grading(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not all of them 0"):
        Grading(0, 0, 0, 0, 0)


# --- the solution ---------------------------------------------------------------------------------------------------


@given(size=sizes, drawn=st.data(), coordinates=units)
def test_the_solution_of_an_image_scores_one(size: Size, drawn: st.DataObject, coordinates: Coordinates) -> None:
    across, down = (drawn.draw(st.lists(st.integers(0, side), min_size=2, max_size=2, unique=True)) for side in size)
    box = (min(across), min(down), max(across), max(down))
    whole = (0, 0, *size)
    solution = diagnosis.truth([DistortedRegion(box, "blur", 2), DistortedRegion(whole, "noise", 5)], size, coordinates)
    assert diagnosis.score(say(solution), solution).value == 1.0
    right, bottom = (1000, 1000) if coordinates == "thousandths" else size
    assert [0, 0, right, bottom] in [entry["box"] for entry in json.loads(solution)]


@given(found=sets)
def test_the_same_set_in_the_model_s_pixels(found: list[DistortedRegion]) -> None:
    """Boxes in thousandths of 1000 x 1000 pixels are those boxes; a larger frame and back changes nothing."""
    assert diagnosis.truth(found, (1000, 1000), "thousandths") == diagnosis.truth(found, (1000, 1000), "pixels")
    assert json.loads(diagnosis.truth(found, (1000, 1000), "pixels")) == json.loads(format_regions(found))


def test_the_solution_as_it_is_written() -> None:
    found = [DistortedRegion((886, 88, 1023, 648), "noise", 4), DistortedRegion((0, 0, 1024, 768), "darken", 1)]
    assert diagnosis.truth(found, (1024, 768), "thousandths") == (
        '[{"box": [0, 0, 1000, 1000], "type": "Darkening", "severity": "Slight"}, '
        '{"box": [865, 115, 999, 844], "type": "Noise", "severity": "Severe"}]'
    )
    assert diagnosis.truth([], (1024, 768), "pixels") == "[]"


@pytest.mark.parametrize("box", [(3, 0, 3, 5), (-1, 0, 2, 5), (0, 0, 11, 5)])
def test_a_box_outside_its_image_is_an_error(box: Box) -> None:
    with pytest.raises(ValueError, match="no box of an image"):
        diagnosis.truth([DistortedRegion(box, "blur", 1)], (10, 10), "thousandths")


# --- the question ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wording", range(diagnosis.WORDINGS))
def test_a_prompt_names_types_and_levels_in_order_the_units_and_the_form(wording: int) -> None:
    families = ("noise", "contrast_weaken", "blur", "oversharpen")
    pixels = diagnosis.question("pixels", (643, 487), wording, families)
    thousandths = diagnosis.question("thousandths", (643, 487), wording, families)
    assert thousandths == diagnosis.question("thousandths", None, wording, families)
    for prompt in (pixels, thousandths):
        for names in ([PHRASES[family] for family in families], LEVELS):
            places = [prompt.index(name) for name in names]
            assert places == sorted(places)
            assert all(prompt.count(name) == 1 for name in names)
        assert not any(PHRASES[family] in prompt for family in set(FAMILIES) - set(families))
        assert prompt.count(SHAPE) == 2
        assert prompt.count("[]") == 1
        assert prompt.endswith(format_instruction(SHAPE))
        assert "{" not in prompt.replace(SHAPE, "")
    assert all(number in pixels for number in ("643", "487"))
    assert "pixel" not in thousandths


@given(
    wording=st.integers(0, diagnosis.WORDINGS - 1),
    coordinates=units,
    families=st.lists(st.sampled_from(FAMILIES), min_size=1, unique=True),
    size=sizes,
)
def test_the_form_of_a_question_is_found_again(
    wording: int, coordinates: Coordinates, families: list[str], size: Size
) -> None:
    prompt = diagnosis.question(coordinates, size, wording, families)
    assert diagnosis.find_form(prompt, size) == (coordinates, wording, tuple(families))
    assert recognition.read_candidates(prompt) == families
    assert diagnosis.find_form(prompt + " ", size) is None


def test_the_form_of_another_text_is_not_found() -> None:
    for text in ("", "Blur, Noise", recognition.question(["blur", "noise"], False), "Blur, Blur"):
        assert diagnosis.find_form(text, (640, 480)) is None


@pytest.mark.parametrize("template", diagnosis.ASKED)
def test_a_wording_does_not_speak_of_any_family_or_level(template: str) -> None:
    words = set(recognition._words(template + diagnosis.RULES))
    for table in (terms.FAMILY_WORDS, terms.QUALITY_WORDS, terms.LEVEL_WORDS):
        assert not words & table.keys()
    assert "{types}" in template or "{listed}" in template or "{described}" in template
    assert "{rules}" in template


def test_questions_that_cannot_be_asked() -> None:
    with pytest.raises(ValueError, match="needs the size"):
        diagnosis.question("pixels")
    with pytest.raises(ValueError, match="there are 6"):
        diagnosis.question("thousandths", None, 6)
    for families, reason in (
        ([], "at least one"),
        (["blur", "blur"], "each once"),
        (["fog"], "no family called 'fog'"),
    ):
        with pytest.raises(ValueError, match=reason):
            diagnosis.question("thousandths", None, 0, families)


def test_the_example_in_the_prompt_is_no_answer() -> None:
    for wording, coordinates in product(range(diagnosis.WORDINGS), ("thousandths", "pixels")):
        echoed = diagnosis.question(coordinates, (640, 480), wording).splitlines()[-1]  # type: ignore[arg-type]
        assert format_score(echoed) == 1.0
        assert diagnosis.read(echoed) is Unread.MALFORMED


def test_the_wordings_differ() -> None:
    assert len(set(diagnosis.ASKED)) == diagnosis.WORDINGS >= 5
