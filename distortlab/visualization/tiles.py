"""Drawing: pictures in rows, with lines of text under each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image as pillow
from PIL import ImageDraw, ImageFont

from distortlab.core.image import Image
from distortlab.imaging.encode import encode_png
from distortlab.storage.atomic import new_file

__all__ = ["Tile", "draw_sheet", "write_sheet"]

_PAPER, _INK, _FAINT = (255, 255, 255), (30, 30, 30), (120, 120, 120)
_GAP = 8
_SMALLEST = 11  # size of letters in pixels


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture with a title under it, and below that the lines of a note."""

    image: Image
    title: str
    note: str = ""


def draw_sheet(
    tiles: Sequence[Tile], columns: int, width: int = 224, height: int | None = None, text: int = 12
) -> Image:
    """Draw tiles in rows.

    Parameters
    ----------
    tiles
        Pictures with their texts.
    columns
        Tiles in a row.
    width, height
        The most pixels of a picture; three quarters of the width unless given.
    text
        Size of the upper line of text, px.

    Returns
    -------
    Image
        uint8 RGB.
    """
    height = height or width * 3 // 4
    line, under = text + 2, 2 * text
    pictures = [_fit_image(tile.image, width, height) for tile in tiles]
    rows = [range(start, min(start + columns, len(tiles))) for start in range(0, len(tiles), columns)]
    heights = [max(pictures[i].shape[0] for i in row) for row in rows]
    unders = [under + line * max(1 + tiles[i].note.count("\n") for i in row) for row in rows]
    canvas = pillow.new("RGB", (columns * (width + _GAP) + _GAP, sum(heights) + sum(unders) + _GAP), _PAPER)
    y = _GAP
    for row, tall, below in zip(rows, heights, unders, strict=True):
        for column, i in enumerate(row):
            _place(canvas, (_GAP + column * (width + _GAP), y), (width, tall), pictures[i], tiles[i], text)
        y += tall + below
    return np.asarray(canvas)


def write_sheet(out: Path, picture: Image) -> None:
    """A PNG file, whole or not at all."""
    with new_file(out) as file:
        file.write(encode_png(picture))


def _place(
    canvas: pillow.Image, corner: tuple[int, int], size: tuple[int, int], picture: Image, tile: Tile, text: int
) -> None:
    """One picture, in the middle of its cell, and its lines."""
    (x, y), (width, tall) = corner, size
    pen = ImageDraw.Draw(canvas)
    canvas.paste(pillow.fromarray(picture), (x + (width - picture.shape[1]) // 2, y + tall - picture.shape[0]))
    notes = [
        (line, text - 1, text + 5 + number * (text + 2), _FAINT) for number, line in enumerate(tile.note.split("\n"))
    ]
    for line, points, top, color in ((tile.title, text, 2, _INK), *notes):
        text_line, font = _fit_line(line, width, points)
        pen.text((x, y + tall + top), text_line, fill=color, font=font)


def _fit_line(line: str, width: int, points: int) -> tuple[str, Any]:
    """A line that is not wider than `width`: smaller where that is enough, cut where it is not."""
    for size in range(points, min(points, _SMALLEST) - 1, -1):
        font = ImageFont.load_default(size)
        if font.getlength(line) <= width:
            return line, font
    while line and font.getlength(line + "…") > width:
        line = line[:-1]
    return line + "…", font


def _fit_image(image: Image, width: int, height: int) -> Image:
    scale = min(width / image.shape[1], height / image.shape[0])
    if scale == 1:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=method), dtype=np.uint8)
