"""Names of images: every way to write one leads to one image, or to a refusal that names both candidates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refine_bench.datasets.image_names import AmbiguousName, NameIndex, UnknownName, normalize_name, shorten_names

LIVE = [f"{folder}/img{k}.bmp" for folder, n in (("jp2k", 4), ("jpeg", 5), ("wn", 3)) for k in range(1, n)]
_PART = st.text("abAB1._ -é", min_size=1, max_size=4).filter(lambda text: text.strip(". ") == text)
_NAME = st.lists(_PART, min_size=1, max_size=3).map("/".join)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("jp2k/img1.bmp", "jp2k/img1.bmp"),
        ("./jp2k/img1.bmp", "jp2k/img1.bmp"),
        ("jp2k\\img1.bmp", "jp2k/img1.bmp"),
        ("C:\\data\\live\\jp2k\\img1.bmp", "jp2k/img1.bmp"),
        ("/data/live/jp2k/img1.bmp", "jp2k/img1.bmp"),
        ("../live/x/../jp2k/img1.bmp", "jp2k/img1.bmp"),
        ("file:///data/jp2k/img1.bmp", "jp2k/img1.bmp"),
        ("https://host/live/jp2k/img1.bmp?raw=1#top", "jp2k/img1.bmp"),
        ("s3://bucket/jp2k//img1.bmp", "jp2k/img1.bmp"),
        (" jp2k/img1.bmp\n", "jp2k/img1.bmp"),
        ("JP2K/IMG1.BMP", "jp2k/img1.bmp"),
        ("jp2k/img1", "jp2k/img1.bmp"),
        ("live/jp2k/img1.png", "jp2k/img1.bmp"),
        ("img4.bmp", "jpeg/img4.bmp"),
        ("elsewhere/img4.bmp", "jpeg/img4.bmp"),
        ("elsewhere/IMG4", "jpeg/img4.bmp"),
    ],
)
def test_an_image_is_found_however_it_is_written(written: str, name: str) -> None:
    assert NameIndex(LIVE).find(written) == name


@pytest.mark.parametrize("written", ["img1.bmp", "./img1.bmp", "elsewhere/img1.bmp", "IMG1", "elsewhere/img1.png"])
def test_a_name_that_may_be_several_is_refused_with_two_of_them(written: str) -> None:
    with pytest.raises(AmbiguousName, match=r"may be 'jp2k/img1\.bmp' or 'jpeg/img1\.bmp' or 1 more"):
        NameIndex(LIVE).find(written)


@pytest.mark.parametrize("written", ["", "/", "img9.bmp", "jp2k/img4.bmp", "jp2k", "g1.bmp", "jp2k/img1.bmp/x"])
def test_a_name_of_no_image_is_unknown(written: str) -> None:
    # jp2k/img4.bmp: there is a jpeg/img4.bmp, and jp2k is another folder of the set.
    with pytest.raises(UnknownName):
        NameIndex(LIVE).find(written)


def test_case_and_ending_count_where_the_set_needs_them() -> None:
    index = NameIndex(["a/X.png", "b/x.png", "c/y.png", "c/y.jpg"])
    assert index.find("X.png") == "a/X.png"
    assert index.find("x.png") == "b/x.png"
    assert index.find("y.jpg") == "c/y.jpg"
    for written in ("x.PNG", "c/y", "c/y.bmp"):
        with pytest.raises(AmbiguousName):
            index.find(written)


def test_accents_are_alike_however_they_are_stored() -> None:
    assert NameIndex([normalize_name("\u00e9t\u00e9.jpg")]).find("e\u0301te\u0301.jpg") == "\u00e9t\u00e9.jpg"


@given(st.lists(_NAME, min_size=1, max_size=12, unique=True), st.data())
def test_a_found_name_is_the_only_one_that_fits(names: list[str], data: st.DataObject) -> None:
    index = NameIndex(names)
    for name in names:
        assert index.find(name) == name
        short = index.shorten(name)
        assert index.find(short) == name
        assert f"/{name}".endswith(f"/{short}")
    written = data.draw(_NAME)
    try:
        found = index.find(written)
    except ValueError:
        return
    # No other name shares more of its path with what was written, and none as much unless it is longer by folders.
    common = [_common(written, name) for name in names]
    assert _common(written, found) == max(common)


def _common(one: str, other: str) -> int:
    """Parts that two paths share at their ends, whatever case and ending."""
    from refine_bench.datasets.image_names import _fold_without_ending

    a, b = (_fold_without_ending(path).split("/")[::-1] for path in (one, other))
    return next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


@given(st.lists(_NAME, min_size=1, max_size=12, unique=True))
def test_short_names_differ(names: list[str]) -> None:
    assert len(set(shorten_names(names))) == len(names)
