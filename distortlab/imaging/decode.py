"""Decode untrusted image files to an `Image`, or raise one clear sentence.

Whatever the bytes are, the outcome is pixels or `BadReference`: no warning, no other exception, and no memory
for pixels before the declared size is known to be acceptable. Only the formats in `FORMATS` are tried, so no
decoder that starts a program (EPS) or opens further files is ever reached.
"""

import io
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageFile, UnidentifiedImageError

from distortlab.core.errors import BadReference
from distortlab.core.image import Image, get_shape
from distortlab.imaging.metadata import strip_metadata

__all__ = [
    "MAX_PIXELS",
    "DecodedImage",
    "compute_shrunk_shape",
    "decode_image",
    "decode_without_metadata",
    "read_bytes",
    "read_image",
    "shrink",
]

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "PPM")
MAX_PIXELS = 64_000_000
MAX_BYTES = 512 * 1024 * 1024
"""Larger files are refused unread: at `MAX_PIXELS` a raw 16-bit RGB picture has 384 MB."""
ORIENTATION = 0x0112
# EXIF orientation -> (swap rows and columns, flip rows, flip columns), in this order.
TURNS = {
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}
# About the code and not about the file, or about a size that is checked here with its own limit.
HARMLESS = (DeprecationWarning, FutureWarning, ResourceWarning, Pillow.DecompressionBombWarning)
_TO_8_BIT = ((np.arange(65536, dtype=np.uint32) + 128) // 257).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """A decoded picture.

    `is_faithful`: any ordinary reader decodes the same bytes to exactly `image` (8-bit RGB JPEG or PNG, not rotated).
    `transposed`: EXIF exchanged rows and columns, so that the stored size is the transposed one.
    """

    image: Image
    is_faithful: bool
    format: str
    transposed: bool = False


def decode_image(data: bytes, max_pixels: int = MAX_PIXELS) -> DecodedImage:
    """Decode an image file.

    Parameters
    ----------
    data
        The bytes of the file.
    max_pixels
        The most pixels that it may declare.

    Returns
    -------
    DecodedImage
        uint8 RGB, the EXIF orientation applied.

    Raises
    ------
    BadReference
        For whatever cannot be read exactly.
    """
    with _one_sentence(), Pillow.open(io.BytesIO(data), formats=FORMATS) as picture:
        _check_header(picture, max_pixels)
        image, plain = _decode(picture, data)
        # A PNG may carry its EXIF behind the pixels: the orientation is known only after decoding.
        swap, rows, columns = _read_turn(picture.getexif().get(ORIENTATION))
        return DecodedImage(
            image=_orient(image, swap, rows, columns),
            is_faithful=plain and not (swap or rows or columns),
            format=str(picture.format),
            transposed=swap,
        )


def decode_without_metadata(data: bytes, max_pixels: int = MAX_PIXELS) -> tuple[DecodedImage, bytes | None]:
    """Decode an image file, and take the metadata out of it.

    A JPEG that is stored upright is decoded once, from the bytes that are kept: what they decode to is the image, and
    nothing needs to be compared. Of other files the pixels are compared.

    Parameters
    ----------
    data, max_pixels
        As for `decode_image`.

    Returns
    -------
    tuple
        The decoded image; and a file without metadata that any ordinary reader decodes to it, which is `data` itself
        where there was nothing to take out, or None where there is no such file.

    Raises
    ------
    BadReference
        For whatever cannot be read exactly.
    """
    clean = strip_metadata(data)
    if clean is not None and clean is not data and (upright := _decode_upright_jpeg(data, clean, max_pixels)):
        return upright, clean
    decoded = decode_image(data, max_pixels)
    if clean is None or not decoded.is_faithful:
        return decoded, None
    if clean is not data:
        again = _try_decoding(clean, max_pixels)
        if again is None or not np.array_equal(again.image, decoded.image):
            return decoded, None
    return decoded, clean


def _decode_upright_jpeg(data: bytes, clean: bytes, max_pixels: int) -> DecodedImage | None:
    """The image of a JPEG in colour that no orientation turns, judged by its header, from its bytes without metadata;
    None for other files, and for whatever is not decoded strictly.
    """
    try:
        with _one_sentence(), Pillow.open(io.BytesIO(data), formats=FORMATS) as picture:
            _check_header(picture, max_pixels)
            is_turned = any(_read_turn(picture.getexif().get(ORIENTATION)))
            image = None if is_turned else _decode_color_jpeg(picture, clean)
            return None if image is None else DecodedImage(image, is_faithful=True, format="JPEG")
    except BadReference:
        return None


def _try_decoding(data: bytes, max_pixels: int) -> DecodedImage | None:
    """The image of a file, or None unless any ordinary reader decodes it to the same."""
    try:
        decoded = decode_image(data, max_pixels)
    except BadReference:
        return None
    return decoded if decoded.is_faithful else None


def read_bytes(path: Path) -> bytes:
    """The bytes of a regular file of bearable size. Raises `BadReference`."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise BadReference(f"{path} is not a file")
        if status.st_size > MAX_BYTES:
            raise BadReference(f"{path} has {status.st_size:,} bytes; at most {MAX_BYTES:,} are read")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise BadReference(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None


def read_image(source: str | Path | bytes) -> Image:
    """The pixels of a picture, upright.

    Parameters
    ----------
    source
        The path of a file, or its bytes: JPEG, PNG, WebP, BMP, TIFF, GIF or PPM with one picture.

    Returns
    -------
    Image
        uint8 RGB, (rows, columns, 3), the EXIF orientation applied; 16-bit values are rounded to 8 bits.

    Raises
    ------
    BadReference
        For whatever cannot be read; it names the file.

    Examples
    --------
    >>> from distortlab import read_image
    >>> image = read_image(b"P6 2 1 255 " + bytes([255, 0, 0, 0, 0, 255]))
    >>> image.tolist()
    [[[255, 0, 0], [0, 0, 255]]]
    >>> read_image(b"hello")
    Traceback (most recent call last):
    distortlab.core.errors.BadReference: not a picture in a known format (JPEG, PNG, WEBP, BMP, TIFF, GIF, PPM)
    """
    if isinstance(source, bytes):
        return decode_image(source).image
    path = Path(source)
    data = read_bytes(path)
    try:
        return decode_image(data).image
    except BadReference as error:
        raise BadReference(f"{path}: {error}") from None


def compute_shrunk_shape(shape: tuple[int, int], max_side: int) -> tuple[int, int]:
    """(rows, columns) scaled so that the longer side is at most `max_side`, rounded, at least 1."""
    longer = max(shape)
    if longer <= max_side:
        return shape
    rows, columns = (max(1, (2 * side * max_side + longer) // (2 * longer)) for side in shape)
    return rows, columns


def shrink(image: Image, max_side: int) -> Image:
    """Scale down by area means to a longer side of `max_side`; a smaller image is returned as it is."""
    rows, columns = compute_shrunk_shape(get_shape(image), max_side)
    if (rows, columns) == get_shape(image):
        return image
    return np.asarray(cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA), dtype=np.uint8)


@contextmanager
def _one_sentence() -> Iterator[None]:
    """Turn every warning and exception of the decoders into `BadReference`."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for harmless in HARMLESS:
            warnings.simplefilter("ignore", harmless)
        try:
            yield
        except BadReference:
            raise
        except UnidentifiedImageError:
            raise BadReference(f"not a picture in a known format ({', '.join(FORMATS)})") from None
        except Pillow.DecompressionBombError:
            raise BadReference("declares too many pixels") from None
        except MemoryError:
            raise BadReference("needs more memory than there is") from None
        # Decoders raise whatever their parsers happen to raise: struct.error, KeyError, SyntaxError, ...
        except Exception as error:
            text = " ".join(str(error).split()) or type(error).__name__
            raise BadReference(f"damaged or not readable: {text[:200]}") from None


def _check_header(picture: ImageFile.ImageFile, max_pixels: int) -> None:
    """Refuse what must not be decoded, before any memory is spent on its pixels."""
    columns, rows = picture.size
    if columns * rows > max_pixels:
        raise BadReference(f"declares {columns:,} x {rows:,} pixels; at most {max_pixels:,} are read")
    if columns < 1 or rows < 1:
        raise BadReference(f"declares {columns} x {rows} pixels")
    # A phone's MPO is a JPEG with a preview or a depth map behind it; its first picture is the photograph.
    if picture.format != "MPO" and getattr(picture, "is_animated", False):
        raise BadReference("holds several pictures (animated or multi-page); one is needed")


def _decode(picture: ImageFile.ImageFile, data: bytes) -> tuple[Image, bool]:
    """RGB pixels as stored, and whether any reader would decode the bytes to them."""
    image = _decode_color_jpeg(picture, data)
    if image is not None:
        return image, True
    deep = ";16" in str(picture.tile)
    picture.load()
    if deep and picture.mode in ("RGB", "RGBA"):
        return _from_16_bit_color(picture, data), False
    if picture.mode.startswith("I"):
        return _from_16_bit_grey(picture), False
    if picture.mode == "F":
        raise BadReference("holds floating-point values, whose range is not known; save it with 8 or 16 bits")
    plain = picture.format == "PNG" and picture.mode == "RGB" and "transparency" not in picture.info
    return _from_8_bit(picture), plain or (picture.format == "JPEG" and picture.mode == "RGB")


def _decode_color_jpeg(picture: ImageFile.ImageFile, data: bytes) -> Image | None:
    """RGB pixels of a JPEG in colour of the size that was checked, or None where libjpeg-turbo's simple interface does
    not know the kind: odd samplings are left to Pillow. Strict: a damaged or truncated file raises where other readers
    fill in grey.
    """
    if picture.format != "JPEG" or picture.mode != "RGB":
        return None
    try:
        rows, columns, colors, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError:
        return None
    is_known = colors in ("YCbCr", "RGB") and (columns, rows) == picture.size
    return simplejpeg.decode_jpeg(data, "RGB") if is_known else None


def _from_8_bit(picture: Pillow.Image) -> Image:
    """Grey, palette, CMYK, ... to RGB; alpha is dropped where it hides nothing."""
    if picture.has_transparency_data:
        values = np.array(picture.convert("RGBA"), dtype=np.uint8)
        _check_opaque(values[..., 3], 255)
        return np.ascontiguousarray(values[..., :3])
    return np.array(picture if picture.mode == "RGB" else picture.convert("RGB"), dtype=np.uint8)


def _from_16_bit_grey(picture: Pillow.Image) -> Image:
    values = np.array(picture)
    if "transparency" in picture.info and np.any(values == picture.info["transparency"]):
        raise BadReference("has transparent pixels; flatten it onto a background first")
    if values.min() < 0 or values.max() > 65535:
        raise BadReference("holds 32-bit values, whose range is not known; save it with 8 or 16 bits")
    grey = _TO_8_BIT[values]
    return np.ascontiguousarray(np.broadcast_to(grey[..., None], (*grey.shape, 3)))


def _from_16_bit_color(picture: ImageFile.ImageFile, data: bytes) -> Image:
    """Pillow cuts 16-bit colour to its high bytes; OpenCV keeps all bits, which are then rounded."""
    flags = cv2.IMREAD_UNCHANGED
    values = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if picture.format == "PNG" else None
    if values is None or values.dtype != np.uint16 or values.ndim != 3 or "transparency" in picture.info:
        raise BadReference("is a 16-bit colour picture of a kind that cannot be read exactly; save it with 8 bits")
    if values.shape[2] == 4:
        _check_opaque(values[..., 3], 65535)
    return np.ascontiguousarray(_TO_8_BIT[values[..., 2::-1]])


def _check_opaque(alpha: NDArray[Any], full: int) -> None:
    if int(alpha.min()) < full:
        raise BadReference("has transparent pixels; flatten it onto a background first")


def _read_turn(orientation: object) -> tuple[bool, bool, bool]:
    """Swap, flip rows, flip columns. EXIF values are whatever the file says; unknown ones turn nothing."""
    nothing = (False, False, False)
    return TURNS.get(orientation, nothing) if isinstance(orientation, int) else nothing


def _orient(image: Image, swap: bool, rows: bool, columns: bool) -> Image:
    turned = image.swapaxes(0, 1) if swap else image
    turned = turned[::-1] if rows else turned
    turned = turned[:, ::-1] if columns else turned
    return np.ascontiguousarray(turned)
