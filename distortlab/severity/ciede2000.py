"""CIELAB and CIEDE2000 on float32 arrays (Sharma, Wu and Dalal 2005, doi:10.1002/col.20070).

scikit-image has both; its versions work in float64 and take ten times as long, and this one runs on every edit of a
data set. `tests/severity/test_ciede2000.py` holds it to scikit-image and to the published test pairs.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["ciede2000", "convert_linear_to_lab"]

Floats = NDArray[np.floating]

# Linear sRGB to XYZ over the D65 white point (IEC 61966-2-1).
_XYZ = np.array(
    [
        [0.412453 / 0.95047, 0.357580 / 0.95047, 0.180423 / 0.95047],
        [0.212671, 0.715160, 0.072169],
        [0.019334 / 1.08883, 0.119193 / 1.08883, 0.950227 / 1.08883],
    ],
    dtype=np.float32,
)

# Of the four cosines in CIEDE2000's T.
_FREQUENCIES, _PHASES, _WEIGHTS = np.array(
    [[1, 2, 3, 4], [np.pi / 6, 0, -np.pi / 30, 63 * np.pi / 180], [-0.17, 0.24, 0.32, -0.20]], np.float32
)[..., None]


def convert_linear_to_lab(rgb: Floats) -> Floats:
    """CIELAB (L 0..100, a, b) of linear-light RGB in 0..1, (..., 3) float32. Each channel of the result lies in one
    piece, which is what makes arithmetic with it fast.
    """
    red, green, blue = np.ascontiguousarray(rgb.reshape(-1, 3).T, np.float32)
    # Term by term: a matrix product adds in an order that depends on the number of its threads.
    xyz = _XYZ[:, :1] * red
    xyz += _XYZ[:, 1:2] * green
    xyz += _XYZ[:, 2:] * blue
    x, y, z = _response(xyz)
    lab = np.empty_like(xyz)
    np.multiply(y, 116, out=lab[0])
    lab[0] -= 16
    np.subtract(x, y, out=lab[1])
    lab[1] *= 500
    np.subtract(y, z, out=lab[2])
    lab[2] *= 200
    return lab.reshape(3, *rgb.shape[:-1]).transpose(*range(1, rgb.ndim), 0)


def _response(value: Floats) -> Floats:
    return np.where(value > 0.008856, np.cbrt(value), np.float32(7.787) * value + np.float32(16 / 116))


def ciede2000(first: Floats, second: Floats, k_lightness: float = 1.0) -> Floats:
    """Colour difference of two CIELAB arrays (..., 3), with kC = kH = 1; `k_lightness` is kL, which divides differences
    of lightness.
    """
    l1, a1, b1 = first[..., 0], first[..., 1], first[..., 2]
    l2, a2, b2 = second[..., 0], second[..., 1], second[..., 2]
    stretch = 1 + 0.5 * (1 - _seventh((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2))
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.arctan2(b1, a1), np.arctan2(b2, a2)
    turn = h2 - h1
    turn -= np.float32(2 * np.pi) * np.rint(turn / np.float32(2 * np.pi))
    product = c1 * c2
    hue = h1 + turn / 2
    if not product.all():  # the hue of a grey is undefined
        grey = product == 0
        turn, hue = np.where(grey, 0, turn), np.where(grey, h1 + h2, hue)
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    dl, dc, dh = _weigh_differences(
        (l2 - l1) / np.float32(k_lightness), c2 - c1, 2 * np.sqrt(product) * np.sin(turn / 2), mean_l, mean_c, hue
    )
    rotation = -_rotation(hue) * 2 * _seventh(mean_c)
    return np.sqrt(np.maximum(dl * dl + dc * dc + dh * dh + rotation * dc * dh, 0)).astype(np.float32, copy=False)


def _seventh(chroma: Floats) -> Floats:
    power = chroma**7
    return np.sqrt(power / (power + np.float32(25.0**7)))


def _weigh_differences(
    dl: Floats, dc: Floats, dh: Floats, mean_l: Floats, mean_c: Floats, hue: Floats
) -> tuple[Floats, Floats, Floats]:
    waves = _FREQUENCIES * hue.reshape(1, -1)
    waves -= _PHASES
    np.cos(waves, out=waves)
    waves *= _WEIGHTS
    t = (1 + waves[0] + waves[1] + waves[2] + waves[3]).reshape(hue.shape)
    middle = (mean_l - 50) ** 2
    return (
        dl / (1 + 0.015 * middle / np.sqrt(20 + middle)),
        dc / (1 + 0.045 * mean_c),
        dh / (1 + 0.015 * mean_c * t),
    )


def _rotation(hue: Floats) -> Floats:
    degrees = np.degrees(hue)
    degrees += np.float32(360) * (degrees < 0)  # beyond a whole turn are hues of greys only, where it does not count
    degrees -= 275
    degrees /= 25
    degrees *= degrees
    return np.sin(np.float32(np.pi / 3) * np.exp(-degrees))
