"""Edits: what was done to a region of an image, and the engine that does it.

An operator sees the region's box with a halo, cut out of the image; its result is blended in through a mask that is
feathered inward. Every pixel outside the mask stays as it was. For local operators the inside is what the operator
would have given on the whole image.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np

from distortlab.core.errors import UserError
from distortlab.core.image import Image, shape_of
from distortlab.core.region import Box, Region, blend
from distortlab.distortions.base import Distortion, Profile, Site
from distortlab.distortions.catalog import amount_of, find, read_severity
from distortlab.severity.visibility import Scene, Visibility, measure

__all__ = ["Distorted", "Edit", "applied", "distort", "region_of", "render"]


@dataclass(frozen=True, slots=True)
class Edit:
    """One distortion of one region, complete enough to be done again.

    `amount` is the setting of the dial as the ladder has it; `scale` multiplies it where the dial is spatial. `address`
    names the randomness. `version` is the operator's.
    """

    region: Region
    distortion: str
    severity: int
    amount: float
    scale: float
    feather: int
    address: tuple[str | int, ...]
    version: int = 1
    visibility: Visibility | None = None

    @property
    def bbox(self) -> Box:
        """The box of the region."""
        return self.region.bbox

    @property
    def params(self) -> dict[str, Any]:
        """What a row of the data set keeps, with the region and the severity beside it."""
        return {
            "amount": self.amount,
            "unit": find(self.distortion).unit,
            "scale": self.scale,
            "feather": self.feather,
            "address": list(self.address),
            "version": self.version,
        }

    @classmethod
    def from_params(cls, region: Region, distortion: str, severity: int, params: Mapping[str, Any] | str) -> "Edit":
        """The edit that `params` (a mapping or its JSON) came from."""
        values = json.loads(params) if isinstance(params, str) else params
        return cls(
            region=region,
            distortion=distortion,
            severity=severity,
            amount=float(values["amount"]),
            scale=float(values["scale"]),
            feather=int(values["feather"]),
            address=tuple(values["address"]),
            version=int(values["version"]),
        )


def spatial_scale(shape: tuple[int, int]) -> float:
    """The short side over 512, which lengths in a ladder are multiplied with."""
    return min(shape) / 512


def applied(image: Image, edit: Edit) -> Image:
    """The box of the edit's region after the edit, uint8 (box rows, box columns, 3). `image` is not touched."""
    row, region = find(edit.distortion), edit.region
    if region.size != shape_of(image):
        raise UserError(f"a region of an image of {region.size} (rows, columns) does not fit one of {shape_of(image)}")
    crop = _crop(row, edit, region.bbox)
    inside = region.bbox.within(crop).slices
    view = np.ascontiguousarray(image[crop.slices])
    site = Site(region.size, crop, region.bbox, region.mask, view, edit.address, edit.scale)
    changed = row.operator(view, _dial(row, edit), site)
    weight = region.feathered(edit.feather)
    return blend(np.ascontiguousarray(view[inside]), np.ascontiguousarray(changed[inside]), weight)


def _dial(row: Distortion, edit: Edit) -> float:
    return edit.amount * edit.scale if row.spatial else edit.amount


def _crop(row: Distortion, edit: Edit, box: Box) -> Box:
    dial = _dial(row, edit)
    return box.grown(row.halo(dial, edit.scale), edit.region.size, row.grid(dial, edit.scale))


def render(reference: Image, edits: Iterable[Edit]) -> Image:
    """The reference with every edit done, one after the other."""
    out = reference.copy()
    for edit in edits:
        out[edit.bbox.slices] = applied(out, edit)
    return out


class Distorted(NamedTuple):
    """An image with one distortion, and the record of it. Notebooks show the image."""

    image: Image
    edit: Edit

    def _repr_png_(self) -> bytes:
        """What a notebook shows: the pixels themselves, or a smaller copy where they are too many for a page."""
        return _as_png(self.image)


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
    feather: int = 2,
) -> Distorted:
    """Distort the masked part of an image.

    `image` uint8 (rows, columns, 3) RGB. `mask` (rows, columns), anything but 0 is distorted; or `box`
    `(x1, y1, x2, y2)` in pixels, x2 and y2 exclusive; with neither, the whole image. `amount` sets the dial itself,
    in the unit of the distortion, in place of the ladder's setting for `severity`. The same arguments give the same
    pixels. Returns the new image and the edit: region and box, parameters, and how visible it came out.
    """
    _check_image(image)
    row, severity = find(name), read_severity(severity)
    region = region_of(shape_of(image), mask, box)
    setting = amount_of(row, severity, profile) if amount is None else _checked_amount(row, amount)
    if not 0 <= feather <= 64:
        raise UserError(f"feather = {feather} is outside 0 .. 64 pixels")
    scale = spatial_scale(region.size)
    edit = Edit(region, name, severity, setting, scale, feather, (int(seed), name), row.version)
    after = applied(image, edit)
    scene = Scene(np.ascontiguousarray(image[region.bbox.slices]), region.mask)
    out = image.copy()
    out[region.bbox.slices] = after
    return Distorted(out, with_visibility(edit, measure(scene, after, row.name)))


_SHOWN = 1600
"""The longest side of a picture in a notebook, px."""


def _as_png(image: Image) -> bytes:
    longest = max(shape_of(image))
    if longest > _SHOWN:
        columns, rows = (max(1, round(side * _SHOWN / longest)) for side in (image.shape[1], image.shape[0]))
        image = np.asarray(cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    return bytes(cv2.imencode(".png", image[..., ::-1])[1])


def with_visibility(edit: Edit, seen: Visibility) -> Edit:
    """The edit with its measurement."""
    from dataclasses import replace

    return replace(edit, visibility=seen)


def _check_image(image: Any) -> None:
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        came = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise UserError(f"an image is a uint8 array of (rows, columns, 3), not {came}")
    if not image.size:
        raise UserError(f"the image has no pixels: shape {image.shape}")


def region_of(shape: tuple[int, int], mask: np.ndarray | None, box: tuple[int, int, int, int] | None) -> Region:
    """The region that a mask or a box of an image of `shape` (rows, columns) means; the whole image with neither."""
    if mask is not None and box is not None:
        raise UserError("give a mask or a box, not both")
    if mask is not None:
        if np.shape(mask) != shape:
            raise UserError(f"the mask has shape {np.shape(mask)}, the image {shape} (rows, columns)")
        if not np.any(mask):
            raise UserError("the mask is empty: nothing would be distorted")
        return Region.from_mask(mask)
    return Region.from_box(_checked_box(shape, (0, 0, shape[1], shape[0]) if box is None else box), shape)


def _checked_amount(row: Distortion, amount: float) -> float:
    if not row.dial.takes(amount):
        ends = f"{row.dial.weakest:g} (weakest) to {row.dial.strongest:g} (strongest)"
        raise UserError(f"amount {amount:g} is off the dial of {row.name}, which goes from {ends} ({row.unit})")
    return float(amount)


def _checked_box(shape: tuple[int, int], box: Sequence[int]) -> Box:
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
