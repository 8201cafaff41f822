"""What the built-in scenes are grey of: grey sheets, from photographs or from formulas, to be coloured.

A sheet is uint8, at least 300 x 451; a palette turns it into a material. Sheets are made once per process, in
integer arithmetic only, so that they are the same on every machine.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from distortlab.core.seeds import stream
from distortlab.references.scenes.photographs import load_photograph

__all__ = ["MATERIALS", "Material", "Sheet", "draw_sheet"]

Sheet = NDArray[np.uint8]
Whole = NDArray[np.int32]

SIDE = 512
"""Rows and columns of a drawn sheet."""


def _grey(name: str, black: int, white: int) -> Sheet:
    """The luma of a photograph, stretched so that `black` becomes 0 and `white` 255."""
    red, green, blue = np.moveaxis(load_photograph(name).astype(np.int32), -1, 0)
    luma = (77 * red + 150 * green + 29 * blue) >> 8
    return _to_uint8((luma - black) * 255 // (white - black))


def _to_uint8(values: Whole) -> Sheet:
    return np.clip(values, 0, 255).astype(np.uint8)


def _grid() -> tuple[Whole, Whole]:
    """Row and column numbers on a grid twice as fine as a sheet."""
    rows, columns = np.indices((2 * SIDE, 2 * SIDE), dtype=np.int32)
    return rows, columns


def _halve(values: Whole) -> Whole:
    """The means of 2 x 2 points: what was drawn on the fine grid, with smooth edges."""
    return (values[::2, ::2] + values[1::2, ::2] + values[::2, 1::2] + values[1::2, 1::2] + 2) >> 2


def _wave(values: Whole, period: int) -> Whole:
    """A triangle wave, 0..255."""
    return np.asarray(np.abs(values % period * 510 // period - 255), dtype=np.int32)


def _noise(address: str, tall: int, wide: int, side: int = SIDE) -> Whole:
    """Smooth noise, 0..255, with cells of `tall` x `wide` pixels."""
    cells = (stream("scenes", "sheet", address).uint16((side // tall + 1, side // wide + 1)) >> 8).astype(np.uint8)
    size = (cells.shape[1] * wide, cells.shape[0] * tall)
    return cv2.resize(cells, size, interpolation=cv2.INTER_LINEAR_EXACT)[:side, :side].astype(np.int32)


def _fibre(address: str, depth: int) -> Whole:
    """Fine grain within about +-`depth`, in cells of one and two pixels: every material has some."""
    grain = _noise(address + " 1", 1, 1) + _noise(address + " 2", 2, 2) + _noise(address + " 3", 3, 3)
    return (grain - 382) * depth // 320


def _bands(name: str, choice: Whole, depth: int = 34) -> Sheet:
    """Two-coloured sheet from a 0/1 pattern on the fine grid: levels about 64 and 192, each with fibre."""
    return _to_uint8(_halve(choice * 128 + 64) + _fibre(name, depth))


def _draw_wood() -> Sheet:
    rows, _ = np.indices((SIDE, SIDE), dtype=np.int32)
    rings = _wave(rows + _noise("wood bend", 64, 128) // 3, 26)
    planks = np.where(rows % 128 < 3, -120, 0) + (rows // 128 * 97 % 40)
    return _to_uint8(rings // 3 + _noise("wood grain", 2, 64) // 2 + _noise("wood pore", 1, 16) // 4 + 10 + planks)


def _draw_marble() -> Sheet:
    cloud = (_noise("marble 1", 96, 96) + _noise("marble 2", 40, 40) // 2 + _noise("marble 3", 14, 14) // 4) * 4 // 7
    fine = (_noise("marble 4", 64, 64) + _noise("marble 5", 20, 20) // 2 + _noise("marble 6", 7, 7) // 3) * 6 // 11
    veins = np.minimum(np.abs(cloud - 120) * 9, 255) // 2 + np.minimum(np.abs(fine - 125) * 12, 255) // 3
    return _to_uint8(veins + _noise("marble 7", 30, 30) // 5 + _fibre("marble", 14))


def _draw_metal() -> Sheet:
    sheen = _wave(np.indices((SIDE, SIDE), dtype=np.int32).sum(axis=0, dtype=np.int32), 210)
    return _to_uint8(sheen * 3 // 5 + _noise("metal 1", 1, 128) * 2 // 5 + _noise("metal 2", 1, 24) // 4 - 30)


def _draw_dots() -> Sheet:
    rows, columns = _grid()
    shift = rows // 48 % 2 * 24
    inside = (rows % 48 - 24) ** 2 + ((columns + shift) % 48 - 24) ** 2 < 15**2
    return _bands("dotted", inside.astype(np.int32))


def _draw_weave() -> Sheet:
    rows, columns = _grid()
    over = (rows // 28 + columns // 28) % 2
    bump = np.where(over == 1, 255 - _wave(rows, 28), 255 - _wave(columns, 28))
    strands = np.where(over == 1, _wave(columns, 9), _wave(rows, 9))
    return _to_uint8(_halve(bump * 3 // 5 + strands // 5 + over * 40) + _fibre("woven", 26))


def _draw_knit() -> Sheet:
    rows, columns = _grid()
    slant = rows + _wave(columns, 40) * 22 // 255
    stitch = 255 - _wave(slant, 22)
    groove = np.minimum(_wave(columns, 20) * 3, 255)
    return _to_uint8(_halve(stitch * 3 // 5 + groove // 4) + _fibre("knitted", 44))


def _draw_denim() -> Sheet:
    rows, columns = _grid()
    twill = _wave(rows + 2 * columns, 12) // 2
    worn = _noise("denim worn", 48, 32) // 4 + _noise("denim yarn", 24, 1) // 4
    return _to_uint8(_halve(twill) + worn + _fibre("denim", 50))


def _draw_scales() -> Sheet:
    rows, columns = _grid()
    down, line = rows % 28, rows // 28
    across = np.abs((columns + line % 2 * 28) % 56 - 28)
    upper = across**2 + down**2 < 28**2
    across, down = np.where(upper, across, 28 - across), np.where(upper, down, down - 28)
    rim = (across**2 + down**2 > 25**2) & upper
    return _to_uint8(_halve(np.where(rim, 24, 150 + down * 3 + _wave(across, 8) // 8)) + _fibre("scaly", 24))


def _cells(address: str, pitch: int) -> tuple[Whole, Whole]:
    """A number 0..1023 for the cell that each pixel lies in, and how far it is from a seam: Voronoi cells."""
    count = SIDE // pitch + 3
    words = stream("scenes", "sheet", address).uint16((3, count, count)).astype(np.int32)
    rows, columns = np.indices((SIDE, SIDE), dtype=np.int32)
    first, second = (np.full((SIDE, SIDE), 1 << 24, np.int32) for _ in range(2))
    number = np.zeros((SIDE, SIDE), np.int32)
    for i, j in np.ndindex(3, 3):  # one point in each square of the grid: the nearest is in the square or beside it
        down, across = rows // pitch + i, columns // pitch + j
        y, x = ((words[k, down, across] * pitch >> 16) for k in range(2))
        reach = ((down - 1) * pitch + y - rows) ** 2 + ((across - 1) * pitch + x - columns) ** 2
        nearer = reach < first
        second = np.where(nearer, first, np.minimum(second, reach))
        number = np.where(nearer, words[2, down, across] >> 6, number)
        first = np.minimum(first, reach)
    return number, np.asarray(second - first, dtype=np.int32)


def _draw_mosaic() -> Sheet:
    number, seam = _cells("mosaic", 24)
    tiles = 60 + number % 180
    return _to_uint8(np.where(seam < 90, seam // 6 + 4, tiles) + _fibre("mosaic", 26))


def _draw_speckles() -> Sheet:
    number, seam = _cells("speckled", 18)
    chips = np.where(number % 5 < 3, number // 5, 235)
    return _to_uint8(np.where(seam < 60, 235, chips) + _fibre("speckled", 20))


def _draw_tartan() -> Sheet:
    rows, columns = _grid()
    levels = np.array([0, 0, 0, 1, 2, 2, 1, 0, 0, 3, 0, 0, 2, 2, 2, 1], np.int32) * 60
    warp, weft = levels[rows // 14 % 16], levels[columns // 14 % 16]
    thread = _wave(rows + columns, 8) // 8
    return _to_uint8(_halve((warp + weft) // 2 + thread + 20) + _fibre("tartan", 30))


def _draw_stars() -> Sheet:
    stars = _grey("hubble", 24, 170)[: SIDE + 288, : SIDE + 288].astype(np.int32)
    side = stars.shape[0]
    cloud = _noise("starry 1", 120, 120, side) * 2 // 5 + _noise("starry 2", 33, 33, side) // 6
    return _to_uint8(np.maximum(stars, cloud + _noise("starry 3", 2, 2, side) // 8 - 10))


_SHEETS: dict[str, Callable[[], Sheet]] = {
    "brick": lambda: _to_uint8(_grey("brick", 60, 200) + _fibre("brick", 30)),
    "grass": lambda: _grey("grass", 20, 230),
    "gravel": lambda: _grey("gravel", 20, 230),
    "wooden": _draw_wood,
    "marble": _draw_marble,
    "metal": _draw_metal,
    "striped": lambda: _bands("striped", _grid()[1] // 26 % 2),
    "checked": lambda: _bands("checked", (_grid()[0] // 34 + _grid()[1] // 34) % 2),
    "dotted": _draw_dots,
    "zigzag": lambda: _bands("zigzag", (_grid()[0] + _wave(_grid()[1], 60) * 30 // 255) // 22 % 2),
    "woven": _draw_weave,
    "knitted": _draw_knit,
    "denim": _draw_denim,
    "scaly": _draw_scales,
    "mosaic": _draw_mosaic,
    "furry": lambda: _grey("chelsea", 40, 210),
    "starry": _draw_stars,
    "agate": lambda: _grey("ihc", 30, 235),
    "speckled": _draw_speckles,
    "tartan": _draw_tartan,
}


@cache
def draw_sheet(name: str) -> Sheet:
    """The grey sheet of a material, uint8, at least 300 x 451; made once, not to be written to."""
    grey = _SHEETS[name]()
    grey.flags.writeable = False
    return grey


@dataclass(frozen=True, slots=True)
class Material:
    """A sheet and the sort of palette it takes: see `draw_palette`."""

    name: str
    palette: str


MATERIALS = tuple(
    Material(name, palette)
    for palette, names in {
        "shades": ("brick", "gravel", "woven", "knitted", "scaly", "metal", "marble"),
        "grass": ("grass",),
        "wood": ("wooden", "furry"),
        "denim": ("denim",),
        "night": ("starry",),
        "pair": ("striped", "checked", "dotted", "zigzag"),
        "many": ("mosaic", "speckled", "tartan", "agate"),
    }.items()
    for name in names
)
