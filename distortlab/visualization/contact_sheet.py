"""The contact sheet of a data set: a sample of its images, regions outlined."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as pillow
from PIL import ImageDraw, ImageFont

from distortlab.core.image import Image
from distortlab.core.region import Region
from distortlab.dataset.composition import find_kind
from distortlab.dataset.reader import open_data
from distortlab.dataset.rows import ImageRow, RegionRow
from distortlab.dataset.selection import Filter, find_images, read_images, sample_images
from distortlab.imaging.decode import decode_image
from distortlab.tasks.terms import LEVELS, get_phrase
from distortlab.visualization.colors import DARK, MARK, Color, get_color
from distortlab.visualization.tiles import Tile, draw_sheet

__all__ = ["draw_dataset_sheet", "make_dataset_tiles"]


def draw_dataset_sheet(
    folder: str | Path,
    count: int = 20,
    columns: int = 5,
    seed: int = 0,
    width: int = 300,
    wanted: Filter | None = None,
) -> Image:
    """A sample of a data set: each image with its regions outlined, what was done, and how visible it is. `wanted` says
    which images; all unless given.
    """
    return draw_sheet(list(make_dataset_tiles(folder, count, seed, wanted)), columns, width)


def make_dataset_tiles(
    folder: str | Path, count: int = 20, seed: int = 0, wanted: Filter | None = None
) -> Iterator[Tile]:
    """The tiles of `draw_dataset_sheet`, in the order of the data set."""
    stored = open_data(folder)
    found = find_images(stored, wanted or Filter())
    for _, row in read_images(stored, sample_images(found.places, count, seed)):
        yield _draw_tile(row)


def _draw_tile(row: ImageRow) -> Tile:
    image, kind, regions = decode_image(row["image"]["bytes"]).image.copy(), find_kind(row), row["regions"]
    if kind == "pristine":
        return Tile(image, "Pristine", _describe_pristine(row))
    if kind == "whole":
        _mark_frame(image, get_color(regions[0]["distortion"]))
        return Tile(image, _describe_label(regions[0]), f"whole frame  {_describe_edit(regions[0])}")
    if kind == "1":
        _mark_region(image, regions[0], MARK)
        return Tile(image, _describe_label(regions[0]), _describe_edit(regions[0]))
    for region in regions:
        _mark_region(image, region, get_color(region["distortion"]), dark_edge=True)
    notes = [f"{number}. {_describe_in_set(region)}" for number, region in enumerate(regions, 1)]
    return Tile(_draw_numbers(image, regions), f"{len(regions)} regions", "\n".join(notes))


def _describe_pristine(row: ImageRow) -> str:
    control = row.get("control")
    if not control:
        return "nothing was done"
    if not control["operation"]:
        return f"control: {control['kind']}, as it was taken"
    return f"control: {control['kind']}, {control['operation']}, V {control['v'] or 0:.2f}"


def _describe_label(region: RegionRow) -> str:
    return f"{get_phrase(region['distortion'])}, {LEVELS[region['severity'] - 1]}"


def _describe_edit(region: RegionRow) -> str:
    return "  ".join(_list_facts(region))


def _describe_in_set(region: RegionRow) -> str:
    """A line about one of several regions, V early: what does not fit below a picture is cut at the end."""
    return "  ".join((_describe_label(region), *reversed(_list_facts(region))))


def _list_facts(region: RegionRow) -> list[str]:
    return [fact for fact in (region["variant"], region["object"], f"V {region['visibility']['v']:.1f}") if fact]


def _measure_thickness(image: Image) -> int:
    return max(2, round(min(image.shape[:2]) / 200))


def _mark_region(image: Image, region: RegionRow, color: Color, dark_edge: bool = False) -> None:
    """Draw the outline of a region in white, and its box in a color, which may be as light as what is around it."""
    x1, y1, x2, y2 = region["bbox"]
    edges, _ = cv2.findContours(Region.from_rle(region["mask_rle"]).mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(image, edges, -1, (255, 255, 255), 1, offset=(x1, y1))
    thickness = _measure_thickness(image)
    if dark_edge:
        cv2.rectangle(image, (x1, y1), (x2 - 1, y2 - 1), DARK, 2 * thickness)
    cv2.rectangle(image, (x1, y1), (x2 - 1, y2 - 1), color, thickness)


def _mark_frame(image: Image, color: Color) -> None:
    """Draw a frame with dark edges that lies in the image with all its width."""
    thickness, (rows, columns) = _measure_thickness(image), image.shape[:2]
    for edge, paint in ((4 * thickness, DARK), (3 * thickness, color), (thickness, DARK)):
        image[:edge] = image[rows - edge :] = image[:, :edge] = image[:, columns - edge :] = paint


def _draw_numbers(image: Image, regions: list[RegionRow]) -> Image:
    """Write the number of every region into the corner of its box."""
    canvas = pillow.fromarray(image)
    pen, size = ImageDraw.Draw(canvas), max(16, round(min(image.shape[:2]) / 16))
    for number, region in enumerate(regions, 1):
        x, y = region["bbox"][:2]
        pen.rectangle((x, y, x + size, y + size), fill=get_color(region["distortion"]), outline=DARK)
        middle = (x + size / 2, y + size / 2)
        pen.text(middle, str(number), fill=DARK, font=ImageFont.load_default(0.8 * size), anchor="mm")
    return np.asarray(canvas)
