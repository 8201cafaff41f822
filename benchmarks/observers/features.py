"""What tells the families apart in a region before and after a change: numbers for the machine observer.

All are computed on a region of at most `MOST_PIXELS`: of a larger one, on the rows that hold most of it.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from distortlab.core.image import Image
from distortlab.core.region import Mask

Plane = NDArray[np.float32]
Bits = NDArray[np.bool_]

MOST_PIXELS = 120 * 160
_YCC = np.float32([[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]])
_QUANTILES = (5, 25, 50, 75, 95)
_PERIODS = (2, 3, 4, 5, 6, 7, 8, 10, 16)
_LEAST_HELD = 0.15
"""The share of columns and rows that must have lost their steps for what is left to be lines."""
_LAGS = {"h": (0, 1), "v": (1, 0), "d": (1, 1), "h3": (0, 3), "v3": (3, 0)}


@dataclass(frozen=True)
class Pair:
    """A region before and after: planes of luma (`luma_a`, `luma_b`) and chroma, and the values inside the mask.

    `x`, `y` are luma before and after, (N,); `chroma_a`, `chroma_b` (N, 2). `left`, `top`: where the crop lies in the
    image, which grids are aligned to.
    """

    before: Image
    after: Image
    inside: Bits
    luma_a: Plane
    luma_b: Plane
    chroma_a: Plane
    chroma_b: Plane
    left: int
    top: int
    x: Plane = field(init=False)
    y: Plane = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "x", self.luma_a[self.inside])
        object.__setattr__(self, "y", self.luma_b[self.inside])


def compute_features(before: Image, after: Image, mask: Mask, left: int, top: int) -> dict[str, float]:
    """Numbers about a region before and after a change.

    Parameters
    ----------
    before, after
        The box of the region, uint8 RGB, (rows, columns, 3).
    mask
        (rows, columns), not 0 inside the region.
    left, top
        Where the box lies in the image, in pixels.

    Returns
    -------
    dict
        Name -> finite number; the same names for every region.
    """
    pair = _make_pair(*_limit_rows(before, after, mask, left, top))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a correlation with something constant
        found = {name: value for measure in _MEASURES for name, value in measure(pair).items()}
    return {name: float(np.nan_to_num(value, posinf=0.0, neginf=0.0)) for name, value in found.items()}


def _limit_rows(before: Image, after: Image, mask: Mask, left: int, top: int) -> tuple[Image, Image, Mask, int, int]:
    rows, columns = mask.shape
    if rows * columns <= MOST_PIXELS:
        return before, after, mask, left, top
    wanted = min(rows, max(32, MOST_PIXELS // columns // 16 * 16))
    sums = np.cumsum(np.r_[0, (mask != 0).sum(1, dtype=np.int64)])
    first = int(np.argmax(sums[wanted:] - sums[:-wanted]))
    part = slice(first, first + wanted)
    return before[part], after[part], mask[part], left, top + first


def _make_pair(before: Image, after: Image, mask: Mask, left: int, top: int) -> Pair:
    bits = (mask != 0).astype(np.uint8)
    eroded = cv2.erode(bits, np.ones((3, 3), np.uint8)) if bits.sum() > 600 else bits  # without the feathered edge
    inside = (eroded if eroded.any() else bits) != 0
    a, b = (cv2.transform(np.ascontiguousarray(image, dtype=np.float32), _YCC) for image in (before, after))
    lumas = np.ascontiguousarray(a[..., 0]), np.ascontiguousarray(b[..., 0])
    return Pair(before, after, inside, *lumas, a[..., 1:][inside], b[..., 1:][inside], left, top)


def _log_ratio(a: float, b: float, floor: float) -> float:
    return float(np.log((a + floor) / (b + floor)))


# --- groups of features ----------------------------------------------------------------------------------------------


def _measure_tone(pair: Pair) -> dict[str, float]:
    x, y = pair.x, pair.y
    qa, qb = np.percentile(x, _QUANTILES), np.percentile(y, _QUANTILES)
    shifts = {f"dq{q}": shift for q, shift in zip(_QUANTILES, qb - qa, strict=True)}
    return {
        "mean": x.mean(),
        "dmean": y.mean() - x.mean(),
        "spread": x.std(),
        "dspread": _log_ratio(y.std(), x.std(), 3),
        **shifts,
        "q_spread": _log_ratio(qb[4] - qb[0], qa[4] - qa[0], 6),
        "q_mid": _log_ratio(qb[3] - qb[1], qa[3] - qa[1], 4),
    }


def _measure_chroma(pair: Pair) -> dict[str, float]:
    a, b = pair.chroma_a, pair.chroma_b
    sa, sb = np.hypot(*a.T), np.hypot(*b.T)
    product, own = (a * b).sum(), (a * a).sum()
    return {
        "chroma": sa.mean(),
        "dchroma": sb.mean() - sa.mean(),
        "rchroma": _log_ratio(sb.mean(), sa.mean(), 2),
        "rchroma_sd": _log_ratio(sb.std(), sa.std(), 2),
        "hue": np.hypot(*(b - a).mean(0)),
        "chroma_slope": product / (own + 50),
        "chroma_fit": product / np.sqrt(own * (b * b).sum() + 1),
        "dsat": _log_ratio((sb / (pair.y + 16)).mean(), (sa / (pair.x + 16)).mean(), 0.02),
    }


def _measure_detail(pair: Pair) -> dict[str, float]:
    """Energy of three bands of detail, and how the detail after follows that before."""
    out: dict[str, float] = {}
    a, b, inside = pair.luma_a, pair.luma_b, pair.inside
    for band, side in enumerate((3, 5, 9)):
        low_a, low_b = cv2.blur(pair.luma_a, (side, side)), cv2.blur(pair.luma_b, (side, side))
        u, v = (a - low_a)[inside], (b - low_b)[inside]
        a, b = low_a, low_b
        uu, vv, uv = float((u * u).mean()), float((v * v).mean()), float((u * v).mean())
        out |= {
            f"e{band}": np.log(uu + 1),
            f"de{band}": _log_ratio(vv, uu, 1),
            f"slope{band}": uv / (uu + 1),
            f"fit{band}": uv / np.sqrt(uu * vv + 0.1),
        }
    u, v = a[inside] - a[inside].mean(), b[inside] - b[inside].mean()
    n, uv = len(u), float((u * v).sum())
    own = float((u * u).sum())
    return {**out, "slope_low": uv / (own + n), "fit_low": uv / np.sqrt(own * float((v * v).sum()) + n)}


def _rest_of_curve(pair: Pair) -> Plane:
    """What of the luma after the change no tone curve explains, (N,)."""
    levels = np.clip(pair.x, 0, 255).astype(np.intp)
    counts = np.bincount(levels, minlength=256)
    curve = np.bincount(levels, pair.y, 256) / np.maximum(counts, 1)
    return (pair.y - curve[levels]).astype(np.float32)


def _measure_residual(pair: Pair) -> dict[str, float]:
    """The change itself: size, tails, likeness of neighbours."""
    change = pair.y - pair.x
    rest, centered = _rest_of_curve(pair), change - change.mean()
    sd = float(centered.std()) + 0.3
    plane = np.where(pair.inside, pair.luma_b - pair.luma_a - change.mean(), 0)
    rows, columns = plane.shape
    alike = {
        f"ac_{name}": (plane[dy:, dx:] * plane[: rows - dy, : columns - dx]).sum() / (len(change) * sd * sd)
        for name, (dy, dx) in _LAGS.items()
    }
    color = (pair.chroma_b - pair.chroma_a) - (pair.chroma_b - pair.chroma_a).mean(0)
    return {
        "curve_rest": np.sqrt((rest * rest).mean()),
        "curve_share": 1 - (rest * rest).mean() / ((change * change).mean() + 0.5),
        **alike,
        "ac_aniso": abs(alike["ac_h"] - alike["ac_v"]),
        "kurt": np.log(((centered / sd) ** 4).mean() + 1e-6),
        "res_sd": sd,
        "out60": (np.abs(centered) > 60).mean(),
        "out_share": (np.abs(centered) > 4 * sd).mean(),
        "res_chroma": _log_ratio((color * color).mean(), (centered * centered).mean(), 0.5),
    }


def _measure_places(pair: Pair) -> dict[str, float]:
    """Where the change lies: at edges, on flat ground, in the light."""
    sobel = [cv2.Sobel(pair.luma_a, cv2.CV_32F, dx, 1 - dx, scale=0.25) for dx in (0, 1)]
    gradient = (np.abs(sobel[0]) + np.abs(sobel[1]))[pair.inside]
    change, rest = pair.y - pair.x, np.abs(_rest_of_curve(pair))
    size = np.abs(change - change.mean())
    flat = gradient <= np.percentile(gradient, 30)
    edges = ~flat if not flat.all() else flat
    return {
        "near_edges": _correlate(size, gradient),
        "flat_res": np.log(rest[flat].mean() + 0.3),
        "edge_res": np.log(rest[edges].mean() + 0.3),
        "res_with_light": _correlate(size, pair.x),
    }


def _correlate(a: Plane, b: Plane) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else 0.0


def _measure_steps(pair: Pair) -> dict[str, float]:
    """Steps between neighbours: on which grid they lie, how many are none."""
    inside = pair.inside
    across, down = inside[:, 1:] & inside[:, :-1], inside[1:] & inside[:-1]
    after = np.abs(np.diff(pair.luma_b, axis=1)), np.abs(np.diff(pair.luma_b, axis=0))
    before = np.abs(np.diff(pair.luma_a, axis=1)), np.abs(np.diff(pair.luma_a, axis=0))
    grids = _measure_grids(pair, (after[0] - before[0]) * across, (after[1] - before[1]) * down, across, down)
    held, gap = _measure_lines(after, across, down)
    lines = held - _measure_lines(before, across, down)[0]
    other = max(value for period, value in grids.items() if period not in (8, 16))
    if lines > _LEAST_HELD:  # a mosaic whose blocks have no whole side is on no grid of `_PERIODS`
        other = max(other, gap)
    return {
        "grid8": grids[8],
        "lines": lines,
        "grid_other": other,
        "grid_gain": other - grids[8],
        "dstep": _log_ratio(
            np.r_[after[0][across], after[1][down]].mean(), np.r_[before[0][across], before[1][down]].mean(), 1
        ),
        "ties": (after[0][across] < 0.5).mean() - (before[0][across] < 0.5).mean(),
        "ties_v": (after[1][down] < 0.5).mean() - (before[1][down] < 0.5).mean(),
    }


def _measure_lines(steps: tuple[Plane, Plane], across: Bits, down: Bits) -> tuple[float, float]:
    """The share of columns and rows with next to no steps, and how much larger, in levels, steps are on the others.

    Half and more of a mosaic's columns and rows have none; elsewhere nearly all have some.
    """
    means, counts = [], []
    for values, inside, axis in ((steps[0], across, 0), (steps[1], down, 1)):
        n = inside.sum(axis)
        means.append(((values * inside).sum(axis) / np.maximum(n, 1))[n >= 4])
        counts.append(n[n >= 4])
    mean, count = np.concatenate(means), np.concatenate(counts)
    if not count.sum():
        return 0.0, 0.0
    off = mean < 0.25 * np.average(mean, weights=count)
    share = float(off.mean())
    if not off.any() or off.all():
        return share, 0.0
    on_lines, between = (np.average(mean[kept], weights=count[kept]) for kept in (~off, off))
    return share, float(on_lines - between)


def _measure_grids(pair: Pair, gain_x: Plane, gain_y: Plane, across: Bits, down: Bits) -> Mapping[int, float]:
    """By period, how much more steps grew on the lines of a grid than off them."""
    sums_x, sums_y, count_x, count_y = gain_x.sum(0), gain_y.sum(1), across.sum(0), down.sum(1)
    at_x, at_y = np.arange(1, len(sums_x) + 1) + pair.left, np.arange(1, len(sums_y) + 1) + pair.top
    out = {}
    for period in _PERIODS:
        x, y = at_x % period == 0, at_y % period == 0
        on = (sums_x[x].sum() + sums_y[y].sum()) / max(count_x[x].sum() + count_y[y].sum(), 1)
        off = (sums_x[~x].sum() + sums_y[~y].sum()) / max(count_x[~x].sum() + count_y[~y].sum(), 1)
        out[period] = float(on - off)
    return out


def _measure_levels(pair: Pair) -> dict[str, float]:
    """How many levels are used, and how much is clipped."""
    n = len(pair.x)
    new, old = (np.bincount(np.clip(v, 0, 255).astype(np.intp), minlength=256) / n for v in (pair.y, pair.x))
    a, b = pair.before[pair.inside], pair.after[pair.inside]
    return {
        "levels": np.log(max((new > 5e-4).sum(), 1)) - np.log(max((old > 5e-4).sum(), 1)),
        "peaky": _log_ratio((new * new).sum(), (old * old).sum(), 0.002),
        "white": (pair.y > 251).mean() - (pair.x > 251).mean(),
        "black": (pair.y < 4).mean() - (pair.x < 4).mean(),
        "clip_any": (b >= 252).any(1).mean() - (a >= 252).any(1).mean(),
        "zero_any": (b <= 3).any(1).mean() - (a <= 3).any(1).mean(),
    }


_MEASURES: tuple[Callable[[Pair], dict[str, float]], ...] = (
    _measure_tone,
    _measure_chroma,
    _measure_detail,
    _measure_residual,
    _measure_places,
    _measure_steps,
    _measure_levels,
)
