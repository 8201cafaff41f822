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

__all__ = ["Tile", "catalogue_sheet", "dataset_sheet", "sample_photograph", "sheet"]

_PAPER, _INK, _FAINT, _MARK = (255, 255, 255), (30, 30, 30), (120, 120, 120), (255, 210, 0)


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture with up to two lines under it."""

    image: Image
    title: str
    note: str = ""


def sheet(tiles: Sequence[Tile], columns: int, width: int = 224) -> Image:
    """Tiles in rows, all `width` pixels wide, uint8 RGB."""
    scaled = [_fitted(tile.image, width) for tile in tiles]
    rows = [range(start, min(start + columns, len(tiles))) for start in range(0, len(tiles), columns)]
    heights = [max(scaled[i].shape[0] for i in row) + 38 for row in rows]
    gap = 8
    canvas = pillow.new("RGB", (columns * (width + gap) + gap, sum(heights) + gap), _PAPER)
    pen, y = ImageDraw.Draw(canvas), gap
    for row, height in zip(rows, heights, strict=True):
        for column, i in enumerate(row):
            x = gap + column * (width + gap)
            canvas.paste(pillow.fromarray(scaled[i]), (x, y))
            below = y + scaled[i].shape[0] + 2
            pen.text((x, below), _cut(tiles[i].title, width, 12), fill=_INK, font=_font(12))
            pen.text((x, below + 15), _cut(tiles[i].note, width, 11), fill=_FAINT, font=_font(11))
        y += height
    return np.asarray(canvas)


def _font(size: int) -> Any:
    return ImageFont.load_default(size)


def _cut(text: str, width: int, size: int) -> str:
    font = _font(size)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"


def _fitted(image: Image, width: int) -> Image:
    height = max(1, round(image.shape[0] * width / image.shape[1]))
    way = cv2.INTER_AREA if image.shape[1] > width else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height), interpolation=way), dtype=np.uint8)


def sample_photograph() -> tuple[Image, Mask]:
    """scikit-image's portrait of Eileen Collins (NASA, public domain) and a mask of head and shoulders."""
    from skimage import data

    image = np.ascontiguousarray(data.astronaut())
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.ellipse(mask, (225, 150), (105, 135), 0, 0, 360, 1, -1)
    return image, mask


def catalogue_sheet(
    image: Image,
    mask: Mask,
    rows: Sequence[Distortion] = CATALOG,
    profile: Profile = "matched",
    width: int = 224,
) -> Image:
    """Every variant (down) at the five severities (across) on one photograph, around the masked region."""
    box = Region.from_mask(mask).bbox.grown(24, (image.shape[0], image.shape[1]))
    tiles = []
    for row in rows:
        ladder = row.ladder(profile)
        if ladder is None:
            continue
        for severity, amount in enumerate(ladder.values, 1):
            out = distort(image, row.name, severity, mask=mask, profile=profile)
            seen = out.edit.visibility
            note = f"{amount:g} {row.unit}" + (f"   V {seen.v:.1f}" if seen else "")
            tiles.append(Tile(out.image[box.slices], f"{row.name}  {severity}", note))
    return sheet(tiles, columns=5, width=width)


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
