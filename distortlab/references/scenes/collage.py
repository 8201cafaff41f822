"""Composes a scene: a backdrop, shaded pieces with soft shadows over it, and a map of which piece is on top.

Images are uint8 RGB; a factor is uint8, (rows, columns), and 128 stands for one. Pixels are
made by integer operations only.
"""

import math
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from distortlab.core.image import Image
from distortlab.core.region import Box, Mask, blend
from distortlab.core.seeds import Stream, stream
from distortlab.references.scenes.palettes import draw_palette
from distortlab.references.scenes.photographs import load_photograph
from distortlab.references.scenes.shapes import SHAPES, Shape, draw_stencil, fill_share
from distortlab.references.scenes.textures import MATERIALS, Material, draw_sheet

__all__ = ["BACKDROPS", "PIECES", "Collage", "compose_scene"]

Counts = NDArray[np.int64]

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

SOLID = 128
"""From this coverage on (of 255) a pixel belongs to a piece."""

MIN_VISIBLE, MIN_AREA, MAX_PLACES = 0.6, 0.0115, 12
"""Of every piece this share, and this share of the frame, is to stay seen; places to try."""

LIGHTS = ((-1, -1), (1, -1), (0, -1), (-1, 0), (1, 0))
"""Where the light comes from: (right, down)."""


@dataclass(frozen=True, slots=True)
class Collage:
    """A scene; `labels`, uint8 (rows, columns), is 0 for the backdrop and i + 1 where `names[i]` is on top, which is
    nowhere outside of `boxes[i]`.
    """

    image: Image
    labels: Mask
    names: tuple[str, ...]
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """An object, or its shadow: coverage 0..255 in its box, and the box, which may hang over the frame."""

    weight: Mask
    box: Box

    def windows(self, frame: tuple[int, int]) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """What of the piece lies in the frame: slices of the frame, and of the piece."""
        inner = self.clip(frame)
        return inner.slices, inner.relative_to(self.box).slices

    def clip(self, frame: tuple[int, int]) -> Box:
        """The part of the box in the frame."""
        rows, columns = frame
        return Box(max(self.box.x1, 0), max(self.box.y1, 0), min(self.box.x2, columns), min(self.box.y2, rows))


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
    image = _backdrop(backdrop, size, stream("scenes", seed, index, "backdrop"))
    labels, counts, boxes = np.zeros(size, np.uint8), np.zeros(0, np.int64), []
    for number, area in enumerate(_areas(count, draw)):
        own = stream("scenes", seed, index, "piece", number)
        weight = _outline(shapes[number], area, size, own)
        box, counts = _find_place(weight, labels, counts, own)
        piece = _Piece(weight, box)
        boxes.append(piece.clip(size))
        _paint(image, piece, materials[number], light, own)
        frame_part, piece_part = piece.windows(size)
        np.copyto(labels[frame_part], np.uint8(number + 1), where=weight[piece_part] >= SOLID)
    names = tuple(f"{m.name} {s.name}" for m, s in zip(materials, shapes, strict=True))
    return Collage(_apply_light(image, _daylight(size, light, draw)), labels, names, tuple(boxes))


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
    weight = draw_stencil(shape, side * stretch, side / stretch, draw.uniform(-shape.turn, shape.turn))
    return _copy_rows(weight[:, :: 1 - 2 * draw.below(2)])


def _find_place(weight: Mask, labels: Mask, counts: Counts, draw: Stream) -> tuple[Box, Counts]:
    """The first good place of some random ones, else the best; and what is then seen of each piece."""
    rows, columns = weight.shape
    solid = (weight >= SOLID).view(np.uint8)
    before = np.append(counts, cv2.countNonZero(solid))
    least = np.maximum(MIN_AREA * labels.size, MIN_VISIBLE * before)
    best = (-1.0, Box(0, 0, 0, 0), before)
    for _ in range(MAX_PLACES):
        x = round(draw.uniform(-OVERHANG * columns, labels.shape[1] - (1 - OVERHANG) * columns))
        y = round(draw.uniform(-OVERHANG * rows, labels.shape[0] - (1 - OVERHANG) * rows))
        piece = _Piece(weight, Box(x, y, x + columns, y + rows))
        after = _count_visible(piece, solid, labels, counts)
        goodness = float((after / least).min())
        best = max(best, (goodness, piece.box, after), key=lambda place: place[0])
        if goodness >= 1:
            break
    return best[1:]


def _count_visible(piece: _Piece, solid: Mask, labels: Mask, counts: Counts) -> Counts:
    """How many pixels are seen of each piece, the new one last; `counts` is the same without the new one."""
    frame_part, piece_part = piece.windows((labels.shape[0], labels.shape[1]))
    part, most = np.ascontiguousarray(solid[piece_part]), len(counts) + 1
    covered = cv2.calcHist([np.ascontiguousarray(labels[frame_part])], [0], part, [most], [0, most]).ravel()
    return np.append(counts - covered[1:].astype(np.int64), cv2.countNonZero(part))


def _crop(source: Image | Mask, rows: int, columns: int, draw: Stream) -> Image:
    """A random part of an image; one that is too small goes on mirrored."""
    down, right = max(rows - source.shape[0], 0), max(columns - source.shape[1], 0)
    if down or right:
        source = cv2.copyMakeBorder(np.ascontiguousarray(source), 0, down, 0, right, cv2.BORDER_REFLECT_101)
    y, x = draw.below(source.shape[0] - rows + 1), draw.below(source.shape[1] - columns + 1)
    return _copy_rows(source[y : y + rows, x : x + columns])


def _copy_rows(view: Image) -> Image:
    """A contiguous copy of a view that may be mirrored or have its axes exchanged: much faster than NumPy's."""
    down, right = view.strides[:2]
    if abs(down) < abs(right):
        return np.asarray(cv2.transpose(_copy_rows(view.swapaxes(0, 1))), dtype=np.uint8)
    if right < 0:
        return np.asarray(cv2.flip(np.ascontiguousarray(view[:, ::-1]), 1), dtype=np.uint8)
    return np.ascontiguousarray(view)


def _surface(material: Material, size: tuple[int, int], draw: Stream, scale: float = 1.0) -> Image:
    """A piece of a material, (rows, columns, 3), enlarged by `scale`."""
    grey = draw_sheet(material.name)[:: 1 - 2 * draw.below(2), :: 1 - 2 * draw.below(2)]
    grey = grey.T if draw.below(2) else grey
    part = _crop(grey, math.ceil(size[0] / scale), math.ceil(size[1] / scale), draw)
    if part.shape != size:
        part = cv2.resize(part, size[::-1], interpolation=cv2.INTER_LINEAR_EXACT)
    return np.asarray(cv2.applyColorMap(part, draw_palette(material.palette, draw)), dtype=np.uint8)


def _backdrop(name: str, size: tuple[int, int], draw: Stream) -> Image:
    """The whole frame filled with a photograph or a material, never enlarged by more than 1.5."""
    for material in MATERIALS:
        if material.name == name:
            return _surface(material, size, draw, draw.uniform(1.0, 1.4))
    photo = load_photograph(name)[:, :: 1 - 2 * draw.below(2)]
    need = max(size[0] / photo.shape[0], size[1] / photo.shape[1], 1.0)
    scale = min(need * draw.uniform(1.0, 1.15), 1.5)
    part = _crop(photo, math.ceil(size[0] / scale), math.ceil(size[1] / scale), draw)
    tint = np.array([[[draw.below(44) + 212 for _ in range(3)]]], np.uint16)
    curve = np.arange(256, dtype=np.uint16)[:, None, None] * tint[0] // np.uint16(255)
    toned = cv2.LUT(part, curve.astype(np.uint8))
    return np.asarray(cv2.resize(toned, size[::-1], interpolation=cv2.INTER_LINEAR_EXACT), dtype=np.uint8)


def _apply_light(image: Image, factor: Mask) -> Image:
    """The image times a factor (128 is one), cut off at 255."""
    product = np.multiply(image, cv2.merge([np.ascontiguousarray(factor)] * 3), dtype=np.uint16)
    # product / 128, rounded down: every number is exact in a float, and none lies near a half.
    return np.asarray(cv2.convertScaleAbs(product, alpha=1 / 128, beta=1 / 256 - 0.5), dtype=np.uint8)


def _soften_edge(weight: Mask, radius: int) -> Mask:
    """`weight` with `radius` * 2 empty pixels around it, blurred into them."""
    pad, size = 2 * radius, 2 * radius + 1
    padded = cv2.copyMakeBorder(weight, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0)
    return np.asarray(cv2.blur(cv2.blur(padded, (size, size)), (size, size)), dtype=np.uint8)


def _relief(weight: Mask, light: tuple[int, int]) -> Mask:
    """Factors that make a flat piece swell: brighter on the slope towards the light, darker on the other."""
    rows, columns = weight.shape
    radius = max(3, min(rows, columns) // 14)
    height, pad, step = _soften_edge(weight, radius), 2 * radius, radius // 2 + 1

    def shift(by: int) -> Mask:
        y, x = pad + by * light[1], pad + by * light[0]
        return height[y : y + rows, x : x + columns]

    # 128 + two fifths of the slope, rounded down: what is added to 0.4 of a whole number is never near a half.
    factor = cv2.addWeighted(shift(-step), 0.4, shift(step), -0.4, 127.6)
    return np.clip(np.asarray(factor, dtype=np.uint8), 72, 176)


def _shade(image: Image, piece: _Piece, light: tuple[int, int]) -> None:
    """Darkens the image by the soft shadow of a piece, on the side away from the light."""
    radius = 4 + min(piece.weight.shape) // 40
    soft = _soften_edge(piece.weight, radius)
    x, y = (piece.box[axis] - 2 * radius - (radius + 1) * light[axis] for axis in range(2))
    shadow = _Piece(soft, Box(x, y, x + soft.shape[1], y + soft.shape[0]))
    frame_part, piece_part = shadow.windows((image.shape[0], image.shape[1]))
    image[frame_part] = _apply_light(image[frame_part], 128 - soft[piece_part] // 4)


def _paint(image: Image, piece: _Piece, material: Material, light: tuple[int, int], draw: Stream) -> None:
    """Lays a piece of a material and its shadow on the image."""
    rows, columns = piece.weight.shape
    look = _apply_light(_surface(material, (rows, columns), draw), _relief(piece.weight, light))
    _shade(image, piece, light)
    frame_part, piece_part = piece.windows((image.shape[0], image.shape[1]))
    weight = np.ascontiguousarray(piece.weight[piece_part])
    image[frame_part] = blend(image[frame_part], np.ascontiguousarray(look[piece_part]), weight)


@cache
def _grain() -> Mask:
    """Paper: 0..6, in grains of one and two pixels."""
    fine = stream("scenes", "grain").uint16((512, 512)) >> np.uint16(14)
    coarse = stream("scenes", "grain", 2).uint16((256, 256)) >> np.uint16(14)
    return (fine + coarse.repeat(2, 0).repeat(2, 1)).astype(np.uint8)


def _daylight(size: tuple[int, int], light: tuple[int, int], draw: Stream) -> Mask:
    """Factors over the frame: brightest where the light comes from, with the grain of paper everywhere."""
    ramps = [np.arange(n, dtype=np.int32) * 12 // n for n in size]
    down, right = (ramp[:: -1 if side < 0 else 1] * abs(side) for ramp, side in zip(ramps, light[::-1], strict=True))
    base = (114 + down[:, None] + right[None, :]).astype(np.uint8)
    return cv2.add(base, _crop(_grain(), *size, draw))
