"""Lists of regions: what is written is read again, what models make of the form is read or not, without an error."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distortlab.tasks.answer import Unread
from distortlab.tasks.region_lists import (
    LIMIT,
    MOST,
    SHAPE,
    DistortedRegion,
    RegionList,
    format_regions,
    parse_regions,
)
from distortlab.tasks.terms import FAMILIES, LEVELS, PHRASES

ONE = DistortedRegion((1.0, 2.0, 30.0, 40.0), "blur", 4)
ENTRY = {"box": [1, 2, 30, 40], "type": "Blur", "severity": "Severe"}
TEXT = json.dumps([ENTRY])

spans = st.tuples(st.integers(0, 999), st.integers(0, 999)).map(lambda pair: (min(pair), max(pair) + 1))
regions = st.builds(
    lambda x, y, family, severity: DistortedRegion((x[0], y[0], x[1], y[1]), family, severity),
    spans,
    spans,
    st.sampled_from(FAMILIES),
    st.integers(1, 5),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["box", "Blur", "Severe", "none", ""]),
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.dictionaries(st.sampled_from(["box", "bbox_2d", "type", "severity", "x", "Box"]), inner, max_size=4)
    ),
    max_leaves=20,
)


def expect(text: str) -> tuple[DistortedRegion, ...]:
    found = parse_regions(text)
    assert isinstance(found, RegionList), found
    return found.regions


@given(st.lists(regions, max_size=MOST))
def test_what_is_written_is_read_again_in_its_form(found: list[DistortedRegion]) -> None:
    text = format_regions(found)
    assert parse_regions(text) == RegionList(tuple(sorted(found, key=lambda region: region.sort_key)), True)
    assert len(text) <= LIMIT


@given(st.lists(regions, max_size=5), st.randoms(use_true_random=False))
def test_a_set_is_written_in_one_way(found: list[DistortedRegion], lot: object) -> None:
    assert format_regions(lot.sample(found, len(found))) == format_regions(found)  # type: ignore[attr-defined]


def test_as_it_is_written() -> None:
    assert format_regions([]) == "[]"
    other = DistortedRegion((9, 1, 30, 40), "contrast_weaken", 1)
    assert format_regions([DistortedRegion((1, 2, 30, 40), "blur", 4), other]) == (
        '[{"box": [9, 1, 30, 40], "type": "Contrast weakening", "severity": "Slight"}, '
        '{"box": [1, 2, 30, 40], "type": "Blur", "severity": "Severe"}]'
    )


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{TEXT}\n```",
        f"```\n{TEXT}```",
        f"```json {TEXT}\n```\nOne region is blurred.",
        f"{TEXT} One region is blurred.",
        json.dumps([ENTRY], indent=4),
        json.dumps(ENTRY),
        json.dumps({"regions": [ENTRY]}),
        '[{"bbox_2d": [1, 2, 30, 40], "label": "Blur", "severity": 4}]',
        '[{"bbox": [1.0, 2, 30, 40.00], "type": "blurry", "severity": "severely"}]',
        '[{"Box": [1, 2, 30, 40], "Type": "BLUR", "Severity": " 4 "}]',
        '[{"box": [1, 2, 30, 40], "distortion": "motion blur", "level": "Severe"}]',
        '[{"box": [1, 2, 30, 40], "label": "cup", "type": "Blur", "severity": "Severe", "area": 9}]',
        '[[1, 2, 30, 40, "Blur", "Severe"]]',
        '[[[1, 2, 30, 40], "Blur", "Severe"]]',
        '[1, 2, 30, 40, "Blur", 4]',
        '[[1, 2, 30, 40], "Blur", "Severe"]',
    ],
)
def test_a_region_is_read_in_any_dress_but_only_one_is_the_form(text: str) -> None:
    assert parse_regions(text) == RegionList((ONE,), text == json.dumps([ENTRY], indent=4))


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "[ ]",
        "```json\n[]\n```",
        "[] Nothing is distorted.",
        '{"regions": []}',
        '[{"box": [0, 0, 1000, 1000], "type": "None", "severity": 0}]',
        "[[0, 0, 1000, 1000], null, 0]",
        '[{"type": null}]',
    ],
)
def test_ways_to_say_that_nothing_is_distorted(text: str) -> None:
    assert parse_regions(text) == RegionList((), text in ("[]", "[ ]"))


@pytest.mark.parametrize(
    ("entry", "family", "severity"),
    [
        ({"type": "Vignetting", "severity": "Severe"}, None, 4),
        ({"type": "Blur or Noise", "severity": "Severe"}, None, 4),
        ({"type": "not Blur", "severity": "Severe"}, None, 4),
        ({"type": "Contrast", "severity": "Severe"}, None, 4),
        ({"type": "low contrast", "severity": 5}, "contrast_weaken", 5),
        ({"type": "contrast_weaken", "severity": "5"}, "contrast_weaken", 5),
        ({"type": "None", "severity": "Severe"}, None, 4),
        ({"type": "", "severity": "Severe"}, None, 4),
        ({"type": ["Blur"], "severity": "Severe"}, None, 4),
        ({"type": 7, "severity": {}}, None, None),
        ({"type": "Blur", "severity": "Mild"}, "blur", None),
        ({"type": "Blur", "severity": "Slight or Severe"}, "blur", None),
        ({"type": "Blur", "severity": 0}, "blur", None),
        ({"type": "Blur", "severity": 6}, "blur", None),
        ({"type": "Blur", "severity": 4.0}, "blur", None),
        ({"type": "Blur", "severity": True}, "blur", None),
        ({"type": "Blur", "severity": None}, "blur", None),
        ({"type": "Blur"}, "blur", None),
        ({"severity": 4}, None, 4),
        ({}, None, None),
    ],
)
def test_what_is_unknown_or_lacking_is_wrong_and_not_unread(
    entry: dict[str, object], family: str | None, severity: int | None
) -> None:
    found = parse_regions(json.dumps([{"box": [1, 2, 30, 40], **entry}]))
    assert found == RegionList((DistortedRegion((1.0, 2.0, 30.0, 40.0), family, severity),), False)


def test_a_bare_list_of_boxes_says_where_and_not_what() -> None:
    boxes = tuple(DistortedRegion(box, None, None) for box in ((1.0, 2.0, 3.0, 4.0), (5.0, 6.0, 7.0, 8.0)))
    assert expect("[[1, 2, 3, 4], [5, 6, 7, 8]]") == boxes
    assert expect("[1, 2, 3, 4]") == boxes[:1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Unread.MALFORMED),
        ("nothing", Unread.MALFORMED),
        ("Here it is: []", Unread.MALFORMED),
        (SHAPE, Unread.MALFORMED),
        ("null", Unread.MALFORMED),
        ("7", Unread.MALFORMED),
        ('"[]"', Unread.MALFORMED),
        (json.dumps(TEXT), Unread.MALFORMED),
        (TEXT[:-1], Unread.MALFORMED),
        (TEXT.replace('"', "'"), Unread.MALFORMED),
        ("[[]]", Unread.MALFORMED),
        ("[null]", Unread.MALFORMED),
        ("[1, 2]", Unread.MALFORMED),
        ("[[[[[1, 2, 3, 4]]]]]", Unread.MALFORMED),
        ('[{"box": {"box": [1, 2, 3, 4]}}]', Unread.MALFORMED),
        ('[[1, 2, 3, 4, "Blur", 4, 5]]', Unread.MALFORMED),
        ('[{"box": [1, 2, 3, 4], "bbox_2d": [1, 2, 3, 4]}]', Unread.MALFORMED),
        ('[{"box": [1, 2, 3, 4], "box": [1, 2, 3, 5]}]', Unread.MALFORMED),
        ('[{"box": [1, 2, 3]}]', Unread.MALFORMED),
        ('[{"box": ["1", "2", "3", "4"]}]', Unread.MALFORMED),
        ('[{"box": "1, 2, 3, 4"}]', Unread.MALFORMED),
        ('[{"box": [true, 2, 3, 4]}]', Unread.MALFORMED),
        ('[{"box": [NaN, 2, 3, 4]}]', Unread.MALFORMED),
        ('[{"box": [1, 2, Infinity, 4]}]', Unread.MALFORMED),
        ('[{"box": [-Infinity, 2, 3, 4]}]', Unread.MALFORMED),
        ('[{"box": [1, 2, 1e999, 4]}]', Unread.MALFORMED),
        (f'[{{"box": [1, 2, {"9" * 4000}, 4]}}]', Unread.MALFORMED),
        (f'[{{"box": [1, 2, {"9" * 9000}, 4]}}]', Unread.MALFORMED),
        ('[{"box": [-1, 2, 3, 4]}]', Unread.IMPOSSIBLE),
        ('[{"box": [3, 2, 1, 4]}]', Unread.IMPOSSIBLE),
        ('[{"box": [1, 4, 3, 2]}]', Unread.IMPOSSIBLE),
        ('[{"box": [1, 2, 1, 4]}]', Unread.IMPOSSIBLE),
        (json.dumps([ENTRY, {**ENTRY, "box": [3, 2, 1, 4]}]), Unread.IMPOSSIBLE),
        ('[{"type": "Blur", "severity": "Severe"}]', Unread.INCOMPLETE),
        ("{}", Unread.INCOMPLETE),
        (f"{TEXT}, {TEXT}", Unread.AMBIGUOUS),
        (f"[] or rather {TEXT}", Unread.AMBIGUOUS),
        (json.dumps([ENTRY] * (MOST + 1), separators=(",", ":")), Unread.LONG),
        (json.dumps([ENTRY] * 10_000), Unread.LONG),
        ("[" * 5000, Unread.MALFORMED),
        ("[" * 4000 + "]" * 4000, Unread.MALFORMED),
        ('{"box":' * 1000 + "1" + "}" * 1000, Unread.MALFORMED),
    ],
)
def test_what_is_no_list_of_regions_is_not_read(text: str, reason: Unread) -> None:
    assert parse_regions(text) is reason


def test_as_many_as_are_read_fit_into_what_is_read() -> None:
    entry = {"box": [1000, 1000, 1001, 1001], "type": max(PHRASES.values(), key=len), "severity": max(LEVELS, key=len)}
    assert len(expect(json.dumps([entry] * MOST, indent=2))) == MOST


@given(values)
def test_any_json_is_read_or_not_without_an_error(value: object) -> None:
    assert isinstance(parse_regions(json.dumps(value)), RegionList | Unread)


@given(st.text(alphabet='[]{}(),:;="-.`0123456789 \nebox_2dtypsvriaNnul', max_size=80))
def test_any_text_is_read_or_not_without_an_error(text: str) -> None:
    assert isinstance(parse_regions(text), RegionList | Unread)


@pytest.mark.parametrize("piece", ["[", "{", "[[],", '{"":', "1,", "```", " ", "\\", '"', "9", "-", "[1,2,3,4],"])
def test_long_answers_are_not_worked_on(piece: str) -> None:
    began = time.process_time()
    assert parse_regions(piece * (1_000_000 // len(piece))) is Unread.LONG
    assert isinstance(parse_regions(piece * (LIMIT // len(piece))), Unread)
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize(
    "region",
    [
        DistortedRegion((1, 2, 3, 4), None, 1),
        DistortedRegion((1, 2, 3, 4), "blur", None),
        DistortedRegion((1, 2, 3, 4), "blur", 0),
        DistortedRegion((1, 2, 3, 4), "blur", 6),
        DistortedRegion((1, 2, 3, 4), "vignetting", 1),
    ],
)
def test_a_region_that_cannot_be_written(region: DistortedRegion) -> None:
    with pytest.raises(ValueError, match=r"a family and a severity|no family called"):
        format_regions([region])


def test_more_regions_than_are_read_are_not_written() -> None:
    with pytest.raises(ValueError, match="65 regions"):
        format_regions([DistortedRegion((1, 2, 3, 4), "blur", 1)] * (MOST + 1))
