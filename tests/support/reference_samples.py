"""Pictures and annotation files of every kind, made in code."""

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

Pixels = NDArray[np.uint8]


def photograph(rows: int = 300, columns: int = 400, seed: int = 0) -> Pixels:
    """Coloured noise at several scales: like a photograph, it has detail, slow changes and many colours."""
    rng = np.random.default_rng(seed)
    out = np.full((rows, columns, 3), 128.0, np.float32)
    for step, strength in ((64, 60), (16, 30), (4, 20), (1, 8)):
        shape = (rows // step + 2, columns // step + 2, 3)
        layer = rng.normal(0, strength, shape).astype(np.float32)
        out += cv2.resize(layer, (columns, rows), interpolation=cv2.INTER_CUBIC)
    return np.clip(out, 0, 255).astype(np.uint8)


def encoded(picture: Pillow.Image | Pixels, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    (picture if isinstance(picture, Pillow.Image) else Pillow.fromarray(picture)).save(out, kind, **options)
    return out.getvalue()


def png(columns: int, rows: int, depth: int, colour: int, raw: bytes = b"") -> bytes:
    """A PNG from its header and its filtered bytes, whether they fit or not."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", columns, rows, depth, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def deep_png(values: NDArray[np.uint16]) -> bytes:
    """A 16-bit PNG of a (rows, columns, channels) array."""
    rows, columns, channels = values.shape
    raw = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return png(columns, rows, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], raw)


def square(x: float, y: float, side: float) -> list[float]:
    return [x, y, x + side, y, x + side, y + side, x, y + side]


def annotation(key: int, image: Any, category: Any, **other: Any) -> dict[str, Any]:
    x, y, side = 40.0, 50.0, 100.0
    base = {"segmentation": [square(x, y, side)], "bbox": [x, y, side, side], "area": side * side}
    return {"id": key, "image_id": image, "category_id": category, "iscrowd": 0, **base, **other}


def small_coco() -> dict[str, Any]:
    """Three images of 400 x 300 with a cat, a dog, a small bird; a cat and a crowd in runs; nothing."""
    mask = np.zeros((300, 400), np.uint8)
    mask[60:160, 100:220] = 1
    flat = mask.ravel(order="F").astype(np.int8)
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate(([0], edges, [flat.size]))).tolist()
    whole = {"size": [300, 400], "counts": runs}
    images = [
        {"id": key, "file_name": f"{key:012d}.jpg", "width": 400, "height": 300, "license": 1} for key in (1, 2, 3)
    ]
    images[0]["coco_url"] = "http://images.example.org/train/000000000001.jpg"
    return {
        "info": {},
        "licenses": [{"id": 1, "name": "CC BY", "url": "https://example.org/by"}],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}, {"id": 7, "name": "bird"}],
        "images": images,
        "annotations": [
            annotation(1, 1, 1),
            annotation(2, 1, 2, segmentation=[square(200, 100, 120)], bbox=[200, 100, 120, 120], area=14400),
            annotation(3, 1, 7, segmentation=[square(5, 5, 10)], bbox=[5, 5, 10, 10], area=100),
            annotation(4, 2, 1, segmentation=whole, bbox=[100, 60, 120, 100], area=12000),
            annotation(5, 2, 7, segmentation=whole, bbox=[100, 60, 120, 100], area=12000, iscrowd=1),
        ],
    }
