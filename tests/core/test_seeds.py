"""Randomness by address: apart, the same for ever, and the same for a crop as for the image."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distortlab.core.region import Box
from distortlab.core.seeds import Source, short_stream, stream
from distortlab.distortions.base import Site

# --- pinned: a data set depends on these. They never change. -------------------------------------------------------

PINNED = [
    ((), [0x5FA0CF75238CB976, 0x2F4CED93A27CEFFF]),
    (("a",), [0x2FCB8C417E2869DF, 0x24DDD9AC48FA8B82]),
    ((0, "image 1", 0, "blur.motion"), [0x6D5D26624C664AC1, 0x878E33A8A0B0141E]),
]


@pytest.mark.parametrize(("address", "words"), PINNED)
def test_words_are_pinned(address: tuple[str | int, ...], words: list[int]) -> None:
    assert stream(*address).words(2).tolist() == words


def test_what_is_made_of_words_is_pinned() -> None:
    assert stream(0, "x").uniform() == 0.5111916140744386
    assert stream(0, "x").below(1000) == 511
    assert stream(0, "x").permute(range(10)) == [8, 2, 4, 6, 0, 3, 1, 7, 9, 5]
    assert stream(0, "x").uint16((2, 3)).tolist() == [[16501, 28781, 29728], [33501, 21767, 12672]]
    assert stream(0, "x").choose_index([1, 2, 3]) == 2


PINNED_SHORT = [
    ((), (0xF513CFE5D13B23C3, 0x43F3071385C2186A)),
    (("a",), (0x775DA9934B08F58B, 0xD1BA258C5AA2BE6F)),
    ((0, "image 1", 0, "blur.motion"), (0xFCDEB32B4400CDF9, 0xCE366581C3148024)),
]


@pytest.mark.parametrize(("address", "words"), PINNED_SHORT)
def test_words_of_short_streams_are_pinned(address: tuple[str | int, ...], words: tuple[int, int]) -> None:
    assert short_stream(*address).draw_integers(2) == words


def test_what_is_made_of_short_streams_is_pinned() -> None:
    assert short_stream(0, "x").uniform() == 0.7452738164704251
    assert short_stream(0, "x").below(1000) == 745
    assert short_stream(0, "x").permute(range(10)) == [6, 1, 2, 8, 3, 9, 5, 4, 0, 7]
    assert short_stream(0, "x").choose_index([1, 2, 3]) == 2


# --- addresses -----------------------------------------------------------------------------------------------------

APART = [
    (("a", "bc"), ("ab", "c")),
    (("abc",), ("a", "bc")),
    ((1,), ("1",)),
    ((1, 2), (12,)),
    ((0,), ()),
    ((0,), (0, 0)),
    (("",), ()),
    (("", "a"), ("a", "")),
    ((-1,), (1,)),
    (("a", 1), (1, "a")),
    (("a\x1fstr:b",), ("a", "b")),
]


Open = Callable[..., Source]
of_either_kind = pytest.mark.parametrize("open_source", [stream, short_stream])


@of_either_kind
@pytest.mark.parametrize(("one", "other"), APART)
def test_parts_of_an_address_are_kept_apart(
    open_source: Open, one: tuple[str | int, ...], other: tuple[str | int, ...]
) -> None:
    assert list(open_source(*one).draw_integers(4)) != list(open_source(*other).draw_integers(4))


@of_either_kind
@given(address=st.lists(st.one_of(st.integers(), st.text(max_size=9)), max_size=4))
def test_the_same_address_gives_the_same_words(open_source: Open, address: list[str | int]) -> None:
    assert list(open_source(*address).draw_integers(3)) == list(open_source(*address).draw_integers(3))


@of_either_kind
@given(parts=st.lists(st.integers(0, 40), max_size=6))
def test_words_are_the_same_however_many_are_drawn_at_once(open_source: Open, parts: list[int]) -> None:
    source = open_source("in parts")
    words = [word for count in parts for word in source.draw_integers(count)]
    assert words == list(open_source("in parts").draw_integers(sum(parts)))


@of_either_kind
def test_numpys_whole_numbers_are_whole_numbers(open_source: Open) -> None:
    """A seed read out of an array must not be another seed."""
    assert open_source(np.int64(3), "a").draw_integers(2) == open_source(3, "a").draw_integers(2)


@of_either_kind
def test_what_is_neither_text_nor_whole_number_is_no_address(open_source: Open) -> None:
    with pytest.raises(TypeError):
        open_source(0, 1.5)


@of_either_kind
def test_names_of_files_that_are_not_text_are_addresses_too(open_source: Open) -> None:
    """Python reads a byte that is no UTF-8 as a lone surrogate."""
    odd = b"photo \xff.jpg".decode(errors="surrogateescape")
    assert open_source(odd).below(1 << 64) != open_source("photo .jpg").below(1 << 64)


@of_either_kind
def test_neighbours_share_nothing(open_source: Open) -> None:
    """With `seed + i`, seeds 42 and 43 share 499 of 500 items."""
    sources = [open_source(seed, item) for seed in (42, 43) for item in range(500)]
    seen = Counter(word for source in sources for word in source.draw_integers(4))
    assert max(seen.values()) == 1


def test_neighbours_are_not_correlated() -> None:
    fields = [stream(seed, "noise").uint16((4096,)).astype(float) for seed in range(8)]
    together = np.corrcoef(fields) - np.eye(8)
    assert np.abs(together).max() < 0.08


# --- numbers -------------------------------------------------------------------------------------------------------


@given(st.integers(0, 500), st.integers(1, 9))
def test_skipping_leaves_out_words(count: int, more: int) -> None:
    one, other = stream("s"), stream("s")
    one.skip(count)
    assert one.words(more).tolist() == other.words(count + more)[count:].tolist()


@of_either_kind
@given(bound=st.integers(1, 2**40), seed=st.integers(0, 99))
def test_below_stays_below(open_source: Open, bound: int, seed: int) -> None:
    assert 0 <= open_source(seed).below(bound) < bound


@of_either_kind
def test_below_and_uniform_are_even(open_source: Open) -> None:
    numbers = open_source("even")
    counts = np.bincount([numbers.below(7) for _ in range(7000)], minlength=7)
    assert np.abs(counts - 1000).max() < 150
    shares = np.array([numbers.uniform(-2, 3) for _ in range(4000)])
    assert -2 <= shares.min() < -1.9
    assert 2.9 < shares.max() < 3
    assert shares.mean() == pytest.approx(0.5, abs=0.12)


def test_16_bit_numbers_are_even() -> None:
    numbers = stream("even").uint16((256, 256))
    assert numbers.dtype == np.uint16
    assert np.abs(np.bincount((numbers >> 12).ravel(), minlength=16) - 4096).max() < 330
    assert np.abs(np.bincount((numbers & 15).ravel(), minlength=16) - 4096).max() < 330


@of_either_kind
@given(items=st.lists(st.integers(), max_size=30), seed=st.integers(0, 99))
def test_shuffled_is_a_permutation(open_source: Open, items: list[int], seed: int) -> None:
    before = list(items)
    assert sorted(open_source(seed).permute(items)) == sorted(items)
    assert items == before


@of_either_kind
def test_every_order_is_as_likely_as_another(open_source: Open) -> None:
    orders = Counter(tuple(open_source("order", k).permute("abcd")) for k in range(4800))
    assert len(orders) == 24
    assert max(abs(count - 200) for count in orders.values()) < 65


@of_either_kind
def test_every_item_comes_to_every_place(open_source: Open) -> None:
    places = np.zeros((6, 6))
    for k in range(3000):
        for place, item in enumerate(open_source("place", k).permute(range(6))):
            places[place, item] += 1
    assert np.abs(places - 500).max() < 100


@of_either_kind
def test_weighted_draws_in_proportion(open_source: Open) -> None:
    numbers = open_source("weights")
    counts = np.bincount([numbers.choose_index([1, 0, 3, 6]) for _ in range(5000)], minlength=4) / 5000
    assert np.abs(counts - [0.1, 0, 0.3, 0.6]).max() < 0.03
    assert counts[1] == 0


# --- fields --------------------------------------------------------------------------------------------------------


def field(frame: tuple[int, int], crop: Box, depth: int, name: str = "noise") -> np.ndarray:
    image = np.zeros((crop.height, crop.width, 3), np.uint8)
    return Site(frame, crop, crop, image[..., 0], image, (9, "x")).draw_field(name, depth)


@given(st.data(), st.integers(1, 50), st.integers(1, 50), st.integers(1, 4))
def test_the_field_of_a_crop_is_a_slice_of_the_field_of_the_image(
    data: st.DataObject, rows: int, columns: int, depth: int
) -> None:
    y1, x1 = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))
    crop = Box(x1, y1, data.draw(st.integers(x1 + 1, columns)), data.draw(st.integers(y1 + 1, rows)))
    everything = field((rows, columns), Box(0, 0, columns, rows), depth)
    assert everything.shape == (rows, columns, depth)
    assert np.array_equal(field((rows, columns), crop, depth), everything[crop.slices])


def test_fields_of_different_names_and_neighbouring_pixels_are_unrelated() -> None:
    frame, crop = (64, 64), Box(0, 0, 64, 64)
    one, other = (field(frame, crop, 3, name).astype(float) for name in ("glass 0", "glass 1"))
    pairs = [(one, other), (one[1:], one[:-1]), (one[:, 1:], one[:, :-1]), (one[..., 1], one[..., 0])]
    for first, second in pairs:
        assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.07
