"""Questions about one region that offer the answer None: what they say may be true of a pristine image as well."""

from itertools import product

import pytest

from distortlab.tasks import grounding, recognition, score

FAMILIES = ["noise", "blur", "darken"]
NOISE = recognition.truth("noise", 4)


@pytest.mark.parametrize(
    ("wording", "paired", "whole"), list(product(range(recognition.WORDINGS), (False, True), (False, True)))
)
def test_every_wording_of_recognition_leaves_it_open_whether_there_is_a_distortion(
    wording: int, paired: bool, whole: bool
) -> None:
    usual = recognition.question(FAMILIES, paired, wording, is_whole=whole)
    hedged = recognition.question(FAMILIES, paired, wording, may_be_none=True, is_whole=whole)
    assert recognition.OR_NONE not in usual
    assert recognition.OR_NONE in hedged
    assert recognition.read_candidates(hedged) == recognition.read_candidates(usual) == FAMILIES
    assert "None" in hedged.replace(recognition.OR_NONE, "")
    assert "None" not in usual
    first = usual.partition("\n\n")[0]
    assert first not in hedged, "the sentence that there is a distortion stays as it was"


@pytest.mark.parametrize("wording", range(grounding.WORDINGS))
def test_every_wording_of_grounding_leaves_it_open_as_well(wording: int) -> None:
    usual = grounding.question("pixels", (640, 480), wording)
    hedged = grounding.question("pixels", (640, 480), wording, may_be_none=True)
    assert grounding.find_form(usual, (640, 480)) == ("pixels", wording, True, False)
    assert grounding.find_form(hedged, (640, 480)) == ("pixels", wording, True, True)
    assert grounding.find_form(hedged, (640, 481)) is None
    assert hedged.replace(f" {grounding.OR_NONE}", "") != usual


@pytest.mark.parametrize("answer", ["None", "none", " NONE. ", '"None"'])
def test_the_answer_that_nothing_was_distorted_is_read(answer: str) -> None:
    completion = f"<answer>{answer}</answer>"
    assert score("recognition", completion, recognition.NONE).value == 1.0
    assert score("recognition", completion, NOISE).value == 0.0
    assert score("grounding", completion, grounding.NONE).value == 1.0
    assert score("grounding", completion, "[0, 0, 10, 10]").value == 0.0
    assert recognition.read(completion) == recognition.ParsedAnswer(None, 0)


def test_any_distortion_is_wrong_where_there_is_none() -> None:
    for level in recognition.LEVELS:
        assert score("recognition", f"<answer>Noise, {level}</answer>", recognition.NONE).value == 0.0
    assert score("grounding", "<answer>[0, 0, 1000, 1000]</answer>", grounding.NONE).value == 0.0


@pytest.mark.parametrize("answer", ["", "None, Severe, Blur", "no idea", "nothing much"])
def test_what_cannot_be_read_is_not_none(answer: str) -> None:
    assert score("recognition", f"<answer>{answer}</answer>", recognition.NONE).value in (None, 0.0)
    assert score("grounding", f"<answer>{answer}</answer>", grounding.NONE).value is None


def test_a_severity_that_is_given_to_no_type_is_not_none() -> None:
    assert score("recognition", "<answer>None, Severe</answer>", recognition.NONE).value == 0.0
