"""Outlines of the built-in scenes, and how an outline becomes an anti-aliased stencil.

An outline is made of rings: closed polygons of (x, y) points, x to the right, y down, within about -1..1. The
parts are united, the holes cut out. They are filled with the polygon code of the COCO format, which gives the same
pixels everywhere, where the polygon fill of OpenCV differs between versions; edges are softened over a pixel.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from distortlab.core.region import Mask

__all__ = ["SHAPES", "Shape", "draw_stencil", "fill_share", "find_solid"]

Ring = list[tuple[float, float]]
Points = NDArray[np.float64]

SOLID = 128
"""From this coverage on (of 255) a pixel belongs to a shape."""


@dataclass(frozen=True, slots=True)
class Shape:
    """An outline: `parts` united, `holes` cut out; turned by up to `turn` degrees it is still what it is."""

    name: str
    parts: tuple[Ring, ...]
    holes: tuple[Ring, ...] = ()
    turn: float = 180.0


def _polar(radius: Callable[[float], float], steps: int = 96) -> Ring:
    """The ring at distance `radius` from the origin, a function of the turn: 0..1, clockwise from the top."""
    turns = [i / steps for i in range(steps)]
    return [(radius(t) * math.sin(math.tau * t), -radius(t) * math.cos(math.tau * t)) for t in turns]


def _disc(x: float = 0.0, y: float = 0.0, radius: float = 1.0, squash: float = 1.0) -> Ring:
    """An ellipse with the half axes `radius` and `radius * squash`."""
    return [(x + radius * px, y + radius * squash * py) for px, py in _polar(lambda _: 1.0, 72)]


def _star(points: int, inner: float) -> Ring:
    """A star with straight sides."""
    return _polar(lambda t: inner if round(t * 2 * points) % 2 else 1.0, 2 * points)


def _gear(teeth: int = 9) -> Ring:
    """A toothed wheel: each tooth takes half of its share of the rim."""
    return _polar(lambda t: 1.0 if (t * teeth + 0.25) % 1.0 < 0.5 else 0.78, 36 * teeth)


def _mirror(right: Ring) -> Ring:
    """A ring from its right half, listed from top to bottom."""
    return right + [(-x, y) for x, y in reversed(right)]


def _heart() -> Ring:
    """The cubic-sine heart."""
    angles = [math.tau * i / 120 for i in range(120)]
    return [
        (
            math.sin(a) ** 3,
            -(13 * math.cos(a) - 5 * math.cos(2 * a) - 2 * math.cos(3 * a) - math.cos(4 * a)) / 16,
        )
        for a in angles
    ]


def _lens(half_width: float, length: float = 1.0) -> Ring:
    """A pointed oval along the vertical axis."""
    steps = [i / 32 for i in range(33)]
    return _mirror([(half_width * math.sin(math.pi * s), length * (2 * s - 1)) for s in steps])


def _drop() -> Ring:
    """A drop: round below, pointed above."""
    steps = [math.pi * i / 48 for i in range(49)]
    return _mirror([(0.68 * math.sin(a) * math.sin(a / 2), -math.cos(a)) for a in steps])


def _crescent() -> Ring:
    """A moon: the unit circle less the circle of 0.8 around (0.45, 0); they meet at 51.3 and 77.4 degrees."""
    outer = [(math.cos(a), math.sin(a)) for a in (math.radians(51.3 + 2.574 * i) for i in range(101))]
    inner = [(math.cos(a), math.sin(a)) for a in (math.radians(-77.4 - 2.052 * i) for i in range(101))]
    return outer + [(0.45 + 0.8 * x, 0.8 * y) for x, y in inner]


_CROSS = [(0.36, -1.0), (0.36, -0.36), (1.0, -0.36), (1.0, 0.36), (0.36, 0.36), (0.36, 1.0)]
_ARROW = [(0.0, -1.0), (0.85, -0.1), (0.36, -0.1), (0.36, 1.0)]
_TREE = [
    (0.0, -1.0),
    (0.5, -0.35),
    (0.28, -0.35),
    (0.7, 0.15),
    (0.42, 0.15),
    (0.85, 0.66),
    (0.18, 0.66),
    (0.18, 1.0),
]
_HOUSE = [
    (0.0, -1.0),
    (0.45, -0.62),
    (0.45, -0.9),
    (0.7, -0.9),
    (0.7, -0.42),
    (1.0, -0.16),
    (0.78, -0.16),
    (0.78, 0.9),
]
_HOUSE += [(-0.78, 0.9), (-0.78, -0.16), (-1.0, -0.16)]
_CROWN = [(0.0, -0.8), (0.36, -0.05), (1.0, -0.6), (0.8, 0.75)]
_CAP = _mirror([(math.sin(a), 0.1 - 0.95 * math.cos(a)) for a in (math.pi * i / 48 for i in range(25))])
_STALK = [(-0.26, 0.0), (0.26, 0.0), (0.36, 0.95), (-0.36, 0.95)]
_TAIL = [(-0.4, 0.0), (-1.0, -0.55), (-0.82, 0.0), (-1.0, 0.55)]
_FIN = [(-0.2, -0.3), (-0.05, -0.72), (0.45, -0.3)]


def _wings() -> tuple[Ring, ...]:
    """Two pairs of wings and a body."""
    upper = [_rotate(_lens(0.4, 0.62), side * 52, side * 0.5, -0.36) for side in (1, -1)]
    lower = [_rotate(_lens(0.36, 0.45), side * 128, side * 0.4, 0.4) for side in (1, -1)]
    return (*upper, *lower, _disc(0, 0, 0.13, 5.5))


def _rotate(ring: Ring, degrees: float, x: float = 0.0, y: float = 0.0) -> Ring:
    """The ring turned clockwise about the origin, then moved to (x, y)."""
    sin, cos = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    return [(x + px * cos - py * sin, y + px * sin + py * cos) for px, py in ring]


_PUFFS = ((-0.6, 0.2, 0.4), (-0.22, -0.2, 0.48), (0.3, -0.05, 0.44), (0.65, 0.25, 0.35))

SHAPES = (
    Shape("disc", (_disc(),)),
    Shape("ring", (_disc(),), (_disc(radius=0.52),)),
    Shape("star", (_star(5, 0.46),)),
    Shape("heart", (_heart(),), turn=30),
    Shape("leaf", (_lens(0.52), [(-0.05, 0.8), (0.05, 0.8), (0.09, 1.3), (-0.02, 1.3)])),
    Shape("hexagon", (_polar(lambda _: 1.0, 6),)),
    Shape("triangle", (_polar(lambda _: 1.0, 3),)),
    Shape("crescent", (_crescent(),)),
    Shape("cross", (_mirror(_CROSS),)),
    Shape("arrow", (_mirror(_ARROW),)),
    Shape("drop", (_drop(),), turn=40),
    Shape("flower", (_polar(lambda t: 0.72 + 0.28 * math.cos(math.tau * 6 * t), 144),), (_disc(radius=0.17),)),
    Shape("gear", (_gear(),), (_disc(radius=0.3),)),
    Shape("cloud", (*(_disc(*puff) for puff in _PUFFS), _disc(0, 0.38, 0.75, 0.3)), turn=15),
    Shape("butterfly", _wings(), turn=60),
    Shape("fish", (_rotate(_lens(0.46, 0.85), 90, 0.15), _TAIL, _FIN), turn=35),
    Shape("house", (_HOUSE,), ([(-0.18, 1.0), (-0.18, 0.35), (0.18, 0.35), (0.18, 1.0)],), turn=12),
    Shape("tree", (_mirror(_TREE),), turn=15),
    Shape("mushroom", (_CAP, _STALK), turn=25),
    Shape("crown", (_mirror(_CROWN),), turn=25),
)


@cache
def _list_points(name: str) -> tuple[Points, tuple[int, ...], int]:
    """The rings of a shape, first the parts and then the holes, as one array, float64 (points, 2), the places where
    they end, and the number of parts.
    """
    shape = next(shape for shape in SHAPES if shape.name == name)
    rings = [*shape.parts, *shape.holes]
    ends = tuple(itertools.accumulate(map(len, rings)))
    return np.concatenate([np.array(ring) for ring in rings]), ends, len(shape.parts)


def _turn_points(points: Points, scale: tuple[float, float], degrees: float) -> Points:
    """Points (x, y) stretched by `scale`, then turned clockwise about the origin, as (y, x).

    One operation at a time: no processor may fuse two of them, which would round differently.
    """
    sin, cos = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    x, y = points[:, 0] * scale[0], points[:, 1] * scale[1]
    out = np.empty_like(points)
    out[:, 1] = x * cos - y * sin
    out[:, 0] = x * sin + y * cos
    return out


def _fill_rings(rings: list[NDArray[np.float64]], rows: int, columns: int) -> Mask:
    """The union of rings, each y, x, y, x, ... in pixels: uint8 0 or 1, (rows, columns)."""
    coded = coco_mask.frPyObjects(rings, columns, rows)
    return np.asarray(coco_mask.decode(coded[0] if len(coded) == 1 else coco_mask.merge(coded)).T, dtype=np.uint8)


def draw_stencil(shape: Shape, width: float, height: float, degrees: float = 0.0, is_mirrored: bool = False) -> Mask:
    """Draw a shape in its tight box.

    Parameters
    ----------
    shape
        The outline.
    width, height
        Of the shape in pixels, before it is turned.
    degrees
        How far it is turned, clockwise.
    is_mirrored
        Whether left and right are exchanged before it is turned.

    Returns
    -------
    ndarray
        uint8 (rows, columns), both even: how much of each pixel the shape covers, 0 to 255.
    """
    points, ends, part_count = _list_points(shape.name)
    points = _turn_points(points, (-width / 2 if is_mirrored else width / 2, height / 2), degrees)
    solid_points = points[: ends[part_count - 1]]
    low = solid_points.min(axis=0) - 1
    rows, columns = (math.ceil(side / 2) * 2 for side in (solid_points.max(axis=0) - low + 1).tolist())
    points -= low
    rings = [points[start:end].ravel() for start, end in itertools.pairwise((0, *ends))]
    solid = _fill_rings(rings[:part_count], rows, columns)
    if rings[part_count:]:
        solid &= 1 - _fill_rings(rings[part_count:], rows, columns)
    return _soften(solid)


def find_solid(weight: Mask, number: int = 1) -> Mask:
    """`number` where a shape covers half of a pixel or more, elsewhere 0."""
    return np.asarray(cv2.threshold(weight, SOLID - 1, number, cv2.THRESH_BINARY)[1], dtype=np.uint8)


def _soften(solid: Mask) -> Mask:
    """Coverage from a mask: soft over a pixel on both sides of the edge, and nothing of points too thin to be solid."""
    weight = cv2.blur(solid * np.uint8(255), (3, 3))
    near = cv2.dilate(find_solid(np.asarray(weight, np.uint8), 255), np.ones((3, 3), np.uint8))
    return np.asarray(cv2.min(weight, near), dtype=np.uint8)


@cache
def fill_share(name: str) -> float:
    """The share of the shape's width times height that it covers."""
    shape = next(shape for shape in SHAPES if shape.name == name)
    return float(np.count_nonzero(draw_stencil(shape, 96, 96) >= 128) / 96**2)
