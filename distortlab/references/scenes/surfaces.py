"""Surfaces for a scene: parts of coloured materials and of photographs, at random places and turned at random."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from distortlab.core.region import Mask
from distortlab.core.seeds import Stream
from distortlab.references.scenes.palettes import draw_palette
from distortlab.references.scenes.photographs import load_photograph
from distortlab.references.scenes.planes import Planes, halve, make_planes, resize
from distortlab.references.scenes.textures import Material, draw_sheet

__all__ = ["cut_photograph", "cut_surface"]

_ROOM = 640
"""Rows and columns up to which sheets are continued once, mirrored, for frames that are larger than they are."""


@dataclass(frozen=True, slots=True)
class _Source:
    """Planes to cut from: one at full and some at half size. Within `size` (rows, columns) nothing is mirrored."""

    full: Mask
    halves: tuple[Mask, ...]
    size: tuple[int, int]

    def cut(self, rows: int, columns: int, draw: Stream) -> tuple[Mask, ...]:
        """A random part of every plane, of even `rows` and `columns` of the full one."""
        source = self.extend(rows, columns)
        y, x = (draw.below(max(have - need, 0) // 2 + 1) for have, need in zip(self.size, (rows, columns), strict=True))
        whole = source.full[2 * y : 2 * y + rows, 2 * x : 2 * x + columns]
        return whole, *(half[y : y + rows // 2, x : x + columns // 2] for half in source.halves)

    def extend(self, rows: int, columns: int) -> "_Source":
        """The source, continued mirrored to at least `rows` and `columns`, which are even."""
        down, right = (max(need - have, 0) for need, have in zip((rows, columns), self.full.shape, strict=True))
        if not (down or right):
            return self
        full = _mirror_edges(self.full, down, right)
        return _Source(full, tuple(_mirror_edges(half, down // 2, right // 2) for half in self.halves), self.size)

    def enlarge(self, scale: float) -> "_Source":
        """The source at about `scale` times its size."""
        if scale == 1.0:
            return self
        size = round(self.size[0] * scale / 2) * 2, round(self.size[1] * scale / 2) * 2
        half = size[0] // 2, size[1] // 2
        return _Source(resize(self.full, size), tuple(resize(plane, half) for plane in self.halves), size)


def _mirror_edges(plane: Mask, down: int, right: int) -> Mask:
    return np.asarray(cv2.copyMakeBorder(plane, 0, down, 0, right, cv2.BORDER_REFLECT), dtype=np.uint8)


@lru_cache(maxsize=64)
def _open_sheet(name: str, scale: float) -> _Source:
    """The sheet of a material, also at half size, enlarged."""
    sheet = draw_sheet(name)
    rows, columns = sheet.shape[0] // 2 * 2, sheet.shape[1] // 2 * 2
    gray = np.ascontiguousarray(sheet[:rows, :columns])
    return _Source(gray, (halve(gray),), (rows, columns)).enlarge(scale).extend(_ROOM, _ROOM)


@lru_cache(maxsize=16)
def _open_photograph(name: str, frame: tuple[int, int], more: float) -> _Source:
    """The planes of a photograph, enlarged by `more` than it takes to fill a frame, and by 1.5 at most."""
    planes = make_planes(load_photograph(name))
    rows, columns = planes.luma.shape
    need = max(frame[0] / rows, frame[1] / columns, 1.0)
    source = _Source(planes.luma, (planes.cb, planes.cr), (rows, columns)).enlarge(min(need * more, 1.5))
    return source.extend(*frame)


def _turn(plane: Mask, turn: int) -> Mask:
    """One of the eight ways to lay a plane down."""
    if turn & 4:
        plane = np.asarray(cv2.transpose(plane), dtype=np.uint8)
    if turn & 3:
        plane = np.asarray(cv2.flip(plane, (turn & 3) - 2), dtype=np.uint8)
    return plane


def cut_surface(material: Material, size: tuple[int, int], draw: Stream, scale: float = 1.0) -> Planes:
    """Cut a piece of a material.

    Parameters
    ----------
    material
        A sheet, and the sort of its palette.
    size
        (rows, columns), both even.
    draw
        Decides on place, turn and colours.
    scale
        How much the sheet is enlarged, 1 or more; what is enlarged is kept, so there should be few scales.

    Returns
    -------
    Planes
        The piece.
    """
    turn = draw.below(8)
    parts = _open_sheet(material.name, scale).cut(*(size[::-1] if turn & 4 else size), draw)
    gray, half = (_turn(part, turn) for part in parts)
    luma, cb, cr = draw_palette(material.palette, draw)
    return Planes(_look_up(gray, luma), _look_up(half, cb), _look_up(half, cr))


def cut_photograph(name: str, size: tuple[int, int], draw: Stream) -> Planes:
    """Cut a part of a photograph, mirrored or not, in another tone, that fills `size` (rows, columns, both even)."""
    turn = 3 * draw.below(2)
    parts = _open_photograph(name, size, 1.0 + 0.12 * draw.below(2)).cut(*size, draw)
    levels = np.arange(256, dtype=np.int32)
    tables = [levels * (draw.below(40) + 216) // 255, *(np.clip(levels + draw.below(17) - 8, 0, 255) for _ in range(2))]
    toned = (_look_up(_turn(part, turn), table.astype(np.uint8)) for part, table in zip(parts, tables, strict=True))
    return Planes(*toned)


def _look_up(plane: Mask, table: Mask) -> Mask:
    """The values of a table, uint8 (256,), at the values of a plane."""
    return np.asarray(cv2.LUT(plane, table), dtype=np.uint8)
