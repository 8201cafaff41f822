"""Outlines of annotated objects: polygons, run lengths or a rectangle, checked and then drawn.

Annotation files are made by strangers and the drawing is done in C, which trusts its input: a run-length
string whose runs go past the picture, or an outline a million kilometres long, would read or ask for memory
that is not there. Everything is therefore checked here first. `read_shape` does the cheap checks, once per
annotation of a file of a million; `prepare_shape` does those that need the size of the picture. Polygons that pass are
drawn when their region is wanted.
"""

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple, TypeGuard

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from distortlab.core.region import Box, Region
from distortlab.core.run_lengths import decode_runs

__all__ = [
    "Drawing",
    "Polygons",
    "Rectangle",
    "Runs",
    "Shape",
    "draw_regions",
    "draw_shape",
    "prepare_shape",
    "read_rectangle",
    "read_shape",
]

MAX_SIDE = 100_000
MAX_FRAME = 1 << 28
MAX_TURNS = 64
"""An outline may be as long as this many times rows + columns; the longest of 1,520 from COCO, to 2.5."""


class Rectangle(NamedTuple):
    """A box in pixels of the annotated picture, possibly reaching beyond it."""

    x: float
    y: float
    width: float
    height: float

    def clip(self, size: tuple[int, int]) -> "Rectangle":
        """The part inside a picture of `size` (rows, columns); width or height is 0 where there is none."""
        x1, y1 = max(self.x, 0.0), max(self.y, 0.0)
        x2, y2 = min(self.x + self.width, size[1]), min(self.y + self.height, size[0])
        return Rectangle(x1, y1, max(0.0, x2 - x1), max(0.0, y2 - y1))


class Polygons(NamedTuple):
    """Parts that belong to one object; each is x, y, x, y, ... as native float64 bytes (3 points or more)."""

    parts: tuple[bytes, ...]


class Runs(NamedTuple):
    """COCO's compressed run lengths of a mask of `size` (rows, columns); not checked yet."""

    size: tuple[int, int]
    counts: bytes


Shape = Polygons | Runs | Rectangle


@dataclass(frozen=True)
class Drawing:
    """Checked polygons that are drawn when their region is first wanted.

    `parts` are as those of `Polygons`, in pixels of a picture of `size` (rows, columns). `reach` is a box that holds
    the region, a pixel or two larger than its own.
    """

    parts: tuple[bytes, ...]
    size: tuple[int, int]
    reach: Box

    @property
    def is_one_outline(self) -> bool:
        """Whether it is a single polygon: nearly always in one piece, but for necks too thin for a pixel."""
        return len(self.parts) == 1

    @cached_property
    def region(self) -> Region:
        """What is drawn."""
        (region,) = _draw_together([self])
        return region


def draw_regions(drawings: Sequence[Drawing]) -> None:
    """Draw the regions of one picture that are not drawn yet, all at once: in half the time of one by one."""
    waiting = [drawing for drawing in drawings if "region" not in drawing.__dict__]
    if waiting:
        for drawing, region in zip(waiting, _draw_together(waiting), strict=True):
            drawing.__dict__["region"] = region


def _draw_together(drawings: Sequence[Drawing]) -> list[Region]:
    """The regions of drawings of one picture."""
    points = [np.frombuffer(part) for drawing in drawings for part in drawing.parts]
    coded = iter(coco_mask.frPyObjects(points, *drawings[0].size))
    parts = [list(islice(coded, len(drawing.parts))) for drawing in drawings]
    masks = [coco_mask.merge(own) if len(own) > 1 else own[0] for own in parts]
    areas, boxes = coco_mask.area(masks).tolist(), coco_mask.toBbox(masks).tolist()
    return [Region.from_rle_with_box(*each) for each in zip(masks, areas, boxes, strict=True)]


def read_shape(annotation: Mapping[str, Any], box: Rectangle | None) -> Shape | str:
    """Read the outline of an annotation, and check what can be checked without its image.

    Parameters
    ----------
    annotation
        As in a COCO file; `segmentation` is read: polygons, run lengths, or nothing.
    box
        Its box, for an annotation without an outline.

    Returns
    -------
    Shape or str
        The outline, else the box, else in a few words why neither can be used.
    """
    outline = annotation.get("segmentation")
    if isinstance(outline, dict):
        return _read_runs(outline)
    if isinstance(outline, list) and outline:
        return _read_polygons(outline)
    if outline is None or outline == []:
        return "neither outline nor box" if box is None else box
    return "outline of an unknown kind"


def read_rectangle(value: object) -> Rectangle | str:
    """A `[x, y, width, height]` as found in a file, or why it cannot be used."""
    try:
        numbers = array("d", value) if isinstance(value, list) else ()
    except (TypeError, OverflowError):
        numbers = ()
    if len(numbers) != 4:
        return "box that is not four numbers"
    # The sum also finds NaN, which comparisons overlook.
    if not (min(numbers) > -10 * MAX_SIDE and max(numbers) < 10 * MAX_SIDE and math.isfinite(sum(numbers))):
        return "box with absurd coordinates"
    box = Rectangle(*numbers)
    return box if box.width > 0 and box.height > 0 else "box without an area"


def prepare_shape(shape: Shape, size: tuple[int, int], stored: tuple[int, int]) -> Region | Drawing | str:
    """Check a shape, and draw it unless that can wait.

    Parameters
    ----------
    shape
        In pixels of the annotated picture.
    size
        (rows, columns) of the annotated picture.
    stored
        (rows, columns) of its copy, in which the region is drawn.

    Returns
    -------
    Region, Drawing or str
        The region, or what draws it; or in a few words why it cannot be drawn.
    """
    if isinstance(shape, Polygons):
        return _prepare_polygons(shape, size, stored)
    if isinstance(shape, Runs):
        return _draw_runs(shape, size, stored)
    return _draw_rectangle(shape, size, stored)


def draw_shape(shape: Shape, size: tuple[int, int], stored: tuple[int, int]) -> Region | str:
    """The region of a shape, or in a few words why it cannot be drawn; `prepare_shape` explains the parameters."""
    prepared = prepare_shape(shape, size, stored)
    return prepared.region if isinstance(prepared, Drawing) else prepared


def _read_polygons(outline: list[Any]) -> Polygons | str:
    parts = []
    for part in outline:
        if not isinstance(part, list):
            return "outline of an unknown kind"
        if len(part) < 6 or len(part) % 2:
            return "polygon of fewer than 3 points" if len(part) < 6 else "polygon with half a point"
        try:
            values = array("d", part)
        except (TypeError, OverflowError):
            return "polygon of something else than numbers"
        # One infinite or undefined coordinate makes the sum so: much cheaper than a look at each.
        if not math.isfinite(sum(values)):
            return "polygon with absurd coordinates"
        parts.append(values.tobytes())
    return Polygons(tuple(parts))


def _read_runs(outline: Mapping[str, Any]) -> Runs | str:
    size, counts = outline.get("size"), outline.get("counts")
    if not isinstance(size, list) or len(size) != 2 or not all(_is_count(v) and v > 0 for v in size):
        return "run lengths without a size"
    rows, columns = size
    if rows * columns > MAX_FRAME:
        return "run lengths of an absurd size"
    if isinstance(counts, str) and counts.isascii():
        return Runs((rows, columns), counts.encode())
    if not isinstance(counts, list) or not all(_is_count(v) for v in counts) or sum(counts) != rows * columns:
        return "damaged run lengths"
    coded = coco_mask.frPyObjects({"size": [rows, columns], "counts": counts}, rows, columns)
    return Runs((rows, columns), coded["counts"])


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_FRAME


def _prepare_polygons(shape: Polygons, size: tuple[int, int], stored: tuple[int, int]) -> Drawing | str:
    scale = (stored[1] / size[1], stored[0] / size[0])
    parts, boxes = [], []
    for part in shape.parts:
        values = array("d", part)  # for a few dozen numbers quicker than an array of NumPy
        x, y = values[::2], values[1::2]
        x1, y1, x2, y2 = min(x), min(y), max(x), max(y)
        if x2 <= 0 or y2 <= 0 or x1 >= size[1] or y1 >= size[0]:
            continue
        longest = MAX_TURNS * sum(size)
        # No side is longer than the box: as a rule, the length itself need not be known.
        if not len(x) * max(x2 - x1, y2 - y1) <= longest and not _length(_read_points(part)) <= longest:
            return "outline of an absurd length"
        parts.append(part if stored == size else (_read_points(part) * scale).tobytes())
        boxes.append((x1 * scale[0], y1 * scale[1], x2 * scale[0], y2 * scale[1]))
    if not parts:
        return "outside the picture"
    return Drawing(tuple(parts), stored, _reach(boxes, stored))


def _read_points(part: bytes) -> NDArray[np.float64]:
    """The points of a polygon, (n, 2)."""
    return np.frombuffer(part).reshape(-1, 2)


def _reach(boxes: list[tuple[float, float, float, float]], size: tuple[int, int]) -> Box:
    """A box in a picture of `size` (rows, columns) that holds all that is drawn within some boxes."""
    left, top, right, bottom = zip(*boxes, strict=True)
    return Box(
        max(0, math.floor(min(left)) - 1),
        max(0, math.floor(min(top)) - 1),
        min(size[1], math.ceil(max(right)) + 1),
        min(size[0], math.ceil(max(bottom)) + 1),
    )


def _length(points: NDArray[np.float64]) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.abs(points - np.roll(points, 1, axis=0)).max(axis=1).sum())


def _draw_runs(shape: Runs, size: tuple[int, int], stored: tuple[int, int]) -> Region | str:
    if shape.size != size:
        return "run lengths of another size than the picture"
    runs = decode_runs(shape.counts, size[0] * size[1])
    if runs is None:
        return "damaged run lengths"
    region = Region(size, shape.counts)
    if size == stored and runs[1:].all():
        return region
    # Runs of no length mislead the search for the box: such a mask is encoded anew.
    mask = np.asarray(coco_mask.decode(region.rle)) * np.uint8(255)
    if size != stored:
        mask = np.asarray(cv2.resize(mask, (stored[1], stored[0]), interpolation=cv2.INTER_AREA), np.uint8)
    return Region.from_mask(mask > 127)


def _draw_rectangle(shape: Rectangle, size: tuple[int, int], stored: tuple[int, int]) -> Region | str:
    inside = shape.clip(size)
    if not (inside.width and inside.height):
        return "outside the picture"
    across, down = stored[1] / size[1], stored[0] / size[0]
    x1, x2 = round(inside.x * across), round((inside.x + inside.width) * across)
    y1, y2 = round(inside.y * down), round((inside.y + inside.height) * down)
    return Region.from_box(Box(x1, y1, x2, y2), stored)
