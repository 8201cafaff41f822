"""`distort`: one call that distorts a part of an image, for notebooks and programs of others."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from typing import NamedTuple

import cv2
import numpy as np

from distortlab.core.errors import UserError
from distortlab.core.image import Image, get_shape
from distortlab.core.region import Box, Region
from distortlab.distortions.base import Distortion, Profile
from distortlab.distortions.catalog import find, get_amount, read_severity
from distortlab.distortions.edit import Edit, compute_spatial_scale, render_edit
from distortlab.severity.predictor import predict_curve
from distortlab.severity.scene import Scene
from distortlab.severity.search import search_amount
from distortlab.severity.visibility import measure_visibility

__all__ = ["Distorted", "distort", "make_region"]


class Distorted(NamedTuple):
    """An image with one distortion, and the record of it. Notebooks show both."""

    image: Image
    edit: Edit

    def _repr_png_(self) -> bytes:
        """What a notebook shows: the pixels themselves, or a smaller copy where they are too many for a page."""
        return _encode_preview(self.image, _SHOWN)

    def _repr_html_(self) -> str:
        """What a notebook shows where it can: a smaller picture, and below it what was done."""
        picture = b64encode(_encode_preview(self.image, _SHOWN_WITH_TEXT)).decode()
        edit, box = self.edit, self.edit.bbox
        seen = f", V = {edit.visibility.v:.2f}" if edit.visibility else ""
        what = f"{edit.distortion}, severity {edit.severity}{seen}, box ({box.x1}, {box.y1}, {box.x2}, {box.y2})"
        return (
            f'<figure style="margin:0"><img src="data:image/png;base64,{picture}" alt="{escape(what)}" '
            f'style="max-width:100%"><figcaption>{escape(what)}</figcaption></figure>'
        )


def distort(
    image: Image,
    name: str,
    severity: int = 3,
    *,
    mask: np.ndarray | None = None,
    box: tuple[int, int, int, int] | None = None,
    seed: int = 0,
    profile: Profile = "matched",
    amount: float | None = None,
    equalize: bool = False,
    feather: int = 2,
) -> Distorted:
    """Distort a part of an image. The same arguments give the same pixels on every machine.

    Parameters
    ----------
    image
        uint8 RGB, (rows, columns, 3). It is not changed.
    name
        A distortion of the catalogue, e.g. "blur.gaussian".
    severity
        1 (slight) to 5 (extreme).
    mask
        (rows, columns); every pixel that is not 0 is distorted.
    box
        `(x1, y1, x2, y2)` in pixels, x2 and y2 exclusive, in place of a mask. With neither, the whole image.
    seed
        Seed of the randomness; it is combined with `name`, not with `severity`.
    profile
        Which ladder gives the setting: "matched" (equally visible across families) or "dq" (DepictQA's).
    amount
        The setting itself, in the unit of the distortion, in place of the ladder's for `severity`.
    equalize
        Search for the setting at which this region changes by the V of `severity`, starting at a prediction, in place
        of the ladder's, which is right for the median region. Where no setting does, the nearest of a few tries.
    feather
        Width in pixels, 0..64, over which the change rises from the edge of the mask inward.

    Returns
    -------
    Distorted
        `image`, a new uint8 array of the same shape, and `edit`: region, parameters and measured visibility.

    Raises
    ------
    UserError
        For an image of another type, a mask or box that does not fit it, and any value out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from distortlab import distort
    >>> image = np.zeros((128, 128, 3), np.uint8)
    >>> image[:, ::8] = 255
    >>> out = distort(image, "blur.gaussian", severity=3, box=(32, 16, 96, 80))
    >>> out.edit.bbox
    Box(x1=32, y1=16, x2=96, y2=80)
    >>> changed = (out.image != image).any(axis=2)
    >>> bool(changed[16:80, 32:96].any()), bool(changed[:, :32].any())
    (True, False)
    >>> out.edit.visibility.v > 1
    True
    """
    _check_image(image)
    row, severity = find(name), read_severity(severity)
    region = make_region(get_shape(image), mask, box)
    setting = get_amount(row, severity, profile) if amount is None else _read_amount(row, amount)
    if equalize and (amount is not None or profile != "matched"):
        raise UserError('equalize = True finds the setting itself, for profile = "matched": give no amount beside it')
    if not 0 <= feather <= 64:
        raise UserError(f"feather = {feather} is outside 0 .. 64 pixels")
    scale = compute_spatial_scale(region.size)
    scene = Scene.of_region(image, region)

    def render(amount: float) -> tuple[float, tuple[Edit, Image]]:
        edit = Edit(region, name, severity, amount, scale, feather, (int(seed), name), row.version)
        after = render_edit(image, edit)
        visibility = measure_visibility(scene, after, name)
        return visibility.v, (replace(edit, visibility=visibility), after)

    if equalize:
        edit, after = search_amount(row, severity, 1.2, render, predict_curve(row, scene, scale), _TRIES).outcome
    else:
        edit, after = render(setting)[1]
    out = image.copy()
    out[region.bbox.slices] = after
    return Distorted(out, edit)


_TRIES = 4
"""Settings that are rendered to find one."""

_SHOWN, _SHOWN_WITH_TEXT = 1600, 800
"""The longest side of a picture in a notebook, px: alone, and with what was done below it."""


def _encode_preview(image: Image, most: int) -> bytes:
    longest = max(get_shape(image))
    if longest > most:
        columns, rows = (max(1, round(side * most / longest)) for side in (image.shape[1], image.shape[0]))
        image = np.asarray(cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    return bytes(cv2.imencode(".png", image[..., ::-1])[1])


def _check_image(image: object) -> None:
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        came = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise UserError(f"an image is a uint8 array of (rows, columns, 3), not {came}")
    if not image.size:
        raise UserError(f"the image has no pixels: shape {image.shape}")


def make_region(shape: tuple[int, int], mask: np.ndarray | None, box: tuple[int, int, int, int] | None) -> Region:
    """Make a region of an image of `shape` (rows, columns) from a mask or a box; with neither, of the whole image.

    Raises `UserError` for both, for a mask that is empty or has another shape, and for a box outside of the image.
    """
    if mask is not None and box is not None:
        raise UserError("give a mask or a box, not both")
    if mask is not None:
        if np.shape(mask) != shape:
            raise UserError(f"the mask has shape {np.shape(mask)}, the image {shape} (rows, columns)")
        if not np.any(mask):
            raise UserError("the mask is empty: nothing would be distorted")
        return Region.from_mask(mask)
    return Region.from_box(_read_box(shape, (0, 0, shape[1], shape[0]) if box is None else box), shape)


def _read_amount(row: Distortion, amount: float) -> float:
    if not row.dial.contains(amount):
        ends = f"{row.dial.weakest:g} (weakest) to {row.dial.strongest:g} (strongest)"
        raise UserError(f"amount {amount:g} is off the dial of {row.name}, which goes from {ends} ({row.unit})")
    return float(amount)


def _read_box(shape: tuple[int, int], box: Sequence[int]) -> Box:
    try:
        x1, y1, x2, y2 = (int(v) for v in box)
    except (TypeError, ValueError, OverflowError):
        raise UserError(f"the box {box!r} is not four whole numbers x1,y1,x2,y2") from None
    if not (0 <= x1 < x2 <= shape[1] and 0 <= y1 < y2 <= shape[0]):
        raise UserError(
            f"the box {x1},{y1},{x2},{y2} does not lie in the image, which is {shape[1]} wide and {shape[0]} high; "
            "a box is x1,y1,x2,y2 in pixels with x1 < x2 and y1 < y2"
        )
    return Box(x1, y1, x2, y2)
