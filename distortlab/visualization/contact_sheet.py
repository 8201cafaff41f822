"""The contact sheet of a data set: a sample of its images, regions outlined."""

from collections.abc import Iterator
from pathlib import Path

import cv2

from distortlab.core.image import Image
from distortlab.core.region import Region
from distortlab.dataset.reader import open_data
from distortlab.dataset.rows import ImageRow
from distortlab.dataset.selection import Filter, find_images, read_images, sample_images
from distortlab.imaging.decode import decode_image
from distortlab.tasks.terms import LEVELS, get_phrase
from distortlab.visualization.tiles import Tile, draw_sheet

__all__ = ["draw_dataset_sheet", "make_dataset_tiles"]

_MARK = (255, 210, 0)


def draw_dataset_sheet(folder: str | Path, count: int = 20, columns: int = 5, seed: int = 0, width: int = 300) -> Image:
    """A sample of a data set: each image with its region outlined, what was done, and how visible it is."""
    return draw_sheet(list(make_dataset_tiles(folder, count, seed)), columns, width)


def make_dataset_tiles(folder: str | Path, count: int = 20, seed: int = 0) -> Iterator[Tile]:
    """The tiles of `draw_dataset_sheet`, in the order of the data set."""
    stored = open_data(folder)
    for _, row in read_images(stored, sample_images(find_images(stored, Filter()).places, count, seed)):
        yield _draw_tile(row)


def _draw_tile(row: ImageRow) -> Tile:
    image = decode_image(row["image"]["bytes"]).image.copy()
    texts = []
    for region in row["regions"]:
        found = Region.from_rle(region["mask_rle"])
        x1, y1, x2, y2 = region["bbox"]
        thick = max(2, round(min(image.shape[:2]) / 200))
        edges, _ = cv2.findContours(found.mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(image, edges, -1, (255, 255, 255), 1, offset=(x1, y1))
        cv2.rectangle(image, (x1, y1), (x2 - 1, y2 - 1), _MARK, thick)
        name = f"{get_phrase(region['distortion'])}, {LEVELS[region['severity'] - 1]}"
        texts.append((name, f"{region['variant']}  {region['object'] or ''}  V {region['visibility']['v']:.1f}"))
    return Tile(image, "; ".join(t for t, _ in texts) or "pristine", "; ".join(n for _, n in texts))
