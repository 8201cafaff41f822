"""Composes a scene: a backdrop, shaded pieces with soft shadows over it, and a map of which piece is on top.

All is done in the planes of a JPEG file, and what is smooth, light and shadow, at half size. Pieces lie on even pixels.
"""

import math
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from distortlab.core.region import Box, Mask
from distortlab.core.seeds import Stream, stream
from distortlab.references.scenes.planes import ONE, Planes, halve, lay_over, multiply, resize
from distortlab.references.scenes.shapes import SHAPES, Shape, draw_stencil, fill_share, find_solid
from distortlab.references.scenes.surfaces import cut_photograph, cut_surface
from distortlab.references.scenes.textures import MATERIALS, Material

__all__ = ["BACKDROPS", "PIECES", "Collage", "compose_scene"]

PIECES = (3, 7)
"""The fewest and the most pieces in a scene; each number is as likely."""

BACKDROPS = {
    **dict.fromkeys(("astronaut", "coffee"), 2.0),
    **dict.fromkeys(("chelsea", "rocket", "ihc", "wooden", "grass", "marble", "denim"), 1.0),
    **dict.fromkeys(("brick", "gravel", "woven", "knitted", "checked", "agate", "starry"), 0.7),
    **dict.fromkeys(("tartan", "mosaic"), 0.5),
}
"""What lies under the pieces, photographs and materials, with weights."""

AREAS = (0.015, 0.25)
"""Smallest and largest area of a piece as a share of the frame, before it is covered or cut off."""

CROWDED = 0.7
"""The largest sum of the areas."""

MAX_REACH = 0.66
"""Longest side of a piece as a share of the shorter side of the frame."""

OVERHANG = 0.35
"""How much of a piece's box may hang over an edge of the frame."""

MIN_VISIBLE, MIN_AREA, MAX_PLACES = 0.6, 0.0115, 12
"""Of every piece this share, and this share of the frame, is to stay seen; places to try."""

ENLARGED = (1.0, 1.35)
"""How much a material under the pieces is enlarged: each time from its sheet, so only in a few ways."""

_WITHIN_LIGHT = np.arange(256, dtype=np.uint8).clip(72, 176)
"""What becomes of each factor of the relief."""

_SHADOW = 255 - np.arange(256, dtype=np.uint8) // 2
"""How much light is left under each value of a shadow, of 255."""

MARGIN = 96
"""The grain of paper is wider and taller than the frame by so many pixels, and shifted by up to as many."""

LIGHTS = ((-1, -1), (1, -1), (0, -1), (-1, 0), (1, 0))
"""Where the light comes from: (right, down)."""


@dataclass(frozen=True, slots=True)
class Collage:
    """A scene; `labels`, uint8 (rows, columns), is 0 for the backdrop and i + 1 where `names[i]` is on top, which is
    nowhere outside of `boxes[i]`.
    """

    planes: Planes
    labels: Mask
    names: tuple[str, ...]
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """An object: coverage 0..255 in its box, the same at half size, and the upper left corner of its box at half size,
    which may lie outside of the frame.
    """

    weight: Mask
    half: Mask
    x: int
    y: int


def _clip(part: Mask, x: int, y: int, frame: Mask) -> tuple[Box, Box]:
    """What of a part at (x, y) lies in a frame: its box in the frame, and in the part."""
    rows, columns = part.shape
    box = Box(max(x, 0), max(y, 0), min(x + columns, frame.shape[1]), min(y + rows, frame.shape[0]))
    return box, box.relative_to(Box(x, y, x + columns, y + rows))


def compose_scene(seed: int, index: int, size: tuple[int, int]) -> Collage:
    """Compose a scene.

    Parameters
    ----------
    seed, index
        Which one.
    size
        (rows, columns) in pixels.

    Returns
    -------
    Collage
        The same on every machine.
    """
    draw = stream("scenes", seed, index)
    light = LIGHTS[draw.below(len(LIGHTS))]
    backdrop = list(BACKDROPS)[draw.choose_index(list(BACKDROPS.values()))]
    count = PIECES[0] + draw.below(PIECES[1] - PIECES[0] + 1)
    shapes = draw.permute(SHAPES)[:count]
    materials = draw.permute([m for m in MATERIALS if m.name != backdrop])[:count]
    even = (size[0] + 1) // 2 * 2, (size[1] + 1) // 2 * 2
    planes = _backdrop(backdrop, even, stream("scenes", seed, index, "backdrop"))
    labels, coarse, shine = np.zeros(even, np.uint8), np.zeros_like(planes.cb), np.full_like(planes.cb, ONE)
    counts, boxes = list[float](), list[Box]()
    own = stream("scenes", seed, index, "pieces")
    for number, area in enumerate(_areas(count, draw)):
        piece, counts = _place(_outline(shapes[number], area, size, own), coarse, counts, own)
        _paint(planes, shine, piece, materials[number], light, own)
        _cover(coarse, piece.half, piece.x, piece.y, number + 1)
        boxes.append(_cover(labels, piece.weight, 2 * piece.x, 2 * piece.y, number + 1))
    _illuminate(planes, shine, light, draw)
    names = tuple(f"{m.name} {s.name}" for m, s in zip(materials, shapes, strict=True))
    whole = Box(0, 0, size[1], size[0])
    return Collage(planes.crop(*size), labels[whole.slices], names, tuple(_intersect(box, whole) for box in boxes))


def _areas(count: int, draw: Stream) -> list[float]:
    """Areas as shares of the frame, log-uniform, largest first: small pieces lie on large ones."""
    low, high = AREAS
    areas = sorted((low * (high / low) ** draw.uniform() for _ in range(count)), reverse=True)
    squeeze = min(1.0, CROWDED / sum(areas))
    return [max(low, area * squeeze) for area in areas]


def _outline(shape: Shape, area: float, size: tuple[int, int], draw: Stream) -> Mask:
    """The coverage of a shape of `area` (a share of the frame), stretched, turned and mirrored at random."""
    stretch = draw.uniform(0.85, 1.18)
    side = math.sqrt(area * size[0] * size[1] / fill_share(shape.name))
    side = min(side, MAX_REACH * min(size) / max(stretch, 1 / stretch))
    degrees = draw.uniform(-shape.turn, shape.turn)
    return draw_stencil(shape, side * stretch, side / stretch, degrees, is_mirrored=bool(draw.below(2)))


def _place(weight: Mask, labels: Mask, counts: list[float], draw: Stream) -> tuple[_Piece, list[float]]:
    """Put a piece on the first good place of some random ones, else the best; and count what is then seen of each.

    `labels` and `counts` are of half size.
    """
    half = halve(weight)
    rows, columns = half.shape
    solid = find_solid(half)
    before = [*counts, float(cv2.countNonZero(solid))]
    least = [max(MIN_AREA * labels.size, MIN_VISIBLE * count) for count in before]
    best = (-1.0, 0, 0, before)
    for _ in range(MAX_PLACES):
        x = round(draw.uniform(-OVERHANG * columns, labels.shape[1] - (1 - OVERHANG) * columns))
        y = round(draw.uniform(-OVERHANG * rows, labels.shape[0] - (1 - OVERHANG) * rows))
        after = _count_visible(solid, x, y, labels, counts)
        goodness = min(seen / enough for seen, enough in zip(after, least, strict=True))
        if goodness > best[0]:
            best = (goodness, x, y, after)
        if goodness >= 1:
            break
    return _Piece(weight, half, best[1], best[2]), best[3]


def _count_visible(solid: Mask, x: int, y: int, labels: Mask, counts: list[float]) -> list[float]:
    """How many pixels are seen of each piece, the new one last; `counts` is the same without the new one."""
    there, here = _clip(solid, x, y, labels)
    most = len(counts) + 1
    covered = cv2.calcHist([labels[there.slices]], [0], solid[here.slices], [most], [0, most]).ravel().tolist()
    return [*(count - less for count, less in zip(counts, covered[1:], strict=True)), sum(covered)]


def _cover(labels: Mask, weight: Mask, x: int, y: int, number: int) -> Box:
    """Write the number of a piece, larger than those before, where it is solid. Returns its box in the frame."""
    there, here = _clip(weight, x, y, labels)
    labels[there.slices] = cv2.max(labels[there.slices], find_solid(weight[here.slices], number))
    return there


def _intersect(box: Box, frame: Box) -> Box:
    """The part of a box in a frame."""
    return Box(box.x1, box.y1, min(box.x2, frame.x2), min(box.y2, frame.y2))


def _backdrop(name: str, size: tuple[int, int], draw: Stream) -> Planes:
    """The whole frame filled with a photograph or a material, never enlarged by more than 1.5."""
    for material in MATERIALS:
        if material.name == name:
            return cut_surface(material, size, draw, ENLARGED[draw.below(len(ENLARGED))])
    return cut_photograph(name, size, draw)


def _soften_edge(half: Mask) -> tuple[Mask, int]:
    """A piece at half size with empty pixels around it, blurred into them; and how many pixels those are."""
    radius = 2 + min(half.shape) // 30
    pad, size = 2 * radius, 2 * radius + 1
    padded = cv2.copyMakeBorder(half, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0)
    return np.asarray(cv2.blur(cv2.blur(padded, (size, size)), (size, size)), dtype=np.uint8), pad


def _relief(soft: Mask, pad: int, light: tuple[int, int]) -> Mask:
    """Factors that make a flat piece swell: brighter on the slope towards the light, darker on the other."""
    step = pad // 4 + 1

    def shift(by: int) -> Mask:
        y, x = pad + by * light[1], pad + by * light[0]
        return soft[y : y + soft.shape[0] - 2 * pad, x : x + soft.shape[1] - 2 * pad]

    # ONE + two fifths of the slope, rounded down: what is added to 0.4 of a whole number is never near a half.
    factor = cv2.addWeighted(shift(-step), 0.4, shift(step), -0.4, ONE - 0.4)
    return np.asarray(cv2.LUT(factor, _WITHIN_LIGHT), np.uint8)


def _shade(shine: Mask, soft: Mask, x: int, y: int) -> None:
    """Darkens by a soft shadow whose upper left corner is at (x, y) at half size."""
    there, here = _clip(soft, x, y, shine)
    bright = np.asarray(cv2.LUT(soft[here.slices], _SHADOW), np.uint8)
    shine[there.slices] = multiply(shine[there.slices], bright, 255)


def _paint(
    planes: Planes, shine: Mask, piece: _Piece, material: Material, light: tuple[int, int], draw: Stream
) -> None:
    """Lays a piece of a material on the image, and its relief and its shadow on the factors `shine` of half size."""
    soft, pad = _soften_edge(piece.half)
    right, down = ((pad // 2 + 1) * side for side in light)
    _shade(shine, soft, piece.x - pad - right, piece.y - pad - down)
    there, here = _clip(piece.half, piece.x, piece.y, shine)
    look, relief = cut_surface(material, (2 * here.height, 2 * here.width), draw), _relief(soft, pad, light)
    half = piece.half[here.slices]
    for below, above in ((planes.cb, look.cb), (planes.cr, look.cr)):
        lay_over(below[there.slices], above, half)
    # Not blended: light would reach too far over the edge when it is brought to full size.
    cv2.copyTo(relief[here.slices], find_solid(half), shine[there.slices])
    there, here = (Box(*(2 * value for value in box)) for box in (there, here))
    lay_over(planes.luma[there.slices], look.luma, piece.weight[here.slices])


def _illuminate(planes: Planes, shine: Mask, light: tuple[int, int], draw: Stream) -> None:
    """Multiplies the image by the factors `shine`, by daylight from one side and by the grain of paper."""
    rows, columns = planes.luma.shape
    shine = multiply(shine, _ramp((rows // 2, columns // 2), light))
    y, x = draw.below(MARGIN + 1), draw.below(MARGIN + 1)
    factor = cv2.add(resize(shine, (rows, columns)), _grain(rows, columns)[y : y + rows, x : x + columns])
    planes.luma = multiply(planes.luma, np.asarray(factor, np.uint8))
    # Colours fade with the light, but do not grow with it.
    shine = np.minimum(shine, np.uint8(ONE))
    planes.cb, planes.cr = (
        np.asarray(cv2.addWeighted(multiply(plane, shine), 1, shine, -1, ONE + 1), np.uint8)
        for plane in (planes.cb, planes.cr)
    )


@cache
def _grain(rows: int, columns: int) -> Mask:
    """Paper for a frame, with a margin: 0..6, in grains of one and two pixels."""
    fine = stream("scenes", "grain").uint16((512, 512)) >> np.uint16(14)
    coarse = stream("scenes", "grain", 2).uint16((256, 256)) >> np.uint16(14)
    tile = (fine + coarse.repeat(2, 0).repeat(2, 1)).astype(np.uint8)
    return np.pad(tile, ((0, max(rows + MARGIN - 512, 0)), (0, max(columns + MARGIN - 512, 0))), mode="reflect")


@cache
def _ramp(size: tuple[int, int], light: tuple[int, int]) -> Mask:
    """Factors over the frame, less those of the grain: brightest where the light comes from."""
    ramps = [np.arange(n, dtype=np.int32) * 12 // n for n in size]
    down, right = (ramp[:: -1 if side < 0 else 1] * abs(side) for ramp, side in zip(ramps, light[::-1], strict=True))
    return (ONE - 16 + down[:, None] + right[None, :]).astype(np.uint8)
