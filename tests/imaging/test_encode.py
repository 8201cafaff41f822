"""Lossless encoders: any reader opens the files, and reuse of what did not change does not show in the bytes."""

import re
import struct
import zlib
from io import BytesIO

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from isal import isal_zlib
from PIL import Image as pillow
from samples import Pixels, photograph

from distortlab.core.errors import BadRecipe
from distortlab.imaging.encode import CODECS, Canvas, encode_png, encode_webp

# Around the height of a band (32 rows), and the smallest.
SIZES = [(1, 1), (1, 40), (40, 1), (31, 5), (32, 5), (33, 5), (64, 3), (65, 2), (96, 128), (97, 33)]
HEIGHTS = st.integers(1, 130)
WIDTHS = st.integers(1, 70)


def noise(rows: int, columns: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (rows, columns, 3)).astype(np.uint8)


def by_pillow(data: bytes) -> Pixels:
    with pillow.open(BytesIO(data)) as checked:
        checked.verify()
    with pillow.open(BytesIO(data)) as file:
        assert file.mode == "RGB"
        return np.asarray(file)


def by_opencv(data: bytes) -> Pixels:
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """The (name, body) of every chunk of a PNG, with its checksum checked."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, out = 8, []
    while at < len(data):
        size, name = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size])[0] == zlib.crc32(name + body)
        out.append((name, body))
        at += 12 + size
    return out


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("size", SIZES)
def test_every_reader_gives_the_pixels_back(codec: str, size: tuple[int, int]) -> None:
    for image in (noise(*size), np.full((*size, 3), 7, np.uint8), photograph()[: size[0], : size[1]].copy()):
        data = CODECS[codec](image)
        assert np.array_equal(by_pillow(data), image)
        assert np.array_equal(by_opencv(data), image)


@given(HEIGHTS, WIDTHS, st.integers(0, 99))
def test_png_of_any_size(rows: int, columns: int, seed: int) -> None:
    image = noise(rows, columns, seed)
    assert np.array_equal(by_pillow(encode_png(image)), image)


def test_a_png_is_as_the_standard_has_it() -> None:
    parts = chunks(encode_png(noise(100, 20)))
    assert [name for name, _ in parts] == [b"IHDR", *[b"IDAT"] * 5, b"IEND"]
    assert parts[0][1] == struct.pack(">IIBBBBB", 20, 100, 8, 2, 0, 0, 0)
    stream = zlib.decompress(b"".join(body for name, body in parts if name == b"IDAT"))  # checks the Adler-32
    assert len(stream) == 100 * (1 + 20 * 3)
    filters = stream[:: 1 + 20 * 3]
    assert filters == b"\x00" + b"\x02" * 99


@pytest.mark.parametrize("codec", CODECS)
def test_read_only_images_are_encoded(codec: str, small: Pixels) -> None:
    assert not small.flags.writeable
    assert np.array_equal(by_pillow(Canvas(small, codec).encode(small, (0, 96))), small)


@given(HEIGHTS, WIDTHS, st.data())
def test_reuse_does_not_show_in_the_bytes(rows: int, columns: int, data: st.DataObject) -> None:
    """Pictures of one reference after another, the changed rows anywhere: at a band's edge, none, all."""
    reference = noise(rows, columns)
    canvas = Canvas(reference)
    for turn in range(3):
        first, last = sorted((data.draw(st.integers(0, rows)), data.draw(st.integers(0, rows))))
        image = reference.copy()
        image[first:last] = noise(last - first, columns, seed=turn + 1)
        encoded = canvas.encode(image, (first, last))
        assert encoded == encode_png(image)
        assert np.array_equal(by_pillow(encoded), image)


@pytest.mark.parametrize("row", [0, 30, 31, 32, 33, 63, 64, 95])
def test_a_change_beside_the_edge_of_a_band(row: int, small: Pixels) -> None:
    """The filter looks one row back: the row below a change is coded anew."""
    canvas, image = Canvas(small), small.copy()
    canvas.encode(small, (0, 0))
    image[row] = 255 - image[row]
    assert canvas.encode(image, (row, row + 1)) == encode_png(image)


def test_clean_bands_are_compressed_once(small: Pixels, monkeypatch: pytest.MonkeyPatch) -> None:
    from distortlab.imaging import encode

    coded: list[int] = []
    band = encode._band

    def counted(image: Pixels, start: int, stop: int) -> object:
        coded.append(start)
        return band(image, start, stop)

    monkeypatch.setattr(encode, "_band", counted)
    canvas, image = Canvas(small), small.copy()
    image[40:50] ^= 1
    for _ in range(3):
        canvas.encode(image, (40, 50))
    assert sorted(coded) == [0, 32, 32, 32, 64]


def test_the_canvas_leaves_its_pictures_alone(small: Pixels) -> None:
    reference, image = small.copy(), 255 - small
    Canvas(reference).encode(image, (0, 96))
    assert np.array_equal(reference, small)
    assert np.array_equal(image, 255 - small)


def test_webp_is_lossless_where_transparency_would_not_be(small: Pixels) -> None:
    data = encode_webp(small)
    assert re.match(rb"RIFF....WEBPVP8L", data, re.DOTALL), "the lossless kind"
    assert Canvas(small, "webp").encode(small, (0, 1)) == data
    assert len(data) < len(encode_png(small))


def test_the_same_picture_gives_the_same_bytes(small: Pixels) -> None:
    for encode in CODECS.values():
        assert encode(small) == encode(small.copy())


def test_the_bytes_do_not_depend_on_addresses() -> None:
    """ISA-L hashes its own address in place of the third byte of a stream; compressed in one piece, 1 band in 4,096 of
    these changes when the memory is allocated elsewhere, so that 5 of 20,480 are expected to (docs/log.md)."""
    bands, rng = 20_480, np.random.default_rng(0)
    differences = rng.integers(0, 64, (bands, 32, 24), np.uint8)
    differences[:, 20, 1:5] = differences[:, 0, 1:5]  # the four bytes from the third on are there once more
    image = differences.reshape(-1, 24).cumsum(0, np.uint8).reshape(-1, 8, 3)
    first = encode_png(image)
    held = [isal_zlib.compressobj(1, isal_zlib.DEFLATED, -15) for _ in range(40)]
    second = encode_png(image)
    assert held
    changed = [at for at, (one, other) in enumerate(zip(chunks(first), chunks(second), strict=True)) if one != other]
    assert changed == [], "the chunks that differ"
    assert np.array_equal(by_opencv(first), image)


@pytest.mark.parametrize(
    ("name", "near"), [("pgn", "did you mean 'png'?"), ("tiff", "known: png, webp"), ("", "known")]
)
def test_unknown_codecs_are_refused(name: str, near: str, small: Pixels) -> None:
    with pytest.raises(BadRecipe) as error:
        Canvas(small, name)
    assert f"no codec called {name!r}" in str(error.value)
    assert near in str(error.value)
