"""Laws of the recognition task: its own truth scores 1, anything else less, and nothing is guessed."""

import hashlib
import re
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distortlab.tasks import recognition, terms
from distortlab.tasks.answer import Unread, format_completion
from distortlab.tasks.recognition import Comparison, Grading, ParsedAnswer
from distortlab.tasks.terms import FAMILIES, LEVELS, PHRASES

TRUTHS = list(product(FAMILIES, range(1, 6)))


def say(answer: str) -> str:
    return format_completion(answer, thinking="Let me see.")


def test_the_families_are_those_of_the_paper_in_its_order() -> None:
    assert " ".join(FAMILIES) == (
        "blur noise compression brighten darken contrast_strengthen contrast_weaken saturate_strengthen "
        "saturate_weaken oversharpen pixelate quantization"
    )


def test_a_word_means_one_thing() -> None:
    tables = [
        set(terms.FAMILY_WORDS),
        set(terms.QUALITY_WORDS),
        set(terms.DIRECTION_WORDS),
        set(terms.LEVEL_WORDS),
    ]
    for one, other in combinations([*tables, terms.FILLERS], 2):
        assert not one & other
    listed = [word for term in terms.TERMS for word in term.words.split()]
    assert len(listed) == len(set(listed)) == len(terms.FAMILY_WORDS)


@pytest.mark.parametrize(("family", "severity"), TRUTHS)
def test_the_truth_scores_one_and_everything_else_less(family: str, severity: int) -> None:
    solution = recognition.truth(family, severity)
    for other in TRUTHS:
        verdict = recognition.score(say(recognition.truth(*other)), solution)
        assert verdict.status == "scored"
        assert verdict.value is not None
        assert (verdict.value == 1.0) == (other == (family, severity))


def test_the_truth_of_the_paper() -> None:
    assert recognition.truth("noise", 4) == "Noise, Severe"


@pytest.mark.parametrize(("family", "severity"), TRUTHS)
def test_keys_and_phrases_are_read_in_any_dress(family: str, severity: int) -> None:
    level = LEVELS[severity - 1]
    for name in (family, PHRASES[family]):
        for answer in (
            f"{name}, {level}",
            f"{level} {name}".upper(),
            f"**{name.replace('-', ' ')}** — {level}.",
            f"Type: {name.replace(' ', '-')}\nSeverity: {level.lower()}",
            f'{{"type": "{name.replace(" ", "_")}", "severity": "{level}"}}',
            f"The image is {level}ly {name}",
        ):
            assert recognition.read(say(answer)) == ParsedAnswer(family, severity)


@pytest.mark.parametrize(
    ("answer", "family"),
    [
        ("blurry, severe", "blur"),
        ("severely pixelated", "pixelate"),
        ("Gaussian noise, Severe", "noise"),
        ("JPEG compression artifacts, Severe", "compression"),
        ("oversharpening, Severe", "oversharpen"),
        ("over sharpened, Severe", "oversharpen"),
        ("Over-saturation, Severe", "saturate_strengthen"),
        ("Desaturation, Severe", "saturate_weaken"),
        ("low contrast, severe", "contrast_weaken"),
        ("Severe, increased saturation", "saturate_strengthen"),
        ("Reduced brightness, severe", "darken"),
        ("Quantisation, Severe", "quantization"),
        ("Ｎｏｉｓｅ, Severe", "noise"),
        ("Vignetting, Severe", None),
        ("None, Severe", None),
    ],
)
def test_synonyms_that_can_mean_one_thing_only(answer: str, family: str | None) -> None:
    assert recognition.read(say(answer)) == ParsedAnswer(family, 4)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("Noise, Blur, Severe", Unread.AMBIGUOUS),
        ("Noise or Blur, Severe", Unread.AMBIGUOUS),
        ("not Noise but Blur, Severe", Unread.AMBIGUOUS),
        ("Noise, Severe or Extreme", Unread.AMBIGUOUS),
        ("Noise, extremely severe", Unread.AMBIGUOUS),
        ("Noise, Severe, Slight", Unread.AMBIGUOUS),
        ("Contrast, Severe", Unread.AMBIGUOUS),
        ("Saturated, Severe", Unread.AMBIGUOUS),
        ("Contrast weakening and strengthening, Severe", Unread.AMBIGUOUS),
        ("Contrast and saturation weakening, Severe", Unread.AMBIGUOUS),
        ("Noise reduction, Severe", Unread.AMBIGUOUS),
        ("Noise", Unread.INCOMPLETE),
        ("Severe", Unread.INCOMPLETE),
        ("Type, Severity", Unread.INCOMPLETE),
        ("...", Unread.INCOMPLETE),
        ("Noise, 4", Unread.MALFORMED),
        ("Noise, strong", Unread.MALFORMED),
        ("no Noise, Severe", Unread.MALFORMED),
        ("I cannot tell what this one is, Severe", Unread.MALFORMED),
    ],
)
def test_what_is_not_plain_is_not_read(answer: str, reason: Unread) -> None:
    verdict = recognition.score(say(answer), "Noise, Severe")
    assert recognition.read(say(answer)) is reason
    assert (verdict.value, verdict.status) == (None, reason.value)


@given(
    a=st.sampled_from(TRUTHS),
    b=st.sampled_from(TRUTHS),
    glue=st.sampled_from([" ", ", ", " and ", "\n", " not "]),
)
def test_of_two_answers_none_is_chosen(a: tuple[str, int], b: tuple[str, int], glue: str) -> None:
    given = recognition.read(say(glue.join((recognition.truth(*a), recognition.truth(*b)))))
    assert isinstance(given, Unread) or a == b


@pytest.mark.parametrize(
    ("answer", "marks"),
    [
        ("Noise, Severe", Comparison(True, 0)),
        ("Noise, Slight", Comparison(True, 3)),
        ("Blur, Extreme", Comparison(False, 1)),
        ("Vignetting, Severe", Comparison(False, 0)),
    ],
)
def test_the_parts_of_a_score(answer: str, marks: Comparison) -> None:
    assert recognition.compare(say(answer), "Noise, Severe") == marks


@pytest.mark.parametrize(
    ("grading", "values"),
    [
        (Grading(), (1.0, 0.8, 0.6, 0.5, 0.0, 0.0)),
        (Grading(gated=False), (1.0, 0.8, 0.6, 0.5, 0.5, 0.3)),
        (Grading(type_weight=1.0), (1.0, 1.0, 1.0, 1.0, 0.0, 0.0)),
        (Grading(type_weight=0.0, gated=False), (1.0, 0.6, 0.2, 0.0, 1.0, 0.6)),
        (Grading(severity_grades=(1.0, 0.0, 0.0, 0.0, 0.0)), (1.0, 0.5, 0.5, 0.5, 0.0, 0.0)),
    ],
)
def test_what_the_parts_are_worth(grading: Grading, values: tuple[float, ...]) -> None:
    answers = (
        "Noise, Severe",
        "Noise, Extreme",
        "Noise, Moderate",
        "Noise, Slight",
        "Blur, Severe",
        "Blur, Extreme",
    )
    scored = [recognition.score(say(answer), "Noise, Severe", grading).value for answer in answers]
    assert scored == pytest.approx(list(values))


@given(weight=st.floats(0.0, 1.0), right=st.booleans(), distance=st.integers(0, 4), gated=st.booleans())
def test_a_value_is_a_share_whatever_the_weight(weight: float, right: bool, distance: int, gated: bool) -> None:
    grading = Grading(type_weight=weight, gated=gated)
    assert 0.0 <= grading.value(Comparison(right, distance)) <= grading.value(Comparison(True, 0)) == 1.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"type_weight": 1.5},
        {"type_weight": float("nan")},
        {"severity_grades": (1.0, 0.5)},
        {"severity_grades": (0.9, 0.5, 0.2, 0.0, 0.0)},
        {"severity_grades": (1.0, 0.2, 0.5, 0.0, 0.0)},
        {"severity_grades": (1.0, 0.2, 0.0, 0.0, -1.0)},
        {"severity_grades": (1.0, float("nan"), 0.0, 0.0, 0.0)},
    ],
)
def test_a_grading_that_makes_no_sense(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="not"):
        Grading(**wrong)  # type: ignore[arg-type]


@given(answer=st.text(max_size=200))
def test_any_text_is_read_or_not_without_an_error(answer: str) -> None:
    verdict = recognition.score(f"<answer>{answer}</answer>", "Noise, Severe")
    assert (verdict.value is None) == (verdict.status != "scored")


@pytest.mark.parametrize("piece", ["over-", "over ", "Noise, ", "-", "ﷺ", "９"])
def test_long_answers_are_not_worked_on(piece: str) -> None:
    answer = piece * (1_000_000 // len(piece))
    assert recognition.score(f"<answer>{answer}</answer>", "Noise, Severe").status == "long"


@pytest.mark.parametrize("solution", ["", "Noise", "Severe", "Vignetting, Severe", "Noise, Blur, Severe"])
def test_a_broken_solution_is_an_error(solution: str) -> None:
    with pytest.raises(ValueError, match="not a solution"):
        recognition.score(say("Noise, Severe"), solution)


@pytest.mark.parametrize("candidates", [[], ["blur"], ["blur", "blur"], ["blur", "Noise"]])
def test_candidates_that_cannot_be_asked_about(candidates: list[str]) -> None:
    with pytest.raises(ValueError, match=r"candidates|no family"):
        recognition.question(candidates, False)


@pytest.mark.parametrize("severity", [0, 6, -1])
def test_a_severity_that_does_not_exist(severity: int) -> None:
    with pytest.raises(ValueError, match="from 1 to 5"):
        recognition.truth("noise", severity)


@pytest.mark.parametrize("is_whole", [False, True])
@pytest.mark.parametrize("with_reference", [False, True])
@pytest.mark.parametrize("wording", range(recognition.WORDINGS))
def test_a_prompt_names_its_candidates_in_order_and_nothing_else(
    wording: int, with_reference: bool, is_whole: bool
) -> None:
    candidates = ["noise", "contrast_weaken", "blur", "oversharpen"]
    prompt = recognition.question(candidates, with_reference, wording, is_whole=is_whole)
    for names in ([PHRASES[family] for family in candidates], LEVELS):
        places = [prompt.index(name) for name in names]
        assert places == sorted(places)
        assert all(prompt.count(name) == 1 for name in names)
    for family in set(FAMILIES) - set(candidates):
        assert PHRASES[family] not in prompt
    assert prompt.count("Type, Severity") == 2
    assert ("first" in prompt.split("\n\n")[0].lower() or "image 1" in prompt.lower()) or not with_reference


TEMPLATES = (recognition.ALONE, recognition.PAIRED, recognition.WHOLE, recognition.WHOLE_PAIRED)


@pytest.mark.parametrize("template", [text for texts in TEMPLATES for text in texts])
def test_a_wording_does_not_speak_of_any_family_or_level(template: str) -> None:
    words = set(recognition._words(template))
    for table in (terms.FAMILY_WORDS, terms.QUALITY_WORDS, terms.LEVEL_WORDS):
        assert not words & table.keys()
    assert "{types}" in template or "{listed}" in template or "{described}" in template


@pytest.mark.parametrize("term", terms.TERMS)
def test_what_a_family_looks_like_does_not_name_another(term: terms.Term) -> None:
    words = recognition._words(term.looks)
    assert not {terms.FAMILY_WORDS[word] for word in words if word in terms.FAMILY_WORDS} - {term.family}


def test_the_wordings_differ_and_are_as_many_with_the_reference() -> None:
    assert [len(set(texts)) for texts in TEMPLATES] == [recognition.WORDINGS] * 4
    assert len({text for texts in TEMPLATES for text in texts}) == 4 * recognition.WORDINGS >= 20


def test_wordings_of_earlier_versions_are_as_they_were() -> None:
    """Data sets carry them: `verify` writes each question again."""
    texts = [
        recognition.question(["noise", "blur"], paired, wording, may_be_none=none)
        for wording in range(6)
        for paired in (False, True)
        for none in (False, True)
    ]
    assert hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16] == "46fde73468194f5c"


@pytest.mark.parametrize("text", [*recognition.WHOLE, *recognition.WHOLE_PAIRED])
def test_a_question_about_the_frame_speaks_of_no_region(text: str) -> None:
    assert not re.search(r"\b(region|part of|area|local|somewhere)\b", text.replace("exactly two parts", ""))
    assert re.search(r"whole|all of|everywhere|edge to edge", text)


@given(st.lists(st.sampled_from(FAMILIES), min_size=2, max_size=12, unique=True), st.integers(0, 5), st.booleans())
def test_candidates_are_read_back_from_a_prompt(names: list[str], wording: int, with_reference: bool) -> None:
    assert recognition.read_candidates(recognition.question(names, with_reference, wording)) == names
