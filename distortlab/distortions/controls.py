"""Controls: what tells whether a model answers to a distortion, or to something that only comes along with one.

A seam control is an image of which one region went the way of a distorted one, cut out, changed, blended in through the
mask, and was changed so little that nobody sees it (V below 1). A natural control is a clean photograph that is blurred
in parts, dark, or moved, as it was taken.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np

from distortlab.core.errors import UserError, describe_unknown
from distortlab.core.image import Image, get_shape
from distortlab.core.region import Region, blend
from distortlab.core.seeds import stream
from distortlab.distortions.edit import MEASURE_VERSION, Edit, compute_spatial_scale, render_edit

__all__ = ["OPERATIONS", "SEAM", "Control", "render_control"]

SEAM = "seam"
VERSION = 1
_QUALITY = 95.0


@dataclass(frozen=True, slots=True)
class Control:
    """What makes an image a control.

    Parameters
    ----------
    kind
        `SEAM`, or what a natural one is of (`recipe.NATURAL`), of which nothing else is set.
    region, operation, feather
        Of a seam: where, one of `OPERATIONS`, and over how many pixels it is blended in.
    address
        Names the randomness of the operation.
    v
        How visible it is, below 1.
    version, measure
        Of the operations, and of what `v` is.
    """

    kind: str
    region: Region | None = None
    operation: str | None = None
    feather: int = 0
    address: tuple[str | int, ...] = ()
    v: float | None = None
    version: int = VERSION
    measure: int = MEASURE_VERSION

    def as_row(self) -> dict[str, Any]:
        """The column `control` of a row of `images`."""
        if self.region is None:
            nothing = dict.fromkeys(("operation", "bbox", "mask_rle", "params", "v"))
            return {"kind": self.kind, **nothing}
        params = {
            "feather": self.feather,
            "address": list(self.address),
            "version": self.version,
            "measure": self.measure,
        }
        return {
            "kind": self.kind,
            "operation": self.operation,
            "bbox": list(self.region.bbox),
            "mask_rle": self.region.rle,
            "params": json.dumps(params, sort_keys=True),
            "v": self.v,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Control":
        """The control that `as_row` came from."""
        if row["kind"] != SEAM:
            return cls(str(row["kind"]))
        params = json.loads(row["params"])
        return cls(
            kind=SEAM,
            region=Region.from_rle(row["mask_rle"]),
            operation=str(row["operation"]),
            feather=int(params["feather"]),
            address=tuple(params["address"]),
            v=float(row["v"]),
            version=int(params["version"]),
            measure=int(params["measure"]),
        )


def render_control(reference: Image, control: Control) -> Image:
    """The image that a control is: its reference where nothing was done.

    Parameters
    ----------
    reference
        uint8 RGB, (rows, columns, 3). It is not changed.
    control
        What to do.

    Raises
    ------
    UserError
        For an operation that does not exist, and a region of an image of another size.
    """
    region = control.region
    if region is None:
        return reference
    if control.operation is None or control.operation not in OPERATIONS:
        raise UserError(describe_unknown("operation of a control", str(control.operation), OPERATIONS))
    if region.size != get_shape(reference):
        raise UserError(f"a region of an image of {region.size} does not fit one of {get_shape(reference)}")
    out = reference.copy()
    out[region.bbox.slices] = OPERATIONS[control.operation](reference, control, region)
    return out


def _recode(image: Image, control: Control, region: Region) -> Image:
    """The region as a JPEG file of quality 95 would have it."""
    scale = compute_spatial_scale(region.size)
    return render_edit(image, Edit(region, "compression.jpeg", 1, _QUALITY, scale, control.feather, control.address))


def _shift_level(image: Image, control: Control, region: Region) -> Image:
    """The region one level of 255 lighter or darker."""
    inside = np.ascontiguousarray(image[region.bbox.slices])
    change = cv2.add if stream(*control.address, "sign").below(2) else cv2.subtract
    return blend(inside, np.asarray(change(inside, (1, 1, 1, 0)), np.uint8), region.feather_mask(control.feather))


OPERATIONS: Mapping[str, Callable[[Image, Control, Region], Image]] = MappingProxyType(
    {"recode": _recode, "level": _shift_level}
)
"""What is done to the region of a seam control. To shift it by a pixel would be seen by V in most regions
(docs/diagnosis.md), and to paste the same pixels again changes none.
"""
