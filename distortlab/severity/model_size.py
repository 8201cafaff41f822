"""How visible a change is after a model's processor has resized the image.

Processors of the Qwen2-VL family (Qwen2.5-VL, Qwen3-VL and many after them) resize every image, bicubically, so that
its sides are multiples of a factor and it has at most `max_pixels` pixels: 1,280 visual tokens of 28 x 28 make
1,003,520.
"""

import math

import numpy as np
from PIL import Image as pillow

from distortlab.core.errors import UserError
from distortlab.core.image import Image, get_shape
from distortlab.core.region import Box, Region
from distortlab.distortions.edit import Visibility
from distortlab.severity.scene import Scene
from distortlab.severity.visibility import measure_visibility

__all__ = ["compute_model_shape", "measure_at_model_size"]

FACTOR = 28
"""Pixels of a visual token's side in Qwen2-VL and Qwen2.5-VL (patches of 14, merged by two); 32 in Qwen3-VL."""


def compute_model_shape(shape: tuple[int, int], max_pixels: int, factor: int = FACTOR) -> tuple[int, int]:
    """The (rows, columns) to which a processor resizes an image: multiples of `factor`, at most `max_pixels` in all.

    This is the rule of `smart_resize` in transformers' Qwen2-VL image processor, for images above its lower limit.
    """
    if max_pixels < factor * factor:
        raise UserError(f"max_pixels = {max_pixels} is less than one token of {factor} x {factor} pixels")
    rows, columns = (max(factor, round(side / factor) * factor) for side in shape)
    if rows * columns > max_pixels:
        shrink = math.sqrt(shape[0] * shape[1] / max_pixels)
        rows, columns = (max(factor, math.floor(side / shrink / factor) * factor) for side in shape)
    return rows, columns


def measure_at_model_size(image: Image, after: Image, region: Region, name: str, max_pixels: int) -> Visibility:
    """Measure how visible a change is after the resize of a model that takes `max_pixels`.

    Only what the region's box needs is resized; that gives the pixels that resizing the whole image would.

    Parameters
    ----------
    image
        The reference, uint8 RGB, (rows, columns, 3).
    after
        The box of `region` after the edit, uint8 RGB.
    region
        Where the image was changed.
    name
        The distortion, "family.variant".
    max_pixels
        The most pixels that the model's processor keeps.

    Returns
    -------
    Visibility
        All zero where the region is thinner than a pixel of the resized image.
    """
    shape = get_shape(image)
    small = compute_model_shape(shape, max_pixels)
    y, x = small[0] / shape[0], small[1] / shape[1]
    box = region.bbox
    out = Box(math.floor(box.x1 * x), math.floor(box.y1 * y), math.ceil(box.x2 * x), math.ceil(box.y2 * y))
    margin = 3 + math.ceil(2 * max(1 / x, 1 / y) + max(1 / x, 1 / y))
    frame = box.grow(margin, shape)
    before = np.ascontiguousarray(image[frame.slices])
    changed, mask = before.copy(), np.zeros(get_shape(before), np.uint8)
    inside = box.relative_to(frame).slices
    changed[inside], mask[inside] = after, region.mask * np.uint8(255)
    source = (out.x1 / x - frame.x1, out.y1 / y - frame.y1, out.x2 / x - frame.x1, out.y2 / y - frame.y1)
    inner = _resize_box(mask, out, source) > 127
    if not inner.any():  # thinner than a pixel there
        return Visibility(0.0, 0.0, 0.0, 0.0)
    place = Region.from_mask(inner)
    cut = place.bbox.slices
    return measure_visibility(
        Scene(_resize_box(before, out, source)[cut], place.mask), _resize_box(changed, out, source)[cut], name
    )


def _resize_box(pixels: np.ndarray, out: Box, source: tuple[float, float, float, float]) -> np.ndarray:
    height, width = pixels.shape[:2]
    x1, y1, x2, y2 = source
    box = (max(x1, 0.0), max(y1, 0.0), min(x2, float(width)), min(y2, float(height)))
    picture = pillow.fromarray(pixels).resize((out.width, out.height), pillow.Resampling.BICUBIC, box=box)
    return np.asarray(picture, np.uint8)
