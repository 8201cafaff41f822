"""Lossless encoders for the pictures of a data set.

PNG is written in bands of 32 rows, each in deflate blocks of its own (ISA-L, level 1). Any PNG reader opens it; and the
bands that a local distortion leaves alone are compressed once per reference, not once per picture. The bytes depend on
the pixels only, not on whether a band was reused.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import NamedTuple

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from distortlab.core.errors import BadRecipe, describe_unknown
from distortlab.core.image import Image, get_shape

__all__ = ["CODECS", "Canvas", "encode_png", "encode_webp"]

_ROWS = 32
_HEAD = 4  # bytes of a band that are compressed on their own: see `_deflate`
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ADLER = 65521


class _Band(NamedTuple):
    chunk: bytes
    adler: int
    size: int


def _chunk(kind: bytes, data: bytes) -> bytes:
    crc = isal_zlib.crc32(data, isal_zlib.crc32(kind))
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def _filter_rows(image: Image, start: int, stop: int) -> NDArray[np.uint8]:
    """Rows start..stop of the PNG byte stream: filter type Up (2), but None (0) for the first row of the image."""
    flat = image.reshape(image.shape[0], -1)
    out = np.empty((stop - start, 1 + flat.shape[1]), np.uint8)
    out[:, 0] = 2
    first = max(start, 1)
    np.subtract(flat[first:stop], flat[first - 1 : stop - 1], out=out[first - start :, 1:])
    if start == 0:
        out[0, 0] = 0
        out[0, 1:] = flat[0]
    return out


def _deflate(data: NDArray[np.uint8]) -> bytes:
    """Compress `data` into deflate blocks that end on a whole byte, none of them the last of a stream.

    The bytes depend on `data` only. They would not if it were compressed in one piece: on x86-64 the routine of ISA-L
    that compresses most of a stream files the third byte under a hash of the stream's address (`.write_first_byte` in
    igzip_icf_body_h1_gr_bt.asm hashes the wrong register), and at one address in 8,192 that changes which matches are
    found. Pieces of 4 to 16 bytes that are flushed begin in `isal_deflate_icf_finish`, which hashes the data.
    """
    deflate = isal_zlib.compressobj(1, isal_zlib.DEFLATED, -15)
    flat = data.reshape(-1)
    head = deflate.compress(flat[:_HEAD]) + deflate.flush(isal_zlib.Z_SYNC_FLUSH)
    return head + deflate.compress(flat[_HEAD:]) + deflate.flush(isal_zlib.Z_FULL_FLUSH)


def _band(image: Image, start: int, stop: int) -> _Band:
    data = _filter_rows(image, start, stop)
    head = b"\x78\x01" if start == 0 else b""
    return _Band(_chunk(b"IDAT", head + _deflate(data)), isal_zlib.adler32(data), data.size)


def _join_adler(first: int, second: int, size: int) -> int:
    """The Adler-32 of two joined pieces from those of each; `size` is the length of the second."""
    low = ((first & 0xFFFF) + (second & 0xFFFF) - 1) % _ADLER
    high = ((first >> 16) + (second >> 16) + size * ((first & 0xFFFF) - 1)) % _ADLER
    return high << 16 | low


@dataclass(slots=True)
class Canvas:
    """Encodes the pictures made from one reference, remembering the parts that they share with it."""

    reference: Image
    codec: str = "png"
    _clean: dict[int, _Band] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.codec not in CODECS:
            raise BadRecipe(describe_unknown("codec", self.codec, CODECS))

    def encode(self, image: Image, changed: tuple[int, int]) -> bytes:
        """`image` as a file. Outside the rows changed[0]..changed[1] (exclusive) it must equal the reference."""
        if self.codec != "png":
            return CODECS[self.codec](image)
        return _assemble(image, lambda start, stop: self._part(image, start, stop, changed))

    def _part(self, image: Image, start: int, stop: int, changed: tuple[int, int]) -> _Band:
        # The Up filter looks one row back, so a band also changes when the row above it did.
        if start <= changed[1] and changed[0] < stop:
            return _band(image, start, stop)
        if start not in self._clean:
            self._clean[start] = _band(self.reference, start, stop)
        return self._clean[start]


def _assemble(image: Image, part: Callable[[int, int], _Band]) -> bytes:
    height, width = get_shape(image)
    bands = [part(start, min(start + _ROWS, height)) for start in range(0, height, _ROWS)]
    adler = 1
    for band in bands:
        adler = _join_adler(adler, band.adler, band.size)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    end = _chunk(b"IDAT", b"\x03\x00" + struct.pack(">I", adler)) + _chunk(b"IEND", b"")
    return b"".join([_SIGNATURE, _chunk(b"IHDR", header), *(band.chunk for band in bands), end])


def encode_png(image: Image) -> bytes:
    """A PNG of an RGB image."""
    return _assemble(image, lambda start, stop: _band(image, start, stop))


def encode_webp(image: Image) -> bytes:
    """A lossless WebP: about a fifth smaller than the PNG, three times slower. Sides up to 16,383 pixels."""
    from PIL import Image as pillow

    out = BytesIO()
    # Pillow's `quality` is the effort of a lossless file; its default of 80 is 3-10x slower for under 1 %.
    pillow.fromarray(image).save(out, "WEBP", lossless=True, method=0, quality=0, exact=True)
    return out.getvalue()


CODECS: dict[str, Callable[[Image], bytes]] = {"png": encode_png, "webp": encode_webp}
