"""Colours for the grey sheets of the built-in scenes: a palette gives every grey level a colour."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from distortlab.core.seeds import Stream, stream
from distortlab.references.scenes.planes import convert_colors

__all__ = ["draw_palette"]

Color = tuple[int, int, int]

HUES: tuple[Color, ...] = (
    (196, 52, 44),
    (214, 96, 40),
    (222, 150, 36),
    (196, 180, 52),
    (120, 164, 56),
    (52, 140, 76),
    (40, 150, 140),
    (52, 132, 190),
    (56, 84, 176),
    (104, 72, 172),
    (160, 68, 160),
    (204, 72, 120),
    (150, 92, 56),
    (112, 120, 70),
)
GREENS: tuple[Color, ...] = ((96, 150, 50), (60, 130, 60), (150, 160, 50), (180, 130, 50), (70, 140, 110))
WOODS: tuple[Color, ...] = (
    (176, 112, 58),
    (150, 82, 44),
    (196, 146, 84),
    (120, 84, 54),
    (90, 130, 130),
    (170, 70, 52),
)
BLUES: tuple[Color, ...] = ((58, 88, 150), (74, 112, 170), (48, 74, 120), (70, 104, 128))
PALES: tuple[Color, ...] = (
    (240, 226, 196),
    (244, 222, 120),
    (190, 222, 236),
    (240, 196, 200),
    (200, 226, 180),
)
WHITE: Color = (255, 250, 240)

COUNT = 128
"""Palettes of a kind: each is made once in a process."""


def _mix_colors(first: Color, second: Color, share: float) -> Color:
    """The first colour with a share of the second."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _pick_color(colors: tuple[Color, ...], draw: Stream) -> Color:
    """One of the colors, a little off."""
    red, green, blue = (min(max(value + draw.below(29) - 14, 0), 255) for value in colors[draw.below(len(colors))])
    return red, green, blue


def _shades(base: Color) -> list[Color]:
    """From the deep shade of a colour to its highlight."""
    return [
        _mix_colors(base, (14, 10, 24), 0.75),
        _mix_colors(base, (14, 10, 24), 0.3),
        base,
        _mix_colors(base, WHITE, 0.6),
    ]


def _stops(kind: str, draw: Stream) -> list[Color]:
    """The colours of a palette from black to white of the sheet, evenly spaced."""
    single = {"shades": HUES, "grass": GREENS, "wood": WOODS, "denim": BLUES}
    if kind in single:
        return _shades(_pick_color(single[kind], draw))
    if kind == "night":
        return [
            (20, 24, 66),
            _pick_color(((70, 50, 150), (30, 90, 150), (130, 50, 120)), draw),
            (250, 206, 110),
            WHITE,
        ]
    first, second, third = draw.permute(HUES)[:3]
    pale = _pick_color(PALES, draw)
    if kind == "pair":
        low, high = (first, pale) if draw.below(2) else (first, second)
        return [_mix_colors(low, (0, 0, 0), 0.4), low, high, _mix_colors(high, WHITE, 0.4)]
    return [_mix_colors(first, (0, 0, 0), 0.6), first, second, third, pale]


def draw_palette(kind: str, draw: Stream) -> NDArray[np.uint8]:
    """Draw a random palette.

    Parameters
    ----------
    kind
        "shades", "grass", "wood", "denim", "night", "pair" or "many".
    draw
        Says which of the palettes of this kind.

    Returns
    -------
    ndarray
        uint8 (3, 256): luma and the two differences of colour (see `planes`) of each grey level.
    """
    return _make_palette(kind, draw.below(COUNT))


@cache
def _make_palette(kind: str, number: int) -> NDArray[np.uint8]:
    """One of the palettes of a kind; not to be written to."""
    stops = convert_colors(np.array(_stops(kind, stream("scenes", "palette", kind, number)), np.int32))
    table = ((stops.T @ _weights(len(stops)).T + 127) // 255).astype(np.uint8)
    table.flags.writeable = False
    return table


@cache
def _weights(count: int) -> NDArray[np.int32]:
    """How much of each of `count` evenly spaced colours is in each grey level, of 255: int32 (256, count)."""
    place = np.arange(256, dtype=np.int32) * (count - 1)
    lower = np.minimum(place // 255, count - 2)
    part = place - lower * 255
    weights = np.zeros((256, count), np.int32)
    weights[np.arange(256), lower] = 255 - part
    weights[np.arange(256), lower + 1] = part
    return weights
