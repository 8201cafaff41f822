"""Regions: where an image is changed, and how a change is blended in.

A region is kept as the run-length encoding of the COCO format; its mask is decoded when it is needed.
Boxes are `(x1, y1, x2, y2)` in whole pixels, x2 and y2 exclusive. Masks are uint8, 0 or 1, (rows, columns).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from distortlab.core.image import Image
from distortlab.core.run_lengths import shift_ends

__all__ = ["Box", "Mask", "Region", "blend", "feather_mask"]

Mask = NDArray[np.uint8]


class Box(NamedTuple):
    """A half-open box in whole pixels."""

    x1: int
    y1: int
    x2: int
    y2: int

    @property
    def width(self) -> int:
        """Columns."""
        return self.x2 - self.x1

    @property
    def height(self) -> int:
        """Rows."""
        return self.y2 - self.y1

    @property
    def slices(self) -> tuple[slice, slice]:
        """The (row, column) slices that cut this box out of an image."""
        return slice(self.y1, self.y2), slice(self.x1, self.x2)

    def grow(self, halo: int, shape: tuple[int, int], grid: int = 1) -> "Box":
        """The box with `halo` pixels around it, widened to multiples of `grid`, within an image of (rows, columns)."""
        return Box(
            max(0, (self.x1 - halo) // grid * grid),
            max(0, (self.y1 - halo) // grid * grid),
            min(shape[1], -(-(self.x2 + halo) // grid) * grid),
            min(shape[0], -(-(self.y2 + halo) // grid) * grid),
        )

    def meets(self, other: "Box") -> bool:
        """Whether a pixel is in both."""
        return self.x1 < other.x2 and other.x1 < self.x2 and self.y1 < other.y2 and other.y1 < self.y2

    def relative_to(self, outer: "Box") -> "Box":
        """The box in the coordinates of `outer`."""
        return Box(self.x1 - outer.x1, self.y1 - outer.y1, self.x2 - outer.x1, self.y2 - outer.y1)


@dataclass(frozen=True)
class Region:
    """A set of pixels of an image of `size` (rows, columns), as COCO's compressed run lengths."""

    size: tuple[int, int]
    counts: bytes

    @classmethod
    def from_mask(cls, mask: NDArray[Any]) -> "Region":
        """The region of a mask.

        Parameters
        ----------
        mask
            (rows, columns) of the whole image, any dtype; every value other than 0 belongs to the region.

        Examples
        --------
        >>> import numpy as np
        >>> from distortlab import Region
        >>> mask = np.zeros((4, 6), bool)
        >>> mask[1:3, 2:5] = True
        >>> region = Region.from_mask(mask)
        >>> region.area, region.bbox
        (6, Box(x1=2, y1=1, x2=5, y2=3))
        >>> region.rle
        {'size': [4, 6], 'counts': '9220003'}
        """
        rows, columns = int(mask.shape[0]), int(mask.shape[1])
        return cls.from_part(mask, Box(0, 0, columns, rows), (rows, columns))

    @classmethod
    def from_part(cls, part: NDArray[Any], at: Box, size: tuple[int, int]) -> "Region":
        """The region of the mask of a box (`at`) of an image of `size` (rows, columns); it is empty outside of that."""
        rows, columns = size
        inside = (part != 0).view(np.uint8)
        x, y, width, height = cv2.boundingRect(inside) if inside.size else (0, 0, 0, 0)
        if not width:
            return cls(size, coco_mask.encode(np.zeros(size, np.uint8, order="F"))["counts"])
        # Only the columns of the box are encoded; with an empty one behind them, the last run is one of 0.
        box = Box(at.x1 + x, at.y1 + y, at.x1 + x + width, at.y1 + y + height)
        stop = min(box.x2 + 1, columns)
        mask = np.ascontiguousarray(inside[y : y + height, x : x + width])
        strip = np.zeros((stop - box.x1, rows), np.uint8)
        strip[:width, box.y1 : box.y2] = cv2.transpose(mask)
        counts = shift_ends(coco_mask.encode(strip.T)["counts"], box.x1 * rows, (columns - stop) * rows)
        region = cls(size, counts)
        region.__dict__.update(bbox=box, mask=mask)
        return region

    @classmethod
    def from_box(cls, box: Box, size: tuple[int, int]) -> "Region":
        """The region of all pixels in a box of an image of `size` (rows, columns).

        Examples
        --------
        >>> from distortlab import Region
        >>> from distortlab.core.region import Box
        >>> region = Region.from_box(Box(2, 1, 5, 3), size=(4, 6))
        >>> region.area, region.mask.shape
        (6, (2, 3))
        """
        mask = np.zeros(size, np.uint8)
        mask[box.slices] = 1
        return cls.from_mask(mask)

    @classmethod
    def from_rle(cls, rle: Mapping[str, Any]) -> "Region":
        """From COCO's `{"size": [rows, columns], "counts": compressed}`."""
        counts = rle["counts"]
        rows, columns = rle["size"]
        return cls((int(rows), int(columns)), counts.encode() if isinstance(counts, str) else bytes(counts))

    @classmethod
    def from_rle_with_box(cls, rle: Mapping[str, Any], area: int, box: Sequence[float]) -> "Region":
        """From run lengths whose number of pixels and box, as x, y, width and height, are known already."""
        region = cls.from_rle(rle)
        region.__dict__.update(area=area, bbox=_read_box(box))
        return region

    @classmethod
    def union(cls, regions: "Sequence[Region]") -> "Region":
        """All pixels of regions of one image."""
        return regions[0] if len(regions) == 1 else cls.from_rle(coco_mask.merge([one._coded for one in regions]))

    def count_common(self, other: "Region") -> int:
        """How many pixels are in both."""
        if not self.bbox.meets(other.bbox):
            return 0
        return int(coco_mask.area(coco_mask.merge([self._coded, other._coded], intersect=True)))

    @property
    def _coded(self) -> dict[str, Any]:
        return {"size": list(self.size), "counts": self.counts}

    @cached_property
    def largest_part(self) -> float:
        """The share of the pixels that its largest connected part has, 0..1; corners connect."""
        if not self.mask.size:  # OpenCV would crash
            return 0.0
        # Nearly all regions are in one part, and outer contours are found in half the time that labels take.
        if len(cv2.findContours(self.mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]) == 1:
            return 1.0
        _, labels = cv2.connectedComponents(self.mask, connectivity=8)
        return int(np.bincount(labels.ravel())[1:].max(initial=0)) / max(self.area, 1)

    @property
    def rle(self) -> dict[str, Any]:
        """COCO's run-length encoding, ready for JSON."""
        return {"size": list(self.size), "counts": self.counts.decode()}

    @cached_property
    def area(self) -> int:
        """Number of pixels."""
        return int(coco_mask.area(self._coded))

    @property
    def is_frame(self) -> bool:
        """Whether it is the whole image."""
        return self.area == self.size[0] * self.size[1]

    @cached_property
    def bbox(self) -> Box:
        """The smallest box around the pixels."""
        return _read_box(coco_mask.toBbox(self._coded).tolist())

    @cached_property
    def mask(self) -> Mask:
        """The mask inside `bbox`, uint8 0 or 1, (bbox rows, bbox columns)."""
        box, (rows, columns) = self.bbox, self.size
        if not 0 <= box.x1 < box.x2 <= columns:
            return np.ascontiguousarray(coco_mask.decode(self._coded)[box.slices])
        # Only the columns of the box are decoded.
        counts = shift_ends(self.counts, -box.x1 * rows, (box.x2 - columns) * rows)
        part = coco_mask.decode({"size": [rows, box.width], "counts": counts}).T
        return np.asarray(cv2.transpose(np.ascontiguousarray(part[:, box.y1 : box.y2])), np.uint8)

    def feather_mask(self, feather: int) -> Mask:
        """The weights 0..255 of a blend inside `bbox`, over `feather` pixels; full where the region meets the frame."""
        box = self.bbox
        edges = (box.y1 > 0, box.y2 < self.size[0], box.x1 > 0, box.x2 < self.size[1])
        return feather_mask(self.mask, feather, *edges)


def _read_box(box: Sequence[float]) -> Box:
    """From x, y, width and height."""
    x, y, width, height = map(int, box)
    return Box(x, y, x + width, y + height)


def feather_mask(
    mask: Mask, feather: int, top: bool = True, bottom: bool = True, left: bool = True, right: bool = True
) -> Mask:
    """Compute the weights of a blend, which rise from the edge of a mask inward. Integer arithmetic only.

    Parameters
    ----------
    mask
        uint8, 0 or 1, (rows, columns).
    feather
        Over about how many pixels the weights rise; 0 for none.
    top, bottom, left, right
        Whether the mask ends at this side. False: it is the frame of the image, and the weight stays full there.

    Returns
    -------
    Mask
        uint8, 0..255, of the shape of `mask`; exactly 0 outside of it.
    """
    full: Mask = mask * np.uint8(255)
    if feather <= 0:
        return full
    pads = [feather if side else 0 for side in (top, bottom, left, right)]
    padded = cv2.copyMakeBorder(full, pads[0], pads[1], pads[2], pads[3], borderType=cv2.BORDER_CONSTANT, value=0)
    size = 2 * feather + 1
    mean = cv2.blur(padded, (size, size), borderType=cv2.BORDER_REPLICATE)
    mean = mean[pads[0] : pads[0] + mask.shape[0], pads[2] : pads[2] + mask.shape[1]]
    return np.asarray(cv2.LUT(mean, _RISING), np.uint8) & full


_RISING = np.concatenate([np.zeros(128, np.uint8), np.arange(2, 256, 2, dtype=np.uint8), np.array([255], np.uint8)])
"""The weight for each mean of a mask: none up to half of it, then twice what is above."""


def blend(reference: Image, distorted: Image, weight: Mask) -> Image:
    """Blend two images: `(distorted * weight + reference * (255 - weight)) / 255`, rounded.

    Parameters
    ----------
    reference, distorted
        uint8 RGB, (rows, columns, 3).
    weight
        uint8, (rows, columns): 0 keeps the reference exactly, 255 the distorted image.

    Returns
    -------
    Image
        A new image of the same shape.
    """
    out = reference.copy()
    cv2.copyTo(distorted, (weight == 255).view(np.uint8), out)
    edge = np.flatnonzero((weight.ravel() - np.uint8(1)) < np.uint8(254))
    if edge.size:
        # Pixels are taken and put as values of 3 bytes: several times as fast as by an index.
        w = cv2.cvtColor(weight.ravel().take(edge), cv2.COLOR_GRAY2RGB).reshape(-1).astype(np.uint16)
        new = _take_pixels(distorted, edge) * w
        new += _take_pixels(reference, edge) * (np.uint16(255) - w)
        new += np.uint16(127)
        new //= np.uint16(255)
        np.put(out.reshape(-1).view("V3"), edge, new.astype(np.uint8).view("V3"))
    return out


def _take_pixels(image: Image, places: NDArray[np.intp]) -> NDArray[np.uint8]:
    """The bytes of some pixels of the flat image, (3 n,)."""
    return image.reshape(-1).view("V3").take(places).view(np.uint8)
