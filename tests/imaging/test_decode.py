"""Hostile bytes in, pixels or one sentence out."""

import io
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageOps
from reference_samples import deep_png, encoded, photograph, png

from distortlab.core.errors import BadReference
from distortlab.imaging.decode import TURNS, compute_shrunk_shape, decode_image, read_bytes, read_image, shrink

PHOTO = photograph(61, 83)
RNG = np.random.default_rng(0)


def jpeg_with_orientation(orientation: int, kind: str = "JPEG", **options: Any) -> bytes:
    picture = Pillow.fromarray(PHOTO)
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    return encoded(picture, kind, exif=exif, **options)


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("quality", [20, 75, 97])
def test_a_jpeg_has_the_pixels_that_pillow_reads(subsampling: int, progressive: bool, quality: int) -> None:
    data = encoded(PHOTO, "JPEG", subsampling=subsampling, progressive=progressive, quality=quality)
    upright = decode_image(data)
    assert np.array_equal(upright.image, np.asarray(Pillow.open(io.BytesIO(data))))
    assert upright.is_faithful
    assert upright.format == "JPEG"


def test_a_jpeg_in_rgb_is_read_and_faithful() -> None:
    data = encoded(PHOTO, "JPEG", keep_rgb=True, quality=90)
    assert np.array_equal(decode_image(data).image, np.asarray(Pillow.open(io.BytesIO(data))))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(10))
def test_every_orientation_is_turned_as_pillow_turns_it(orientation: int, kind: str) -> None:
    data = jpeg_with_orientation(orientation, kind)
    with Pillow.open(io.BytesIO(data)) as picture:
        expected = np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
    upright = decode_image(data)
    assert np.array_equal(upright.image, expected)
    assert upright.image.flags.c_contiguous
    # Pillow turns a TIFF while decoding it, so its stored size is not seen.
    assert upright.transposed == (orientation in (5, 6, 7, 8) and kind != "TIFF")
    assert upright.is_faithful == (kind in ("JPEG", "PNG") and orientation not in TURNS)


GREY = PHOTO[..., 0]
OPAQUE = np.dstack([PHOTO, np.full(PHOTO.shape[:2], 255, np.uint8)])
PALETTE = Pillow.fromarray(PHOTO).quantize(16)

CONVERTED = {
    "grey JPEG": encoded(GREY, "JPEG"),
    "grey PNG": encoded(GREY, "PNG"),
    "opaque RGBA": encoded(OPAQUE, "PNG"),
    "opaque LA": encoded(Pillow.fromarray(OPAQUE).convert("LA"), "PNG"),
    "palette": encoded(PALETTE, "PNG"),
    "bilevel": encoded(Pillow.fromarray(GREY).convert("1"), "PNG"),
    "CMYK JPEG": encoded(Pillow.fromarray(PHOTO).convert("CMYK"), "JPEG"),
    "BMP": encoded(PHOTO, "BMP"),
    "TIFF": encoded(PHOTO, "TIFF", compression="tiff_lzw"),
    "still GIF": encoded(PALETTE, "GIF"),
    "lossless WebP": encoded(PHOTO, "WEBP", lossless=True),
    "PPM": encoded(PHOTO, "PPM"),
}


@pytest.mark.parametrize("name", CONVERTED)
def test_other_kinds_become_rgb_and_are_not_faithful(name: str) -> None:
    upright = decode_image(CONVERTED[name])
    with Pillow.open(io.BytesIO(CONVERTED[name])) as picture:
        assert np.array_equal(upright.image, np.asarray(picture.convert("RGB")))
    assert upright.image.dtype == np.uint8
    assert not upright.is_faithful


def test_a_plain_png_is_faithful() -> None:
    upright = decode_image(encoded(PHOTO, "PNG"))
    assert upright.is_faithful
    assert np.array_equal(upright.image, PHOTO)


def test_a_png_whose_clear_colour_does_not_occur_is_opaque_but_not_faithful() -> None:
    upright = decode_image(encoded(np.zeros_like(PHOTO), "PNG", transparency=(1, 2, 3)))
    assert not upright.image.any()
    assert not upright.is_faithful


def test_a_warning_of_the_decoder_is_a_reason_to_refuse() -> None:
    data = encoded(PHOTO, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x09\0\x12\x01")
    with pytest.raises(BadReference, match="EXIF"):
        decode_image(data)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bits_are_rounded_to_eight(channels: int) -> None:
    values = RNG.integers(0, 65536, (33, 21, channels)).astype(np.uint16)
    if channels in (2, 4):
        values[..., -1] = 65535
    colours = values[..., : 3 if channels > 2 else 1]
    upright = decode_image(deep_png(values))
    assert np.array_equal(upright.image, np.broadcast_to(np.rint(colours / 257.0), upright.image.shape))
    assert not upright.is_faithful


def test_a_jpeg_with_a_preview_behind_it_is_read_as_its_first_picture() -> None:
    data = encoded(Pillow.fromarray(PHOTO), "MPO", save_all=True, append_images=[Pillow.fromarray(PHOTO[:20, :20])])
    assert decode_image(data).image.shape == PHOTO.shape
    assert not decode_image(data).is_faithful


def animated(kind: str) -> bytes:
    frames = [Pillow.fromarray(photograph(20, 20, seed)) for seed in (1, 2)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


def still_webp() -> bytes:
    return encoded(photograph(20, 20), "WEBP", lossless=True)


def bombs() -> dict[str, bytes]:
    """Files of a few bytes that declare enormous pictures."""
    jpeg = encoded(PHOTO, "JPEG")
    at = jpeg.index(b"\xff\xc0") + 5
    tags = [
        (256, 100_000),
        (257, 100_000),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, 9),
        (279, 9),
    ]
    tiff = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    bmp = encoded(PHOTO, "BMP")
    # Below the size at which Pillow itself refuses; its decoder is already made when the header is read.
    canvas = bytes([2, 0, 0, 0]) + 2 * (12_999).to_bytes(3, "little")
    webp = b"WEBPVP8X" + struct.pack("<I", 10) + canvas + still_webp()[12:]
    return {
        "PNG": png(100_000, 100_000, 8, 2),
        "PNG just over": png(8_001, 8_000, 8, 2),
        "JPEG": jpeg[:at] + struct.pack(">HH", 65500, 65500) + jpeg[at + 4 :],
        "TIFF": b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + tiff + bytes(4),
        "GIF": b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\x80\0\0" + bytes(6) + b",",
        "BMP": bmp[:18] + struct.pack("<ii", 100_000, 100_000) + bmp[26:],
        "WebP": b"RIFF" + struct.pack("<I", len(webp)) + webp,
        "PPM": b"P6 100000 100000 255\n",
    }


REFUSED = {
    "nothing": (b"", "not a picture"),
    "text": (b"<html>404</html>", "not a picture"),
    "EPS": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not a picture"),
    "RGBA": (encoded(np.dstack([PHOTO, GREY]), "PNG"), "transparent"),
    "LA": (encoded(Pillow.fromarray(np.dstack([PHOTO, GREY])).convert("LA"), "PNG"), "transparent"),
    "palette with a clear colour": (encoded(PALETTE, "PNG", transparency=3), "transparent"),
    "grey with a clear value": (encoded(GREY, "PNG", transparency=int(GREY[0, 0])), "transparent"),
    "colour with a clear colour": (
        encoded(PHOTO, "PNG", transparency=tuple(int(v) for v in PHOTO[0, 0])),
        "transparent",
    ),
    "16-bit RGBA": (deep_png(RNG.integers(0, 65535, (5, 5, 4)).astype(np.uint16)), "transparent"),
    "floats": (encoded(Pillow.fromarray(GREY.astype(np.float32)), "TIFF"), "floating-point"),
    "32-bit": (encoded(Pillow.fromarray(GREY.astype(np.int32) * 9999), "TIFF"), "32-bit"),
    "animated GIF": (animated("GIF"), "several pictures"),
    "animated WebP": (animated("WEBP"), "several pictures"),
    "animated PNG": (animated("PNG"), "several pictures"),
    "TIFF of two pages": (animated("TIFF"), "several pictures"),
    **{f"bomb: {name}": (data, "declares|damaged|not a picture") for name, data in bombs().items()},
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_refused_with_its_reason(name: str) -> None:
    data, reason = REFUSED[name]
    with pytest.raises(BadReference, match=reason) as caught:
        decode_image(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.995])
def test_truncated_files_are_refused(kind: str, share: float) -> None:
    data = encoded(photograph(90, 120), kind)
    with pytest.raises(BadReference):
        decode_image(data[: int(len(data) * share)])


def test_bombs_cost_no_memory() -> None:
    """In a process of its own, whose peak is read at its end."""
    resource = pytest.importorskip("resource")
    assert resource
    program = (
        "import resource, sys\nsys.path[:0] = sys.argv[1:]\nfrom test_decode import bombs\n"
        "from distortlab.imaging.decode import decode_image\nfrom distortlab.core.errors import BadReference\n"
        "files = bombs()\nbefore = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for data in files.values():\n    try:\n        decode_image(data)\n"
        "    except BadReference:\n        pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    here = Path(__file__).parent
    command = [sys.executable, "-c", program, str(here), str(here.parent / "support")]
    grown = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert grown < 32 * 1024 * (1024 if sys.platform == "darwin" else 1)


def test_pillow_is_left_as_it_was() -> None:
    before = (Pillow.MAX_IMAGE_PIXELS, Pillow.warnings.filters[:])
    with pytest.raises(BadReference):
        decode_image(bombs()["PNG"])
    assert (Pillow.MAX_IMAGE_PIXELS, Pillow.warnings.filters[:]) == before


def test_the_limit_on_pixels_is_the_callers() -> None:
    data = encoded(PHOTO, "PNG")
    assert decode_image(data, max_pixels=PHOTO.shape[0] * PHOTO.shape[1]).image.shape == PHOTO.shape
    with pytest.raises(BadReference, match="declares 83 x 61"):
        decode_image(data, max_pixels=PHOTO.shape[0] * PHOTO.shape[1] - 1)
    # Above Pillow's own limit for warnings: the header is accepted, and then nothing stands behind it.
    with pytest.raises(BadReference, match="damaged"):
        decode_image(png(10_000, 10_000, 8, 2), max_pixels=100_000_000)


def never_anything_else(data: bytes) -> None:
    try:
        image = decode_image(data, max_pixels=1_000_000).image
    except BadReference:
        return
    assert image.dtype == np.uint8
    assert image.ndim == 3
    assert image.shape[2] == 3


SEEDS = [
    *(encoded(PHOTO, kind) for kind in ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "PPM")),
    jpeg_with_orientation(6),
    jpeg_with_orientation(6, "PNG"),
    encoded(PHOTO, "TIFF", compression="tiff_deflate"),
    encoded(PHOTO, "JPEG", progressive=True),
    animated("GIF"),
    animated("TIFF"),
    deep_png(RNG.integers(0, 65536, (9, 9, 3)).astype(np.uint16)),
    *CONVERTED.values(),
]


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"GIF89a"]),
)
def test_random_bytes_are_read_or_refused(tail: bytes, head: bytes) -> None:
    never_anything_else(head + tail)


@settings(max_examples=600, deadline=None)
@given(st.data())
def test_damaged_files_are_read_or_refused(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from(SEEDS)))
    # Half of the damage goes where the headers are: pixels seldom hold surprises.
    places = st.integers(0, len(whole) - 1) | st.integers(0, min(len(whole), 120) - 1)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=8)):
        whole[place] = value
    end = data.draw(st.integers(0, len(whole)) | st.just(len(whole)))
    never_anything_else(bytes(whole[:end]))


def test_files_are_named_in_what_is_said_about_them(tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no")
    missing = tmp_path / "missing.png"
    for path in (bad, missing, tmp_path):
        with pytest.raises(BadReference, match=path.name):
            read_image(path)
    good = tmp_path / "good.png"
    good.write_bytes(encoded(PHOTO, "PNG"))
    for source in (good, str(good), good.read_bytes()):
        assert np.array_equal(read_image(source), PHOTO)


def test_pipes_and_giants_are_refused_unread(tmp_path: Path) -> None:
    pipe, giant = tmp_path / "pipe.jpg", tmp_path / "giant.jpg"
    os.mkfifo(pipe)
    with giant.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(BadReference, match="not a file"):
        read_bytes(pipe)
    with pytest.raises(BadReference, match="at most"):
        read_bytes(giant)
    with pytest.raises(BadReference, match="cannot read"):
        read_bytes(tmp_path / "a\0b")


def test_shrinking_keeps_the_longer_side() -> None:
    image = photograph(90, 200)
    assert shrink(image, 200) is image
    assert shrink(image, 100).shape == (45, 100, 3)
    assert shrink(image, 99).shape == (45, 99, 3)
    assert shrink(photograph(3, 300), 100).shape == (1, 100, 3)
    flat = np.full((64, 32, 3), 77, np.uint8)
    assert np.array_equal(shrink(flat, 16), np.full((16, 8, 3), 77, np.uint8))


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 5000))
def test_shrunk_shapes_are_rounded(rows: int, columns: int, side: int) -> None:
    shape = compute_shrunk_shape((rows, columns), side)
    scale = min(1.0, side / max(rows, columns))
    assert max(shape) == min(side, max(rows, columns))
    assert abs(min(shape) - max(1, min(rows, columns) * scale)) <= 0.5
