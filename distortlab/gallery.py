"""Contact sheets: pictures of what the distortions do, and of what is in a data set."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
from PIL import Image as pillow
from PIL import ImageDraw, ImageFont

from distortlab.catalog import CATALOG
from distortlab.distortion import Distortion, Profile
from distortlab.edit import distort
from distortlab.image import Image
from distortlab.reading import read_upright
from distortlab.region import Mask, Region
from distortlab.seeds import stream
from distortlab.tasks.terms import LEVELS, phrase
from distortlab.verify import manifest_of

__all__ = ["Tile", "catalogue_tiles", "dataset_sheet", "sample_photograph", "sheet"]

_PAPER, _INK, _FAINT, _MARK = (255, 255, 255), (30, 30, 30), (120, 120, 120), (255, 210, 0)
_GAP, _TEXT = 8, 38


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture with up to two lines under it."""

    image: Image
    title: str
    note: str = ""


def sheet(tiles: Sequence[Tile], columns: int, width: int = 224, height: int | None = None) -> Image:
    """Tiles in rows, each within `width` x `height` pixels (three quarters of the width unless given), uint8 RGB."""
    height = height or width * 3 // 4
    pictures = [_fitted(tile.image, width, height) for tile in tiles]
    rows = [range(start, min(start + columns, len(tiles))) for start in range(0, len(tiles), columns)]
    heights = [max(pictures[i].shape[0] for i in row) for row in rows]
    canvas = pillow.new("RGB", (columns * (width + _GAP) + _GAP, sum(heights) + len(rows) * _TEXT + _GAP), _PAPER)
    y = _GAP
    for row, tall in zip(rows, heights, strict=True):
        for column, i in enumerate(row):
            _place(canvas, (_GAP + column * (width + _GAP), y), (width, tall), pictures[i], tiles[i])
        y += tall + _TEXT
    return np.asarray(canvas)


def _place(canvas: pillow.Image, corner: tuple[int, int], size: tuple[int, int], picture: Image, tile: Tile) -> None:
    """One picture, in the middle of its cell, and its two lines."""
    (x, y), (width, tall) = corner, size
    pen = ImageDraw.Draw(canvas)
    canvas.paste(pillow.fromarray(picture), (x + (width - picture.shape[1]) // 2, y + tall - picture.shape[0]))
    pen.text((x, y + tall + 2), _cut(tile.title, width, 12), fill=_INK, font=_font(12))
    pen.text((x, y + tall + 17), _cut(tile.note, width, 11), fill=_FAINT, font=_font(11))


def _font(size: int) -> Any:
    return ImageFont.load_default(size)


def _cut(text: str, width: int, size: int) -> str:
    font = _font(size)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"


def _fitted(image: Image, width: int, height: int) -> Image:
    scale = min(width / image.shape[1], height / image.shape[0])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=way), dtype=np.uint8)


def sample_photograph() -> tuple[Image, Mask]:
    """scikit-image's portrait of Eileen Collins (NASA, public domain) and a mask of head and shoulders."""
    from skimage import data

    image = np.ascontiguousarray(data.astronaut())
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.ellipse(mask, (225, 150), (105, 135), 0, 0, 360, 1, -1)
    return image, mask


def catalogue_tiles(
    image: Image, mask: Mask, rows: Sequence[Distortion] = CATALOG, profile: Profile = "matched"
) -> list[Tile]:
    """Every variant at the five severities on one photograph, cut out around the masked region."""
    box = Region.from_mask(mask).bbox.grown(24, (image.shape[0], image.shape[1]))
    tiles = []
    for row in rows:
        ladder = row.ladder(profile)
        for severity, amount in enumerate(ladder.values if ladder else (), 1):
            out = distort(image, row.name, severity, mask=mask, profile=profile)
            seen = out.edit.visibility
            note = f"V {seen.v:.1f}   {amount:g} {row.unit}" if seen else ""
            tiles.append(Tile(out.image[box.slices], f"{row.name}  {severity}", note))
    return tiles


def dataset_sheet(folder: str | Path, count: int = 20, columns: int = 5, seed: int = 0, width: int = 300) -> Image:
    """A sample of a data set: each image with its region outlined, what was done, and how visible it is."""
    return sheet([_record_tile(row) for row in sampled_images(folder, count, seed)], columns, width)


def sampled_images(folder: str | Path, count: int, seed: int = 0) -> Iterator[Mapping[str, Any]]:
    """Random rows of `images`, reading only the row groups they lie in."""
    folder = Path(folder)
    paths = sorted(path for path in manifest_of(folder)["files"] if path.startswith("images/"))
    places = []
    for path in paths:
        with pq.ParquetFile(folder / path) as file:
            for group in range(file.num_row_groups):
                places += [(path, group, row) for row in range(file.metadata.row_group(group).num_rows)]
    chosen = sorted(stream(seed, "sheet").shuffled(places)[:count])
    for path, group, row in chosen:
        with pq.ParquetFile(folder / path) as file:
            yield file.read_row_group(group).slice(row, 1).to_pylist()[0]


def _record_tile(row: Mapping[str, Any]) -> Tile:
    image = read_upright(row["image"]["bytes"]).image.copy()
    texts = []
    for region in row["regions"]:
        found = Region.from_rle(region["mask_rle"])
        x1, y1, x2, y2 = region["bbox"]
        thick = max(2, round(min(image.shape[:2]) / 200))
        edges, _ = cv2.findContours(found.mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(image, edges, -1, (255, 255, 255), 1, offset=(x1, y1))
        cv2.rectangle(image, (x1, y1), (x2 - 1, y2 - 1), _MARK, thick)
        name = f"{phrase(region['distortion'])}, {LEVELS[region['severity'] - 1]}"
        texts.append((name, f"{region['variant']}  {region['object'] or ''}  V {region['visibility']['v']:.1f}"))
    return Tile(image, "; ".join(t for t, _ in texts) or "pristine", "; ".join(n for _, n in texts))
