"""Metadata go, pixels stay."""

import io
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo
from reference_samples import encoded, photograph

from distortlab.core.errors import BadReference
from distortlab.imaging.decode import decode_image, decode_without_metadata
from distortlab.imaging.metadata import strip_metadata
from distortlab.recipe import ReferenceRules, RegionRules
from distortlab.references.folder import open_folder

PHOTO = photograph(264, 330)
SECRET = b"52 deg 31 min N"
RULES = ReferenceRules()


def exif(orientation: int = 1) -> Any:
    tags = Pillow.Exif()
    tags[0x0112] = orientation
    tags[0x010E] = SECRET.decode()
    tags.get_ifd(0x8825)[1] = "N"
    return tags


def segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def png_text() -> PngInfo:
    info = PngInfo()
    info.add_text("Comment", SECRET.decode())
    info.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    return info


JPEG = encoded(PHOTO, "JPEG", quality=90)
PROFILE = Pillow.open(io.BytesIO(JPEG)).info.get("icc_profile") or b"a profile of a screen" * 20
THUMBNAIL = b"JFIF\0\x01\x01\x00\x00\x01\x00\x01\x02\x02" + SECRET[:12]

CARRIERS = {
    "EXIF": encoded(PHOTO, "JPEG", exif=exif()),
    "EXIF and a profile": encoded(PHOTO, "JPEG", exif=exif(), icc_profile=PROFILE),
    "XMP": with_segments(JPEG, segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + SECRET)),
    "a comment": encoded(PHOTO, "JPEG", comment=SECRET),
    "Photoshop": with_segments(JPEG, segment(0xED, b"Photoshop 3.0\0" + SECRET)),
    "a thumbnail": JPEG[:2] + segment(0xE0, THUMBNAIL) + JPEG[20:],
    "a second header": with_segments(JPEG, segment(0xE0, b"JFXX\0\x10" + SECRET)),
    "a vendor's segment": with_segments(JPEG, segment(0xE5, SECRET)),
    "an app that is no profile": with_segments(JPEG, segment(0xE2, b"FPXR\0" + SECRET)),
    "a tail": JPEG + b"\xff\xd8" + SECRET,
    "progressive": encoded(PHOTO, "JPEG", progressive=True, exif=exif()),
    "restarts": encoded(PHOTO, "JPEG", restart_marker_blocks=4, exif=exif()),
    "fill bytes": with_segments(JPEG, b"\xff\xff\xff" + segment(0xE1, b"Exif\0\0" + SECRET)),
    "PNG text": encoded(PHOTO, "PNG", pnginfo=png_text()),
    "PNG EXIF": encoded(PHOTO, "PNG", exif=exif()),
    "PNG tail": encoded(PHOTO, "PNG") + SECRET,
}


@pytest.mark.parametrize("name", CARRIERS)
def test_what_was_carried_is_gone_and_the_pixels_are_the_same(name: str) -> None:
    data = CARRIERS[name]
    assert SECRET in data or b"GPS" in data or SECRET[:12] in data
    clean = strip_metadata(data)
    assert clean is not None
    assert len(clean) < len(data)
    assert SECRET not in clean
    assert SECRET[:12] not in clean
    assert b"Exif" not in clean
    assert not Pillow.open(io.BytesIO(clean)).getexif()
    assert np.array_equal(decode_image(clean).image, decode_image(data).image)


def test_a_profile_stays() -> None:
    clean = strip_metadata(CARRIERS["EXIF and a profile"])
    assert Pillow.open(io.BytesIO(clean or b"")).info["icc_profile"] == PROFILE


@pytest.mark.parametrize("name", CARRIERS)
def test_cleaning_twice_changes_nothing(name: str) -> None:
    clean = strip_metadata(CARRIERS[name])
    assert clean is not None
    assert strip_metadata(clean) is clean


@pytest.mark.parametrize("data", [JPEG, encoded(PHOTO, "PNG")], ids=["jpeg", "png"])
def test_a_plain_file_is_left_alone(data: bytes) -> None:
    assert strip_metadata(data) is data


HOSTILE = {
    "nothing": b"",
    "another format": encoded(PHOTO, "BMP"),
    "only a head": b"\xff\xd8",
    "cut in a segment": CARRIERS["EXIF"][:40],
    "cut in the scan": JPEG[:-600],
    "a segment past the end": b"\xff\xd8\xff\xe1\xff\xff",
    "a length of one": b"\xff\xd8\xff\xe1\x00\x01\xff\xd9",
    "bytes between segments": with_segments(JPEG, b"\x00\x00"),
    "a picture in a picture": with_segments(JPEG, b"\xff\xd8"),
    "PNG cut": encoded(PHOTO, "PNG")[:60],
    "PNG with an unknown critical chunk": encoded(PHOTO, "PNG")[:33]
    + struct.pack(">I4sI", 0, b"ABcD", 0)
    + encoded(PHOTO, "PNG")[33:],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_understood_cannot_be_cleaned(name: str) -> None:
    assert strip_metadata(HOSTILE[name]) is None


@given(st.data())
def test_damage_never_raises_and_never_changes_pixels(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(CARRIERS)))
    whole = bytearray(CARRIERS[name])
    at = data.draw(st.integers(0, min(len(whole) - 1, 900)))
    whole[at] = data.draw(st.integers(0, 255))
    damaged = bytes(whole)
    clean = strip_metadata(damaged)
    if clean is None or clean is damaged:
        return
    try:
        before = decode_image(damaged)
    except BadReference:
        return
    try:
        after = decode_image(clean)
    except BadReference:
        return  # `store` keeps such a picture as PNG
    assert after.image.shape == before.image.shape


def count_decodings(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The bytes that libjpeg-turbo is given, from now on."""
    decoded: list[bytes] = []

    def decode(data: bytes, space: str) -> Any:
        decoded.append(data)
        return real(data, space)

    real = simplejpeg.decode_jpeg
    monkeypatch.setattr(simplejpeg, "decode_jpeg", decode)
    return decoded


@pytest.mark.parametrize("name", [name for name in CARRIERS if not name.startswith("PNG")])
def test_a_jpeg_is_decoded_once_from_the_bytes_that_are_kept(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    pixels, decoded = decode_image(CARRIERS[name]).image, count_decodings(monkeypatch)
    upright, clean = decode_without_metadata(CARRIERS[name])
    assert decoded == [clean] == [strip_metadata(CARRIERS[name])]
    assert np.array_equal(upright.image, pixels)
    assert upright.is_faithful


def test_a_plain_jpeg_is_decoded_once_and_kept_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = count_decodings(monkeypatch)
    assert decode_without_metadata(JPEG)[1] is JPEG
    assert decoded == [JPEG]


@pytest.mark.parametrize("name", [name for name in CARRIERS if name.startswith("PNG")])
def test_a_png_is_kept_without_metadata(name: str) -> None:
    upright, clean = decode_without_metadata(CARRIERS[name])
    assert clean == strip_metadata(CARRIERS[name])
    assert np.array_equal(decode_image(clean or b"").image, upright.image)


@pytest.mark.parametrize("data", [encoded(PHOTO, "JPEG", exif=exif(6)), encoded(PHOTO, "BMP"), encoded(PHOTO, "WEBP")])
def test_what_no_reader_decodes_to_the_same_pixels_is_not_kept(data: bytes) -> None:
    upright, clean = decode_without_metadata(data)
    assert clean is None
    assert np.array_equal(upright.image, decode_image(data).image)


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_cleaned_is_decoded_or_refused_as_it_is(name: str) -> None:
    try:
        expected = decode_image(HOSTILE[name])
    except BadReference as error:
        with pytest.raises(BadReference, match=re.escape(str(error))):
            decode_without_metadata(HOSTILE[name])
        return
    upright, clean = decode_without_metadata(HOSTILE[name])
    assert clean is None
    assert np.array_equal(upright.image, expected.image)


def test_a_file_that_the_cleaning_breaks_is_kept_as_png(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("distortlab.imaging.decode.strip_metadata", lambda data: data[:200])
    for suffix, data in (("jpg", CARRIERS["EXIF"]), ("png", encoded(PHOTO, "PNG"))):
        folder = tmp_path / suffix
        folder.mkdir()
        reference = stored(folder, data, suffix)
        assert reference.extension == "png"
        assert SECRET not in reference.encoded
        assert np.array_equal(decode_image(reference.encoded).image, decode_image(data).image)


@given(st.data())
def test_what_is_kept_of_a_damaged_file_decodes_to_the_image_and_holds_no_metadata(data: st.DataObject) -> None:
    whole = bytearray(CARRIERS[data.draw(st.sampled_from(sorted(CARRIERS)))])
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        upright, clean = decode_without_metadata(bytes(whole))
    except BadReference:
        return
    if clean is not None:
        assert upright.is_faithful
        assert np.array_equal(decode_image(clean).image, upright.image)
        assert strip_metadata(clean) is clean


def stored(tmp_path: Path, data: bytes, suffix: str = "jpg", **rules: Any) -> Any:
    (tmp_path / f"photo.{suffix}").write_bytes(data)
    (entry,) = open_folder(tmp_path).entries(1)
    return entry.load(ReferenceRules(**rules), RegionRules())


@pytest.mark.parametrize("name", [name for name in CARRIERS if not name.startswith("PNG")])
def test_a_reference_is_stored_without_metadata(tmp_path: Path, name: str) -> None:
    reference = stored(tmp_path, CARRIERS[name])
    assert reference.extension == "jpg"
    assert SECRET not in reference.encoded
    assert np.array_equal(decode_image(reference.encoded).image, reference.image)


def test_metadata_can_be_kept(tmp_path: Path) -> None:
    assert stored(tmp_path, CARRIERS["EXIF"], keep_metadata=True).encoded == CARRIERS["EXIF"]


def test_a_turned_photograph_is_stored_upright_and_without_metadata(tmp_path: Path) -> None:
    reference = stored(tmp_path, encoded(PHOTO, "JPEG", exif=exif(6)))
    assert reference.image.shape == (330, 264, 3)
    assert reference.extension == "png"
    assert SECRET not in reference.encoded


def test_what_cannot_be_cleaned_is_stored_as_png(tmp_path: Path) -> None:
    odd = with_segments(JPEG, segment(0xE1, b"Exif\0\0" + SECRET), b"\x00\x00")  # decoders skip the two bytes
    reference = stored(tmp_path, odd)
    assert reference.extension == "png"
    assert SECRET not in reference.encoded
