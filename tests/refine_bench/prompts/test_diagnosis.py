"""Sets of regions as answers give them, and how they are matched with the true ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refine_bench.prompts.diagnosis import QUESTION, Region, match_regions, read_regions


def test_regions_are_matched_one_to_one_for_the_largest_sum() -> None:
    right = [Region((0, 0, 100, 100), "blur", 1), Region((50, 0, 150, 100), "noise", 2)]
    given = [Region((40, 0, 140, 100), "noise", 2), Region((0, 0, 100, 90), "blur", 3)]
    found = match_regions(given, right)
    assert {(a.family, b.family) for a, b, _ in found} == {("noise", "noise"), ("blur", "blur")}
    # One box cannot count twice.
    assert len(match_regions([Region((20, 0, 120, 100), "blur", 1)], right)) == 1
    assert match_regions([], right) == []


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ("[1, 2]", "no_number"),
        ('[{"box": [0, 0, 2000, 5], "type": "Blur", "severity": "Slight"}]', "no_number"),
        ('{"box": 1}', "no_tag"),
        ("[" * 2000, "no_tag"),
        ("nothing", "no_tag"),
        ("", "empty"),
    ],
)
def test_a_diagnosis_that_cannot_be_read(answer: str, status: str) -> None:
    assert read_regions(f"<answer>{answer}</answer>") == status


@given(st.text(max_size=200))
def test_reading_regions_never_raises(text: str) -> None:
    found = read_regions(f"<answer>{text}</answer>")
    assert isinstance(found, list | str)


def test_a_diagnosis_in_a_fence_and_with_other_words() -> None:
    text = '<answer>```json\n[{"bbox_2d": [1, 2, 30, 40], "type": "contrast-weakening", "severity": 4}]\n```</answer>'
    assert read_regions(text) == [Region((1, 2, 30, 40), "contrast_weaken", 4)]
    assert "[]" in QUESTION
