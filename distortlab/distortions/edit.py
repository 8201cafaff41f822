"""Edits: the record of a distortion of a region, and rendering from it.

An operator sees the region's box with a halo, cut out of the image; its result is blended in through a mask that is
feathered inward. Every pixel outside the mask stays as it was. For local operators the inside is what the operator
would have given on the whole image.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NotRequired, TypedDict

import numpy as np

from distortlab.core.errors import UserError
from distortlab.core.image import Image, get_shape
from distortlab.core.region import Box, Region, blend
from distortlab.distortions.base import Distortion, Site
from distortlab.distortions.catalog import find

__all__ = ["MEASURE_VERSION", "Edit", "EditParams", "Visibility", "compute_spatial_scale", "render", "render_edit"]


MEASURE_VERSION = 3
"""Of what V is: 1 compared structure by SSIM and meant 2, 3, 4.5, 6.5 and 9 by severities 1 to 5; 2 by GMSD; since 3
structure counts less where gradients only became steeper or flatter.
"""


@dataclass(frozen=True, slots=True)
class Visibility:
    """How visible an edit is inside its region.

    `v` just-noticeable differences; `structure` deviation of gradient similarity, 0..0.5; `colour` mean CIEDE2000
    (2:1:1); `trend` how far it went the way its family says, in the unit of the family's row in `TRENDS` (0 where the
    family has no direction).
    """

    v: float
    structure: float
    colour: float
    trend: float


class EditParams(TypedDict):
    """What a row of the data set keeps of an edit as JSON, with the region and the severity beside it."""

    amount: float
    unit: str
    scale: float
    feather: int
    address: list[str | int]
    version: int
    measure: NotRequired[int]


@dataclass(frozen=True, slots=True)
class Edit:
    """One distortion of one region, with all that is needed to render it again.

    `amount` is the setting of the dial as the ladder has it; `scale` multiplies it where the dial is spatial. `address`
    names the randomness. `version` is the operator's, `measure` that of its visibility.
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
    measure: int = MEASURE_VERSION

    @property
    def bbox(self) -> Box:
        """The box of the region."""
        return self.region.bbox

    @property
    def params(self) -> EditParams:
        """What a row of the data set keeps of it as JSON."""
        return {
            "amount": self.amount,
            "unit": find(self.distortion).unit,
            "scale": self.scale,
            "feather": self.feather,
            "address": list(self.address),
            "version": self.version,
            "measure": self.measure,
        }

    @classmethod
    def from_params(cls, region: Region, distortion: str, severity: int, params: EditParams | str) -> "Edit":
        """The edit that `params` (a mapping or its JSON) came from."""
        values: EditParams = json.loads(params) if isinstance(params, str) else params
        return cls(
            region=region,
            distortion=distortion,
            severity=severity,
            amount=float(values["amount"]),
            scale=float(values["scale"]),
            feather=int(values["feather"]),
            address=tuple(values["address"]),
            version=int(values["version"]),
            measure=int(values.get("measure", 1)),
        )


def compute_spatial_scale(shape: tuple[int, int]) -> float:
    """The short side over 512, which lengths in a ladder are multiplied with."""
    return min(shape) / 512


def render_edit(image: Image, edit: Edit) -> Image:
    """Render the box of an edit's region.

    Parameters
    ----------
    image
        The image before the edit, uint8 RGB, (rows, columns, 3). It is not changed.
    edit
        What to do; its `visibility` is not needed.

    Returns
    -------
    Image
        The region's box after the edit, uint8 RGB, (box rows, box columns, 3).

    Raises
    ------
    UserError
        Where the region belongs to an image of another size.
    """
    row, region = find(edit.distortion), edit.region
    if region.size != get_shape(image):
        raise UserError(f"a region of an image of {region.size} (rows, columns) does not fit one of {get_shape(image)}")
    crop = _crop(row, edit, region.bbox)
    inside = region.bbox.relative_to(crop).slices
    view = np.ascontiguousarray(image[crop.slices])
    site = Site(region.size, crop, region.bbox, region.mask, view, edit.address, edit.scale)
    changed = row.operator(view, _dial(row, edit), site)
    if region.is_frame:
        return np.array(changed, order="C")  # nothing to blend with
    weight = region.feather_mask(edit.feather)
    return blend(np.ascontiguousarray(view[inside]), np.ascontiguousarray(changed[inside]), weight)


def _dial(row: Distortion, edit: Edit) -> float:
    return edit.amount * edit.scale if row.spatial else edit.amount


def _crop(row: Distortion, edit: Edit, box: Box) -> Box:
    dial = _dial(row, edit)
    return box.grow(row.halo(dial, edit.scale), edit.region.size, row.grid(dial, edit.scale))


def render(reference: Image, edits: Iterable[Edit]) -> Image:
    """The image that some edits of a reference give: an `Edit` holds all that is needed to make its pixels again.

    Parameters
    ----------
    reference
        uint8 RGB, (rows, columns, 3). It is not changed.
    edits
        Applied in this order, each to what the one before it left.

    Returns
    -------
    Image
        uint8 RGB, of the shape of `reference`.

    Raises
    ------
    UserError
        Where the region of an edit belongs to an image of another size.

    Examples
    --------
    >>> import numpy as np
    >>> from distortlab import distort, render
    >>> image = np.full((64, 64, 3), 128, np.uint8)
    >>> out = distort(image, "noise.gaussian_rgb", severity=2, box=(8, 8, 40, 40), seed=5)
    >>> bool((render(image, [out.edit]) == out.image).all())
    True
    """
    out = reference.copy()
    for edit in edits:
        out[edit.bbox.slices] = render_edit(out, edit)
    return out
